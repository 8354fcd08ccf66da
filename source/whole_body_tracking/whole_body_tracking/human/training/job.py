"""Train on the human task: what ``scripts/muscle/train_human.py`` calls."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from whole_body_tracking.files import write_json

from ..inverse_dynamics import inverse_dynamics
from ..job import least_squares
from ..model.body import HumanBody
from ..motions.motion import HumanMotion
from .env import TASK, TORQUES, HumanEnvSettings, HumanTrackingEnv
from .muscle_control import REST_ACTIVATION
from .reference import HumanReference, make_reference, simulation_model
from .runner import HumanRunner, PpoSettings, evaluate

LAST = "model_*.pt"
NUM_PUSHED, PUSH = 16, 0.2
"""Bodies that an evaluation pushes, and the largest push [m/s]."""


@dataclass(frozen=True)
class HumanTrainingJob:
    """What to train, how, and where to."""

    output_dir: Path
    env: HumanEnvSettings = field(default_factory=HumanEnvSettings)
    ppo: PpoSettings = field(default_factory=PpoSettings)
    resume: bool = False

    def __post_init__(self):
        has_run = any(self.output_dir.glob(LAST))
        if has_run and not self.resume:
            raise ValueError(f"{self.output_dir} already holds a training. Take --resume, or give another folder.")
        if self.resume and not has_run:
            raise FileNotFoundError(f"--resume: {self.output_dir} holds no {LAST}.")


def train_human(body: HumanBody, motion: HumanMotion, job: HumanTrainingJob) -> dict:
    """Train, and measure the policy and actions of zero, which is where it began, from the motion's first frame.

    Returns:
        The summary, which is also written to ``summary.json``.

    Raises:
        ValueError: If the checkpoint to go on from does not fit.
    """
    torch.manual_seed(job.env.seed)
    reference = reference_of(body, motion, job.env)
    job.output_dir.mkdir(parents=True, exist_ok=True)
    env = HumanTrackingEnv(body, reference, job.env)
    runner = HumanRunner(env, job.ppo, job.output_dir, motion.name)
    if job.resume:
        runner.resume(newest(job.output_dir))
    runner.learn_until(job.ppo.max_iterations)
    env.close()
    summary = {
        "task": TASK,
        "motion": motion.name,
        "iterations": runner.run.next_iteration,
        "steps": int(runner.logger.tot_timesteps),
        "seconds": float(runner.logger.tot_time),
        "policy": measured(body, reference, job.env, runner.policy()),
        "untrained": measured(body, reference, job.env, lambda obs: torch.zeros(len(obs), env.num_actions)),
        "env": asdict(job.env),
        "ppo": asdict(job.ppo),
    }
    write_json(job.output_dir / "summary.json", summary)
    return summary


def reference_of(body: HumanBody, motion: HumanMotion, settings: HumanEnvSettings) -> HumanReference:
    """The reference with the activations of least squares, at which bodies start."""
    dynamics = inverse_dynamics(body, motion)
    model = simulation_model(body, settings.physics_dt)
    rest = REST_ACTIVATION if settings.action == TORQUES else 0.0
    return make_reference(body, model, motion, dynamics, least_squares(dynamics, rest))


def measured(body: HumanBody, reference: HumanReference, settings: HumanEnvSettings, policy) -> dict[str, float]:
    """What a policy does from the first frame: one body, and several that are pushed at the start."""
    alone = replace(settings, num_envs=1, random_starts=False, push=0.0, num_threads=1)
    pushed = replace(settings, num_envs=NUM_PUSHED, random_starts=False, push=PUSH)
    rows = []
    for each in (alone, pushed):
        env = HumanTrackingEnv(body, reference, each)
        try:
            rows.append(evaluate(env, policy))
        finally:
            env.close()
    return rows[0] | {f"pushed_{name}": rows[1][name] for name in ("survived", "finished", "tracking")}


def newest(folder: Path) -> Path:
    """The checkpoint of the highest iteration."""
    return max(folder.glob(LAST), key=lambda path: int(path.stem.split("_")[1]))
