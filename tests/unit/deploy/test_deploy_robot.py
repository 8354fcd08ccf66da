"""The simulated robot: gantry, motors, delay, losses, noise."""

import mujoco
import numpy as np
import pytest
from deploy_samples import QUICK, export_stiff_policy, joint, pair

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.standing import holding_torque
from whole_body_tracking.deploy.control.targets import MotorTargets
from whole_body_tracking.deploy.lockstep import advance, make_clock, stand_up
from whole_body_tracking.deploy.protocol.checks import state_inbox
from whole_body_tracking.deploy.protocol.readings import readings_of
from whole_body_tracking.deploy.simulated_robot.robot import COMMAND_TIMEOUT, DT, RobotOptions, SimulatedRobot
from whole_body_tracking.deploy.simulated_robot.sensors import SensorNoise
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

STIFF = np.full(29, 100.0)


def hold(robot: SimulatedRobot, pose: np.ndarray) -> bool:
    return robot.receive(MotorTargets(pose, STIFF, STIFF / 20.0).encoded())


def test_a_passive_robot_hangs():
    robot = SimulatedRobot()
    for _ in range(500):
        robot.step()
    assert robot.gantry.phase == "holding" and robot.is_damping
    assert 0.75 < robot.data.qpos[2] < 0.85 and robot.readings().quat_xyzw[3] > 0.99


@pytest.mark.integration
def test_the_gantry_puts_the_robot_down_and_it_stands_alone():
    controller, robot = pair(options=RobotOptions(gantry=True))
    stand_up(controller, robot)
    for _ in range(500):
        robot.receive(controller.on_state(robot.state()))
        robot.step()
    assert robot.gantry.phase == "released" and not robot.data.xfrc_applied.any()
    assert robot.data.qpos[2] == pytest.approx(0.755, abs=0.01) and controller.is_standing


@pytest.mark.integration
def test_a_robot_stands_in_the_first_pose_of_a_walk(tmp_path):
    """It leans on its toes: without the torques that hold it, it tips over within two seconds."""
    robot = SimulatedRobot(RobotOptions(gantry=True))
    policy = export_stiff_policy(tmp_path / "policy.onnx", action_kind="default_relative")
    controller = build_controller(policy, motion_file=DEFAULT_WALK_FILE, config=QUICK, clock=make_clock(robot))
    stand_up(controller, robot)
    for _ in range(6):
        advance(controller, robot, 0.5)
        tilt = 2.0 * np.linalg.norm(robot.readings().quat_xyzw[:2])
        assert controller.mode == "stand" and tilt < 0.09


def test_torques_that_hold_a_pose_carry_the_weight_over_the_ankles():
    """Flat feet: both ankles together turn with the weight above them times its lever."""
    clip = MotionClip.load(DEFAULT_WALK_FILE)
    torque = holding_torque(clip, G1)
    robot = SimulatedRobot(RobotOptions(gantry=False))
    root = clip.body_names.index("pelvis")
    order = [clip.joint_names.index(name) for name in G1.joint_names]
    robot.data.qpos[:3], robot.data.qpos[3:7] = clip.body_pos_w[0, root], np.roll(clip.body_quat_w[0, root], 1)
    robot.data.qpos[7:] = clip.joint_pos[0, order]
    mujoco.mj_forward(robot.model, robot.data)
    above = [body.id for body in map(robot.model.body, range(robot.model.nbody)) if "ankle" not in body.name]
    mass = robot.model.body_mass[above]
    lever = mass @ robot.data.xipos[above, 0] / mass.sum() - np.mean(
        [robot.data.body(f"{side}_ankle_pitch_link").xpos[0] for side in ("left", "right")]
    )
    ankles = sum(torque[clip.joint_names.index(f"{side}_ankle_pitch_joint")] for side in ("left", "right"))
    assert ankles == pytest.approx(9.81 * mass.sum() * lever, rel=0.1)


def test_motors_damp_once_commands_stay_away():
    robot = SimulatedRobot(RobotOptions(gantry=False))
    for _ in range(20):
        assert hold(robot, G1.default_joint_pos)
        robot.step()
    steps = 0
    while not robot.is_damping:
        robot.step()
        steps += 1
    robot.step()
    assert steps * DT == pytest.approx(COMMAND_TIMEOUT, abs=1.5 * DT) and steps * DT < 0.1
    assert (robot.model.actuator_gainprm[:, 0] == 0.0).all() and (robot.model.actuator_biasprm[:, 2] == -3.0).all()


