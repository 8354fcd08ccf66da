"""The low-pass: what it keeps, what it removes, and what it says of foot strikes."""

import dataclasses

import numpy as np
import pytest
from mocap_samples import walking_person

from whole_body_tracking.mocap import read_mocap
from whole_body_tracking.mocap.smoothing import smooth

pytestmark = [pytest.mark.unit, pytest.mark.integration]

FEET = ["LeftFoot", "RightFoot", "LeftToeBase", "RightToeBase"]


def swaying(frequency, fps=200.0, seconds=4.0):
    """A rigid person whose root sways by 10 cm along x."""
    motion = walking_person(0.1)
    time = np.arange(round(seconds * fps)) / fps
    root = np.stack((10.0 * np.sin(2 * np.pi * frequency * time), 90.0 + 0 * time, 0 * time), axis=-1)
    return dataclasses.replace(
        motion, fps=fps, root_pos=root, local_quat=np.tile(motion.local_quat[:1], (len(time), 1, 1))
    )


@pytest.mark.parametrize(("frequency", "gain"), [(1.0, 1.0), (6.0, 0.5), (12.0, 0.0039)])
def test_gain_of_both_passes(frequency, gain):
    """Order 4 forwards and backwards: 1 / (1 + (f / 6 Hz)^8), by its squared magnitude: 0.5 at 6 Hz, 1/257 at 12."""
    motion = swaying(frequency)
    middle = slice(200, 600)
    after = smooth(motion, 6.0, FEET)[0].root_pos[middle, 0]
    before = motion.root_pos[middle, 0]
    # The projection on the input is the gain without delay: a delayed output would project on less.
    assert float(after @ before) / float(before @ before) == pytest.approx(gain, abs=0.01)


def test_energy_removed():
    """Of a sway at 6 Hz half the velocity is removed: a quarter of the energy; of one at 1 Hz nearly none.

    1 - gain is (1/6)^8 there; what is left comes from the ends, beyond which the filter does not know the motion.
    """
    assert smooth(swaying(6.0), 6.0, FEET)[1].energy_removed == pytest.approx(0.25, abs=0.02)
    assert smooth(swaying(1.0), 6.0, FEET)[1].energy_removed < 0.005


def test_rotations_stay_unit_and_follow():
    motion = walking_person(2.0)
    smoothed, note = smooth(motion, 6.0, FEET)
    assert np.allclose(np.linalg.norm(smoothed.local_quat, axis=-1), 1.0)
    assert 0.0 < note.energy_removed < 0.05 and not note.flattens_strikes
    assert float((smoothed.joint_poses()[0] - motion.joint_poses()[0]).abs().max()) < 10.0  # [cm]


def test_flattened_strikes_are_warned_of(walk_bvh):
    motion = read_mocap(walk_bvh).motion
    assert not smooth(motion, 6.0, FEET)[1].flattens_strikes
    _, note = smooth(motion, 1.0, FEET)
    assert note.flattens_strikes and "foot strikes are flattened, raise --smooth_hz" in note.describe()


def test_refused():
    with pytest.raises(ValueError, match=r"at 60 Hz should be above 0 and below half the motion's rate \(50 Hz\)"):
        smooth(walking_person(1.0), 60.0, FEET)
    with pytest.raises(ValueError, match="needs at least 16 frames, the motion has 11"):
        smooth(walking_person(0.1), 6.0, FEET)
