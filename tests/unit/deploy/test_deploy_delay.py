"""The delay of commands: measured from torques, and made up for by looking ahead."""

import numpy as np
import pytest
from deploy_samples import WITHOUT_ESTIMATE
from g1_policies import g1_spec

from whole_body_tracking.deploy.control.estimation.latency import LONGEST, TICK, LatencyMeter, SentCommands
from whole_body_tracking.deploy.control.estimation.prediction import Predictor
from whole_body_tracking.deploy.control.limits import limits_of
from whole_body_tracking.deploy.control.targets import MotorTargets
from whole_body_tracking.deploy.protocol.readings import Readings
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import Simulation
from whole_body_tracking.sim2sim.rollout import start_state

pytestmark = pytest.mark.unit

LIMITS = limits_of(g1_spec(), G1.joint_names)
NO_MOTION = {"quat_xyzw": np.array([0.0, 0.0, 0.0, 1.0]), "gyro": np.zeros(3), "accelerometer": np.zeros(3)}


def targets(values: np.ndarray) -> MotorTargets:
    return MotorTargets(values, LIMITS.stiffness, LIMITS.damping)


def feed(meter: LatencyMeter, sent: np.ndarray, delay_ticks: int, noise: float = 0.0) -> None:
    """States of joints at rest at 0, whose torques are those of the command so many periods ago."""
    rng = np.random.default_rng(0)
    for tick, values in enumerate(sent):
        # The torque is that of the period before the state.
        acting = sent[max(0, tick - 1 - delay_ticks)]
        velocity = noise * rng.normal(size=29)
        torque = np.clip(LIMITS.stiffness * acting, -LIMITS.effort, LIMITS.effort)
        readings = Readings(joint_pos=np.zeros(29), joint_vel=velocity, joint_torque=torque, **NO_MOTION)
        meter.observe(readings, tick * TICK)
        meter.sent.add(tick * TICK, targets(values))


def stairs(num_ticks: int = 400) -> np.ndarray:
    """New targets every ten periods, as a policy at 50 Hz gives them."""
    return np.random.default_rng(1).normal(0.0, 0.05, (num_ticks // 10, 29)).repeat(10, axis=0)


@pytest.mark.parametrize("delay_ticks", [0, 3, 10, 37])
def test_the_delay_is_found_to_a_period_under_noise(delay_ticks):
    meter = LatencyMeter(LIMITS)
    feed(meter, stairs(), delay_ticks, noise=0.3)
    assert meter.delay == pytest.approx(delay_ticks * TICK)


def test_targets_at_rest_say_nothing_and_the_last_finding_stays():
    meter = LatencyMeter(LIMITS)
    feed(meter, np.ones((300, 29)) * 0.01, 7)
    assert meter.delay == 0.0
    rising = np.concatenate((stairs(), np.ones((300, 29)) * 0.01))
    feed(meter, rising, 7, noise=0.3)
    assert meter.delay == pytest.approx(7 * TICK)


def test_a_command_goes_on_where_no_state_came():
    sent = SentCommands(29)
    sent.add(0.0, targets(np.full(29, 1.0)))
    sent.add(6 * TICK, targets(np.full(29, 2.0)))
    assert sent.at(np.arange(7))[:, 0, 0].tolist() == [1.0] * 6 + [2.0]
    assert not sent.is_full
    sent.add(LONGEST + 4 * TICK, targets(np.full(29, 3.0)))
    assert sent.is_full


def ahead(delay: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joint positions now, as predicted, and as they come out in sim2sim's model with the same commands."""
    spec = g1_spec(observations=WITHOUT_ESTIMATE)
    state = start_state(MotionClip.load(DEFAULT_MOTION_FILE), spec, G1)
    meter, wanted = LatencyMeter(LIMITS), state.joint_pos + 0.1
    for tick in range(60):
        # Until 20 ms before now the joints were told to stay; since then to move.
        meter.sent.add(tick * TICK, targets(state.joint_pos if tick < 50 else wanted))
    meter.delay = delay
    predicted = Predictor(G1, spec, meter).ahead(state, 60 * TICK)
    truth = Simulation(G1, spec)
    truth.reset(state)
    for target, seconds in ((state.joint_pos, max(0.0, delay - 0.02)), (wanted, min(delay, 0.02))):
        truth.model.opt.timestep = TICK
        truth.step(target, round(seconds / TICK))
    return state.joint_pos, predicted.joint_pos, truth.state.joint_pos


def test_what_is_on_its_way_is_played_before_it_happens():
    now, predicted, truth = ahead(0.04)
    moved = np.abs(truth - now).max()
    assert moved > 0.02 and np.abs(predicted - truth).max() < 0.15 * moved


def test_without_a_delay_the_state_is_the_present_one():
    now, predicted, _ = ahead(0.0)
    np.testing.assert_array_equal(now, predicted)
