"""Export at every save: what the runner calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.files import write_atomically
from whole_body_tracking.robots import get_robot

from .clips import write_clips
from .deploy_yaml import to_deploy_yaml
from .env_spec import COMMAND_TERM, OBSERVATION_GROUP, spec_from_env
from .graph import COMMAND_TERM as OBSERVED_COMMAND
from .graph import build_graph
from .loader import load_policy
from .onnx_policy import to_onnx_bytes
from .parity import check_parity
from .spec import PolicySpec
from .torchscript import to_torchscript_bytes

if TYPE_CHECKING:
    from rsl_rl.runners import OnPolicyRunner

    from whole_body_tracking.motion import MotionLibrary

NUM_PARITY_SAMPLES = 64


def export_run(
    runner: OnPolicyRunner,
    checkpoint_path: str | Path,
    task: str,
    clamp_targets: bool = False,
    with_clips: bool = True,
) -> Path:
    """Write the runner's policy to ``exported/`` beside a checkpoint, checked against torch.

    Files: ``policy.onnx``; ``policy.json``, its spec; ``policy.pt``, the same graph as TorchScript; ``deploy.yaml`` in
    Unitree's layout, if the actions are relative to the default pose; ``clips/``, if there are several, which the graph
    does not hold. A file that fails the check never appears under its name.

    Args:
        runner: Runner with a tracking environment; the parity check reads the environment's last observations.
        checkpoint_path: The checkpoint that the policy is of.
        task: Task id.
        clamp_targets: Whether the exported graph keeps joint targets within the soft limits.
        with_clips: Whether to write ``clips/``.

    Returns:
        Path of ``policy.onnx``.

    Raises:
        ValueError: If the policy cannot be exported, or the file computes something else than torch.
    """
    checkpoint_path = Path(checkpoint_path)
    env, actor = runner.env.unwrapped, runner.alg.get_policy()
    action_clip = getattr(runner.env, "clip_actions", None)
    origin = (task, run_path_of(checkpoint_path), checkpoint_path.name)
    spec = spec_from_env(env, *origin, action_clip, clamp_targets, with_clips)
    motion = env.command_manager.get_term(COMMAND_TERM)
    library = motion.nominal_library
    folder = checkpoint_path.parent / "exported"
    folder.mkdir(parents=True, exist_ok=True)
    graph = build_graph(actor, spec, library)
    write_clips(folder, spec, motion.nominal_entries)
    unchecked = folder / ".policy.unchecked.onnx"
    try:
        write_atomically(unchecked, to_onnx_bytes(graph, spec))
        policy = load_policy(unchecked)
        obs, frames = env.obs_buf[OBSERVATION_GROUP][:NUM_PARITY_SAMPLES], motion.frames[:NUM_PARITY_SAMPLES]
        if library is not motion.library and spec.reference_in_graph:
            obs, frames = _as_if_nominal(obs, frames, spec, library)
        check_parity(policy, actor, obs, library, frames)
        unchecked.replace(folder / "policy.onnx")
    finally:
        unchecked.unlink(missing_ok=True)
    write_atomically(folder / "policy.json", spec.to_json(indent=2) + "\n")
    write_atomically(folder / "policy.pt", to_torchscript_bytes(graph, spec))
    if spec.emitted_actions == "default_relative":
        write_atomically(folder / "deploy.yaml", to_deploy_yaml(spec, get_robot(env.cfg.robot_name).joint_names))
    return folder / "policy.onnx"


def _as_if_nominal(obs: Tensor, frames: Tensor, spec: PolicySpec, library: MotionLibrary) -> tuple[Tensor, Tensor]:
    """Observations and frames of copies at other speeds, with commands and frames that the clip itself has."""
    frames = frames.clamp(max=int(library.last_frames[0]))
    state = library.state_at(torch.zeros_like(frames), frames)
    obs = obs.clone()
    obs[:, spec.observation_slice(OBSERVED_COMMAND)] = torch.cat((state.joint_pos, state.joint_vel), dim=-1)
    return obs, frames


def run_path_of(checkpoint_path: Path) -> str:
    """W&B path of the run in progress, or the last two folders of a local run, as ``experiment/run``."""
    wandb = sys.modules.get("wandb")
    run = getattr(wandb, "run", None)
    if run is not None:
        return f"{run.entity}/{run.project}/{run.id}"
    return "/".join(checkpoint_path.absolute().parent.parts[-2:])