def test_motor_law():
    """tau + kp (q - joint_pos) + kd (dq - joint_vel), here 1 + 20 * 0.1 + 2 * (0.5 - 0) = 4 N m."""
    robot = SimulatedRobot(RobotOptions(gantry=False))
    elbow, command = joint("left_elbow_joint"), robot._acting["motor_cmd"][:29].copy()
    command["mode"], command["kd"] = 1, 0.0
    command["q"][elbow] = robot.data.qpos[7 + elbow] + 0.1
    command["kp"][elbow], command["kd"][elbow], command["dq"][elbow], command["tau"][elbow] = 20.0, 2.0, 0.5, 1.0
    robot._motors.drive(robot.data, command, np.zeros(29))
    import mujoco

    mujoco.mj_forward(robot.model, robot.data)
    assert robot.data.actuator_force[elbow] == pytest.approx(4.0, abs=1e-5)
    command["q"][elbow] += 10.0
    robot._motors.drive(robot.data, command, np.zeros(29))
    mujoco.mj_forward(robot.model, robot.data)
    assert robot.data.actuator_force[elbow] == pytest.approx(G1.effort_limit[elbow])


@pytest.mark.parametrize(("delay", "steps"), [(0.0, 0), (0.01, 5), (0.025, 13)])
def test_commands_act_after_the_motor_delay(delay, steps):
    """25 ms are 12.5 physics steps: the command acts in the step that begins next."""
    robot = SimulatedRobot(RobotOptions(gantry=False, motor_delay=delay))
    hold(robot, G1.default_joint_pos)
    gains = []
    for _ in range(steps + 1):
        robot.step()
        gains.append(robot.model.actuator_gainprm[0, 0])
    assert gains[-1] == 100.0 and not any(gains[:-1])


def test_losses_are_as_many_as_asked_for():
    robot = SimulatedRobot(RobotOptions(gantry=False, packet_loss=0.1, seed=4))
    arrived = sum(hold(robot, G1.default_joint_pos) for _ in range(1000))
    reported = sum(robot.state() is not None for _ in range(1000))
    assert 860 < arrived < 940 and 860 < reported < 940 and robot.lost == 2000 - arrived - reported


def test_messages_report_what_happens():
    robot = SimulatedRobot(RobotOptions(gantry=False))
    for _ in range(100):
        hold(robot, G1.default_joint_pos)
        robot.step()
    message, truth = state_inbox(29).take(robot.state()), robot.readings()
    found = readings_of(message, 29)
    assert message["tick"] == 200  # 100 steps of 2 ms
    for name in vars(truth):
        np.testing.assert_allclose(getattr(found, name), getattr(truth, name), rtol=1e-5, atol=1e-5, err_msg=name)
    assert np.linalg.norm(found.accelerometer) == pytest.approx(9.81, abs=1.0)


def test_noise_is_what_training_saw():
    """The presets rand_imu and rand_encoder; the biases of one robot stay, others have other ones."""
    from whole_body_tracking.tasks.tracking.mdp import sensor_noise_cfg as trained

    noise = SensorNoise()
    assert (noise.gyro, noise.gyro_bias) == (trained.IMU_GYRO.noise_cfg.std, trained.IMU_GYRO.bias_noise_cfg.n_max)
    orientation = trained.IMU_ORIENTATION
    assert (noise.orientation, noise.orientation_bias) == (orientation.noise_cfg.std, orientation.bias_noise_cfg.std)
    encoder = trained.ENCODER_POS
    assert (noise.joint_pos, noise.joint_pos_bias) == (encoder.noise_cfg.std, encoder.bias_noise_cfg.n_max)
    assert noise.joint_vel == trained.ENCODER_VEL.std
    robot = SimulatedRobot(RobotOptions(gantry=False, noise=noise, seed=1))
    read = [robot._sensors.read(robot.readings()) for _ in range(400)]
    errors = np.array([item.joint_pos for item in read]) - robot.readings().joint_pos
    assert errors.std(axis=0).mean() == pytest.approx(0.005, rel=0.1)
    assert np.abs(errors.mean(axis=0)).max() < 0.021 and errors.mean(axis=0).std() == pytest.approx(0.0115, rel=0.3)
