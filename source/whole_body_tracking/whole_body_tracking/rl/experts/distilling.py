"""``distil.py``: experts of single motions teach one policy for all of them."""

from __future__ import annotations

from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg

from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from ..cli import parse_args
from ..training import TrainingResult, train_parser, train_with
from .ensemble import add_expert_args, prepare_experts

AGENT = "rsl_rl_distillation_cfg_entry_point"


def distil(argv: list[str]) -> TrainingResult:
    """Distil experts as a command line says; see ``distil.py --help``.

    Raises:
        FileNotFoundError: If a motion, a checkpoint or the table of experts does not exist.
        ValueError: If an argument, config or motion is wrong, or the experts do not fit the task.
    """
    parser = train_parser("Distil experts into one policy: it acts, they say what they would have done.", agent=AGENT)
    add_expert_args(parser, required=True)
    args = parse_args(parser, argv)

    def prepare(env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
        ensemble = prepare_experts(args, env_cfg)
        print(ensemble.describe())
        agent_cfg.teacher.checkpoints = ensemble.checkpoints
        agent_cfg.teacher.expert_of_clip = ensemble.expert_of_clip

    return train_with(args, prepare)
