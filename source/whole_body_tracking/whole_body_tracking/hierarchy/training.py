"""PPO of a selector, and a trained selector as play and evaluation run it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from whole_body_tracking.files import write_json
from whole_body_tracking.refine.native_physics import planning_step
from whole_body_tracking.rl.learning.budget import TrainingBudget
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.native_runner import NativePpoSettings, NativeRunner

from .env import TASK, CourseEnv, CourseEnvSettings
from .evaluating import Selector, run_courses
from .imitation import imitate, keep_statistics
from .scripted import ScriptedSelector
from .skill_set import SkillSet

SCRIPTED = "scripted"
IMITATED = "imitated"
"""Fact of a checkpoint: whether its policy began as an imitation, so that its observations' statistics stay."""
CRITIC_WARMUP = 3
"""Iterations of a fresh critic alone, if the policy is not fresh: an untrained critic gives random advantages."""
CHECKPOINTS = "model_*.pt"


@dataclass(frozen=True)
class SelectorPpoSettings(NativePpoSettings):
    """PPO for few decisions."""

    num_steps_per_env: int = 16
    initial_std: float = 0.3
    """Of scores, and of speed and turn rate, which are -1 to 1."""
    save_interval: int = 10
    entropy_coef: float = 0.003


@dataclass(frozen=True)
class SelectorJob:
    """What to train, how, and where to.

    Raises:
        FileNotFoundError: If there is nothing to resume.
        ValueError: If the folder holds a training and ``resume`` is off.
    """

    output_dir: Path
    env: CourseEnvSettings = field(default_factory=CourseEnvSettings)
    ppo: SelectorPpoSettings = field(default_factory=SelectorPpoSettings)
    resume: bool = False
    imitated: int = 0
    """Decisions of the scripted selector, by every robot, that the network imitates before PPO; 0 starts from nothing.
    Then PPO trains the critic alone for :data:`CRITIC_WARMUP` iterations. A run that goes on needs no number."""
    runs: int = 64
    """Courses of the measurement at the end; 0 for none."""

    def __post_init__(self):
        has_run = any(self.output_dir.glob(CHECKPOINTS))
        if has_run and not self.resume:
            raise ValueError(f"{self.output_dir} already holds a training. Take --resume, or give another folder.")
        if self.resume and not has_run:
            raise FileNotFoundError(f"--resume: {self.output_dir} holds no {CHECKPOINTS}.")


def train_selector(skills: SkillSet, job: SelectorJob) -> dict:
    """Train, and measure the policy and the scripted selector on the same courses.

    Returns:
        The summary, which is also written to ``summary.json``.

    Raises:
        ValueError: If the checkpoint to go on from does not fit.
    """
    torch.manual_seed(job.env.seed)
    env = CourseEnv(skills, replace(job.env, physics_dt=planning_step(skills.walk.spec.control_dt)))
    job.output_dir.mkdir(parents=True, exist_ok=True)
    runner = _runner(env, job.ppo, job.output_dir)
    is_imitated = job.imitated > 0
    if job.resume:
        path = newest_checkpoint(job.output_dir)
        runner.resume(path)
        is_imitated = is_imitated or bool(facts_of(path).get(IMITATED))
    imitation = None
    if job.imitated and not job.resume:
        imitation = imitate(runner.alg.actor, env, ScriptedSelector(env), job.imitated)
        print(f"[INFO] Imitates the scripted selector: actions off by {imitation:.3f}.", flush=True)
        env.reset_all()
    if is_imitated:
        runner.facts[IMITATED] = True
        keep_statistics(runner.alg.actor)
        _warm_up_critic(runner)
    started = time.monotonic()
    runner.learn_until(job.ppo.max_iterations)
    seconds = time.monotonic() - started
    env.close()
    summary = {
        "task": TASK,
        "skills": skills.names,
        "iterations": runner.run.next_iteration,
        "decisions": int(runner.logger.tot_timesteps),
        "seconds": seconds,
        "imitation_error": imitation,
        "policy": measured(skills, job.env, job.runs, lambda env: runner.policy()),
        SCRIPTED: measured(skills, job.env, job.runs, ScriptedSelector),
        "env": asdict(job.env),
        "ppo": asdict(job.ppo),
    }
    write_json(job.output_dir / "summary.json", summary)
    return summary


def _warm_up_critic(runner: NativeRunner) -> None:
    """Leave the policy as it is for the run's first iterations."""
    actor = runner.alg.actor

    def follow(iteration: int, row: dict[str, float]) -> None:
        actor.requires_grad_(iteration + 1 >= CRITIC_WARMUP)

    follow(runner.run.next_iteration - 1, {})
    runner.run.checks.append(follow)


def measured(
    skills: SkillSet,
    settings: CourseEnvSettings,
    runs: int,
    make: Callable[[CourseEnv], Selector],
    seed: int = 1000,
) -> dict | None:
    """What a selector does on so many courses that training did not draw; None for none.

    Args:
        skills: Policies and clips.
        settings: Of the environment; courses and decisions are taken from it.
        runs: Courses.
        make: Makes the selector for the environment.
        seed: Of the courses.
    """
    if runs == 0:
        return None
    env = CourseEnv(skills, replace(settings, num_envs=runs, seed=seed))
    try:
        return run_courses(env, make(env)).as_json()
    finally:
        env.close()


def make_selector(name: str, env: CourseEnv) -> Selector:
    """The scripted selector, or that of a checkpoint.

    Args:
        name: ``scripted``, a checkpoint, or a folder of which the newest is taken.
        env: Where it chooses.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If it was trained for other skills or another task.
    """
    if name == SCRIPTED:
        return ScriptedSelector(env)
    path = selector_path(name)
    runner = _runner(env, SelectorPpoSettings(hidden=tuple(facts_of(path).get("hidden", ()))), None)
    runner.alg.load(runner.read(path), {"actor": True}, True)
    return runner.policy()


def selector_path(name: str) -> Path | None:
    """The checkpoint that a name means; None for the scripted selector.

    Raises:
        FileNotFoundError: If there is none.
    """
    if name == SCRIPTED:
        return None
    path = Path(name)
    if path.is_dir():
        return newest_checkpoint(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no selector {path}: give '{SCRIPTED}', or a checkpoint of train_selector.py."
        )
    return path


def facts_of(path: Path) -> dict:
    """What a checkpoint says of itself; nothing if it says nothing."""
    return load_checkpoint(path).get("facts") or {}


def trained_goals(name: str) -> int | None:
    """How many points the courses had on which a selector was trained; None for the scripted one, or if it is not said.

    Raises:
        FileNotFoundError: If there is no such selector.
    """
    path = selector_path(name)
    return None if path is None else facts_of(path).get("num_goals")


def newest_checkpoint(folder: Path) -> Path:
    """The checkpoint of the highest iteration.

    Raises:
        FileNotFoundError: If there is none.
    """
    paths = list(folder.glob(CHECKPOINTS))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no {CHECKPOINTS}.")
    return max(paths, key=lambda path: int(path.stem.split("_")[1]))


def _runner(env: CourseEnv, settings: SelectorPpoSettings, folder: Path | None) -> NativeRunner:
    facts = {
        "skills": env.names,
        "decision_steps": env.cfg.decision_steps,
        "num_goals": env.cfg.course.num_goals,
        "hidden": list(settings.hidden),
    }
    budget = TrainingBudget(settings.max_iterations, settings.max_minutes)
    return NativeRunner(env, settings.as_rsl_rl(), folder, TASK, budget, facts)
