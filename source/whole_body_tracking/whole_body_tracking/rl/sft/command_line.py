"""Command line of ``train_sft.py``: its flags, what they may be, and what they set."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.refine.methods import DEFAULT_METHOD, method_names
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from ..training import train_parser
from .dataset import read_layout
from .experts import EXPERTS, Refinement

NUM_ENVS = {"feedback": 64, "sampling": 32}
"""Envs for each expert: more of them give more different states; a label costs the same in any number."""


def sft_parser() -> argparse.ArgumentParser:
    """Flags of ``train_sft.py``, but for those that :func:`~..cli.parse_args` adds."""
    parser = train_parser("Train a policy by supervision: an expert that plans labels states along a clip.")
    group = parser.add_argument_group("supervised training")
    group.add_argument("--expert", default="auto", help=f"Who labels: {', '.join(EXPERTS)} (%(default)s).")
    group.add_argument("--rounds", type=int, default=3, help="Rounds in which the student acts (%(default)s).")
    group.add_argument("--first_rows", type=int, help="Samples that the expert collects alone.")
    group.add_argument("--round_rows", type=int, help="Samples of each round in which the student acts.")
    group.add_argument("--fit_steps", type=int, default=1_500, help="Steps of regression a round (%(default)s).")
    group.add_argument(
        "--dataset",
        type=Path,
        metavar="FILE",
        help="Samples to start from and to add to; default: in the run's folder.",
    )
    group.add_argument(
        "--noise_share", type=float, metavar="S", help="Share of the task's start noise and pushes, in [0, 1]."
    )
    group.add_argument("--observation_noise", action="store_true", help="Keep the task's noise on observations.")
    group.add_argument("--json", type=Path, metavar="FILE", help="Write the rounds' numbers as JSON.")
    refine = parser.add_argument_group("joint targets that the expert starts from; default: inverse dynamics")
    refine.add_argument("--refine_actions", action="store_true", help="Refine the clip first.")
    refine.add_argument("--refine_iterations", type=int, metavar="N", help="Iterations of the method.")
    refine.add_argument("--refine_method", metavar="M", help="Method of refine_actions.py (gradient).")
    refine.add_argument("--load_refined_actions", type=Path, metavar="FILE", help="Refined .npz, or .npy of targets.")
    return parser


def check_arguments(args: argparse.Namespace) -> None:
    """Check what the command line alone can say.

    Raises:
        ValueError: If values are out of range or contradict each other.
    """
    for name in ("rounds", "first_rows", "round_rows", "fit_steps", "refine_iterations"):
        value, least = getattr(args, name), 0 if name == "rounds" else 1
        if value is not None and value < least:
            raise ValueError(f"--{name} is {value}, expected at least {least}.")
    if args.noise_share is not None and not 0.0 <= args.noise_share <= 1.0:
        raise ValueError(f"--noise_share is {args.noise_share:g}, expected 0 to 1.")
    if args.max_minutes is not None and args.max_minutes <= 0:
        raise ValueError(f"--max_minutes is {args.max_minutes:g}, expected more than 0.")
    if args.load_refined_actions is not None and args.refine_actions:
        raise ValueError("Give either --refine_actions or --load_refined_actions, not both.")
    if (args.refine_method or args.refine_iterations) and not args.refine_actions:
        raise ValueError("--refine_method and --refine_iterations need --refine_actions.")
    if args.refine_method is not None:
        method_names([args.refine_method])
    require_known(args.expert, EXPERTS, "expert")
    for path in (args.json, args.dataset):
        if path is not None and not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"{path.absolute().parent}, the folder of {path.name}, does not exist.")
    unused = ("checkpoint", "wandb_path", "distributed", "motion_prior", "max_iterations", "video")
    given = [f"--{name}" for name in unused if getattr(args, name, None)]
    if given:
        raise ValueError(
            f"train_sft.py trains a policy of its own in one process, --rounds and --max_minutes long: leave out"
            f" {', '.join(given)}."
        )


def only_clip(clips: list[MotionClip]) -> MotionClip:
    """The clip, if there is one.

    Raises:
        ValueError: If there are several.
    """
    if len(clips) != 1:
        raise ValueError(
            f"Supervised training takes one clip, and {len(clips)} are given: {[clip.name for clip in clips[:5]]}."
            " Train one policy a clip, and distil them with distil.py."
        )
    return clips[0]


def require_same_clip(path: Path, clip: MotionClip, robot_name: str) -> None:
    """Check robot and clip of a data set, before anything is computed; the rest once the environment exists.

    Raises:
        ValueError: If it is not a data set, or one of another robot or clip.
    """
    found, _ = read_layout(path)
    wanted = replace(found, robot=robot_name, clip=clip.name, clip_sha256=clip.digest)
    differences = found.differences(wanted)
    if differences:
        raise ValueError(
            f"{path} is a data set of something else: {'; '.join(differences)}. Use its clip, or another --dataset."
        )


def refinement(args: argparse.Namespace) -> Refinement:
    """Where a command line says that the joint targets come from."""
    method = (args.refine_method or DEFAULT_METHOD) if args.refine_actions else None
    return Refinement(method, args.refine_iterations, args.load_refined_actions)


def configure(args: argparse.Namespace, env_cfg: TrackingEnvCfg, expert: str, noise_share: float) -> None:
    """Set the number of envs and the share of noise, and switch that on observations off unless it is asked for.

    Start noise and pushes are those from which the expert recovers: what it does where it is lost teaches nothing.
    Regression on noisy observations learns to trust them less: the feedback that the policy needs would shrink. PPO,
    which the policy may go on with, has the task's noise.
    """
    if args.num_envs is None:
        env_cfg.scene.num_envs = args.num_envs = NUM_ENVS[expert]
    if not args.observation_noise:
        env_cfg.observations.policy.enable_corruption = False
    motion, push = env_cfg.commands.motion, getattr(env_cfg.events, "push_robot", None)
    motion.pose_range = scaled(motion.pose_range, noise_share)
    motion.velocity_range = scaled(motion.velocity_range, noise_share)
    motion.joint_position_range = tuple(noise_share * bound for bound in motion.joint_position_range)
    if push is not None:
        push.params["velocity_range"] = scaled(push.params["velocity_range"], noise_share)


def scaled(ranges: dict[str, tuple[float, float]], share: float) -> dict[str, tuple[float, float]]:
    """Ranges by axis, all times a factor."""
    return {axis: (share * low, share * high) for axis, (low, high) in ranges.items()}
