"""The closed-form plan of the centre of mass, against numbers worked out by hand."""

import numpy as np
import pytest

from whole_body_tracking.gait.planning.center_of_mass import plan_center_of_mass

pytestmark = pytest.mark.unit


def test_dcm_at_the_start_of_a_step_over_a_fixed_point():
    """xi_0 = p + e^(-w T) (xi_T - p): p = 0.1 for 0.5 s, then a rest at 0.4, w = 2.

    The last piece is a point of no length's neighbour: it rests at 0.4, so xi at 0.5 s is 0.4 and
    xi_0 = 0.1 + e^-1 * (0.4 - 0.1) = 0.1 + 0.3678794 * 0.3 = 0.2103638.
    """
    times = np.array([0.0, 0.5, 0.5 + 1e-9, 1.5])
    zmp = np.array([[0.1, 0.0], [0.1, 0.0], [0.4, 0.0], [0.4, 0.0]])
    plan = plan_center_of_mass(times, zmp, 2.0)
    assert plan.dcm[1, 0] == pytest.approx(0.4, abs=1e-6)
    assert plan.dcm[0, 0] == pytest.approx(0.2103638, abs=1e-6)


def test_dcm_at_the_start_of_a_ramp():
    """p goes from 0 to 0.3 in 1 s and rests there, w = 2: v / w = 0.15.

    xi_0 = 0 + 0.15 + e^-2 (0.3 - 0.3 - 0.15) = 0.15 (1 - 0.1353353) = 0.1296997.
    """
    plan = plan_center_of_mass(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 0.0], [0.3, 0.0], [0.3, 0.0]]), 2.0)
    assert plan.dcm[0, 0] == pytest.approx(0.1296997, abs=1e-6)
    assert plan.dcm[1, 0] == pytest.approx(0.3)


def test_center_of_mass_on_the_ramp():
    """With x_0 = xi_0 = 0.1296997: a = (0.1296997 - 0.15) / 2 = -0.0101502, b = 0.1296997 - a = 0.1398498.

    x(0.5) = 0.15 + a e^1 + b e^-1 = 0.15 - 0.0275910 + 0.0514479 = 0.1738569.
    """
    plan = plan_center_of_mass(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 0.0], [0.3, 0.0], [0.3, 0.0]]), 2.0)
    com, zmp = plan.at(np.array([0.5]))
    assert zmp[0, 0] == pytest.approx(0.15)
    assert com[0, 0] == pytest.approx(0.1738569, abs=1e-6)


def test_center_of_mass_obeys_the_pendulum():
    """x'' = w^2 (x - p) everywhere, also across the ends of pieces, and x and x' have no jump there."""
    times = np.cumsum([0.0, 0.2, 0.5, 0.1, 0.4])
    zmp = np.array([[0.0, 0.1], [0.1, 0.1], [0.1, -0.1], [0.4, -0.1], [0.5, 0.1]])
    plan, dt = plan_center_of_mass(times, zmp, 3.6, np.array([0.3, 0.1])), 1e-3
    clock = np.arange(dt, times[-1] - dt, dt)
    com, point = plan.at(clock)
    acceleration = (com[2:] - 2.0 * com[1:-1] + com[:-2]) / dt**2
    assert np.abs(acceleration - 3.6**2 * (com - point)[1:-1]).max() < 2e-2
    assert np.abs(np.diff(com, n=2, axis=0)).max() < 20.0 * dt**2


def test_velocity_at_the_start():
    plan, dt = plan_center_of_mass(np.array([0.0, 1.0]), np.array([[0.0, 0.0], [0.2, 0.0]]), 3.0, 0.25), 1e-5
    com, _ = plan.at(np.array([0.0, dt]))
    assert (com[1, 0] - com[0, 0]) / dt == pytest.approx(0.25, abs=1e-4)
