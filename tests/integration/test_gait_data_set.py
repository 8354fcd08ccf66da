"""A data set of planned gaits, made as ``scripts/gait/augment.py`` makes it."""

from collections import Counter

import numpy as np
import pytest

from whole_body_tracking.gait.network import making
from whole_body_tracking.gait.network.dataset import DataSet
from whole_body_tracking.gait.network.layout import NUM_ROOT
from whole_body_tracking.gait.network.making import DataSetJob, make_data_set
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration


RANGES = {"speed": (0.3, 0.5), "cadence": (95.0, 115.0), "step_width": (0.18, 0.22), "turn_rate": (0.0, 0.0)}
RANGES |= {"lateral_speed": (0.0, 0.0), "torso_pitch": (0.0, 0.1), "clearance": (0.05, 0.07)}


def test_a_small_data_set_is_made_and_refusals_are_counted(tmp_path):
    """Three straight walks at most: the widest and fastest draws are refused, and the rest is feasible."""
    refused = make_data_set(DataSetJob(tmp_path / "gaits", 3, ranges=RANGES))
    assert isinstance(refused, Counter)
    data = DataSet.open(tmp_path / "gaits", G1)
    motions, params, phase = data.read(data.files[0])
    assert motions.shape == (3, 60, NUM_ROOT + 29) and np.cos(2.0 * np.pi * phase[:, 0]) == pytest.approx(1.0, abs=1e-6)
    speed = list(PARAMETERS).index("speed")
    assert motions[:, :, 7].mean(1) == pytest.approx(params[:, speed], rel=0.1)  # forward velocity over 2 s
    with pytest.raises(ValueError, match="already holds a data set"):
        DataSetJob(tmp_path / "gaits", 3)


def test_a_making_that_was_stopped_goes_on_to_the_same_data_set(tmp_path, monkeypatch):
    """Stopped after the second of three gaits, which were kept one by one; two workers make the rest."""
    monkeypatch.setattr(making, "KEEP_EVERY", 1)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    make_data_set(DataSetJob(whole, 3, seed=1, ranges=RANGES))
    reported = []

    def stop(made, refused):
        reported.append(made)
        if made == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_data_set(DataSetJob(parts, 3, seed=1, ranges=RANGES), stop)
    with pytest.raises(ValueError, match="unfinished data set of other settings"):
        make_data_set(DataSetJob(parts, 3, seed=2, ranges=RANGES))
    make_data_set(DataSetJob(parts, 3, seed=1, ranges=RANGES, num_workers=2), lambda made, _: reported.append(made))
    assert reported == [1, 2, 3, 3]
    assert {path.name for path in parts.iterdir()} == {"dataset.json", "gaits_000000.npz"}
    first, second = (DataSet.open(folder, G1) for folder in (whole, parts))
    assert first.description == second.description
    for wanted, found in zip(first.read(first.files[0]), second.read(second.files[0]), strict=True):
        assert np.allclose(found, wanted, atol=1e-6)
