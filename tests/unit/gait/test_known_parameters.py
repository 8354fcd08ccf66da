"""Parameters that are not given are the data's conditional mean."""

import pytest
import torch
from small_refnn import small_refnn

from whole_body_tracking.gait.network.known_parameters import NAMES, KnownParameters, examples_with

pytestmark = pytest.mark.unit


def index(name):
    return NAMES.index(name)


def model_with(rows):
    """A network whose examples have speed, cadence and arm swing of these rows, the rest fixed."""
    model = small_refnn(num_examples=len(rows))
    model.examples[:] = 0.5 * (model.low + model.high)
    for row, (speed, cadence, swing) in enumerate(rows):
        model.examples[row, [index("speed"), index("cadence"), index("arm_swing")]] = torch.tensor(
            [speed, cadence, swing]
        )
    return model


def test_the_rest_is_the_regression_on_what_is_given():
    """Speeds 0.2, 0.4, 0.6 with cadences 90, 100, 116 and swings 0.2, 0.5, 0.5.

    Slopes are sum(dx dy) / sum(dx^2) = (-0.2 * -12 + 0.2 * 14) / 0.08 = 65 for the cadence about (0.4, 102) and
    (-0.2 * -0.2 + 0.2 * 0.1) / 0.08 = 0.75 for the swing about (0.4, 0.4). At 0.5: 102 + 6.5 = 108.5, 0.475.
    """
    model = model_with([(0.2, 90.0, 0.2), (0.4, 100.0, 0.5), (0.6, 116.0, 0.5)])
    (found,) = KnownParameters(model, ["speed"])(torch.tensor([[0.5]]))
    assert found[index("speed")].item() == 0.5
    assert found[index("cadence")].item() == pytest.approx(108.5, abs=1e-3)
    assert found[index("arm_swing")].item() == pytest.approx(0.475, abs=1e-4)
    assert found[index("step_width")].item() == pytest.approx(0.2, abs=1e-5)  # never changes in the data


def test_what_is_given_is_passed_on_within_its_range_and_the_longest_stride():
    known = KnownParameters(small_refnn(), ["turn_rate", "speed", "cadence"])
    found = known(torch.tensor([[0.1, 0.3, 100.0], [9.0, 0.3, 100.0], [0.0, 0.8, 80.0]]))
    given = found[:, [index("turn_rate"), index("speed"), index("cadence")]]
    assert given[0].tolist() == pytest.approx([0.1, 0.3, 100.0], abs=1e-6)
    assert given[1, 0].item() == pytest.approx(0.4)
    assert given[2].tolist() == pytest.approx([0.0, 1.1 * 80.0 / 120.0, 80.0], abs=1e-5)  # a stride of 1.1 m


def test_the_pelvis_is_as_high_as_in_the_data_at_these_parameters():
    """The examples have 0.76 - 0.1 speed."""
    known = KnownParameters(small_refnn(), ["speed", "cadence"])
    found = known(torch.tensor([[0.2, 100.0], [0.6, 110.0]]))
    assert found[:, index("pelvis_height")].tolist() == pytest.approx([0.74, 0.70], abs=1e-3)
    given = KnownParameters(small_refnn(), ["pelvis_height"])(torch.tensor([[0.65]]))
    assert given[0, index("pelvis_height")].item() == pytest.approx(0.65)


def test_unknown_names_and_a_network_without_examples_are_refused():
    with pytest.raises(ValueError, match=r"pace.*speed"):
        KnownParameters(small_refnn(), ["pace"])
    with pytest.raises(ValueError, match="Train it again"):
        KnownParameters(small_refnn(num_examples=0), ["speed"])


def test_a_fixed_speed_raises_cadences_at_which_the_stride_would_be_too_long():
    """Strides of the data: 120 * 0.2 / 90 = 0.27, 0.48 and 0.62 m."""
    model = model_with([(0.2, 90.0, 0.2), (0.4, 100.0, 0.5), (0.6, 116.0, 0.5)])
    assert torch.equal(examples_with(model, {}), model.examples)
    fast = examples_with(model, {"speed": 0.62})
    assert fast[:, index("speed")].tolist() == pytest.approx([0.62] * 3)
    assert fast[:, index("cadence")].tolist() == pytest.approx([0.62 / 0.6 * 116.0] * 3)  # as long as the longest
    slow = examples_with(model, {"cadence": 80.0})
    longest = 0.6 * 80.0 / 116.0
    assert slow[:, index("speed")].tolist() == pytest.approx([0.2, 0.4, longest], abs=1e-5)
    assert fast[:, index("arm_swing")].tolist() == pytest.approx([0.2, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"a stride of 1\.20 m"):
        examples_with(model, {"speed": 0.8, "cadence": 80.0})
    with pytest.raises(ValueError, match="pace"):
        examples_with(model, {"pace": 0.8})


def test_the_pelvis_goes_along_with_a_fixed_speed():
    """The data has 0.76 - 0.1 speed, whatever the rest."""
    found = examples_with(small_refnn(), {"speed": 0.5})[:, index("pelvis_height")]
    assert found.tolist() == pytest.approx([0.71] * len(found), abs=2e-3)
    kept = examples_with(small_refnn(), {"speed": 0.5, "pelvis_height": 0.66})[:, index("pelvis_height")]
    assert kept.tolist() == pytest.approx([0.66] * len(kept))
