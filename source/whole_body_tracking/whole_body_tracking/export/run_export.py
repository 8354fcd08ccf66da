"""Export of a runner's policy: at every save of a training, and by ``play.py --export``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from whole_body_tracking.actuation.muscle_drive import MUSCLE_FILE
from whole_body_tracking.file_set import replace_set
from whole_body_tracking.robots import get_robot

from .clips import write_clips
from .deploy_yaml import to_deploy_yaml
from .env_spec import OBSERVATION_GROUP, gait_term, hidden_terms, reference_term, spec_from_env
from .gait.graph import build_gait_graph
from .gait.parity import check_gait_parity
from .graph import COMMAND_TERM as OBSERVED_COMMAND
from .graph import build_graph
from .hidden_terms import WithoutTerms
from .loader import OnnxPolicy, load_policy
from .onnx_policy import to_onnx_bytes
from .parity import check_parity
from .spec import PolicySpec
from .torchscript import to_torchscript_bytes
from .trained_on import trained_clips

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from rsl_rl.models import MLPModel
    from rsl_rl.runners import OnPolicyRunner

    from whole_body_tracking.motion import MotionLibrary

NUM_PARITY_SAMPLES = 64
POLICY_FILES = ("policy.onnx", "policy.json", "policy.pt", "deploy.yaml", MUSCLE_FILE)
"""Files that an export can have; they are replaced together."""


def export_run(
    runner: OnPolicyRunner,
    checkpoint_path: str | Path,
    task: str,
    clamp_targets: bool = False,
    with_clips: bool = True,
    folder: str | Path | None = None,
) -> Path:
    """Write the runner's policy as files for a controller, checked against torch.

    Files: ``policy.onnx``; ``policy.json``, its spec; ``policy.pt``, the same graph as TorchScript; ``deploy.yaml`` in
    Unitree's layout, if the actions are relative to the default pose; ``muscle_nn.safetensors``, if the robot's muscles
    have a network; ``clips/``, if there are several, which the graph does not hold. They replace those of an earlier
    export together, once all are written and checked.

    Args:
        runner: Runner with a task of this package; the parity check reads the environment's last observations.
        checkpoint_path: Checkpoint of the policy; the ``provenance.json`` beside it says what it was trained on.
        task: Task id.
        clamp_targets: Whether the exported graph keeps joint targets within the soft limits.
        with_clips: Whether to write ``clips/``.
        folder: Where to write; None means ``exported/`` beside the checkpoint.

    Returns:
        Path of ``policy.onnx``.

    Raises:
        ValueError: If the policy cannot be exported, or the file computes something else than torch.
    """
    checkpoint = Path(checkpoint_path)
    folder = checkpoint.parent / "exported" if folder is None else Path(folder)
    env, action_clip = runner.env.unwrapped, getattr(runner.env, "clip_actions", None)
    run_path, clips = run_path_of(checkpoint), trained_clips(checkpoint)
    spec = spec_from_env(env, task, run_path, checkpoint.name, action_clip, clamp_targets, with_clips, clips)
    write_checked(folder, env, runner.alg.get_policy(), spec)
    return folder / "policy.onnx"


def write_checked(folder: Path, env: ManagerBasedRLEnv, actor: MLPModel, spec: PolicySpec) -> None:
    """Write a policy and its clips; files that differ from torch never appear under their names.

    Args:
        folder: Where to write; created if need be.
        env: Environment whose last observations are compared.
        actor: Policy of rsl_rl.
        spec: Of the policy.

    Raises:
        ValueError: If the policy cannot be exported, or the file computes something else than torch.
    """
    motion, hidden = reference_term(env), hidden_terms(env)
    if hidden:
        actor = WithoutTerms(actor, env, hidden)
    graph = _graph(env, actor, spec)
    folder.mkdir(parents=True, exist_ok=True)
    if motion is not None:
        write_clips(folder, spec, motion.nominal_entries)

    def write(staged: Path) -> None:
        write_policy(staged, graph, spec, get_robot(env.cfg.robot_name).joint_names)
        _write_muscle_nn(staged, env)
        _check(load_policy(staged / "policy.onnx", needs_clips=False, follows_gait=None), env, actor)

    replace_set(folder, POLICY_FILES, write)


def _write_muscle_nn(folder: Path, env: ManagerBasedRLEnv) -> None:
    """Write the network of the robot's muscles, as it is now; nothing for other robots."""
    from whole_body_tracking.actuation.binding import muscles_of
    from whole_body_tracking.actuation.muscle_nn import save_muscle_nn

    muscles = muscles_of(env.scene["robot"])
    if muscles is not None and muscles.network is not None:
        save_muscle_nn(folder / MUSCLE_FILE, muscles.network, {})


def _graph(env: ManagerBasedRLEnv, actor: MLPModel, spec: PolicySpec) -> nn.Module:
    if spec.holds_refnn:
        return build_gait_graph(actor, spec, deepcopy(gait_term(env).walk).cpu())
    motion = reference_term(env)
    return build_graph(actor, spec, None if motion is None else motion.nominal_library)


def write_policy(folder: Path, graph: nn.Module, spec: PolicySpec, sdk_joint_names: Sequence[str]) -> None:
    """Write the files of a policy, without its clips.

    Args:
        folder: Where to write them.
        graph: From :func:`~.graph.build_graph`.
        spec: Of the policy.
        sdk_joint_names: Joints in the order of the robot's motors.

    Raises:
        ValueError: If the robot has no motor for a joint of the policy.
    """
    (folder / "policy.onnx").write_bytes(to_onnx_bytes(graph, spec))
    (folder / "policy.json").write_text(spec.to_json(indent=2) + "\n")
    (folder / "policy.pt").write_bytes(to_torchscript_bytes(graph, spec))
    if spec.emitted_actions == "default_relative" and not spec.holds_refnn:
        (folder / "deploy.yaml").write_text(to_deploy_yaml(spec, sdk_joint_names))


def _check(policy: OnnxPolicy, env: ManagerBasedRLEnv, actor: MLPModel) -> None:
    """Compare an exported file with torch on the environment's last observations."""
    motion, obs = reference_term(env), env.obs_buf[OBSERVATION_GROUP][:NUM_PARITY_SAMPLES]
    if policy.spec.holds_refnn:
        gait = gait_term(env)
        check_gait_parity(policy, actor, obs, gait.state[:NUM_PARITY_SAMPLES], deepcopy(gait.walk).cpu())
        return
    if isinstance(actor, WithoutTerms):
        obs = obs[:, actor.columns]
    if motion is None:
        check_parity(policy, actor, obs)
        return
    library, frames = motion.nominal_library, motion.frames[:NUM_PARITY_SAMPLES]
    if library is not motion.library and policy.spec.reference_in_graph:
        obs, frames = _as_if_nominal(obs, frames, policy.spec, library)
    check_parity(policy, actor, obs, library, frames)


def _as_if_nominal(obs: Tensor, frames: Tensor, spec: PolicySpec, library: MotionLibrary) -> tuple[Tensor, Tensor]:
    """Replace commands and frames of copies at other speeds by those of the clip itself."""
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
