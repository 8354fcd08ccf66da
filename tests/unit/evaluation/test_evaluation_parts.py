"""An evaluation in parts: every rollout is in one part, with its own start noise, and back in its own place."""

from types import SimpleNamespace

import pytest
import torch
from evaluation_samples import perfect_recording, shipped_clip

from whole_body_tracking.evaluation.batches import Rollouts, _batch
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics
from whole_body_tracking.evaluation.parts import Part, PartJob, load_part, merge_parts, save_part, without_flags

pytestmark = pytest.mark.unit


def rollouts_of(numbers: list[int]) -> Rollouts:
    """Rollouts of 3 + i steps each that know their number i."""
    recordings = [perfect_recording(shipped_clip(), [3 + number]) for number in numbers]
    measured = RolloutMetrics({"mpkpe": torch.tensor([float(number) for number in numbers])})
    return Rollouts(measured, recordings, torch.tensor(numbers) * 10)


def test_every_rollout_is_in_one_part():
    parts = [Part(number, 3).rollouts(8).tolist() for number in (1, 2, 3)]
    assert parts == [[0, 3, 6], [1, 4, 7], [2, 5]]


def test_parts_come_back_in_the_order_of_the_evaluation(tmp_path):
    parts = [Part(number, 3) for number in (1, 2, 3)]
    for part in parts:
        save_part(part.file(tmp_path), {"first": rollouts_of(part.rollouts(8).tolist())}, ["hip", "knee"])
    loaded = [load_part(part.file(tmp_path)) for part in parts]
    merged = merge_parts([played["first"] for played, _ in loaded])
    assert merged.measured.values["mpkpe"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert [int(recording.num_steps[0]) for recording in merged.recordings] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert merged.start_frames.tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
    assert loaded[0][1] == ["hip", "knee"]
    expected = perfect_recording(shipped_clip(), [8])
    assert torch.equal(merged.recordings[5].robot.pos_w, expected.robot.pos_w)


def test_a_rollout_starts_the_same_way_in_a_part():
    """Seeds follow the number among all rollouts: part 2 of 3 holds 1, 4 and 7, here in four envs."""
    env = SimpleNamespace(num_envs=4, device="cpu")
    clip_ids, numbers, frames = torch.arange(8), torch.arange(8), torch.arange(8) * 10
    whole = _batch(torch.tensor([4, 7, 1]), clip_ids, frames, numbers, 42, env)
    mine = Part(2, 3).rollouts(8)
    part = _batch(torch.tensor([1, 2, 0]), clip_ids[mine], frames[mine], mine, 42, env)
    assert torch.equal(whole.seeds, part.seeds) and torch.equal(whole.clip_ids, part.clip_ids)
    assert torch.equal(whole.frames, part.frames)


def test_a_part_is_not_played_twice(tmp_path):
    job = PartJob(Part(1, 2), ("--task", "T"), tmp_path)
    (command,) = job.steps("cuda:0")
    assert command.words[2:] == (
        *("--task", "T", "--part", "1/2", "--output_dir", str(tmp_path), "--device", "cuda:0"),
    )
    job.part.file(tmp_path).write_bytes(b"")
    assert list(job.steps("cuda:0")) == []


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/2/3", "-1/2"])
def test_a_part_that_is_not_one_is_refused(text):
    with pytest.raises(ValueError, match="expected NUMBER/TOTAL"):
        Part.parse(text)
    assert Part.parse("2/8") == Part(2, 8)


def test_flags_are_taken_out_with_their_values():
    argv = ["--task=T", "--ray", "local", "--num_workers=2", "--video", "--motion_file", "a", "b", "presets=x"]
    kept = without_flags(argv, ("--ray", "--num_workers"), ("--video",))
    assert kept == ("--task=T", "--motion_file", "a", "b", "presets=x")
