"""``--score_prior`` and ``--motion_prior_reward``: frozen priors as rewards, with copies beside a run's checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from whole_body_tracking.files import write_atomically
from whole_body_tracking.priors.data.splits import file_digest
from whole_body_tracking.tasks.locomotion.prior_terms import (
    FLAGS,
    check_priors,
    motion_prior_reward,
    score_prior_reward,
    term_of,
)

REWARDS = {"score_prior": score_prior_reward, "motion_prior": motion_prior_reward}
"""Rewards that a flag turns on, as their tasks define them."""


def add_reward_prior_args(group: Any) -> None:
    """Add the flags to a parser or a group of one."""
    group.add_argument(
        "--score_prior", type=Path, metavar="FILE", help="Prior of pretrain/train_score_prior.py, for a reward."
    )
    group.add_argument(
        "--motion_prior_reward", type=Path, metavar="FILE", help="Model of pretrain/train_motion.py, for a reward."
    )


def use_reward_priors(args: argparse.Namespace, env_cfg: Any) -> None:
    """Give the rewards and starts of a task the priors that a command line names; turns those rewards on.

    Raises:
        ValueError: If a prior is given and the task has no such reward.
    """
    for name, make in REWARDS.items():
        flag = FLAGS[f"rewards.{name}"]
        given = getattr(args, flag, None)
        if given is None:
            continue
        if not hasattr(env_cfg.rewards, name):
            raise ValueError(f"--{flag} is for tasks that walk by command, such as Velocity-Flat-G1-v0; leave it out.")
        if term_of(env_cfg, f"rewards.{name}") is None:
            setattr(env_cfg.rewards, name, make())
        terms = [term_of(env_cfg, term) for term, its_flag in FLAGS.items() if its_flag == flag]
        for term in terms:
            if term is not None:
                term.params["prior"] = str(given.absolute())


def kept_file(run_folder: Path, name: str) -> Path:
    """Copy of a reward's prior in a run folder."""
    return run_folder / f"reward_{name}.safetensors"


def keep_reward_priors(run_folder: Path, env_cfg: Any) -> None:
    """Copy the priors of the rewards into a new run's folder, so that the run needs no other file."""
    for name in REWARDS:
        term = term_of(env_cfg, f"rewards.{name}")
        if term is not None:
            write_atomically(kept_file(run_folder, name), Path(term.params["prior"]).read_bytes())


def adopt_reward_priors(checkpoint: Path, env_cfg: Any) -> None:
    """Reward a continued training by the priors beside its checkpoint.

    Raises:
        ValueError: If the command line asks for another prior, or one does not fit the task.
    """
    for name, make in REWARDS.items():
        path, term = kept_file(checkpoint.parent, name), term_of(env_cfg, f"rewards.{name}")
        if not path.is_file() or not hasattr(env_cfg.rewards, name):
            continue
        if term is None:
            setattr(env_cfg.rewards, name, make(str(path.absolute())))
        elif file_digest(Path(term.params["prior"])) != file_digest(path):
            raise ValueError(
                f"{checkpoint} was trained with the prior {path}, not with {term.params['prior']}. Leave out"
                f" --{FLAGS[f'rewards.{name}']}, or start a new training."
            )
    check_priors(env_cfg)
