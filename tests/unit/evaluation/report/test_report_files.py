"""The files of a report: all of them, whatever the rollouts did."""

import csv
import json
import shutil
from dataclasses import replace

import pytest
import torch
from evaluation_samples import perfect_recording, shipped_clip

from whole_body_tracking.evaluation.batches import Rollouts
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics, measure
from whole_body_tracking.evaluation.report.write import Evaluated, write_report
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.tracking.criteria import TrackingRewards, TrackingTerminations

pytestmark = [pytest.mark.unit, pytest.mark.integration]

NUM_STEPS = 60
NAME = r"a$b^$<i>_{"


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    return shipped_clip()


def evaluated(clip: MotionClip, diverges_at: int | None = None, value: float = torch.nan) -> Evaluated:
    """One rollout that is on the reference until it diverges."""
    recording = perfect_recording(clip, [NUM_STEPS])
    if diverges_at is not None:
        recording.robot.pos_w[diverges_at:] = value
        recording.joint_pos[diverges_at:] = value
    terminations = TrackingTerminations.of_robot(G1)
    measured = measure(recording, TrackingRewards(), terminations, G1.body_names[0], G1)
    rollouts = Rollouts(RolloutMetrics.concatenate([measured]), [recording.rollout(0)], torch.tensor([0]))
    return Evaluated(rollouts, [clip], G1, list(clip.joint_names), TrackingRewards())


def names_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


NUMBERS = ["per_clip.csv", "report.html", "report.json"]
ALL = sorted([*NUMBERS, "played.html", "played.npz", "worst.html", "worst.npz"])


@pytest.mark.parametrize(
    ("diverges_at", "value", "files"), [(0, torch.nan, NUMBERS), (1, 1e30, NUMBERS), (2, torch.inf, ALL)]
)
def test_a_rollout_that_diverges_leaves_a_whole_report(tmp_path, clip, diverges_at, value, files):
    overall = write_report(tmp_path, evaluated(clip, diverges_at, value), {"task": "Tracking"})["overall"]
    assert names_in(tmp_path) == files
    content = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert content["overall"] == overall
    assert (overall["success"], overall["diverged"]) == (0.0, 1.0)
    assert overall["completion"] == pytest.approx(diverges_at / NUM_STEPS)
    page = (tmp_path / "report.html").read_text()
    assert "1 of 1 rollouts diverged" in page and f"diverged in step {diverges_at + 1}" in page
    if "played.npz" in files:
        assert MotionClip.load(tmp_path / "played.npz").num_frames == diverges_at


@pytest.fixture(scope="module")
def whole(tmp_path_factory, clip):
    """Folder and content of a report with all files, of a clip that is not named like one."""
    late = evaluated(clip, diverges_at=30).rollouts
    late.start_frames = torch.tensor([100])
    folder = tmp_path_factory.mktemp("whole")
    return folder, write_report(folder, replace(evaluated(replace(clip, name=NAME)), random_starts=late), {})


def test_a_new_report_takes_the_place_of_the_old_one(tmp_path, clip, whole):
    folder = shutil.copytree(whole[0], tmp_path / "report")
    assert names_in(folder) == sorted([*ALL, "random_starts.csv"])
    (folder / "worst.mp4").write_bytes(b"of an earlier evaluation with --video")
    (folder / "notes.txt").write_text("mine")
    write_report(folder, evaluated(clip, diverges_at=0), {})
    assert names_in(folder) == sorted([*NUMBERS, "notes.txt"])


def test_random_starts_have_a_row_of_their_own(whole):
    folder, content = whole
    rows = json.loads((folder / "report.json").read_text())["starts"]
    assert rows == content["starts"]
    assert [row["start"] for row in rows] == ["frame 0", "random frames"]
    assert [row["success"] for row in rows] == [1.0, 0.0]
    assert content["overall"]["success"] == 1.0  # of the protocol: from frame 0
    row = next(csv.DictReader((folder / "random_starts.csv").open()))
    assert (row["clip"], float(row["start_s"]), float(row["completion"])) == (NAME, 2.0, 0.5)
    assert "random frames" in (folder / "report.html").read_text()


def test_a_clip_may_have_any_name(whole):
    folder, _ = whole
    assert next(csv.DictReader((folder / "per_clip.csv").open()))["name"] == NAME
    page = (folder / "report.html").read_text()
    assert "a$b^$&lt;i&gt;_{" in page and "<i>" not in page
