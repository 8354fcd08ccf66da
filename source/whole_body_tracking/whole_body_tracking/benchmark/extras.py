"""What ``--all`` adds: converter, motion library, start sampling and exported policy."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from whole_body_tracking.export import export_onnx, load_policy, spec_from_env
from whole_body_tracking.motion import MotionClip, MotionLibrary, RawMotion, convert
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE
from whole_body_tracking.rl.runner import TrackingRunner
from whole_body_tracking.robots import get_robot

from .clock import median_milliseconds

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlOnPolicyRunnerCfg, RslRlVecEnvWrapper

NUM_CLIPS = 40
"""Copies of the shipped clip in the measured library."""

NUM_WORLDS = 4096
"""Worlds whose states are gathered and whose starts are drawn, whatever the environment's own number."""


def measure_extras(env: RslRlVecEnvWrapper, agent_cfg: RslRlOnPolicyRunnerCfg, task: str) -> dict[str, float]:
    """Measure everything besides stepping and training."""
    motion = env.unwrapped.command_manager.get_term("motion")
    robot = env.unwrapped.cfg.robot_name
    return {
        "converter_motion_seconds_per_s": converter_speed(robot),
        **library_times(motion.body_names, str(env.device)),
        "sampling_4096_ms": median_milliseconds(lambda: motion.sampler.sample(NUM_WORLDS), env.device),
        "onnx_latency_ms": onnx_latency(env, agent_cfg, task),
    }


def converter_speed(robot: str) -> float:
    """Seconds of motion that the converter turns into a clip in a second."""
    raw = _raw_motion(robot)
    duration = len(raw.joint_pos) / raw.fps
    milliseconds = median_milliseconds(lambda: convert(raw, output_fps=50, robot=robot), repetitions=5)
    return 1e3 * duration / milliseconds


def library_times(body_names: list[str], device: str) -> dict[str, float]:
    """Time to read one clip, to lay out a library and to gather one state a world [ms]."""
    started = time.perf_counter()
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    load_ms = 1e3 * (time.perf_counter() - started)
    build = lambda: MotionLibrary.from_clips([clip] * NUM_CLIPS, body_names=body_names, device=device)  # noqa: E731
    library = build()
    clip_ids = torch.randint(NUM_CLIPS, (NUM_WORLDS,), device=device)
    frames = torch.randint(clip.num_frames, (NUM_WORLDS,), device=device)
    return {
        "clip_load_ms": load_ms,
        "library_build_ms_per_clip": median_milliseconds(build, device, repetitions=5) / NUM_CLIPS,
        "library_gather_4096_ms": median_milliseconds(lambda: library.state_at(clip_ids, frames), device),
    }


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
