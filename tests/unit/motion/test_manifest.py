"""Manifests, and every other way to name motions."""

from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.sources import motion_entries as entries
from whole_body_tracking.motion.sources.manifest import read_manifest
from whole_body_tracking.motion.sources.motion_entries import (
    MotionEntry,
    is_registry_name,
    resolve_entries,
    resolve_items,
)

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("walk.npz", "run2.npz", "run10.npz"):
        (tmp_path / name).symlink_to(DEFAULT_MOTION_FILE) if name == "walk.npz" else (tmp_path / name).touch()
    return tmp_path


def manifest(folder: Path, text: str) -> str:
    path = folder / "motions.yaml"
    path.write_text(text)
    return str(path)


FULL = """motions:
  - file: walk.npz
    weight: 2
    tags: [locomotion]
    frame_range: [11, 60]
    split: train
    difficulty: 0.5
  - file: "run*.npz"
    split: test
"""


def test_manifest_gives_entries_in_order(folder):
    found = resolve_entries([manifest(folder, FULL)])
    walk = MotionEntry(folder / "walk.npz", 2.0, ("locomotion",), (11, 60), "train", 0.5)
    assert found == [walk] + [MotionEntry(folder / f"run{number}.npz", split="test") for number in (2, 10)]
    assert [entry.name for entry in found] == ["walk_11-60", "run2", "run10"]


def test_split_keeps_its_own_and_unmarked_entries(folder):
    path = manifest(folder, FULL + "  - {file: walk.npz, frame_range: [1, 9]}\n")
    assert [entry.name for entry in resolve_entries([path], split="train")] == ["walk_11-60", "walk_1-9"]
    with pytest.raises(ValueError, match="No motion belongs to the split 'dev'. Splits: test, train"):
        resolve_entries([manifest(folder, FULL)], split="dev")


def test_frame_range_cuts_the_clip(folder):
    whole = MotionClip.load(DEFAULT_MOTION_FILE)
    part = resolve_entries([manifest(folder, FULL)])[0].load()
    assert part.num_frames == 50 and part.name == "walk_11-60"
    np.testing.assert_array_equal(part.body_pos_w, whole.body_pos_w[10:60])
    np.testing.assert_allclose(part.joint_vel[1:-1], whole.joint_vel[11:59], atol=1e-4)
    # One-sided at its own ends: (q[11] - q[10]) * 50.
    np.testing.assert_allclose(part.joint_vel[0], (whole.joint_pos[11] - whole.joint_pos[10]) * 50, atol=1e-4)


def test_files_and_manifests_may_be_mixed(folder):
    names = [entry.name for entry in resolve_entries([str(folder / "run2.npz"), manifest(folder, FULL)])]
    assert names == ["run2", "walk_11-60", "run10"]
    assert resolve_items([manifest(folder, FULL), str(folder / "run2.npz")]) == [
        str(folder / "motions.yaml"), str(folder / "run2.npz"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "motions:\n  - file: a.npz\n    wieght: 2\n",
            r"Unknown key in .*line 3: 'wieght'. Known: file, .*mean 'weight'",
        ),
        ("motions:\n  - file: a.npz\n    weight: -1\n", r"line 3: `weight` should be a number of at least 0, found -1"),
        ("motions:\n  - file: a.npz\n    weight: yes\n", r"line 3: `weight` should be a number"),
        ("motions:\n  - file: a.npz\n    file: b.npz\n", r"line 3: 'file' is given twice"),
        ("motions:\n  - weight: 1\n", r"line 2: a motion has either `file` or `registry`, found \['weight'\]"),
        ("motions:\n  - a.npz\n", r"line 2: expected `file: ...` or `registry: ...`, found 'a.npz'"),
        ("motions:\n  - file: a.npz\n    frame_range: [5, 2]\n", r"line 3: `frame_range` \[5, 2\] should have 1 <="),
        ("motions:\n  - file: a.npz\n    tags: walk\n", r"line 3: `tags` should be a list of words, found 'walk'"),
        ("motions: []\n", r"line 1: `motions` should be a list with at least one motion"),
        ("clips: []\n", "expected one key, `motions`"),
        ("motions: [\n", "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(folder, text, message):
    with pytest.raises(ValueError, match=message):
        read_manifest(Path(manifest(folder, text)))


def test_a_clip_that_is_too_short_for_its_range_is_named(folder):
    path = manifest(folder, "motions:\n  - file: walk.npz\n    frame_range: [1, 9999]\n")
    with pytest.raises(ValueError, match=r"walk: the frame range \[1, 9999\] exceeds its \d+ frames"):
        resolve_entries([path])[0].load()


def test_two_clips_of_one_name_are_refused(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "walk.npz").touch()
    with pytest.raises(ValueError, match=r"Two motions are called 'walk': .*walk.npz and .*sub/walk.npz"):
        resolve_entries([str(folder / "walk.npz"), str(folder / "sub")])


def test_missing_manifest_and_missing_file(folder):
    with pytest.raises(FileNotFoundError, match="none.yaml does not exist"):
        resolve_entries([str(folder / "none.yaml")])
    with pytest.raises(FileNotFoundError, match="jump.npz does not exist"):
        resolve_entries([manifest(folder, "motions:\n  - file: jump.npz\n")])


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("ORG/wandb-registry-motions/walk", True),
        ("ORG/wandb-registry-motions/walk*:v3", True),
        ("data/clips/walk.npz", False),
        ("walk.npz", False),
    ],
)
def test_registry_names_are_told_from_paths(item, expected):
    assert is_registry_name(item) is expected


def test_registry_names_are_downloaded_once(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(entries, "registry_paths", lambda name: asked.append(name) or [folder / "walk.npz"])
    path = manifest(folder, "motions:\n  - registry: ORG/other/walk\n    weight: 3\n")
    assert resolve_entries([path])[0] == MotionEntry(folder / "walk.npz", 3.0)
    assert resolve_items(["ORG/wandb-registry-motions/walk:latest"]) == [str((folder / "walk.npz").resolve())]
    assert asked == ["ORG/other/walk", "ORG/wandb-registry-motions/walk:latest"]
