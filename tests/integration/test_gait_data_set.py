"""A data set of planned gaits, made as ``scripts/gait/augment.py`` makes it."""

from collections import Counter

import numpy as np
import pytest

from whole_body_tracking.gait.network.dataset import DataSet, DataSetJob, make_data_set
from whole_body_tracking.gait.network.layout import NUM_ROOT
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration


def test_a_small_data_set_is_made_and_refusals_are_counted(tmp_path):
    """Three straight walks at most: the widest and fastest draws are refused, and the rest is feasible."""
    ranges = {"speed": (0.3, 0.5), "cadence": (95.0, 115.0), "step_width": (0.18, 0.22), "turn_rate": (0.0, 0.0)}
    ranges |= {"lateral_speed": (0.0, 0.0), "torso_pitch": (0.0, 0.1), "clearance": (0.05, 0.07)}
    refused = make_data_set(DataSetJob(tmp_path / "gaits", 3, ranges=ranges))
    assert isinstance(refused, Counter)
    data = DataSet.open(tmp_path / "gaits", G1)
    motions, params, phase = data.read(data.files[0])
    assert motions.shape == (3, 60, NUM_ROOT + 29) and np.cos(2.0 * np.pi * phase[:, 0]) == pytest.approx(1.0, abs=1e-6)
    speed = list(PARAMETERS).index("speed")
    assert motions[:, :, 7].mean(1) == pytest.approx(params[:, speed], rel=0.1)  # forward velocity over 2 s
    with pytest.raises(ValueError, match="already holds a data set"):
        DataSetJob(tmp_path / "gaits", 3)
