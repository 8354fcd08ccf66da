"""The controller computes sim2sim's observations, from messages and at the right frames."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from deploy_samples import QUICK, export_stiff_policy, standing_pair, through_the_wire
from g1_policies import OBSERVATIONS
from scipy.spatial.transform import Rotation

from whole_body_tracking.deploy.control.alignment import Alignment
from whole_body_tracking.deploy.control.corrections import HEADING_LIMIT, HEADING_RATE, JOINT_LIMIT, Corrections
from whole_body_tracking.deploy.control.pose import Body
from whole_body_tracking.deploy.control.tracker import Tracker
from whole_body_tracking.deploy.lockstep import advance
from whole_body_tracking.deploy.protocol.checks import state_inbox
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation
from whole_body_tracking.sim2sim.observations import ObservationBuilder
from whole_body_tracking.sim2sim.reference import references_of
from whole_body_tracking.sim2sim.rollout import roll_out, situation, start_state

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """All observations of the tracking task."""
    path = tmp_path_factory.mktemp("policy") / "policy.onnx"
    return load_policy(export_stiff_policy(path, observations=OBSERVATIONS))


@pytest.mark.integration
def test_observations_are_sim2sims(policy, monkeypatch):
    """Play the policy in sim2sim; show every state to a tracker through a message and compare what they observe."""
    reference, spec = references_of(policy)[0], policy.spec
    seen, states = [], []
    build, reset = ObservationBuilder.build, Simulation.reset
    monkeypatch.setattr(ObservationBuilder, "build", lambda self, now: seen.append(build(self, now)) or seen[-1])
    step = Simulation.step
    monkeypatch.setattr(Simulation, "reset", lambda self, state: states.append(state) or reset(self, state))
    monkeypatch.setattr(Simulation, "step", lambda self, *args: step(self, *args) or states.append(self.state))
    roll_out(policy, G1, reference, num_rollouts=1, seed=3)
    expected, played = list(seen), list(states)
    monkeypatch.undo()

    tracker = Tracker(policy, G1, [reference], Body(G1, spec))
    robot, inbox = SimulatedRobot(RobotOptions(gantry=False)), state_inbox(29)
    tracker.builder.reset()
    for index in range(60):
        state = through_the_wire(robot, inbox, played[index], tick=index)
        observed = tracker.step(state, index + 1).observation
        for term in spec.observations:
            place = spec.observation_slice(term.name)
            np.testing.assert_allclose(observed[place], expected[index][place], atol=3e-6, err_msg=term.name)


@pytest.mark.parametrize("center", ["reference", "joint_target"])
def test_residual_actions_of_several_clips_are_about_their_center(policy, center):
    """Without the reference in the graph the controller adds it: actions of zero are the centre itself."""
    reference, clamps = references_of(policy)[0], {"clamp_targets": False}
    channels = {"joint_target": reference.clip.joint_pos + 0.1}
    clip = replace(reference.clip, channels=channels)
    spec = replace(policy.spec, action_kind="residual", action_center=center, reference_in_graph=False, **clamps)
    still = SimpleNamespace(spec=spec, run=lambda observation, frame: {"actions": np.zeros((1, 29))})
    robot = SimulatedRobot(RobotOptions(gantry=False))
    tracker = Tracker(still, G1, [replace(reference, clip=clip)], Body(G1, spec))
    tracker.builder.reset()
    step = tracker.step(through_the_wire(robot, state_inbox(29), start_state(reference.clip, spec, G1), tick=0), 60)
    about = clip.channels["joint_target"] if center == "joint_target" else clip.joint_pos
    np.testing.assert_allclose(step.targets, about[60], atol=1e-6)


@pytest.mark.integration
def test_a_run_aims_at_every_frame_once():
    """The first pose is held while the policy settles; then frame t + 1 is aimed at in step t, up to the last one."""
    controller, robot = standing_pair()
    controller.track()
    advance(controller, robot, QUICK.settle + 5.2)
    frames = [row for row in controller.loop.recorder._rows["frame"]]
    tracking = np.array(controller.loop.recorder._rows["tracking"])
    assert frames[:10] == [1] * 10 and frames[10:20] == list(range(1, 11))
    assert np.array(frames)[tracking].tolist() == list(range(1, 251))
    assert controller.mode == "hold" and controller.finished == ["squat"] and frames[-1] == 250


def test_alignment_puts_the_robot_where_the_reference_is():
    quat = Rotation.from_euler("zyx", [2.0, 0.1, -0.05]).as_quat()
    target = Rotation.from_euler("zyx", [-1.0, 0.02, 0.03]).as_quat()
    alignment, joints = Alignment(), np.zeros(29)
    alignment.align(np.array([3.0, -2.0, 0.7]), quat, np.array([0.5, 1.0, 0.9]), target)
    state = RobotState(np.array([3.0, -2.0, 0.7]), quat, np.array([1.0, 0, 0]), np.zeros(3), joints, joints)
    moved = alignment.apply(state)
    np.testing.assert_allclose(moved.root_pos_w, [0.5, 1.0, 0.7], atol=1e-12)  # the height stays
    between = Rotation.from_quat(moved.root_quat_w) * Rotation.from_quat(target).inv()
    assert abs(between.as_quat()[2]) < 1e-9  # no turn about the vertical is left
    assert np.linalg.norm(moved.root_lin_vel_w) == pytest.approx(1.0)


def test_turning_the_reference_turns_the_robot_the_other_way():
    alignment, joints, place = Alignment(), np.zeros(29), np.array([1.0, 2.0, 0.8])
    alignment.turn_reference(np.pi / 2, place)
    ahead = RobotState(place + [1.0, 0, 0], np.array([0.0, 0, 0, 1]), np.zeros(3), np.zeros(3), joints, joints)
    np.testing.assert_allclose(alignment.apply(ahead).root_pos_w, place + [0.0, -1.0, 0.0], atol=1e-12)


def test_corrections_are_limited_in_size_and_rate():
    corrections = Corrections(G1.joint_names)
    corrections.ask_heading(3.0)
    corrections.ask_joint("left_elbow_joint", -9.0)
    turned = [corrections.advance(0.02) for _ in range(200)]
    assert turned[0] == pytest.approx(HEADING_RATE * 0.02) and sum(turned) == pytest.approx(HEADING_LIMIT)
    assert corrections.joints[G1.joint_names.index("left_elbow_joint")] == pytest.approx(-JOINT_LIMIT)
    assert np.count_nonzero(corrections.joints) == 1
    with pytest.raises(ValueError, match=r"'left_knee_joint' may not be corrected.*left_elbow_joint"):
        corrections.ask_joint("left_knee_joint", 0.1)


def test_joint_corrections_move_observed_reference_and_targets(policy):
    reference, spec = references_of(policy)[0], policy.spec
    tracker = Tracker(policy, G1, [reference], Body(G1, spec))
    state = start_state(reference.clip, spec, G1)
    plain = tracker.step(state, 1)
    tracker.corrections.ask_joint("left_elbow_joint", 0.01)
    corrected = tracker.step(state, 1)
    elbow = spec.joint_names.index("left_elbow_joint")
    np.testing.assert_allclose(corrected.targets - plain.targets, np.eye(29)[elbow] * 0.01, atol=1e-6)
    place = spec.observation_slice("command").start + elbow
    assert corrected.observation[place] - plain.observation[place] == pytest.approx(0.01, abs=1e-6)


def test_situation_is_the_shared_function():
    """One function serves sim2sim and the controller, so that they cannot drift apart."""
    from whole_body_tracking.deploy.control import tracker

    assert tracker.situation is situation and tracker.ObservationBuilder is ObservationBuilder
