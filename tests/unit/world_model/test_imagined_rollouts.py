"""World model, imagined rollouts and their cost: numbers by hand, and gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary
from whole_body_tracking.motion.geometry.rotations import quat_exp, quat_mul, quat_rotate
from whole_body_tracking.robots import G1
from whole_body_tracking.world_model.imagining.bodies import BodyKinematics
from whole_body_tracking.world_model.imagining.buffer import Moment
from whole_body_tracking.world_model.imagining.cost import CostWeights, Kernel, masked_mean, smooth_cost
from whole_body_tracking.world_model.imagining.dynamics import WorldModel
from whole_body_tracking.world_model.imagining.imagination import Imagination, _limited
from whole_body_tracking.world_model.imagining.state import features, integrate, split, velocity_change
from whole_body_tracking.world_model.settings import WorldModelSettings

pytestmark = pytest.mark.unit

DT = 0.02
FUNCTIONS = [
    "generated_commands", "motion_anchor_pos_b", "motion_anchor_ori_b", "base_lin_vel", "base_ang_vel",
    "joint_pos_rel", "joint_vel_rel", "last_action",
]  # fmt: skip


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    return MotionClip.load(DEFAULT_MOTION_FILE)


@pytest.fixture(scope="module")
def library(clip) -> MotionLibrary:
    return MotionLibrary.from_clips([clip], G1.joint_names, G1.tracked_body_names, channels=[])


def state_of(library: MotionLibrary, frames: Tensor) -> Tensor:
    """States of the robot on frames of the clip."""
    ref, root = library.state_at(torch.zeros_like(frames), frames), 0  # pelvis is the first tracked body
    inverse = ref.body_quat_w[:, root] * torch.tensor([-1.0, -1.0, -1.0, 1.0])
    ang_vel_b = quat_rotate(inverse, ref.body_ang_vel_w[:, root])
    parts = (ref.body_pos_w[:, root], ref.body_quat_w[:, root], ref.body_lin_vel_w[:, root], ang_vel_b)
    return torch.cat((*parts, ref.joint_pos, ref.joint_vel), dim=-1)


def imagination(library: MotionLibrary) -> Imagination:
    errors = ("anchor_pos", "anchor_ori", "body_pos", "body_ori", "body_lin_vel", "body_ang_vel")
    stds, shares = (0.3, 0.4, 0.3, 0.4, 1.0, 3.14), (0.5, 0.5, 1.0, 1.0, 1.0, 1.0)
    kernels = tuple(Kernel(*values) for values in zip(errors, stds, shares, strict=True))
    anchor = G1.tracked_body_names.index(G1.anchor_body_name)
    limits = torch.tensor(G1.soft_joint_pos_limits)
    kinematics = BodyKinematics(G1, G1.joint_names, G1.tracked_body_names, G1.anchor_body_name, "cpu")
    return Imagination(
        library=library,
        body_ids=torch.arange(len(G1.tracked_body_names)),
        ref_anchor_idx=anchor,
        kinematics=kinematics,
        functions=FUNCTIONS,
        noises=[None] * len(FUNCTIONS),
        weights=CostWeights(kernels, anchor, 0.3, 0.01, 10.0, limits),
        center="reference",
        action_scale=torch.tensor(G1.action_scale),
        action_offset=torch.zeros(2, 29, dtype=torch.float64),
        default_joint_pos=torch.tensor(G1.default_joint_pos).expand(2, -1),
    )


def test_a_step_is_semi_implicit_in_the_base_frame():
    """Base turned by 90 degrees about z: a change of 1 m/s ahead is one along the world's y."""
    state = torch.zeros(1, 13 + 2, dtype=torch.float64)
    state[0, :3], state[0, 5:7] = torch.tensor([1.0, 2.0, 0.8]), math.sqrt(0.5)
    state[0, 13], state[0, 14] = 0.1, 3.0
    change = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.5]], dtype=torch.float64)
    after = split(integrate(state, change, DT))
    assert after.root_lin_vel_w[0].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert after.root_pos[0].tolist() == pytest.approx([1.0, 2.0 + 1.0 * DT, 0.8])
    turned = quat_mul(quat_exp(torch.tensor([0.0, 0.0, 2.0 * DT]).double()), state[0, 3:7])
    assert torch.allclose(after.root_quat[0], turned)
    assert float(after.joint_vel) == pytest.approx(3.5) and float(after.joint_pos) == pytest.approx(0.1 + 3.5 * DT)
    assert torch.allclose(velocity_change(state, integrate(state, change, DT)), change)


def test_a_spin_keeps_the_quaternion_a_rotation():
    state = torch.zeros(1, 13)
    state[0, 6], state[0, 10:13] = 1.0, torch.tensor([3.0, -20.0, 9.0])
    for _ in range(500):
        state = integrate(state, torch.zeros(1, 6), DT)
    assert float(split(state).root_quat.norm()) == pytest.approx(1.0, abs=1e-6)


