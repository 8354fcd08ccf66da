"""Every limit of the safety layer trips when the simulated robot is brought beyond it, and says by how much."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from deploy_samples import QUICK, joint, pair, standing_pair, tracking_pair
from g1_policies import g1_spec

from whole_body_tracking.deploy.control.limits import limits_of
from whole_body_tracking.deploy.control.safety import SafetyLayer
from whole_body_tracking.deploy.control.targets import MotorTargets
from whole_body_tracking.deploy.lockstep import advance
from whole_body_tracking.deploy.protocol.encoding import decode
from whole_body_tracking.deploy.protocol.layout import LOW_COMMAND
from whole_body_tracking.deploy.protocol.readings import Readings
from whole_body_tracking.deploy.torque_curve import torque_limits
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def assert_tripped(controller, robot, name: str, words: str, within: float = 1.0) -> None:
    """Let time pass until the controller trips; the robot then only damps."""
    end = robot.time + within
    while robot.time < end and controller.safety.trip is None:
        advance(controller, robot, 0.01)
    trip = controller.safety.trip
    assert trip is not None and trip.name == name and words in trip.message, trip
    assert any(character.isdigit() for character in trip.message)
    assert controller.mode == "damp"
    motors = decode(controller.on_state(_next_state(robot)), LOW_COMMAND)["motor_cmd"][:29]
    assert (motors["kp"] == 0).all() and (motors["kd"] == 3.0).all()


def _next_state(robot) -> bytes:
    robot.step()
    return robot.state()


def push(robot, body: str, force: tuple[float, float, float]) -> None:
    """Push a body from now on [N]."""
    robot.data.xfrc_applied[robot.model.body(body).id, :3] = force


def test_a_joint_beyond_its_limit():
    controller, robot = standing_pair()
    wrist = joint("left_wrist_yaw_joint")
    robot.data.qpos[7 + wrist] = G1.joint_pos_limits[wrist, 1] + 0.3
    assert_tripped(controller, robot, "joint_position", "left_wrist_yaw_joint is at 0.3", within=0.02)


def test_a_joint_that_is_too_fast():
    controller, robot = standing_pair()
    wrist = joint("right_wrist_roll_joint")
    for _ in range(40):
        robot.data.qvel[6 + wrist], robot.data.qpos[7 + wrist] = 40.0, 0.0
        advance(controller, robot, 0.002)
        if controller.safety.trip:
            break
    assert_tripped(controller, robot, "joint_velocity", "right_wrist_roll_joint is at")


def test_a_motor_that_gives_more_than_it_should():
    controller, robot = standing_pair()
    robot._motors._effort_limit = robot._motors._effort_limit * 10.0
    controller._ramp._end[joint("left_shoulder_pitch_joint")] -= 3.0
    assert_tripped(controller, robot, "joint_torque", "of its effort limit, limit 1.1")


def test_a_push_that_tilts_the_robot():
    controller, robot = tracking_pair()
    controller.safety.config = replace(controller.safety.config, self_collision=-1.0)
    push(robot, "torso_link", (250.0, 0.0, 0.0))
    assert_tripped(controller, robot, "tilt", "tilted by 0.8", within=2.0)


def test_a_robot_that_falls_over_while_standing():
    controller, robot = standing_pair()
    push(robot, "torso_link", (-250.0, 0.0, 0.0))
    assert_tripped(controller, robot, "tilt", "while standing", within=2.0)


def test_knees_that_give_way():
    controller, robot = tracking_pair()
    for name in ("left_knee_joint", "right_knee_joint"):
        robot._motors._effort_limit[joint(name)] = 1.0
    push(robot, "torso_link", (0.0, 0.0, -300.0))
    controller.safety.config = replace(controller.safety.config, tilt=3.0, self_collision=-1.0)
    assert_tripped(controller, robot, "fall", "lower over the feet", within=2.0)


def test_a_hand_that_is_driven_into_the_body():
    controller, robot = tracking_pair()
    robot.data.qvel[6 + joint("left_shoulder_roll_joint")] = -15.0
    robot.data.qpos[7 + joint("left_shoulder_roll_joint")] = -0.05
    assert_tripped(controller, robot, "self_collision", "mm apart", within=0.1)


def test_hands_that_the_clip_has_in_the_body_are_no_collision():
    controller, _ = pair()
    tracker, body = controller.tracker, controller.tracker.body
    clip = tracker.reference.clip
    joint_pos = clip.joint_pos.copy()
    joint_pos[100:110, clip.joint_names.index("left_shoulder_roll_joint")] -= 0.5
    clip = replace(clip, joint_pos=joint_pos)
    overlaps = body.overlaps(clip, clip.body_names.index("pelvis"))
    pose = clip.body_pos_w[104, 0], clip.body_quat_w[104, 0]
    state = RobotState(*pose, np.zeros(3), np.zeros(3), clip.joint_pos[104], np.zeros(29))
    alone, beside = body.posture(state, 0.0), body.posture(state, 0.0, overlaps)
    assert alone.distance < controller.safety.config.self_collision and set(alone.closest) in map(set, overlaps)
    assert alone.distance == pytest.approx(overlaps[frozenset(alone.closest)])
    assert beside.distance == pytest.approx(0.0, abs=1e-9)
    deeper = replace(state, joint_pos=state.joint_pos - 0.1 * (joint("left_shoulder_roll_joint") == np.arange(29)))
    assert body.posture(deeper, 0.0, overlaps).distance < -0.01


def test_a_robot_that_falls_silent():
    controller, robot = tracking_pair()
    assert controller.on_silence() is None
    commands = []
    for _ in range(50):  # 100 ms of its clock without a state
        robot.step()
        commands.append(controller.on_silence())
    assert controller.safety.trip.name == "stale_state" and "60 ms" in controller.safety.trip.message
    assert commands[:28] == [None] * 28 and commands[-1] is not None  # nothing is sent up to 56 ms


def test_a_policy_that_is_late():
    controller, robot = tracking_pair()
    ticks, slow = itertools.count(), 0.03
    controller.loop._clock = lambda: next(ticks) * slow
    assert_tripped(controller, robot, "late_inference", "4 policy steps in a row took more than 0.02 s")
    assert "30 ms" in controller.safety.trip.message or "60 ms" in controller.safety.trip.message


def test_a_policy_whose_output_is_no_number():
    controller, robot = tracking_pair()
    controller.tracker._scale = controller.tracker._scale * np.nan
    before = controller.counts()["policy_steps"]
    assert_tripped(controller, robot, "not_finite", "left_hip_pitch_joint", within=0.05)
    assert controller.counts()["policy_steps"] == before


def test_damping_is_left_by_hand_alone():
    controller, robot = tracking_pair()
    controller.damp()
    controller.stand()
    assert not controller.track() and controller.mode == "damp"
    controller.passive()
    assert controller.mode == "passive" and controller.safety.trip is None


# -- limits on targets -------------------------------------------------------------------------------------------------


@pytest.fixture
def layer() -> SafetyLayer:
    return SafetyLayer(limits_of(g1_spec(), G1.joint_names))


def still(joint_pos: np.ndarray, joint_vel: np.ndarray | None = None) -> Readings:
    zeros = np.zeros(29)
    moving = zeros if joint_vel is None else joint_vel
    return Readings(np.array([0.0, 0, 0, 1]), np.zeros(3), np.array([0, 0, 9.81]), joint_pos, moving, zeros)


def test_rate_limit(layer):
    """The hip pitch may turn at 32 rad/s: 0.64 rad in 20 ms."""
    start, knee = G1.default_joint_pos.copy(), joint("left_hip_pitch_joint")
    layer.begin(start)
    wanted = start.copy()
    wanted[knee] += 0.7
    limited = layer.limited(wanted, still(start), 0.02)
    assert limited[knee] - start[knee] == pytest.approx(0.64) and layer.clamped["rate"] == 1


def test_torque_limit(layer):
    """Knee: 139 N m and 99.1 N m/rad, so 1.403 rad from where it is."""
    start, knee = G1.default_joint_pos.copy(), joint("left_knee_joint")
    stiffness = G1.stiffness[knee]
    wanted = start.copy()
    wanted[knee] += 1.45
    assert 139.0 / stiffness == pytest.approx(1.403, abs=0.001)
    assert layer.limited(wanted, still(start), 0.02)[knee] - start[knee] == pytest.approx(139.0 / stiffness)
    assert layer.clamped == {"rate": 0, "torque": 1, "soft_position": 0} or layer.clamped["torque"] == 1


def test_torque_speed_curve():
    """Full torque up to 70 % of the speed, half at 85 %, none at 100 %; braking is never weaker."""
    speeds = np.array([0.0, 14.0, 17.0, 20.0, 30.0, -17.0])
    low, high = torque_limits(speeds, np.full(6, 100.0), np.full(6, 20.0))
    np.testing.assert_allclose(high, [100, 100, 50, 0, 0, 100], atol=1e-9)
    np.testing.assert_allclose(low, [-100, -100, -100, -100, -100, -50], atol=1e-9)


def test_soft_position_limit(layer):
    """A target may lie beyond the soft limit by twice the room that is left; at the limit by nothing."""
    limits, wrist = layer.limits, joint("left_wrist_yaw_joint")
    upper, start = layer.limits.soft_upper[wrist], G1.default_joint_pos.copy()
    for room, beyond in ((0.05, 0.1), (0.0, 0.0), (-0.05, -0.1)):
        start[wrist] = upper - room
        wanted = start.copy()
        wanted[wrist] += 0.29  # within its torque: 5 N m at 16.8 N m/rad
        layer.begin(wanted)
        assert limits.effort[wrist] / limits.stiffness[wrist] > 0.29
        assert layer.limited(wanted, still(start), 0.02)[wrist] == pytest.approx(upper + beyond)
    assert layer.clamped["soft_position"] == 3


def test_fading_keeps_the_torque():
    """A quarter of the way: three quarters of the first torque and one of the second, at any joint state."""
    rng = np.random.default_rng(0)
    first, second = (MotorTargets(*rng.uniform(1.0, 50.0, (3, 29))) for _ in range(2))
    q, dq = rng.normal(size=(2, 29))
    torque = lambda t: t.stiffness * (t.joint_pos - q) - t.damping * dq  # noqa: E731
    expected = 0.75 * torque(first) + 0.25 * torque(second)
    np.testing.assert_allclose(torque(first.faded(second, 0.25)), expected)


def test_a_start_fades_from_standing_to_the_policy():
    controller, robot = standing_pair()
    standing = decode(controller.on_state(_next_state(robot)), LOW_COMMAND)["motor_cmd"][:29].copy()
    controller.safety.limits = limits_of(g1_spec(), G1.joint_names)  # softer than standing
    controller.track()
    gains = []
    for _ in range(60):
        gains.append(decode(controller.on_state(_next_state(robot)), LOW_COMMAND)["motor_cmd"]["kp"][0])
    assert gains[0] == pytest.approx(standing["kp"][0], rel=0.05)
    assert gains[-1] == pytest.approx(G1.stiffness[0], rel=1e-6)
    assert np.diff(gains).max() <= 1e-4 and np.diff(gains).min() > -0.05 * gains[0]  # over 0.1 s, never in one jump
    assert QUICK.blend == 0.1
