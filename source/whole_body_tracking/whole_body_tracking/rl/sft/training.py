"""``train_sft.py``: from a command line to a policy that was trained by supervision."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from isaaclab.utils.seed import configure_seed
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper

from whole_body_tracking.export.env_spec import require_no_modifiers
from whole_body_tracking.files import write_json
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.refine.methods import DEFAULT_METHOD, method_names
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from ..cli import parse_args
from ..run.run_folder import choose_run_folder, describe_run, removed_if_empty
from ..run.service import StopTraining
from ..runner import CENTER_KEY, TrackingRunner
from ..session import resolve_configs, tracking_env
from ..training import make_runner, train_parser
from .bridge import MujocoBridge, require_plain_task
from .collection import Collector
from .dataset import SampleFile, SampleLayout, read_layout
from .experts import EXPERTS, ChosenExpert, Refinement, make_expert, refined_clip
from .fitting import FitSettings, fit
from .keys import SUPERVISED_KEY
from .progress import RoundProgress, SftResult, SftRound

DATASET_FILE = "dataset.samples"
NUM_ENVS = {"feedback": 64, "sampling": 32}
"""Envs for each expert: more of them give more different states; a label costs the same in any number."""
FIRST_ROWS = {"feedback": 32_000, "sampling": 3_200}
"""Rows that the expert collects alone, before the first regression."""
ROUND_ROWS = {"feedback": 16_000, "sampling": 1_600}
"""Rows of each round in which the student acts."""
EXPERT_NOISE, STUDENT_NOISE = 0.2, 0.05
"""Noise on the actions taken, in action units: a push at every step, which the labels answer."""
COLLECT_SHARE = {"feedback": 0.4, "sampling": 0.8}
"""Share of a round's time, under ``--max_minutes``, after which collecting stops; the rest is regression."""


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


def train_sft(argv: list[str]) -> SftResult:
    """Train as a command line says; see ``train_sft.py --help``.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If an argument, config, motion or data set is wrong.
    """
    began = time.monotonic()
    args = parse_args(sft_parser(), argv)
    check_arguments(args)
    clock = Clock(began, began + 60.0 * args.max_minutes if args.max_minutes else math.inf)
    env_cfg, agent_cfg = resolve_configs(args)
    require_plain_task(env_cfg)
    require_no_modifiers(env_cfg.observations)
    clip = only_clip(load_task_clips(env_cfg))
    if args.dataset is not None and args.dataset.exists():
        require_same_clip(args.dataset, clip, env_cfg.robot_name)
    robot, wanted = get_robot(env_cfg.robot_name), refinement(args)
    with RoundProgress() as progress:
        with progress.phase("refining") as report:
            refined = refined_clip(clip, robot, wanted, agent_cfg.seed, report)
        with progress.phase("preparing the expert"):
            chosen = make_expert(args.expert, refined, robot, env_cfg.commands.motion, agent_cfg.seed)
        run_folder = choose_run_folder(args, agent_cfg, None)
        if refined is not clip:
            env_cfg.commands.motion.motion_files = [str(save_beside(run_folder, refined))]
        share = chosen.noise_share if args.noise_share is None else args.noise_share
        print(f"[INFO] Expert: {chosen.name} ({chosen.why}); {share:.0%} of the task's start noise and pushes")
        configure(args, env_cfg, chosen.name, share)
        env_cfg.log_dir = str(run_folder)
        with removed_if_empty(run_folder), tracking_env(args, env_cfg, agent_cfg) as env:
            describe_run(run_folder, args.task, args.agent, env, env_cfg, agent_cfg)
            job = SftJob(args, env, agent_cfg, run_folder, chosen, clock, progress)
            result = job.run()
    if args.json:
        write_json(args.json, result.as_json())
    return result


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
    given = [flag for flag in ("--checkpoint", "--wandb_path", "--distributed") if getattr(args, flag[2:], None)]
    if given:
        raise ValueError(f"train_sft.py starts a policy of its own; leave out {', '.join(given)}.")


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


def save_beside(run_folder: Path, clip: MotionClip) -> Path:
    """Write a refined clip to ``refined/`` of a run folder, under its name."""
    path = run_folder / "refined" / f"{clip.name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    clip.save(path)
    return path


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


