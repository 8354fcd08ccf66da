"""What train_sft.py refuses, before any simulator starts or any folder appears."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sft_samples import LAYOUT, rows

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.rl.sft.dataset import SampleFile
from whole_body_tracking.rl.sft.training import train_sft

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("no_simulator")]


def train(*argv: object, motion=DEFAULT_MOTION_FILE) -> None:
    task = ["--task", "Tracking-Flat-G1-Residual-v0", "--motion_file", str(motion), "--headless"]
    train_sft([*task, *map(str, argv)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rounds", -1), "--rounds is -1, expected at least 0"),
        (("--first_rows", 0), "--first_rows is 0, expected at least 1"),
        (("--noise_share", 2), "--noise_share is 2, expected 0 to 1"),
        (("--max_minutes", 0), "--max_minutes is 0, expected more than 0"),
        (("--expert", "oracle"), "oracle.*auto.*feedback.*sampling"),
        (("--refine_actions", "--refine_method", "magic"), "magic.*gradient"),
        (("--refine_iterations", 3), "need --refine_actions"),
        (("--refine_actions", "--load_refined_actions", "a.npz"), "Give either"),
        (("--checkpoint", "model_0.pt"), "trains a policy of its own .* leave out --checkpoint"),
        (("--max_iterations", 10), "leave out --max_iterations"),
        (("env.commands.motion.clip_end=loop",), "a clip that loops"),
        (("presets=rand_time",), "clips at other speeds"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(*arguments)


@pytest.mark.parametrize("flag", ["--json", "--dataset"])
def test_a_missing_folder_is_found_first(flag, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        train(flag, tmp_path / "nowhere" / "file")


def test_several_clips_are_refused(tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    for name in ("one", "two"):
        clip.save(tmp_path / f"{name}.npz")
    with pytest.raises(ValueError, match="takes one clip, and 2 are given: .'one', 'two'.*distil.py"):
        train(motion=tmp_path)


def test_samples_of_another_clip_or_robot_are_refused(tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    path = tmp_path / "a.samples"
    SampleFile.open(path, LAYOUT).append(*rows(2), round_index=0)
    with pytest.raises(ValueError, match=f"clip squat .aaaaaaaaaaaa., here squat .{clip.digest[:12]}"):
        train("--dataset", path)
    path.unlink()
    SampleFile.open(path, replace(LAYOUT, robot="h1", clip_sha256=clip.digest))
    with pytest.raises(ValueError, match="robot h1, here g1"):
        train("--dataset", path)


def test_a_file_that_is_no_data_set_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk\n")
    with pytest.raises(ValueError, match="not a data set that train_sft.py wrote"):
        train("--dataset", path)
    assert path.read_text() == "remember the milk\n"


def test_refined_actions_of_another_clip_are_refused(tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    targets = {"joint_target": clip.joint_pos}
    other = replace(clip, joint_pos=clip.joint_pos + 0.01, channels=targets)
    other.save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="was refined from .*Refine squat"):
        train("--load_refined_actions", tmp_path / "other.npz")
    np.save(tmp_path / "short.npy", clip.joint_pos[:10])
    with pytest.raises(ValueError, match="the joint targets have shape"):
        train("--load_refined_actions", tmp_path / "short.npy")
    with pytest.raises(FileNotFoundError, match="gone.npy"):
        train("--load_refined_actions", tmp_path / "gone.npy")
