"""Splits, curricula and the stream of windows."""

import dataclasses
import json

import pytest
import torch
from prior_samples import swaying_clip

from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.priors.data import windows as windows_module
from whole_body_tracking.priors.data.curriculum import clips_of_epoch, read_curriculum, require_used
from whole_body_tracking.priors.data.splits import Split, activity_of, make_split, subject_of
from whole_body_tracking.priors.data.windows import MotionWindows, window_loader
from whole_body_tracking.priors.state import clip_states

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "subject", "activity"),
    [
        ("walk1_subject3", "subject3", "walk"),
        ("fallAndGetUp2_subject5", "subject5", "fallAndGetUp"),
        ("11_01", "11", None),
    ],
)
def test_groups_are_told_from_names_and_tags(tmp_path, name, subject, activity):
    entry = MotionEntry(tmp_path / f"{name}.npz")
    assert (subject_of(entry), activity_of(entry)) == (subject, activity)
    assert subject_of(dataclasses.replace(entry, tags=("subject:me",))) == "me"


def test_no_subject_is_on_both_sides(entries):
    split = make_split(entries, "subject", 0.3, 7)
    test, rest = ({subject_of(e) for e in part} for part in (split.test, (*split.train, *split.validation)))
    assert test == set(split.held_out) and not test & rest
    names = sorted(e.name for role in ("train", "validation", "test") for e in split.entries(role))
    assert names == sorted(e.name for e in entries)
    assert make_split(entries, "subject", 0.3, 7) == split
    assert make_split(entries, "activity", 0.5, 7).held_out in (("walk",), ("run",))


def test_a_split_that_cannot_be_made_says_why(entries, tmp_path):
    with pytest.raises(ValueError, match=r"its subject is not in its name.*tag `subject:NAME`"):
        make_split([MotionEntry(tmp_path / "walk.npz")], "subject", 0.15, 0)
    with pytest.raises(ValueError, match="Known: subject1, subject2, subject3"):
        make_split(entries, "subject", 0.15, 0, ["subject9"])
    with pytest.raises(ValueError, match="nothing is left to train on"):
        make_split(entries, "subject", 0.15, 0, ["subject1", "subject2", "subject3"])


def test_a_split_file_is_refused_once_a_clip_has_changed(tmp_path):
    paths = [swaying_clip(20, seed).save(tmp_path / f"walk{seed}_subject{seed}.npz") for seed in range(3)]
    split = make_split([MotionEntry(path) for path in paths], "subject", 0.3, 0)
    split.save(tmp_path / "split_info.json")
    loaded = Split.load(tmp_path / "split_info.json")
    assert loaded.digest == split.digest and loaded.held_out == split.held_out
    swaying_clip(20, 9).save(paths[1])
    with pytest.raises(ValueError, match=r"walk1_subject1.npz has changed since the split"):
        Split.load(tmp_path / "split_info.json")
    (tmp_path / "split_info.json").write_text(json.dumps({"split": "subject"}))
    with pytest.raises(ValueError, match="is not a split file"):
        Split.load(tmp_path / "split_info.json")


def test_curriculum_by_tags(entries):
    curriculum = read_curriculum(["run=2-3"])
    names = [[entry.name for entry in clips_of_epoch(entries, curriculum, epoch)] for epoch in range(4)]
    assert all("walk" in name for name in names[0]) and names[0] == names[3]
    assert len(names[1]) == len(names[2]) == 6
    with pytest.raises(ValueError, match="leaves no clip to epoch 1"):
        clips_of_epoch(entries, read_curriculum(["run=2-", "walk=2-"]), 0)
    with pytest.raises(ValueError, match=r"Tags: \['run', 'walk'\]"):
        require_used(entries, read_curriculum(["swim=1-2"]))
    with pytest.raises(ValueError, match=r"expected TAG=FIRST-LAST"):
        read_curriculum(["run:1-2"])


def test_windows_are_parts_of_clips_in_a_seeded_order(entries, layout):
    def drawn(seed: int, epoch: int) -> torch.Tensor:
        windows = MotionWindows(entries, layout, 10, seed)
        windows.choose(epoch, entries)
        return torch.cat(list(window_loader(windows, 4)))

    first = drawn(0, 0)
    assert torch.equal(first, drawn(0, 0))
    assert not torch.equal(first[:4], drawn(0, 1)[:4]) and not torch.equal(first[:4], drawn(1, 0)[:4])
    known = torch.cat([clip_states(e.load(), layout).unfold(0, 10, 1).transpose(1, 2) for e in entries])
    distances = (first[:, None] - known).abs().amax((2, 3))
    assert distances.amin(1).max() == 0.0
    assert len(first) >= sum((e.header().num_frames - 1) // 10 - 1 for e in entries)
    assert len(distances.argmin(1).unique()) == len(first)  # none twice


def test_few_clips_are_open_at_a_time(entries, layout, monkeypatch):
    monkeypatch.setattr(windows_module, "OPEN_CLIPS", 2)
    windows, most = MotionWindows(entries, layout, 10, 0), []
    opened = MotionWindows._open
    alive: list = []

    def counted(self, entry, random):
        clip = opened(self, entry, random)
        alive.append(clip)
        most.append(sum(bool(other.starts) for other in alive))
        return clip

    monkeypatch.setattr(MotionWindows, "_open", counted)
    assert sum(1 for _ in windows) > 20
    assert max(most) == 2
