"""Files of samples: they grow, survive a kill, and refuse what they do not belong to."""

from dataclasses import replace

import numpy as np
import pytest
from sft_samples import LAYOUT, rows

from whole_body_tracking.rl.sft.dataset import SampleFile, read_layout

pytestmark = pytest.mark.unit


def test_rows_come_back_in_order_and_by_number(tmp_path):
    samples = SampleFile.open(tmp_path / "a.samples", LAYOUT)
    samples.append(*rows(5), round_index=0)
    samples.append(*rows(3, first=5.0), round_index=2)
    assert len(samples) == 8
    again = SampleFile.open(tmp_path / "a.samples", LAYOUT)
    read = again.read(np.array([1, 6]))
    np.testing.assert_allclose(read.observations, [[1.0, 0.1, -1.0], [6.0, 0.6, -6.0]], rtol=1e-6)
    np.testing.assert_array_equal(read.actions, [[1.0, 1.5], [6.0, 6.5]])
    assert read.frames.tolist() == [1, 6] and read.rounds.tolist() == [0, 2]
    assert sum(len(chunk.frames) for chunk in again.chunks()) == 8


def test_a_file_without_rows_is_empty(tmp_path):
    samples = SampleFile.open(tmp_path / "a.samples", LAYOUT)
    assert len(samples) == 0 and samples.read(slice(None)).observations.shape == (0, 3)


def test_half_a_row_that_a_kill_left_is_overwritten(tmp_path):
    path = tmp_path / "a.samples"
    SampleFile.open(path, LAYOUT).append(*rows(4), round_index=0)
    path.write_bytes(path.read_bytes()[:-5])
    samples = SampleFile.open(path, LAYOUT)
    assert len(samples) == 3
    samples.append(*rows(1, first=9.0), round_index=1)
    assert samples.read(slice(None)).observations[:, 0].tolist() == [0.0, 1.0, 2.0, 9.0]


def test_values_that_are_not_finite_are_refused(tmp_path):
    samples = SampleFile.open(tmp_path / "a.samples", LAYOUT)
    observations, actions, frames = rows(2)
    actions[0, 1] = np.nan
    with pytest.raises(ValueError, match="1 of them not finite"):
        samples.append(observations, actions, frames, 0)
    assert len(samples) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"robot": "h1"}, "robot g1, here h1"),
        ({"clip_sha256": "c" * 64}, "clip squat .aaaaaaaaaaaa., here squat .cccccccccccc."),
        ({"observations": (("command", 2), ("joint_vel", 1))}, r"joint_pos\(1\), here command\(2\), joint_vel\(1\)"),
        ({"action_center": "joint_target"}, "actions about reference, here joint_target"),
        ({"control_dt": 0.04}, "0.02, here 0.04"),
        ({"action_sha256": "c" * 64}, "other joint targets or scales"),
    ],
)
def test_samples_of_something_else_are_refused_and_kept(tmp_path, changes, message):
    path = tmp_path / "a.samples"
    SampleFile.open(path, LAYOUT).append(*rows(4), round_index=0)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        SampleFile.open(path, replace(LAYOUT, **changes))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]\n", b'{"format": 2}\n', b"PK\x03\x04" + bytes(100)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.samples"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="a.samples is not a data set that train_sft.py wrote"):
        read_layout(path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        SampleFile.open(tmp_path / "nowhere" / "a.samples", LAYOUT)
