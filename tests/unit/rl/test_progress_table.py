"""The table of a run's iterations."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from whole_body_tracking.health import read_run
from whole_body_tracking.progress_table import PROGRESS_FILE
from whole_body_tracking.rl.run.logger import TrackingLogger

pytestmark = pytest.mark.unit

OLD_HEADER = (
    "iteration,total_steps,mean_reward,mean_episode_length,robot_seconds_per_failure,learning_rate,action_std\n"
)


def make_logger(folder: Path) -> TrackingLogger:
    cfg = {"algorithm": {}, "num_steps_per_env": 24}
    run = {"num_envs": 2, "is_distributed": False, "gpu_world_size": 1, "gpu_global_rank": 0, "device": "cpu"}
    return TrackingLogger(0.02, lambda *_: None, log_dir=str(folder), cfg=cfg, env_cfg={}, **run)


def log_iteration(folder: Path, iteration: int, **losses: float) -> None:
    logger = make_logger(folder)
    scalars = {"collect_time": 1.0, "learn_time": 1.0, "learning_rate": 1e-3, "action_std": torch.ones(2)}
    logger._progress.append(logger._progress_row(iteration, scalars | {"loss_dict": {"value": 1.0} | losses}))


def test_the_table_has_the_kl_of_ppo_and_distillation_has_none(tmp_path):
    for name, losses in (("ppo", {"kl": 0.02}), ("distilled", {})):
        (tmp_path / name).mkdir()
        log_iteration(tmp_path / name, 0, **losses)
        log_iteration(tmp_path / name, 1, **losses)
    assert read_run(tmp_path / "ppo").curves["Loss/kl"].values.tolist() == [0.02, 0.02]
    assert "Loss/kl" not in read_run(tmp_path / "distilled").curves


def test_a_run_begun_by_an_older_version_keeps_its_columns(tmp_path):
    (tmp_path / PROGRESS_FILE).write_text(OLD_HEADER + "0,48,1.0,20.0,0.5,0.001,1.0\n")
    log_iteration(tmp_path, 1, kl=0.02)
    curves = read_run(tmp_path).curves
    assert curves["Loss/learning_rate"].values.tolist() == [1e-3, 1e-3] and "Loss/kl" not in curves
    assert curves["Policy/mean_std"].values.tolist() == [1.0, 1.0]


def test_the_time_left_of_a_continued_run_counts_all_of_its_iterations(tmp_path, capsys):
    """100 iterations took 198 s, the 101st takes 2 s: the other 99 take 2 s each, whatever this session has done."""
    logger = make_logger(tmp_path)
    logger.writer = SimpleNamespace(add_scalar=lambda *_: None)
    logger.tot_time, logger.timed_from = 200.0, 0
    scalars = {"collect_time": 1.0, "learn_time": 1.0, "learning_rate": 1e-3, "action_std": torch.ones(2)}
    logger.log(100, start_it=100, total_it=200, loss_dict={"value": 1.0}, rnd_weight=None, **scalars)
    assert "ETA: 0:03:18" in capsys.readouterr().out
