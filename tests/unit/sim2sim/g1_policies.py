"""Policies of the G1 whose network is zero: they hold the default pose, or the reference if residual."""

from __future__ import annotations

from pathlib import Path

import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict

from whole_body_tracking.export import ClipReference, ObservationTerm, PolicySpec, export_onnx
from whole_body_tracking.export.clips import write_clips
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary
from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.refine.missing_targets import with_joint_targets
from whole_body_tracking.robots import G1

OBSERVATIONS = (
    ObservationTerm("command", 58),
    ObservationTerm("motion_anchor_pos_b", 3),
    ObservationTerm("motion_anchor_ori_b", 6),
    ObservationTerm("base_lin_vel", 3),
    ObservationTerm("base_ang_vel", 3),
    ObservationTerm("joint_pos", 29),
    ObservationTerm("joint_vel", 29),
    ObservationTerm("actions", 29),
)


def g1_spec(**changes) -> PolicySpec:
    """What the G1's tracking task exports, at the facts' numbers."""
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    fields = {
        "task": "Tracking-Flat-G1-v0",
        "run_path": "experiment/run",
        "checkpoint": "model_1.pt",
        "control_dt": 0.02,
        "action_kind": "default_relative",
        "action_clip": None,
        "reference_in_graph": True,
        "observations": OBSERVATIONS,
        "command_names": ("motion",),
        "anchor_body_name": G1.anchor_body_name,
        "body_names": G1.tracked_body_names,
        "joint_names": G1.joint_names,
        "joint_stiffness": tuple(G1.stiffness.tolist()),
        "joint_damping": tuple(G1.damping.tolist()),
        "joint_armature": tuple(G1.armature.tolist()),
        "joint_effort_limit": tuple(G1.effort_limit.tolist()),
        "joint_velocity_limit": tuple(G1.velocity_limit.tolist()),
        "joint_pos_lower": tuple(G1.joint_pos_limits[:, 0].tolist()),
        "joint_pos_upper": tuple(G1.joint_pos_limits[:, 1].tolist()),
        "soft_joint_pos_lower": tuple(G1.soft_joint_pos_limits[:, 0].tolist()),
        "soft_joint_pos_upper": tuple(G1.soft_joint_pos_limits[:, 1].tolist()),
        "default_joint_pos": tuple(G1.default_joint_pos.tolist()),
        "action_scale": tuple(G1.action_scale.tolist()),
        "clips": (ClipReference(clip.name, clip.digest, clip.num_frames),),
    }
    return PolicySpec(**fields | changes)


def export_zero_policy(path: Path, **changes) -> Path:
    """Export a policy of the shipped squat whose network outputs zero."""
    spec, clips = g1_spec(**changes), [MotionClip.load(DEFAULT_MOTION_FILE)]
    if spec.action_center == "joint_target":
        clips = with_joint_targets(clips, G1)
    return _export(path, spec, MotionLibrary.from_clips(clips))


def export_library_policy(path: Path, **changes) -> Path:
    """Export a residual policy of two parts of the squat that sees which one it tracks, with the clips beside it."""
    entries = [MotionEntry(DEFAULT_MOTION_FILE, frame_range=frames) for frames in ((1, 40), (101, 160))]
    clips = [entry.load() for entry in entries]
    fields = {
        "action_kind": "residual",
        "reference_in_graph": False,
        "observations": (*OBSERVATIONS, ObservationTerm("motion_identity", 2)),
        "clips": tuple(ClipReference(clip.name, clip.digest, clip.num_frames) for clip in clips),
        "clips_folder": "clips",
    }
    spec = g1_spec(**fields | changes)
    write_clips(path.parent, spec, entries)
    return _export(path, spec, None)


def _export(path: Path, spec: PolicySpec, library: MotionLibrary | None) -> Path:
    obs = TensorDict({"policy": torch.zeros(2, spec.num_observations)}, batch_size=[2])
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0}
    actor = MLPModel(obs, {"actor": ["policy"]}, "actor", len(spec.joint_names), [8], "elu", False, distribution)
    with torch.no_grad():
        for parameter in actor.mlp.parameters():
            parameter.zero_()
    return export_onnx(actor, spec, library if spec.reference_in_graph else None, path)
