"""Measurements that ``--all`` adds: converter, motion library, start sampling and exported policy."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from whole_body_tracking.export import export_onnx, load_policy, spec_from_env
from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE
from whole_body_tracking.rl.runner import TrackingRunner
from whole_body_tracking.robots import get_robot

from .clock import median_milliseconds
from .many_motions import measure_many_motions

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlOnPolicyRunnerCfg, RslRlVecEnvWrapper

NUM_COPIES = 40
"""Copies of the shipped clip in a library that is measured when no motions are given."""

NUM_ENVS = 4096
"""Envs whose states are gathered and whose starts are drawn, whatever the environment's own number."""


def measure_extras(
    env: RslRlVecEnvWrapper, agent_cfg: RslRlOnPolicyRunnerCfg, task: str, motions: list[str]
) -> dict[str, float]:
    """Measure everything besides stepping and training.

    Args:
        env: Environment of the task.
        agent_cfg: Agent whose policy is exported.
        task: Id of the task.
        motions: Clip files and manifests to measure a library of; none takes copies of the shipped clip.
    """
    robot = env.unwrapped.cfg.robot_name
    return {
        "converter_motion_seconds_per_s": converter_speed(robot),
        **library_measures(motions, NUM_ENVS, str(env.device), robot),
        "onnx_latency_ms": onnx_latency(env, agent_cfg, task),
    }


def converter_speed(robot: str) -> float:
    """Seconds of motion that the converter turns into clips per second."""
    raw = _raw_motion(robot)
    duration = len(raw.joint_pos) / raw.fps
    milliseconds = median_milliseconds(lambda: convert(raw, output_fps=50, robot=robot), repetitions=5)
    return 1e3 * duration / milliseconds


def library_measures(motions: list[str], num_envs: int, device: str, robot: str) -> dict[str, float]:
    """Measure the library of these motions, or of copies of the shipped clip if there are none."""
    with tempfile.TemporaryDirectory() as folder:
        for index in range(0 if motions else NUM_COPIES):
            shutil.copyfile(DEFAULT_MOTION_FILE, Path(folder, f"copy_{index:02d}.npz"))
        return measure_many_motions(motions or [folder], get_robot(robot), num_envs, device)


def onnx_latency(env: RslRlVecEnvWrapper, agent_cfg: RslRlOnPolicyRunnerCfg, task: str) -> float:
    """Time of one inference of the exported policy on one thread [ms]; the weights are untrained."""
    runner = TrackingRunner(env, agent_cfg.to_dict(), log_dir=None, device=agent_cfg.device)
    unwrapped = env.unwrapped
    spec = spec_from_env(unwrapped, task, "benchmark/benchmark", "model_0.pt", agent_cfg.clip_actions)
    library = unwrapped.command_manager.get_term("motion").library
    obs = unwrapped.obs_buf["policy"][0].cpu().numpy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "policy.onnx")
        policy = load_policy(export_onnx(runner.alg.get_policy(), spec, library, path))
        return median_milliseconds(lambda: policy.run(obs, 1), repetitions=500)


def _raw_motion(robot: str) -> RawMotion:
    """Joint and root positions of the shipped clip, as a reader would return them."""
    clip, root = MotionClip.load(DEFAULT_MOTION_FILE), get_robot(robot).body_names[0]
    index = list(clip.body_names).index(root)
    return RawMotion(
        fps=30.0,
        joint_names=clip.joint_names,
        root_pos=clip.body_pos_w[:, index],
        root_quat=clip.body_quat_w[:, index],
        joint_pos=clip.joint_pos,
        source={"file": DEFAULT_MOTION_FILE.name},
    )
