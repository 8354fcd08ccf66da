"""``--motion_prior``: a task with the encoder of a motion prior, and the prior beside the run's checkpoints."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

from whole_body_tracking.files import replacing, write_json
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .actor import require_prior_of
from .model_cfg import PriorModelCfg
from .observations import add_prior_observations
from .reward import add_reward_prior_args

PRIOR_FILE, SETTINGS_FILE = "motion_prior.safetensors", "motion_prior.json"
"""In a run folder: a copy of the prior, and how it is used."""


@dataclass(frozen=True)
class PriorSettings:
    """How the networks of a run use a prior."""

    history: int = 8
    unfreeze_after: int | None = None
    encoder_learning_rate: float = 1.0e-5
    random_encoder: bool = False

    def __post_init__(self):
        if self.history < 1:
            raise ValueError(f"--prior_history is {self.history}, expected at least 1.")
        if self.unfreeze_after is not None and self.unfreeze_after < 0:
            raise ValueError(f"--unfreeze_after is {self.unfreeze_after}, expected at least 0.")
        if not self.encoder_learning_rate > 0.0:
            raise ValueError(f"--encoder_learning_rate is {self.encoder_learning_rate}, expected more than 0.")


def add_prior_args(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a training with a motion prior."""
    group = parser.add_argument_group("motion prior")
    add = group.add_argument
    add("--motion_prior", type=Path, metavar="FILE", help="Model of pretrain/train_motion.py at the control rate.")
    add("--prior_history", type=int, default=8, help="States that its encoder sees (%(default)s).")
    add("--unfreeze_after", type=int, metavar="N", help="Let the encoder learn after N iterations; default: never.")
    add("--encoder_learning_rate", type=float, default=1e-5, help="Its rate then (%(default)s).")
    add("--random_encoder", action="store_true", help="Fresh weights of the same size instead, as a control.")
    add_reward_prior_args(group)


def configure_prior(args: argparse.Namespace, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Complete the configs for ``--motion_prior``; without the flag nothing changes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the prior does not fit the task, or a flag is given that needs one.
    """
    if args.motion_prior is None:
        if args.unfreeze_after is not None or args.random_encoder:
            raise ValueError("--unfreeze_after and --random_encoder need a --motion_prior.")
        return
    settings = PriorSettings(args.prior_history, args.unfreeze_after, args.encoder_learning_rate, args.random_encoder)
    use_prior(args.motion_prior, settings, env_cfg, agent_cfg)


def use_prior(path: Path, settings: PriorSettings, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Give actor and critic the encoder of a model file, and the observations that it needs.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the prior does not fit the task, or the networks are of another kind already.
    """
    require_prior_of(str(path), env_cfg.robot_name, env_cfg.sim.dt * env_cfg.decimation)
    add_prior_observations(env_cfg, settings.history)
    for name in ("actor", "critic"):
        plain = getattr(agent_cfg, name, None)
        if plain is None or plain.class_name not in ("MLPModel", PriorModelCfg().class_name):
            kind = "none" if plain is None else plain.class_name
            raise ValueError(f"--motion_prior is for PPO with plain networks; this training's {name} is {kind}.")
        fields = {key: getattr(plain, key) for key in ("hidden_dims", "activation", "obs_normalization")}
        cfg = PriorModelCfg(**fields, distribution_cfg=plain.distribution_cfg, motion_prior=str(path.resolve()))
        setattr(agent_cfg, name, cfg.replace(**asdict(settings)))
    handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())  # takes out fields of older versions


def keep_prior(run_folder: Path, agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Copy the prior into a new run's folder, so that the run needs no other file."""
    if not isinstance(getattr(agent_cfg, "actor", None), PriorModelCfg):
        return
    actor = agent_cfg.actor
    settings = {key: getattr(actor, key) for key in PriorSettings.__dataclass_fields__}
    with replacing(run_folder / PRIOR_FILE) as partial:
        shutil.copyfile(actor.motion_prior, partial)
    write_json(run_folder / SETTINGS_FILE, settings)


def adopt_prior(checkpoint: Path, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Use the prior beside a checkpoint, if there is one.

    Raises:
        ValueError: If the files are damaged, do not fit the task, or the command line asks for another prior.
    """
    path, described = checkpoint.with_name(PRIOR_FILE), checkpoint.with_name(SETTINGS_FILE)
    if not path.is_file():
        return
    actor = getattr(agent_cfg, "actor", None)
    if isinstance(actor, PriorModelCfg):
        if _digest(Path(actor.motion_prior)) != _digest(path):
            raise ValueError(f"{checkpoint} was trained with the prior {path}, not with {actor.motion_prior}.")
        return
    try:
        settings = PriorSettings(**json.loads(described.read_text()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{described} does not say how {path.name} is used ({error}). Copy it from the run.") from None
    use_prior(path, settings, env_cfg, agent_cfg)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
