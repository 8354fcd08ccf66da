"""A cell of an ablation as steps that a queue runs: decided from what is in its folder, on whatever machine."""

import json

import pytest

from whole_body_tracking.ablation.cell import Cell, CellJob, Plan
from whole_body_tracking.ablation.run import parse_command_line
from whole_body_tracking.ablation.variants import Variant
from whole_body_tracking.rl.run.launching import FINISHED_FILE

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-G1-v0"
COMMAND = ["--task", TASK, "--variants", "baseline", "--max_iterations", "3"]


@pytest.fixture
def job(tmp_path) -> CellJob:
    plan = Plan(TASK, TASK, (), ("--max_iterations", "3"), (), None, 4, "cpu")
    return CellJob(Cell(Variant("baseline", ()), 7, tmp_path / "baseline" / "seed_7"), plan)


def leave_run(job: CellJob):
    run = job.cell.folder / "logs" / "rsl_rl" / "g1_flat" / "2026-01-01_00-00-00"
    run.mkdir(parents=True)
    (run / "model_2.pt").write_bytes(b"")
    (run / "progress.csv").write_text("iteration,total_steps,total_time\n2,600,120.0\n")
    return run


def leave_report(job: CellJob):
    (job.cell.folder / "evaluation").mkdir()
    (job.cell.folder / "evaluation" / "report.json").write_text(json.dumps({"overall": {"success": 1.0}}))


def test_a_new_cell_trains_then_evaluates_and_has_a_row(job):
    steps = job.steps("cpu")
    training = next(steps)
    assert training.program == "train.py" and "--checkpoint" not in training.words
    run = leave_run(job)
    evaluation = next(steps)
    assert (job.cell.folder / FINISHED_FILE).is_file(), "the training is over when its command has succeeded"
    assert evaluation.program == "evaluate.py" and str(run) in evaluation.words
    assert evaluation.log == job.cell.folder / "evaluate.log"
    leave_report(job)
    assert next(steps, None) is None
    assert job.cell.row(job.plan) == {
        **{"variant": "baseline", "seed": 7, "run_folder": str(run), "iterations": 3.0, "env_steps": 600.0},
        **{"minutes": 2.0, "success": 1.0},  # 120 s
    }
    assert list(job.steps("cpu")) == []


def test_a_cell_whose_machine_died_goes_on_with_what_is_left(job):
    next(job.steps("cpu"))
    leave_run(job)
    assert next(job.steps("cpu")).words[-2:] == ("--checkpoint", "latest")  # it died while training
    steps = job.steps("cpu")
    next(steps)
    next(steps)  # it dies while evaluating
    assert [command.program for command in job.steps("cpu")] == ["evaluate.py"]


def test_a_job_takes_a_gpu_if_the_ablation_runs_on_one():
    pytest.importorskip("ray")
    for device, expected in (("cuda:0", 1.0), ("cpu", 0.0)):
        args, plan, _ = parse_command_line([*COMMAND, "--ray", "auto", "--device", device])
        assert args.ray_options.gpu_per_worker == expected and plan.device == device
        assert plan.train_arguments == ("--max_iterations", "3")
    with pytest.raises(ValueError, match=r"--device cuda:1: with --ray each job has its own GPU"):
        parse_command_line([*COMMAND, "--ray", "auto", "--device", "cuda:1"])
    with pytest.raises(ValueError, match=r"--device cpu does not fit --gpu_per_worker 1"):
        parse_command_line([*COMMAND, "--ray", "auto", "--device", "cpu", "--gpu_per_worker", "1"])
