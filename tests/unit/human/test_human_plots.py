"""What the plots of a human motion show: the strongest muscles, the ground's forces, the metabolic rate."""

from types import SimpleNamespace

import numpy as np
import pytest

from whole_body_tracking.human.model.muscles import MuscleFacts
from whole_body_tracking.human.report import _force_figure, _rate_figure

pytestmark = pytest.mark.unit


@pytest.fixture
def result():
    """Two frames of two muscles: 100 N active at most and 5 N passive, and 300 N; pulling is negative."""
    dynamics = SimpleNamespace(
        active_force=np.array([[-100.0, -300.0]] * 2),
        passive_force=np.array([[-5.0, 0.0]] * 2),
        contact_force=np.array([[[1.0, 2.0, 400.0], [0.0, 0.0, 410.0]], [[0.0, 0.0, 401.0], [0.0, 0.0, 411.0]]]),
        muscle_velocity=np.zeros((2, 2)),
    )
    muscles = MuscleFacts(("weak", "strong"), np.array([1000.0, 1000.0]), np.array([0.1, 0.1]), np.array([1.0, 1.0]))
    return SimpleNamespace(
        motion=SimpleNamespace(num_frames=2, fps=50.0),
        body=SimpleNamespace(muscles=muscles, mass=10.0),
        dynamics=dynamics,
        activation=np.array([[0.5, 0.1], [1.0, 0.2]]),
    )


def test_tendon_and_ground_forces(result):
    muscles, ground = _force_figure(result).axes
    lines = {line.get_label(): line for line in muscles.lines}
    np.testing.assert_allclose(lines["weak"].get_ydata(), [55.0, 105.0])
    np.testing.assert_allclose(lines["strong"].get_ydata(), [30.0, 60.0])
    np.testing.assert_allclose(lines["weak"].get_xdata(), [0.0, 0.02])
    # The strongest first; every second is dashed, for one side of a symmetric motion hides the other.
    assert [line.get_label() for line in muscles.lines] == ["weak", "strong"]
    assert [line.is_dashed() for line in muscles.lines] == [False, True]
    assert {line.get_label(): list(line.get_ydata()) for line in ground.lines} == {
        "left foot": [400.0, 401.0],
        "right foot": [410.0, 411.0],
    }


def test_metabolic_rate(result):
    (axis,) = _rate_figure(result).axes
    # At rest 1000 N * 1 m/s * 0.054 per unit of activation; over 10 kg.
    expected = np.array([0.6, 1.2]) * 1000.0 * 1.0 * 0.054 / 10.0
    np.testing.assert_allclose(axis.lines[0].get_ydata(), expected)
    assert axis.get_ylim()[0] == 0.0
