"""The curves and settings of a training run: from its folder, or from W&B."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from whole_body_tracking.motion.sources.wandb_client import TIMEOUT, wandb_client

from .params_file import read_params

PROGRESS_COLUMNS = {
    "mean_reward": "Train/mean_reward",
    "mean_episode_length": "Train/mean_episode_length",
    "robot_seconds_per_failure": "Train/robot_seconds_per_failure",
    "learning_rate": "Loss/learning_rate",
    "action_std": "Policy/mean_std",
    "total_steps": "Train/total_steps",
    "kl": "Loss/kl",
}
"""Columns of ``progress.csv`` and the log keys that they stand for."""


@dataclass(frozen=True)
class Curve:
    """One logged number over a run."""

    iterations: np.ndarray
    """Shape [num_points], ascending."""
    values: np.ndarray
    """Shape [num_points]; may hold NaN and Inf."""


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run that the checks need; None where a setting is unknown."""

    schedule: str | None = None
    """"adaptive" or "fixed" learning rate."""
    desired_kl: float | None = None
    init_std: float | None = None
    """Standard deviation of the actions at the start."""
    episode_length_s: float | None = None
    """Longest episode [s]."""
    step_dt: float | None = None
    """Duration of an environment step [s]."""
    residual: bool | None = None
    """Whether actions are about the reference."""


@dataclass(frozen=True)
class RunLog:
    """A training run as the checks see it."""

    curves: dict[str, Curve]
    """By log key, such as ``Train/mean_reward`` (docs/metrics.md)."""
    settings: RunSettings = field(default_factory=RunSettings)
    state_dumps: tuple[str, ...] = ()
    """Names of the states that were written when a simulation blew up."""

    @property
    def num_iterations(self) -> int:
        """Iterations from the first logged one to the last, both included."""
        if not self.curves:
            return 0
        ends = [(curve.iterations[0], curve.iterations[-1]) for curve in self.curves.values()]
        return int(max(last for _, last in ends) - min(first for first, _ in ends)) + 1


def read_run(folder: str | Path) -> RunLog:
    """Read a run folder: TensorBoard events, ``progress.csv``, ``params/`` and state dumps.

    Raises:
        FileNotFoundError: If there is no such folder, or it holds neither events nor ``progress.csv``.
        ValueError: If ``progress.csv`` is broken.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder. Give a run such as logs/rsl_rl/g1_flat/<time>_<name>.")
    curves = _read_events(folder)
    progress = folder / "progress.csv"
    if progress.is_file():
        curves = _read_progress(progress) | curves
    if not curves:
        raise FileNotFoundError(
            f"{folder} contains no logs: neither events.out.tfevents.* nor progress.csv, only"
            f" {sorted(path.name for path in folder.iterdir())[:8]}. Give the folder of a single run."
        )
    dumps = tuple(sorted(path.name for path in folder.glob("non_finite_*.npz")))
    return RunLog(curves, _read_settings(folder / "params"), dumps)


def read_wandb_run(path: str) -> RunLog:
    """Read a run of W&B, ``ORG/PROJECT/RUN_ID``.

    Raises:
        OSError: If W&B cannot be reached or has no such run.
        ValueError: If the path has another form, or nothing was logged.
    """
    if path.count("/") != 2:
        raise ValueError(f"'{path}' is not the name of a W&B run. Expected ORG/PROJECT/RUN_ID.")
    with wandb_client(f"Reading the W&B run {path}", "Give a local run folder instead.") as wandb:
        run = wandb.Api(timeout=TIMEOUT).run(path)
        rows, config = list(run.scan_history()), dict(run.config)
    curves = curves_of_rows(rows)
    if not curves:
        raise ValueError(
            f"The W&B run {path} has logged no numbers yet. Wait for its first iteration, or give a local run folder."
        )
    return RunLog(curves, _settings(_get(config, "train_cfg") or {}, _get(config, "env_cfg") or {}))


def curves_of_rows(rows: list[dict]) -> dict[str, Curve]:
    """Curves of rows that hold some keys each and the iteration as ``_step``, as W&B gives them."""
    points: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        for key, value in row.items():
            if not key.startswith("_") and isinstance(value, int | float | str) and _is_number(value):
                points.setdefault(key, []).append((int(row["_step"]), float(value)))
    return {key: _curve(values) for key, values in points.items()}


def _read_events(folder: Path) -> dict[str, Curve]:
    if not any(folder.glob("events.out.tfevents.*")):
        return {}
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    tags = [tag for tag in events.Tags()["scalars"] if not tag.endswith("/time")]
    return {tag: _curve([(point.step, point.value) for point in events.Scalars(tag)]) for tag in tags}


def _read_progress(path: Path) -> dict[str, Curve]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {
            key: _curve([(int(row["iteration"]), float(row[column])) for row in rows])
            for column, key in PROGRESS_COLUMNS.items()
            if rows and column in rows[0]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a progress table of train.py: {type(error).__name__} {error}.") from None


def _curve(points: list[tuple[int, float]]) -> Curve:
    """A resumed run logs some iterations twice: the later value counts."""
    latest = dict(points)
    iterations = np.array(sorted(latest))
    return Curve(iterations, np.array([latest[iteration] for iteration in iterations], dtype=float))


def _is_number(value: object) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _read_settings(folder: Path) -> RunSettings:
    return _settings(read_params(folder / "agent.yaml"), read_params(folder / "env.yaml"))


def _settings(agent: dict, env: dict) -> RunSettings:
    """Settings that the checks need, from the configs that rsl_rl stores, in ``params/`` or with the W&B run."""
    dt, decimation = _get(env, "sim", "dt"), _get(env, "decimation")
    action = str(_get(env, "actions", "joint_pos", "class_type") or "")
    return RunSettings(
        schedule=_get(agent, "algorithm", "schedule"),
        desired_kl=_get(agent, "algorithm", "desired_kl"),
        init_std=_get(agent, "actor", "distribution_cfg", "init_std"),
        episode_length_s=_get(env, "episode_length_s"),
        step_dt=dt * decimation if dt and decimation else None,
        residual="Residual" in action if action else None,
    )


def _get(content: dict, *keys: str):
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content
