"""What is wrong with a message: refused, counted, and without effect."""

import numpy as np
import pytest
from deploy_samples import standing_pair

from whole_body_tracking.deploy.control.targets import MotorTargets
from whole_body_tracking.deploy.lockstep import advance
from whole_body_tracking.deploy.protocol.checks import command_inbox, state_inbox
from whole_body_tracking.deploy.protocol.checksum import seal
from whole_body_tracking.deploy.protocol.encoding import decode, encode
from whole_body_tracking.deploy.protocol.layout import LOW_COMMAND, LOW_STATE
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def state() -> bytes:
    robot = SimulatedRobot(RobotOptions(gantry=False))
    robot.step()
    return robot.state()


@pytest.fixture(scope="module")
def command() -> bytes:
    return MotorTargets(np.zeros(29), np.full(29, 100.0), np.full(29, 5.0)).encoded()


def changed(data: bytes, dtype: np.dtype, change) -> bytes:
    message = decode(data, dtype)
    change(message)
    return encode(seal(message))


STATE_FAULTS = {
    "machine": lambda m: m.__setitem__("mode_machine", 4),  # the 23-joint robot
    "joints": lambda m: m["motor_state"]["mode"].__setitem__(slice(23, 29), 0),
    "numbers": lambda m: m["motor_state"]["q"].__setitem__(3, np.nan),
}

MORE_STATE_FAULTS = [
    ("joints", lambda m: m["motor_state"]["mode"].__setitem__(29, 1)),
    ("numbers", lambda m: m["imu_state"]["quaternion"].__setitem__(slice(None), 0.5001 * 2)),
    ("numbers", lambda m: m["imu_state"]["gyroscope"].__setitem__(0, np.inf)),
    ("numbers", lambda m: m["motor_state"]["q"].__setitem__(0, 7.0)),
]

COMMAND_FAULTS = [
    ("machine", lambda m: m.__setitem__("mode_machine", 2)),
    ("machine", lambda m: m.__setitem__("mode_pr", 1)),
    ("joints", lambda m: m["motor_cmd"]["mode"].__setitem__(28, 0)),
    ("numbers", lambda m: m["motor_cmd"]["q"].__setitem__(0, np.nan)),
    ("numbers", lambda m: m["motor_cmd"]["kp"].__setitem__(0, -1.0)),
    ("numbers", lambda m: m["motor_cmd"]["kp"].__setitem__(0, 2000.0)),
    ("numbers", lambda m: m["motor_cmd"]["kd"].__setitem__(0, 200.0)),
    ("numbers", lambda m: m["motor_cmd"]["q"].__setitem__(0, 10.0)),
]


def test_good_messages_are_accepted(state, command):
    states, commands = state_inbox(29), command_inbox(29)
    assert states.take(state) is not None and commands.take(command) is not None
    assert (states.accepted, commands.accepted, states.refused.total()) == (1, 1, 0)


@pytest.mark.parametrize(("reason", "change"), [*STATE_FAULTS.items(), *MORE_STATE_FAULTS])
def test_faulty_states_are_refused_by_reason(state, reason, change):
    inbox = state_inbox(29)
    assert inbox.take(changed(state, LOW_STATE, change)) is None
    assert dict(inbox.refused) == {reason: 1} and inbox.last_refusal.startswith(reason)


@pytest.mark.parametrize(("reason", "change"), COMMAND_FAULTS)
def test_faulty_commands_are_refused_by_reason(command, reason, change):
    inbox = command_inbox(29)
    assert inbox.take(changed(command, LOW_COMMAND, change)) is None
    assert dict(inbox.refused) == {reason: 1}


def test_a_clock_that_does_not_go_on_is_refused(state):
    inbox = state_inbox(29)
    at = lambda tick: changed(state, LOW_STATE, lambda m: m.__setitem__("tick", tick))  # noqa: E731
    ticks = [100, 102, 102, 50, 104, 2**32 - 2, 104, 2**31, 2**32 - 2, 0, 4]
    accepted = [inbox.take(at(tick)) is not None for tick in ticks]
    # 2^32 - 2 after 104 would be almost 25 days back; from 2^31 it is ahead, and 0 follows it: the clock wraps.
    assert accepted == [True, True, False, False, True, False, False, True, True, True, True]
    assert inbox.refused == {"clock": 4}


def test_noise_never_passes(state):
    """Random bytes, of the right length and the right header too, and real messages with random changes."""
    rng, inbox = np.random.default_rng(0), state_inbox(29)
    for _ in range(300):
        length = int(rng.integers(0, 3000))
        assert inbox.take(rng.bytes(length)) is None
        assert inbox.take(state[:4] + rng.bytes(len(state) - 4)) is None
        cut = bytearray(state)
        start = int(rng.integers(80, len(state) - 8))
        cut[start : start + 4] = rng.bytes(4)
        if decode(bytes(cut), LOW_STATE) != decode(state, LOW_STATE):
            assert inbox.take(bytes(cut)) is None
    assert inbox.accepted == 0 and set(inbox.refused) <= {"format", "checksum"}


def test_a_controller_answers_no_refused_state_and_keeps_its_watchdog_running():
    controller, robot = standing_pair()
    good = robot.state()
    controller.on_state(good)
    bad = [good, good[:-5], changed(good, LOW_STATE, STATE_FAULTS["joints"]), bytearray(good)]
    bad[-1][100] ^= 255
    assert [controller.on_state(bytes(data)) for data in bad] == [None] * 4
    assert controller.counts()["refused_states"] == {"clock": 1, "format": 1, "joints": 1, "checksum": 1}
    for _ in range(35):  # 70 ms of refused states are 70 ms without one
        robot.step()
        controller.on_state(changed(robot.state(), LOW_STATE, STATE_FAULTS["machine"]))
        command = controller.on_silence()
    assert controller.safety.trip.name == "stale_state" and controller.mode == "damp"
    assert (decode(command, LOW_COMMAND)["motor_cmd"]["kp"] == 0).all()


def test_a_robot_does_nothing_with_refused_commands(command):
    robot = SimulatedRobot(RobotOptions(gantry=False))
    assert not robot.receive(command[:-1]) and not robot.receive(changed(command, LOW_COMMAND, COMMAND_FAULTS[3][1]))
    robot.step()
    assert robot.is_damping and dict(robot.inbox.refused) == {"format": 1, "numbers": 1}


def test_a_lost_state_is_not_answered():
    controller, robot = standing_pair()
    accepted = controller.inbox.accepted
    robot.options.packet_loss = 0.5
    advance(controller, robot, 0.2)
    answered = controller.inbox.accepted - accepted
    assert 25 < answered < 75  # of 100 states half get lost
    assert controller.mode == "stand" and robot.lost > 50
