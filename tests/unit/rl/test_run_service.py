"""The run service with a trainer that learns nothing: saving, stopping, continuing and tidying up."""

import os
import signal
from pathlib import Path

import pytest
import torch

from whole_body_tracking.progress_table import PROGRESS_FILE
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.service import StopTraining, TrainingRun

pytestmark = pytest.mark.unit


def content(iteration: int) -> dict:
    return {"actor_state_dict": {"weight": torch.ones(2)}, "iter": iteration}


def test_a_checkpoint_gets_its_name_after_its_companions(tmp_path: Path):
    run, seen = TrainingRun(tmp_path), []
    run.companions.append(lambda path: seen.append((path, path.exists())))
    run.save(tmp_path / "model_3.pt", content(3))
    assert seen == [(tmp_path / "model_3.pt", False)]
    assert load_checkpoint(tmp_path / "model_3.pt")["iter"] == 3


def test_a_companion_that_fails_is_an_error_but_costs_no_checkpoint(tmp_path: Path):
    run = TrainingRun(tmp_path)
    run.companions.append(lambda path: (_ for _ in ()).throw(ValueError("the policy cannot be exported")))
    with pytest.raises(ValueError, match="cannot be exported"):
        run.save(tmp_path / "model_0.pt", content(0))
    assert [file.name for file in tmp_path.iterdir()] == ["model_0.pt"]


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    run = TrainingRun(tmp_path)
    run.save(tmp_path / "model_0.pt", content(0))
    with pytest.raises((AttributeError, TypeError, RuntimeError)):
        run.save(tmp_path / "model_0.pt", {"iter": 1, "hook": lambda: None})
    assert load_checkpoint(tmp_path / "model_0.pt")["iter"] == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_sigterm_ends_training_after_the_iteration(tmp_path: Path):
    run, checked = TrainingRun(tmp_path), []
    run.checks.append(lambda iteration, row: checked.append(iteration))
    before = signal.getsignal(signal.SIGTERM)
    with run.session():
        run.end_iteration(0, {})
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopTraining, match="SIGTERM"):
            run.end_iteration(1, {})
    assert checked == [0, 1]  # what a check asks of all processes, this one answers, too
    assert run.stop_reason.exit_code == 143 and run.next_iteration == 2
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_check_ends_training_with_its_reason(tmp_path: Path):
    run = TrainingRun(None)

    def stop_at_two(iteration: int, row: dict[str, float]) -> None:
        if row["loss"] < 0.5:
            raise StopTraining("converged")

    run.checks.append(stop_at_two)
    run.end_iteration(0, {"loss": 0.9})
    with pytest.raises(StopTraining, match="converged"):
        run.end_iteration(1, {"loss": 0.4})
    assert run.stop_reason.exit_code == 0


def test_a_continued_session_drops_what_its_checkpoint_does_not_hold(tmp_path: Path):
    run = TrainingRun(tmp_path)
    for iteration in range(4):
        run.progress.append({"iteration": iteration, "loss": 1.0})
    (tmp_path / "exported").mkdir()
    for name in (".model_3.pt.1-ab.tmp", "exported/.policy.onnx.1-ab.tmp"):
        (tmp_path / name).write_text("half")
    again = TrainingRun(tmp_path)
    again.next_iteration = 2
    with again.session():
        again.progress.append({"iteration": 2, "loss": 0.5})
    assert (tmp_path / PROGRESS_FILE).read_text().split() == ["iteration,loss", "0,1.0", "1,1.0", "2,0.5"]
    assert not list(tmp_path.rglob(".*"))


def test_random_numbers_go_on_where_the_checkpoint_was(tmp_path: Path):
    run = TrainingRun(tmp_path)
    torch.manual_seed(7)
    run.save(tmp_path / "model_0.pt", content(0))
    expected = torch.rand(3)
    torch.manual_seed(8)
    TrainingRun(tmp_path).restore_random_numbers(load_checkpoint(tmp_path / "model_0.pt"))
    assert torch.equal(torch.rand(3), expected)
