"""Ablations of tasks that walk by command: tasks of variants, their evaluation, what is refused, and the table."""

import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from whole_body_tracking.ablation.run import check_variant, parse_command_line
from whole_body_tracking.ablation.summary import metrics_of, render, summarise
from whole_body_tracking.ablation.variants import Variant, parse_variants

pytestmark = pytest.mark.unit

TASK = "Velocity-Flat-G1-v0"


def command_line(*tokens: str):
    given = ["--task", TASK, "--max_iterations", "5", "--device", "cpu", "--command", "vx=0.5,heading=0"]
    return parse_command_line([*given, *tokens])


def test_a_variant_may_have_a_task_and_files_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (found,) = parse_variants(["gait=task=Gait-Flat-G1-v0 env.commands.motion.model_file=refnn.npz env.decimation=2"])
    wanted = (f"env.commands.motion.model_file={tmp_path}/refnn.npz", "env.decimation=2")
    assert found == Variant("gait", wanted, "Gait-Flat-G1-v0")
    (prior,) = parse_variants(["prior=env.rewards.score_prior.params.prior=a/b.safetensors"])
    assert prior.overrides == (f"env.rewards.score_prior.params.prior={tmp_path}/a/b.safetensors",)
    with pytest.raises(ValueError, match=r"has 2 tasks, \['A', 'B'\]: one at most"):
        parse_variants(["both=task=A task=B"])


def test_every_variant_trains_its_task_and_walks_by_the_command():
    _, plan, (first, gait) = command_line(
        "--variants", "baseline", "gait=task=Gait-Flat-G1-v0", "--eval_episodes", "3", "physics=mujoco_cpu"
    )
    assert plan.train_command(first, 1)[:4] == ["--task", TASK, "--seed", "1"]
    assert plan.train_command(gait, 1)[1] == "Gait-Flat-G1-v0" and "physics=mujoco_cpu" in plan.train_command(gait, 1)
    assert plan.evaluate_command(gait, Path("/run")) == [
        *("--policy", "/run/exported/policy.onnx", "--num_rollouts", "3"),
        *("--command", "vx=0.5,heading=0", "--seconds", "10.0", "--seed", "42"),
    ]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["--command", "vx=nan"], "vx is 'nan', expected a finite number"),
        (["--command", "speed=1"], "Unknown part of the command"),
        (["--eval_task", TASK], "leave --eval_task out"),
        (["--seconds", "nan"], "--seconds is nan, expected more than 2"),
    ],
)
def test_wrong_arguments_are_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        command_line("--variants", "baseline", *tokens)


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (Variant("clips", (), "Tracking-Flat-G1-v0"), "--command is for tasks that walk by command"),
        (Variant("gait", (), "Gait-Flat-G1-v0"), "has no RefNN to follow"),
        (Variant("score", ("presets=reward_score_prior",)), "`rewards.score_prior` has no prior"),
        (Variant("other", (), "Walk-v0"), "Walk-v0"),
    ],
)
def test_variants_that_cannot_walk_are_refused(variant, message):
    _, plan, _ = command_line("--variants", "baseline")
    with pytest.raises(ValueError, match=message):
        check_variant(plan, variant)


def test_a_missing_prior_is_refused():
    _, plan, _ = command_line("--variants", "baseline")
    tokens = ("presets=reward_score_prior", "env.rewards.score_prior.params.prior=/nowhere/score.safetensors")
    with pytest.raises(FileNotFoundError, match=r"Variant 'score' on Velocity-Flat-G1-v0: .*/nowhere/score"):
        check_variant(plan, Variant("score", tokens))


def row(variant: str, seed: int, velocity_error: float | None) -> dict:
    fields = {"env_steps": 1e6, "falls_per_minute": 2.0, "survived": 0.5, "slip": 0.01, "jerk": 100.0}
    return {"variant": variant, "seed": seed, "run_folder": "x", "velocity_error": velocity_error} | fields


def test_walks_have_a_table_of_their_own_and_may_lack_a_metric():
    summary = summarise([row("a", 0, 0.1), row("a", 1, 0.3), row("b", 0, None)])
    assert list(metrics_of(summary)) == [
        *("survived", "velocity_error", "heading_error", "falls_per_minute", "cost_of_transport", "slip", "jerk"),
        "pose_distance",
    ]
    text = Console(file=io.StringIO(), width=250)
    text.print(render(summary))
    assert "0.200 ± 0.141" in text.file.getvalue()  # 0.1 and 0.3 m/s: 0.2 / sqrt(2)
    assert "velocity_error" not in summary[1]["metrics"] and not math.isnan(summary[1]["metrics"]["slip"]["mean"])


@pytest.mark.integration
def test_the_plot_is_written(tmp_path):
    from whole_body_tracking.ablation.plot import plot_summary

    path = plot_summary(summarise([row("a", 0, 0.1), row("b", 0, None)]), tmp_path / "ablation.png")
    assert path.read_bytes()[:4] == b"\x89PNG" and list(tmp_path.iterdir()) == [path]
