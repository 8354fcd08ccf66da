"""``--score_prior`` and ``--motion_prior_reward``: frozen priors as rewards, with copies beside a run's checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from whole_body_tracking.files import write_atomically
from whole_body_tracking.health.params_file import read_params
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
        for term in _terms_of(env_cfg, flag):
            term.params["prior"] = str(given.absolute())


def lacks_priors(env_cfg: Any) -> bool:
    """Whether a term of a task is on and has no prior yet."""
    return any(not term.params["prior"] for flag in FLAGS.values() for term in _terms_of(env_cfg, flag))


def use_kept_priors(checkpoint: Path, env_cfg: Any) -> None:
    """Give terms that have no prior yet, as a preset leaves them, the copy beside a checkpoint, if there is one."""
    for name in REWARDS:
        path = kept_file(checkpoint.parent, name)
        for term in _terms_of(env_cfg, FLAGS[f"rewards.{name}"]):
            if path.is_file() and not term.params["prior"]:
                term.params["prior"] = str(path.absolute())


def _terms_of(env_cfg: Any, flag: str) -> list[Any]:
    """Terms of a task that are on and take the prior of a flag."""
    terms = (term_of(env_cfg, name) for name, its_flag in FLAGS.items() if its_flag == flag)
    return [term for term in terms if term is not None]


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
    """Reward a continued training by the priors beside its checkpoint, as its run did where nothing else is asked for.

    Raises:
        ValueError: If the command line asks for another prior, or one does not fit the task.
    """
    for name, make in REWARDS.items():
        path, term = kept_file(checkpoint.parent, name), term_of(env_cfg, f"rewards.{name}")
        if not path.is_file() or not hasattr(env_cfg.rewards, name):
            continue
        if term is None:
            setattr(env_cfg.rewards, name, _as_trained(checkpoint, name, make(str(path.absolute()))))
        elif file_digest(Path(term.params["prior"])) != file_digest(path):
            raise ValueError(
                f"{checkpoint} was trained with the prior {path}, not with {term.params['prior']}. Leave out"
                f" --{FLAGS[f'rewards.{name}']}, or start a new training."
            )
    check_priors(env_cfg)


def _as_trained(checkpoint: Path, name: str, term: Any) -> Any:
    """A reward with the weight and the numbers that the settings of a checkpoint's run say; its own if they do not."""
    rewards = read_params(checkpoint.parent / "params" / "env.yaml").get("rewards") or {}
    trained = rewards.get(name) or {}
    params = trained.get("params") or {}
    term.weight = trained.get("weight", term.weight)
    term.params |= {key: params[key] for key in term.params if key != "prior" and key in params}
    return term
