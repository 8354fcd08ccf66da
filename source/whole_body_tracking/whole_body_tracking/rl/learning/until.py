"""Training with PPO until the policy is good enough: ``train.py --until SHARE --json FILE``."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from whole_body_tracking.files import write_json
from whole_body_tracking.tasks.locomotion.mode_check import modes_of
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of

from ..run.service import StopTraining
from ..runner import TrackingRunner
from .scoring import Score, Scorer

ACCEPTED_TRACKING = 0.8
"""Tracking score that a policy needs, in [0, 1]."""
SCORED_EVERY = 25
"""Iterations between two scorings. One takes as many steps as the longest clip, fewer while all rollouts fail early."""


def add_until_args(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    group = parser.add_argument_group("score")
    group.add_argument(
        "--until",
        type=float,
        default=None,
        metavar="SHARE",
        help=f"Score the policy every {SCORED_EVERY} iterations, each env playing a clip from its start, and stop once"
        f" this share of them finishes with a tracking score of {ACCEPTED_TRACKING:g}.",
    )
    group.add_argument(
        "--score_every", type=int, default=None, metavar="N", help="Iterations between scorings; needs --until."
    )
    group.add_argument("--json", type=Path, default=None, metavar="FILE", help="Write the scores; needs --until.")


def check_until(args: argparse.Namespace, env_cfg: Any) -> None:
    """Refuse flags that make no sense, before the simulator starts.

    Raises:
        ValueError: If the share is out of range, or the task or the number of processes does not fit.
        FileNotFoundError: If the folder of the file does not exist.
    """
    share, file, every = (getattr(args, name, None) for name in ("until", "json", "score_every"))
    if share is None:
        if file is not None:
            raise ValueError("--json writes the scores of --until: give --until SHARE, too, for instance 0.9.")
        if every is not None:
            raise ValueError("--score_every is how often --until scores: give --until SHARE, too, for instance 0.9.")
        return
    if every is not None and every < 1:
        raise ValueError(f"--score_every is {every}, expected at least 1 iteration.")
    if not 0.0 < share <= 1.0:
        raise ValueError(f"--until is {share:g}, expected more than 0 and at most 1.")
    if getattr(args, "distributed", False):
        raise ValueError("--until scores in one process: leave out --distributed, or evaluate with evaluate.py.")
    if motion_cfg_of(env_cfg) is None:
        raise ValueError(f"--until plays clips, and {args.task} tracks none: leave it out.")
    if modes_of(env_cfg) is not None:
        raise ValueError(f"--until plays clips alone, and {args.task} has modes without one, too: leave it out.")
    if file is not None and not file.absolute().parent.is_dir():
        raise FileNotFoundError(f"{file.absolute().parent}, the folder of {file.name}, does not exist.")


@dataclass(frozen=True)
class ScoredIteration:
    """A scoring of the policy."""

    iteration: int
    env_steps: int
    """Steps of training in all envs, those of scorings left out."""
    seconds: float
    """Wall time of training, scorings left out [s]."""
    score: Score

    def as_json(self) -> dict:
        """Numbers under stable keys."""
        return {name: getattr(self, name) for name in ("iteration", "env_steps", "seconds")} | asdict(self.score)

    def render(self) -> str:
        """A line that says it all."""
        score = self.score
        return (
            f"[INFO] {self.env_steps / 1e6:.2f} M env steps, {self.seconds:.0f} s: {score.finished} of {score.rollouts}"
            f" rollouts finish, tracking score {score.tracking:.3f}, r_mpkpe {score.r_mpkpe_cm:.1f} cm"
        )


class ScoredTraining:
    """Scores the policy of a runner between its iterations, and ends training once it is good enough."""

    def __init__(self, runner: TrackingRunner, share: float, every: int = SCORED_EVERY):
        """Prepare to score.

        Args:
            runner: Of PPO.
            share: Share of rollouts that have to finish, in (0, 1].
            every: Iterations between two scorings.
        """
        self.runner, self.share, self.every = runner, share, every
        self.curve: list[ScoredIteration] = []
        self._scorer = Scorer(runner.env, lambda obs: runner.alg.get_policy()(obs))

    def check(self, iteration: int) -> None:
        """Score if it is time to, and go on from the first observations of the episodes that begin then.

        Raises:
            StopTraining: If the policy is good enough.
        """
        if (iteration + 1) % self.every != 0:
            return
        score = self._score(iteration)
        with torch.inference_mode():  # as the rollout that goes on
            self.runner.alg.continue_from(self.runner.env.get_observations())
        if score.is_accepted(self.share, ACCEPTED_TRACKING):
            raise StopTraining(f"{score.finished} of {score.rollouts} rollouts finish, as --until asks")

    def finish(self) -> None:
        """Score the trained policy, unless that has just been done or a signal ended the training."""
        last, stop = self.runner.current_learning_iteration, self.runner.stop_reason
        if (self.curve and self.curve[-1].iteration == last) or (stop is not None and stop.exit_code != 0):
            return
        self._score(last)

    def write(self, path: Path, checkpoint: Path | None) -> None:
        """Write the curve, and the last score by itself."""
        stop = self.runner.stop_reason
        last = self.curve[-1].as_json() if self.curve else {}
        keys = ("env_steps", "seconds", "finished", "rollouts", "tracking", "r_mpkpe_cm")
        content = {"checkpoint": None if checkpoint is None else str(checkpoint)}
        content |= {key: last.get(key) for key in keys}
        content |= {"why_ended": str(stop or "all iterations are done"), "curve": [row.as_json() for row in self.curve]}
        write_json(path, content)

    def _score(self, iteration: int) -> Score:
        policy, logger = self.runner.alg.get_policy(), self.runner.logger
        policy.eval()  # observation statistics stay as they are
        with torch.inference_mode():
            score = self._scorer.score()
        policy.train()
        logger.cur_reward_sum.zero_()  # the episodes that it was counting are over
        logger.cur_episode_length.zero_()
        row = ScoredIteration(iteration, logger.tot_timesteps, logger.tot_time, score)
        self.curve.append(row)
        print(row.render(), flush=True)
        return score