@dataclass(frozen=True)
class Clock:
    """Times of a job, in ``time.monotonic``."""

    began: float
    deadline: float

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def part(self, index: int, num_parts: int, share: float = 1.0) -> float:
        """End of a share of one of equal parts of what is left of the time after now."""
        now = time.monotonic()
        return now + (self.deadline - now) * share / (num_parts - index)


class SftJob:
    """Rounds of collecting and regression in an environment that exists; each ends with a checkpoint."""

    def __init__(
        self,
        args: argparse.Namespace,
        env: RslRlVecEnvWrapper,
        agent_cfg: RslRlBaseRunnerCfg,
        run_folder: Path,
        chosen: ChosenExpert,
        clock: Clock,
        progress: RoundProgress,
    ):
        """Prepare.

        Raises:
            ValueError: If the data set that ``args`` name has another layout than the task.
        """
        self.args, self.clock, self.progress, self.seed = args, clock, progress, agent_cfg.seed
        self.expert_name, self.run_folder = chosen.name, run_folder
        self.runner = make_runner(args.task, env, agent_cfg, run_folder, not args.no_clips)
        configure_seed(agent_cfg.seed, torch_deterministic=args.device == "cpu")
        self.layout = MujocoBridge(env.unwrapped).layout()
        self.samples = SampleFile.open(args.dataset or run_folder / DATASET_FILE, self.layout)
        self.collector = Collector(env, chosen.expert, self.samples, agent_cfg.seed)

    def run(self) -> SftResult:
        """Run all rounds, or those that the time allows."""
        num_rounds = self.args.rounds + 1
        result = SftResult(self.run_folder, self.run_folder / "model_0.pt", self.expert_name)
        with self.runner.run.session():
            for index in range(num_rounds):
                if index and self.clock.is_over:
                    print(f"[INFO] --max_minutes is used up after {index} of {num_rounds} rounds.")
                    break
                row = self._round(index, num_rounds)
                result.rounds.append(row)
                print(f"[INFO] {row.describe()}", flush=True)
                result.checkpoint = self.run_folder / f"model_{index}.pt"
                save_student(self.runner, result.checkpoint, index, self.layout, asdict(row))
                try:
                    self.runner.run.end_iteration(index, {})
                except StopTraining as stop:
                    result.exit_code = stop.exit_code
                    break
        return result

    def _round(self, index: int, num_rounds: int) -> SftRound:
        args, name = self.args, self.expert_name
        wanted = (args.round_rows or ROUND_ROWS[name]) if index else (args.first_rows or FIRST_ROWS[name])
        if index == 0:
            wanted = max(0, wanted - len(self.samples))  # a data set that was loaded counts
        student = self.runner.get_inference_policy(device=self.runner.device) if index else None
        noise = STUDENT_NOISE if index else EXPERT_NOISE
        ends = self.clock.part(index, num_rounds, COLLECT_SHARE[name]), self.clock.part(index, num_rounds)
        with self.progress.phase(f"round {index}: {'student' if index else 'expert'} acts") as report:
            collected = self.collector.collect(index, wanted, student, noise, ends[0], report)
        self.samples.sync()
        if len(self.samples) == 0:
            raise ValueError("--max_minutes was used up before the first sample. Give more, or load refined actions.")
        with self.progress.phase(f"round {index}: regression") as report:
            actor, settings = self.runner.alg.actor, FitSettings()
            fitted = fit(actor, self.samples, args.fit_steps, settings, self.seed + index, ends[1], report)
        return SftRound(
            round=index,
            num_samples=collected.num_rows,
            total_samples=len(self.samples),
            robot_seconds_per_failure=collected.seconds_per_failure,
            failures=collected.num_failures,
            loss=fitted.loss,
            action_error=fitted.error,
            seconds=time.monotonic() - self.clock.began,
        )


def save_student(
    runner: TrackingRunner, path: Path, iteration: int, layout: SampleLayout, numbers: dict[str, float]
) -> None:
    """Write a checkpoint of the actor alone, as play, evaluate, export and train take it."""
    env = runner.env.unwrapped
    content = {
        "actor_state_dict": runner.alg.actor.state_dict(),
        "iter": iteration,
        "infos": None,
        "total_steps": 0,
        "env_step_counter": env.common_step_counter,
        CENTER_KEY: action_center(env.cfg),
        SUPERVISED_KEY: {"action_sha256": layout.action_sha256, "clip_sha256": layout.clip_sha256} | numbers,
    }
    runner.run.save(path, content)
