import dataclasses

import numpy as np
import pytest
from viewer_samples import walking_track

pytestmark = pytest.mark.unit


def test_thinning_keeps_every_nth_frame():
    track = walking_track(num_frames=7)
    assert np.array_equal(track.every(3).pos_w, track.pos_w[[0, 3, 6]])


def test_poses_must_fit_the_body_names():
    track = walking_track()
    with pytest.raises(ValueError, match=r"names 2 bodies.*\[frames, 2, 3\].*found \[20, 30, 3\]"):
        dataclasses.replace(track, body_names=track.body_names[:2])


def test_unknown_body_is_refused():
    track = walking_track()
    with pytest.raises(ValueError, match=r"left_hnad.*Known: .*pelvis"):
        dataclasses.replace(track, body_names=("left_hnad", *track.body_names[1:]))


def test_a_value_that_is_not_finite_is_refused_with_its_frame():
    track = walking_track()
    pos_w = track.pos_w.copy()
    pos_w[4, 2, 1] = np.nan
    with pytest.raises(ValueError, match="first in frame 4"):
        dataclasses.replace(track, pos_w=pos_w)
