"""Muscles: MuJoCo's own functions and muscle actuators as the reference, and what the pairs can give."""

import math

import mujoco
import numpy as np
import pytest
import torch

from whole_body_tracking.actuation import muscle_curves as curves
from whole_body_tracking.actuation.muscle_pairs import (
    LONGEST_IN_USE,
    MOMENT_ARM,
    SHORTEST_IN_USE,
    MusclePairs,
    reciprocal_activation,
    require_activations,
)
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_model import add_bodies

pytestmark = pytest.mark.unit

PAIRS = MusclePairs.of_robot(G1, dtype=torch.float64)


def grid(low: float, high: float) -> torch.Tensor:
    return torch.linspace(low, high, 201, dtype=torch.float64)


def test_curves_by_hand():
    # Length: 0.5 at 0.75 and at 1.3 (where parabolas meet), 1 at 1, 0 at the ends. Velocity: (1 - 0.5)^2 at -0.5.
    lengths = torch.tensor([0.5, 0.75, 1.0, 1.3, 1.6, 1.7])
    assert curves.active_force(lengths).tolist() == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0, 0.0], abs=1e-6)
    assert curves.velocity_factor(torch.tensor([-2.0, -0.5, 0.0, 0.1, 3.0])).tolist() == pytest.approx(
        [0.0, 0.25, 1.0, 1.15, 1.2]  # 1.2 - 0.1^2 / 0.2
    )
    # Passive: 1.3 / 2 at 1.3, and 1.3 (2 - 0.5) at 1.6.
    assert curves.passive_force(torch.tensor([0.9, 1.3, 1.6])).tolist() == pytest.approx([0.0, 0.65, 1.95])
    # Rising from 0 to 1: 1 / (0.01 * 0.5); falling from 1 to 0: -1 / (0.04 / 2).
    rates = curves.activation_rate(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    assert rates.tolist() == pytest.approx([200.0, -50.0])


def test_curves_equal_mujocos_functions():
    params = np.array([0.75, 1.05, 1.0, 200.0, 0.5, 1.6, 1.5, 1.3, 1.2])
    unit = np.array([0.75, 1.05])  # the optimal length is 1
    lengths, speeds = grid(0.4, 1.8), grid(-3.0, 3.0)
    active = [-mujoco.mju_muscleGain(length, 0.0, unit, 1.0, params) for length in lengths]
    fast = [-mujoco.mju_muscleGain(1.0, speed, unit, 1.0, params) for speed in speeds]
    passive = [-mujoco.mju_muscleBias(length, unit, 1.0, params) for length in lengths]
    np.testing.assert_allclose(curves.active_force(lengths), active, atol=1e-12)
    np.testing.assert_allclose(curves.velocity_factor(speeds / 1.5), fast, atol=1e-12)
    np.testing.assert_allclose(curves.passive_force(lengths), passive, atol=1e-12)
    excitation, activation = torch.rand(2, 100, dtype=torch.float64)
    rate = [mujoco.mju_muscleDynamics(u, a, [0.01, 0.04, 0.0]) for u, a in zip(excitation, activation, strict=True)]
    np.testing.assert_allclose(curves.activation_rate(excitation, activation), rate, atol=1e-10)


@pytest.fixture(scope="module")
def mujoco_muscles() -> mujoco.MjModel:
    """The G1 with two of MuJoCo's own muscles on every joint."""
    spec = mujoco.MjSpec()
    spec.compiler.degree, spec.option.timestep = False, 0.005
    add_bodies(spec, G1)
    arm, force, speed = MOMENT_ARM, PAIRS.peak_force.numpy(), PAIRS.shortening_rate.numpy()
    for index, name in enumerate(G1.joint_names):
        low, high = arm * G1.joint_pos_limits[index]
        for sign, ends in ((-1.0, (-high, -low)), (1.0, (low, high))):
            muscle = spec.add_actuator(name=f"{name}{sign:+g}", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            muscle.set_to_muscle(
                timeconst=[0.01, 0.04], tausmooth=0.0, range=[SHORTEST_IN_USE, LONGEST_IN_USE], force=force[index],
                scale=-1.0, lmin=0.5, lmax=1.6, vmax=speed[index], fpmax=1.3, fvmax=1.2,
            )  # fmt: skip
            muscle.gear[0], muscle.lengthrange = sign * arm, ends
    return spec.compile()


def test_torques_and_activations_equal_a_model_with_muscle_actuators(mujoco_muscles):
    model, data, random = mujoco_muscles, mujoco.MjData(mujoco_muscles), np.random.default_rng(0)
    for _ in range(20):
        mujoco.mj_resetData(model, data)
        data.qpos[7:] = random.uniform(*G1.joint_pos_limits.T)
        data.qvel[6:] = 0.3 * random.normal(size=29) * G1.velocity_limit
        data.act[:], data.ctrl[:] = random.uniform(size=58), random.uniform(size=58)
        before = [torch.tensor(value).reshape(29, 2) for value in (data.ctrl, data.act)]
        position, velocity = torch.tensor(data.qpos[7:]), torch.tensor(data.qvel[6:])
        mujoco.mj_step(model, data)
        torque = PAIRS.torque(before[1], position, velocity)
        np.testing.assert_allclose(torque, data.qfrc_actuator[6:], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            curves.next_activation(*before, 0.005), data.act.reshape(29, 2), rtol=1e-5, atol=1e-5
        )


def test_isometric_torque_meets_the_effort_limit():
    share = grid(0.0, 1.0)[:, None]
    position = PAIRS.lower + share * (PAIRS.upper - PAIRS.lower)
    strongest = PAIRS.torque_per_activation(position, torch.zeros_like(position))
    weakest = strongest.abs().amin(0) / PAIRS.effort_limit[:, None]
    np.testing.assert_allclose(weakest, 1.0, rtol=1e-9)
    assert (strongest[..., 0] > 0.0).all()
    assert (strongest[..., 1] < 0.0).all()


def test_no_force_at_the_motors_speed_limit():
    middle = 0.5 * (PAIRS.lower + PAIRS.upper)
    assert PAIRS.torque_per_activation(middle, PAIRS.velocity_limit)[:, 0].abs().max() == 0.0
    assert PAIRS.torque_per_activation(middle, -PAIRS.velocity_limit)[:, 1].abs().max() == 0.0


def test_reciprocal_activation_gives_the_torque_with_one_muscle():
    gains = torch.tensor([[4.0, -2.0], [4.0, -2.0], [0.0, -2.0]])
    activation = reciprocal_activation(gains, torch.tensor([1.0, -4.0, 1.0]))
    assert activation.tolist() == [[0.25, 0.0], [0.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_activations_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match=r"expected numbers in \[0, 1\]"):
        require_activations(torch.tensor([0.5, value]))


def test_excitations_reach_an_activation_in_time():
    now, wanted = torch.tensor([0.2, 0.6, 0.2, 0.6]), torch.tensor([0.3, 0.5, 1.0, 0.0])
    excitation = curves.excitation_to_reach(now, wanted, 0.02)
    # tau is 10 ms * 0.8 up from 0.2 and 40 ms / 1.4 down from 0.6: overshoots by 1 / (1 - exp(-20 ms / tau)).
    torch.testing.assert_close(excitation[0], torch.tensor(0.2 + 0.1 / (1.0 - math.exp(-2.5))))
    torch.testing.assert_close(excitation[1], torch.tensor(0.6 - 0.1 / (1.0 - math.exp(-0.7))))
    assert excitation[2:].tolist() == [1.0, 0.0]  # out of reach: as fast as it goes
    reached = now
    for _ in range(20):
        reached = curves.next_activation(excitation, reached, 0.001)
    torch.testing.assert_close(reached[:2], wanted[:2], atol=0.01, rtol=0.0)
