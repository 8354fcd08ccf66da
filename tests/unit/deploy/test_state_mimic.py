"""The export for Unitree's State_Mimic, run by the rules of that state's published sources."""

import numpy as np
import pytest
import torch
import yaml
from deploy_samples import WITHOUT_ESTIMATE
from g1_policies import OBSERVATIONS, g1_spec
from rsl_rl.models import MLPModel
from state_mimic_runtime import Runtime
from tensordict import TensorDict

from whole_body_tracking.deploy.control.pose import Body
from whole_body_tracking.deploy.state_mimic import export_state_mimic, observation_only
from whole_body_tracking.export import ObservationTerm, export_onnx
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.observations import ObservationBuilder
from whole_body_tracking.sim2sim.reference import references_of
from whole_body_tracking.sim2sim.rollout import situation

pytestmark = pytest.mark.unit

ORDER = np.random.default_rng(0).permutation(29)
"""Joints of the policy in another order than the motors'."""
JOINTS = tuple(G1.joint_names[index] for index in ORDER)


def export(path, **changes):
    """A policy with a random network, joints out of the motors' order."""
    fields = {"observations": WITHOUT_ESTIMATE, "joint_names": JOINTS}
    for name in ("stiffness", "damping", "effort_limit", "velocity_limit", "armature"):
        fields[f"joint_{name}"] = tuple(getattr(G1, name)[ORDER].tolist())
    fields |= {name: tuple(getattr(G1, name)[ORDER].tolist()) for name in ("default_joint_pos", "action_scale")}
    for prefix, limits in (("joint", G1.joint_pos_limits), ("soft_joint", G1.soft_joint_pos_limits)):
        fields[f"{prefix}_pos_lower"] = tuple(limits[ORDER, 0].tolist())
        fields[f"{prefix}_pos_upper"] = tuple(limits[ORDER, 1].tolist())
    spec = g1_spec(**fields | changes)
    torch.manual_seed(0)
    obs = TensorDict({"policy": torch.randn(100, spec.num_observations)}, batch_size=[100])
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0}
    actor = MLPModel(obs, {"actor": ["policy"]}, "actor", 29, [16], "elu", True, distribution)
    actor.update_normalization(obs)
    library = MotionLibrary.from_clips([MotionClip.load(DEFAULT_MOTION_FILE)]) if spec.reference_in_graph else None
    return export_onnx(actor, spec, library, path)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return load_policy(export(tmp_path_factory.mktemp("policy") / "policy.onnx"))


@pytest.fixture(scope="module")
def files(policy, tmp_path_factory):
    return export_state_mimic(policy.folder / "policy.onnx", tmp_path_factory.mktemp("mimic") / "squat")


def robot_state(frame: int) -> RobotState:
    """The reference's state at a frame, and a little off."""
    clip, rng = MotionClip.load(DEFAULT_MOTION_FILE), np.random.default_rng(frame)
    order = [clip.joint_names.index(name) for name in JOINTS]
    root = clip.body_indices(G1.body_names[:1])[0]
    return RobotState(
        clip.body_pos_w[frame, root], clip.body_quat_w[frame, root], np.zeros(3), rng.normal(0.0, 0.2, 3),
        clip.joint_pos[frame, order] + rng.normal(0.0, 0.02, 29), rng.normal(0.0, 0.3, 29),
    )  # fmt: skip


def test_its_runtime_observes_and_acts_as_sim2sim_does(policy, files):
    config = yaml.safe_load(files.config.read_text())["FSM"]["Mimic_Squat"]
    runtime = Runtime(files.deploy_yaml.parents[1], files.motion, config["fps"])
    reference, spec, body = references_of(policy)[0], policy.spec, Body(G1, policy.spec)
    builder, action, by_motor = ObservationBuilder(spec), np.zeros(29), np.argsort(ORDER)
    for step in range(40):
        state = robot_state(step)
        motors = (state.joint_pos[by_motor], state.joint_vel[by_motor])
        if step == 0:
            runtime.enter(state.root_quat_w, motors[0])
            runtime.init = type(runtime.init).identity()  # that the headings agree is its own affair
        pos, quat = body.anchor(state)
        expected = builder.build(situation(spec, reference, step + 1, state, pos, quat, action))
        gyro = expected[spec.observation_slice("base_ang_vel")]
        observed, targets = runtime.step(state.root_quat_w, gyro, *motors)
        velocities = slice(29, 58)  # of the command: it takes differences to the next frame
        acceleration = np.abs(np.diff(reference.clip.joint_vel, axis=0)).max()  # [rad/s] per step
        assert np.abs(observed[velocities] - expected[velocities]).max() < acceleration
        observed[velocities] = expected[velocities]
        np.testing.assert_allclose(observed, expected, atol=2e-5)
        action = runtime.last_action
        by_policy = np.array(spec.default_joint_pos) + np.array(spec.action_scale) * action
        np.testing.assert_allclose(targets, by_policy[by_motor], atol=1e-6)


def test_gains_are_by_motor(files):
    content = yaml.safe_load(files.deploy_yaml.read_text())
    assert content["stiffness"] == pytest.approx(G1.stiffness.tolist())
    assert content["joint_ids_map"] == ORDER.tolist()


def test_the_network_is_that_of_the_policy_and_needs_no_clock(policy, files):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(files.policy))
    assert [value.name for value in session.get_inputs()] == ["obs"]
    obs = np.random.default_rng(1).normal(size=(1, policy.spec.num_observations)).astype(np.float32)
    np.testing.assert_array_equal(session.run(None, {"obs": obs})[0], policy.run(obs, 7)["actions"])
    assert session.get_modelmeta().custom_metadata_map["task"] == policy.spec.task
    assert len(files.policy.read_bytes()) < len(observation_only((policy.folder / "policy.onnx").read_bytes())) + 1


def test_the_motion_begins_with_the_frame_that_the_first_step_is_to_reach(files):
    clip, rows = MotionClip.load(DEFAULT_MOTION_FILE), np.loadtxt(files.motion, delimiter=",")
    assert rows.shape == (clip.num_frames - 1, 36)
    joints = [clip.joint_names.index(name) for name in G1.joint_names]
    np.testing.assert_allclose(rows[0, 7:], clip.joint_pos[1, joints], atol=1e-6)
    np.testing.assert_allclose(rows[0, 3:7], clip.body_quat_w[1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"observations": OBSERVATIONS}, r"computes no motion_anchor_pos_b, base_lin_vel.*Wo-State-Estimation"),
        ({"action_kind": "residual"}, "about the default pose"),
        ({"anchor_body_name": "pelvis"}, "torso_link, and this policy's is pelvis"),
        (
            {"observations": (*WITHOUT_ESTIMATE, ObservationTerm("motion_identity", 1)), "reference_in_graph": False},
            "computes no motion_identity",
        ),
    ],
)
def test_what_the_runtime_cannot_run_is_refused_before_anything_is_written(tmp_path, changes, reason):
    path = export(tmp_path / "policy.onnx", **changes)
    with pytest.raises(ValueError, match=reason):
        export_state_mimic(path, tmp_path / "mimic")
    assert not (tmp_path / "mimic").exists()
