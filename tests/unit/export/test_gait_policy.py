"""An exported gait policy computes what training computed, from speed, cadence and turn rate."""

import numpy as np
import pytest
import torch
from policies import make_actor
from small_refnn import RANGES, small_refnn

from whole_body_tracking.export import ObservationTerm, PolicySpec, load_policy
from whole_body_tracking.export.gait.graph import build_gait_graph
from whole_body_tracking.export.gait.parity import check_gait_parity
from whole_body_tracking.export.onnx_policy import to_onnx_bytes
from whole_body_tracking.gait.network.known_parameters import KnownParameters
from whole_body_tracking.gait.network.reference import GaitReference
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.gait_walker import gait_values, parse_gait

pytestmark = [pytest.mark.unit, pytest.mark.integration]
STEERED = ("speed", "cadence", "turn_rate")
JOINTS = tuple(reversed(G1.joint_names))
BODIES = tuple(G1.tracked_body_names)
OBSERVATIONS = (
    ObservationTerm("command", 58),
    ObservationTerm("base_ang_vel", 3),
    ObservationTerm("actions", 29),
    ObservationTerm("gait_params", 11),
    ObservationTerm("gait_phase", 2),
)


def gait_spec(walk, **changes) -> PolicySpec:
    numbers, limits = [0.1 + 0.02 * joint for joint in range(29)], [2.0 + 0.1 * joint for joint in range(29)]
    per_joint = {f"joint_{n}": tuple(numbers) for n in ("stiffness", "damping", "armature", "effort_limit")}
    fields = {
        "task": "Gait-Test-v0", "run_path": "a/b", "checkpoint": "model_1.pt", "control_dt": walk.dt,
        "action_kind": "residual", "action_clip": None, "reference_in_graph": False, "observations": OBSERVATIONS,
        "command_names": ("motion",), "anchor_body_name": G1.anchor_body_name, "body_names": BODIES,
        "joint_names": JOINTS, "joint_velocity_limit": tuple(numbers), "joint_pos_upper": tuple(limits),
        "joint_pos_lower": tuple(-limit for limit in limits), "soft_joint_pos_upper": tuple(limits),
        "soft_joint_pos_lower": tuple(-limit for limit in limits), "default_joint_pos": tuple(numbers[::-1]),
        "action_scale": tuple(numbers), "clips": (), "gait_inputs": STEERED,
        "gait_low": tuple(RANGES[name][0] for name in STEERED),
        "gait_high": tuple(RANGES[name][1] for name in STEERED), "gait_state_size": walk.state_size,
    }  # fmt: skip
    return PolicySpec(**(fields | per_joint | changes))


@pytest.fixture(scope="module")
def walk():
    return GaitReference(small_refnn(), G1, 0.02)


@pytest.fixture(scope="module")
def actor():
    return make_actor(num_observations=103, num_actions=29)


@pytest.fixture(scope="module")
def policy(walk, actor, tmp_path_factory):
    path = tmp_path_factory.mktemp("gait") / "policy.onnx"
    spec = gait_spec(walk)
    path.write_bytes(to_onnx_bytes(build_gait_graph(actor, spec, walk), spec))
    return load_policy(path, follows_gait=True)


def observations_of(walk, states, last_actions):
    """As the environment makes them."""
    motion = walk.motion_state(states, JOINTS, BODIES)
    parts = (motion.joint_pos, motion.joint_vel, 0.1 * torch.randn(len(states), 3), last_actions)
    return torch.cat((*parts, walk.scaled_params(states), walk.phase_vector(states)), dim=-1)


def walked(walk, num_steps):
    known = KnownParameters(walk.model, STEERED)
    states = walk.start(known(torch.tensor([[0.3, 100.0, 0.1], [0.6, 90.0, -0.2]])), torch.tensor([0.0, 0.6]))
    for _ in range(num_steps):
        states = walk.advance(states, known(torch.tensor([[0.5, 120.0, 0.0], [0.2, 110.0, 0.3]])))
    return states


def test_the_file_computes_what_torch_computes(walk, actor, policy):
    torch.manual_seed(0)
    states = walked(walk, 7)
    last = torch.randn(2, 29)
    last[1] = 0.0  # the first step of an episode
    assert check_gait_parity(policy, actor, observations_of(walk, states, last), states, walk) < 1e-4


def test_another_network_or_walk_is_noticed(walk, actor, policy):
    states = walked(walk, 7)
    obs = observations_of(walk, states, torch.randn(2, 29))
    with pytest.raises(ValueError, match="differs from torch"):
        check_gait_parity(policy, make_actor(103, 29, seed=1), obs, states, walk)
    with pytest.raises(ValueError, match="differs from torch"):
        check_gait_parity(policy, actor, obs, states, GaitReference(small_refnn(seed=1), G1, 0.02))


def test_a_controller_walks_by_giving_the_state_back(walk, policy):
    """Three calls begin a walk; the references are those of the walk in torch, and terms are filled in."""
    gait = np.array([0.4, 110.0, 0.1], dtype=np.float32)
    params = KnownParameters(walk.model, STEERED)(torch.from_numpy(gait)[None])
    state, nothing = walk.start(params, torch.zeros(1)), np.zeros(103)
    outputs = policy.run_gait(nothing, gait, np.zeros(walk.state_size))
    assert np.abs(outputs["next_state"] - state.numpy()).max() < 1e-5 and not outputs["actions"].any()
    obs = np.zeros(103)
    obs[58:61] = 0.1  # what the controller measures; the rest the file knows
    for _ in range(3):
        state = walk.advance(state, params)
        outputs = policy.run_gait(nothing if not outputs["actions"].any() else obs, gait, outputs["next_state"])
        joint_pos = walk.motion_state(state, JOINTS, BODIES).joint_pos
        assert np.abs(outputs["joint_pos"] - joint_pos.numpy()).max() < 1e-5
    filled = observations_of(walk, state, torch.zeros(1, 29)).numpy()
    filled[:, 58:61] = 0.1
    both = [policy.run_gait(row, gait, outputs["next_state"])["actions"] for row in (obs, filled)]
    assert np.abs(both[0] - both[1]).max() < 1e-5 and np.abs(both[0]).max() > 0.01


def test_files_of_clips_and_of_gaits_are_not_mixed_up(policy, walk, actor, tmp_path):
    with pytest.raises(ValueError, match=r"sim2sim\.py --gait"):
        load_policy(policy.folder / "policy.onnx")
    with pytest.raises(ValueError, match="run_gait"):
        policy.run(np.zeros(103))
    assert PolicySpec.from_json(policy.spec.to_json()) == policy.spec
    assert policy.spec.emitted_actions == "default_relative"


def test_gaits_of_the_command_line(walk):
    spec = gait_spec(walk)
    assert parse_gait("speed=0.6, turn=0.2") == {"speed": 0.6, "turn_rate": 0.2}
    assert gait_values(spec, {"speed": 0.6}).tolist() == pytest.approx([0.6, 105.0, 0.0])
    with pytest.raises(ValueError, match="expected NAME=NUMBER"):
        parse_gait("speed")
    with pytest.raises(ValueError, match=r"speed is 3, and the policy was trained on 0\.1 to 0\.8"):
        gait_values(spec, {"speed": 3.0})
    with pytest.raises(ValueError, match="speed is nan"):
        gait_values(spec, {"speed": float("nan")})
    with pytest.raises(ValueError, match=r"pace.*speed"):
        gait_values(spec, {"pace": 1.0})