def test_the_model_sees_neither_place_nor_heading(library):
    state = state_of(library, torch.tensor([60]))
    moved, turn = state.clone(), quat_exp(torch.tensor([[0.0, 0.0, 1.2]]))
    moved[:, :2] += torch.tensor([3.0, -2.0])
    moved[:, 3:7], moved[:, 7:10] = quat_mul(turn, state[:, 3:7]), quat_rotate(turn, state[:, 7:10])
    assert torch.allclose(features(moved), features(state), atol=1e-5)
    moved[:, 2] += 0.1
    assert float((features(moved) - features(state)).abs().max()) == pytest.approx(0.1, abs=1e-5)


def test_bodies_are_those_of_the_clip(library):
    """Poses and velocities by kinematics from root and joints, against what the converter stored."""
    frames = torch.tensor([5, 60, 120])
    ref = library.state_at(torch.zeros_like(frames), frames)
    kinematics = imagination(library).kinematics
    bodies = kinematics.bodies(state_of(library, frames))
    for found, stored in zip(vars(bodies).values(), (ref.body_pos_w, ref.body_quat_w), strict=False):
        assert torch.allclose(found, stored, atol=1e-4)
    # Velocities of the clip are differences over frames, so they agree less closely.
    assert (bodies.lin_vel_w - ref.body_lin_vel_w).abs().max() < 0.02
    assert (bodies.ang_vel_w - ref.body_ang_vel_w).abs().max() < 0.05
    pos, quat = kinematics.anchor(state_of(library, frames))
    anchor = G1.tracked_body_names.index(G1.anchor_body_name)
    assert torch.allclose(pos, bodies.pos_w[:, anchor], atol=1e-6)
    assert torch.allclose(quat, bodies.quat_w[:, anchor], atol=1e-6)


def test_the_cost_lacks_to_one_what_the_reward_gives_and_has_a_slope_far_away():
    """At e = s: 1 - exp(-1) + 0.3 (sqrt(2) - 1) = 0.6321 + 0.1243; at e = 10 s the slope is nearly 0.3 / s."""
    assert float(smooth_cost(torch.tensor(0.09), 0.3, 0.3)) == pytest.approx(0.7564, abs=1e-4)
    assert float(smooth_cost(torch.tensor(0.0), 0.3, 0.3)) == 0.0
    error = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(smooth_cost(error.square(), 0.3, 0.3), error)
    assert float(slope) == pytest.approx(1.0 * 10.0 / math.sqrt(101.0))


def test_steps_past_the_clip_do_not_count():
    assert float(masked_mean(torch.tensor([1.0, 3.0, torch.nan]), torch.tensor([True, True, False]))) == 2.0


def test_gradients_of_a_rollout_are_cut_alone():
    gradient = torch.tensor([[3.0, 4.0], [0.3, 0.4], [torch.nan, 1.0]])
    assert torch.allclose(_limited(gradient, 1.0), torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 1.0]]))


def test_gradients_through_model_and_rewards_are_finite_differences(library):
    """Of the cost of three imagined steps by the policy's weights, in double precision."""
    torch.manual_seed(0)
    task, frames = imagination(library), torch.tensor([40, 90])
    model = WorldModel(torch.tensor(G1.action_scale), DT, 8, 2, torch.float32).double()
    policy = torch.nn.Sequential(torch.nn.Linear(160, 4), torch.nn.Tanh(), torch.nn.Linear(4, 29)).double()
    state = state_of(library, frames).double() + 0.02 * torch.randn(2, 71).double()
    state[:, 3:7] = torch.nn.functional.normalize(state[:, 3:7], dim=-1)
    zeros = torch.zeros(2, dtype=torch.long)
    moment = Moment(state, state[:, :0], torch.zeros(2, 29).double(), zeros, frames + 1, torch.arange(2))

    def cost() -> Tensor:
        return task.cost(policy, model, moment, horizon=3, noise=0.0, max_gradient=1e9)

    weights = policy[0].weight
    cost().backward()
    for row, column in ((0, 3), (1, 60), (2, 75), (3, 100), (0, 140)):
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                weights[row, column] += step
                values.append(float(cost()))
                weights[row, column] -= step
        assert float(weights.grad[row, column]) == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5, abs=1e-9)


def test_a_clip_goes_on_if_it_has_a_frame_after_the_last_step(library):
    """With the last frame at L, three steps aimed at L - 4, L - 3 and L - 2 reach L - 2, L - 1 and L."""
    task, last = imagination(library), int(library.last_frames[0])
    frames, zeros = torch.tensor([last - 4, last - 3, last - 2]), torch.zeros(3, dtype=torch.long)
    state, nothing = state_of(library, frames).double(), torch.zeros(3, 29).double()
    moment = Moment(state, nothing, nothing, zeros, frames, zeros)
    model = WorldModel(torch.tensor(G1.action_scale), DT, 8, 1, torch.float32).double()
    with torch.no_grad():
        rollouts = task.rollouts(lambda obs: nothing, model, moment, 3, 0.0, 1.0)
    assert rollouts.goes_on.tolist() == [True, True, False] and rollouts.counts.all()
    assert rollouts.costs.shape == (3, 3) and rollouts.state.shape == (3, 71)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": 0}, "--horizon is 0, expected at least 1"),
        ({"average_rate": 2.0}, "--average_rate is 2, expected 1e-06 to 1"),
        ({"warmup_steps": 9, "model_window": 9}, "Collect more steps than a window has"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        WorldModelSettings(**changes)
