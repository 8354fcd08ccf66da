"""Many clips as one table."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_samples import sway

from whole_body_tracking.motion import MotionLibrary, convert
from whole_body_tracking.motion.clip import ARRAYS
from whole_body_tracking.motion.library import estimate_num_bytes
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

BODIES = ("torso_link", "pelvis", "left_wrist_yaw_link")
JOINTS = ("waist_yaw_joint", "left_knee_joint")
LENGTHS = (7, 2, 31)


def numbered_clips():
    """Clips in which every joint angle of frame f of clip c is 100 c + f."""
    template = convert(sway(num_frames=max(LENGTHS)), output_fps=30)
    clips = []
    for number, length in enumerate(LENGTHS):
        fields = {key: getattr(template, key)[:length] for key in ARRAYS}
        fields["joint_pos"] = np.broadcast_to(100.0 * number + np.arange(length)[:, None], (length, G1.num_joints))
        clips.append(dataclasses.replace(template, **fields, name=f"clip{number}"))
    return clips


CLIPS = numbered_clips()
LIBRARY = MotionLibrary.from_clips(CLIPS, joint_names=JOINTS, body_names=BODIES)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-100, 200)), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_frame_ever_crosses_a_clip(queries):
    clip_ids, frames = (torch.tensor(column) for column in zip(*queries, strict=True))
    found = LIBRARY.state_at(clip_ids, frames).joint_pos[:, 0]
    expected = [100.0 * clip + min(max(frame, 0), LENGTHS[clip] - 1) for clip, frame in queries]
    assert found.tolist() == expected


def test_state_holds_the_named_joints_and_bodies_in_order():
    clip_ids, frames = torch.tensor([2, 0, 2]), torch.tensor([30, 3, 0])
    state = LIBRARY.state_at(clip_ids, frames)
    for key in ARRAYS:
        names = CLIPS[0].joint_indices(JOINTS) if key.startswith("joint") else CLIPS[0].body_indices(BODIES)
        expected = np.stack([getattr(CLIPS[c], key)[f, names] for c, f in zip(clip_ids, frames, strict=True)])
        np.testing.assert_array_equal(getattr(state, key), expected)


def test_facts_about_the_clips():
    assert LIBRARY.num_clips == 3 and LIBRARY.names == ("clip0", "clip1", "clip2") and LIBRARY.fps == 30.0
    assert LIBRARY.num_frames.tolist() == [7, 2, 31] and LIBRARY.starts.tolist() == [0, 7, 9]
    assert LIBRARY.durations.tolist() == pytest.approx([6 / 30, 1 / 30, 1.0])
    assert LIBRARY.digests == tuple(clip.digest for clip in CLIPS)
    # 40 frames of 2 * 2 joint and 13 * 3 body numbers in 4 bytes.
    assert LIBRARY.num_bytes == 40 * 43 * 4 == estimate_num_bytes(40 / 30, 30, len(JOINTS), len(BODIES))


def test_all_names_are_kept_by_default():
    library = MotionLibrary.from_clips(CLIPS)
    assert library.joint_names == G1.joint_names and library.body_names == G1.body_names


def test_misspelt_body_names_the_clip_and_the_stored_bodies():
    with pytest.raises(
        ValueError, match=r"clip0: bodies \['left_hnad'\] are not stored.*Stored: .*'left_wrist_yaw_link'"
    ):
        MotionLibrary.from_clips(CLIPS, body_names=["left_hnad"])


def test_clips_of_different_rates_are_refused():
    with pytest.raises(ValueError, match=r"one rate, found \[fps\]: clip0 30, slow 25"):
        MotionLibrary.from_clips([CLIPS[0], dataclasses.replace(CLIPS[0], fps=25, name="slow")])


def test_empty_library_is_refused():
    with pytest.raises(ValueError, match="at least one clip"):
        MotionLibrary.from_clips([])
