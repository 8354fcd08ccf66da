"""Reading runs: TensorBoard and progress.csv together, settings, what is not a run."""

from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.health import RunSettings, read_run, read_wandb_run
from whole_body_tracking.health.run_log import curves_of_rows

pytestmark = pytest.mark.unit

HEADER = "iteration,total_steps,mean_reward,mean_episode_length,learning_rate,action_std\n"


def write_run(folder: Path, num_iterations: int = 40) -> Path:
    """A run whose reward falls and whose learning rate is at its lower bound."""
    rows = [f"{i},{6144 * (i + 1)},{-0.1 * i},{20},{1e-5},{0.9}\n" for i in range(num_iterations)]
    (folder / "progress.csv").write_text(HEADER + "".join(rows))
    (folder / "params").mkdir()
    (folder / "params" / "agent.yaml").write_text(
        "actor:\n  distribution_cfg:\n    init_std: 1.0\nalgorithm:\n  schedule: adaptive\n  desired_kl: 0.01\n"
    )
    (folder / "params" / "env.yaml").write_text(
        "sim:\n  dt: 0.005\ndecimation: 4\nepisode_length_s: 10.0\nsize: !!python/tuple [1, 2]\n"
        "actions:\n  joint_pos:\n    class_type: whole_body_tracking.mdp.actions:ResidualJointPositionAction\n"
    )
    return folder


def test_progress_settings_and_dumps(tmp_path):
    write_run(tmp_path)
    (tmp_path / "non_finite_0.npz").write_bytes(b"")
    run = read_run(tmp_path)
    assert run.num_iterations == 40 and run.state_dumps == ("non_finite_0.npz",)
    assert run.settings == RunSettings("adaptive", 0.01, 1.0, 10.0, 0.02, True)
    np.testing.assert_allclose(run.curves["Train/mean_reward"].values[:3], [0.0, -0.1, -0.2])
    assert run.curves["Train/total_steps"].values[-1] == 6144 * 40


def test_tensorboard_events_are_read_and_win(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    write_run(tmp_path)
    with SummaryWriter(str(tmp_path)) as writer:
        for iteration in range(3):
            writer.add_scalar("Train/mean_reward", 7.0 + iteration, iteration)
            writer.add_scalar("Episode_Termination/anchor_pos", 0.25, iteration)
            writer.add_scalar("Train/mean_reward/time", 1.0, iteration)
    curves = read_run(tmp_path).curves
    np.testing.assert_allclose(curves["Train/mean_reward"].values, [7.0, 8.0, 9.0])
    np.testing.assert_allclose(curves["Episode_Termination/anchor_pos"].values, [0.25] * 3)
    assert "Train/mean_reward/time" not in curves and "Policy/mean_std" in curves


def test_iterations_that_were_repeated_after_a_resume_count_once(tmp_path):
    write_run(tmp_path, num_iterations=3)
    with (tmp_path / "progress.csv").open("a") as file:
        file.write("2,1,5.0,20,1e-5,0.9\n3,1,6.0,20,1e-5,0.9\n")
    curve = read_run(tmp_path).curves["Train/mean_reward"]
    assert curve.iterations.tolist() == [0, 1, 2, 3] and curve.values[-2:].tolist() == [5.0, 6.0]


def test_rows_of_wandb_become_curves():
    """W&B writes NaN as text, leaves out keys, and adds its own."""
    rows = [
        {"_step": 0, "_timestamp": 1.0, "Loss/value": 1.0, "note": "hello"},
        {"_step": 1, "Train/mean_reward": 2},
        {"_step": 2, "Loss/value": "NaN"},
    ]
    curves = curves_of_rows(rows)
    assert set(curves) == {"Loss/value", "Train/mean_reward"}
    assert curves["Loss/value"].iterations.tolist() == [0, 2] and np.isnan(curves["Loss/value"].values[1])


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a folder. Give a run such as"):
        read_run(tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FileNotFoundError, match=r"contains no logs: .* only \['notes.txt'\]"):
        read_run(tmp_path)
    (tmp_path / "progress.csv").write_text("iteration,mean_reward\n0,seven\n")
    with pytest.raises(ValueError, match="progress.csv is not a progress table"):
        read_run(tmp_path)
    with pytest.raises(ValueError, match="Expected ORG/PROJECT/RUN_ID"):
        read_wandb_run("just_a_name")
