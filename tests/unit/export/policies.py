"""A small policy, clip and spec with exact numbers, and the two ways to run a policy over the clip."""

from __future__ import annotations

import numpy as np
import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict

from whole_body_tracking.export import ClipReference, ObservationTerm, PolicySpec
from whole_body_tracking.motion import MotionClip, MotionLibrary

JOINTS = ("hip", "knee", "ankle")
BODIES = ("pelvis", "torso")
OBSERVATIONS = (
    ObservationTerm("command", 6),
    ObservationTerm("motion_anchor_ori_b", 6),
    ObservationTerm("base_ang_vel", 3),
    ObservationTerm("joint_pos", 3),
    ObservationTerm("joint_vel", 3),
    ObservationTerm("actions", 3),
)
NUM_OBSERVATIONS = 24
LAST_ACTION = slice(21, 24)
NUM_FRAMES = 60


def make_spec(**changes) -> PolicySpec:
    fields = {
        "task": "Tracking-Test-v0",
        "run_path": "experiment/run",
        "checkpoint": "model_1.pt",
        "control_dt": 0.02,
        "action_kind": "default_relative",
        "action_clip": None,
        "reference_in_graph": True,
        "observations": OBSERVATIONS,
        "command_names": ("motion",),
        "anchor_body_name": "torso",
        "body_names": BODIES,
        "joint_names": JOINTS,
        "joint_stiffness": (40.17923736572266, 99.09842681884766, 28.501247),
        "joint_damping": (2.5578899383544922, 6.308801, 1.8144454),
        "joint_armature": (0.01, 0.0251, 0.0072),
        "joint_effort_limit": (88.0, 139.0, 50.0),
        "joint_velocity_limit": (32.0, 20.0, 37.0),
        "joint_pos_lower": (-2.5, -0.1, -0.8),
        "joint_pos_upper": (2.8, 2.8, 0.5),
        "soft_joint_pos_lower": (-2.2, 0.0, -0.7),
        "soft_joint_pos_upper": (2.5, 2.6, 0.4),
        "default_joint_pos": (-0.312, 0.669, -0.363),
        "action_scale": (0.5475464463233948, 0.35066148, 0.07450087),
        "clips": (ClipReference("wave", "0" * 64, NUM_FRAMES),),
    }
    return PolicySpec(**fields | changes)


def make_clip(num_frames: int = NUM_FRAMES, seed: int = 0) -> MotionClip:
    """A clip that stands still for ten frames, waves, and stands still for the last ten; bodies are not in order."""
    rng = np.random.default_rng(seed)
    time = np.clip(np.arange(num_frames) - 10, 0, num_frames - 20)[:, None] * 0.02
    joint_pos = np.sin(3.0 * time + rng.uniform(0, 6, len(JOINTS)))
    quat = rng.normal(size=(num_frames, 3, 4))
    return MotionClip(
        fps=50.0,
        joint_names=JOINTS,
        body_names=("pelvis", "foot", "torso"),
        joint_pos=joint_pos,
        joint_vel=np.gradient(joint_pos, 0.02, axis=0),
        body_pos_w=rng.normal(size=(num_frames, 3, 3)),
        body_quat_w=quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        body_lin_vel_w=rng.normal(size=(num_frames, 3, 3)),
        body_ang_vel_w=rng.normal(size=(num_frames, 3, 3)),
        name="wave",
    )


def make_library(num_clips: int = 1) -> MotionLibrary:
    return MotionLibrary.from_clips([make_clip(seed=seed) for seed in range(num_clips)])


def make_actor(num_observations: int = NUM_OBSERVATIONS, num_actions: int = 3, seed: int = 0) -> MLPModel:
    """An actor whose normaliser has seen data and whose distribution is that of training."""
    torch.manual_seed(seed)
    obs = TensorDict({"policy": torch.randn(500, num_observations) * 2.0 + 0.5}, batch_size=[500])
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0}
    actor = MLPModel(obs, {"actor": ["policy"]}, "actor", num_actions, [64, 32], "elu", True, distribution)
    actor.update_normalization(obs)
    return actor


def torch_actions(actor: MLPModel, obs: np.ndarray) -> np.ndarray:
    """Deterministic actions of the torch policy for one observation."""
    batch = TensorDict({"policy": torch.from_numpy(obs).float()[None]}, batch_size=[1])
    with torch.no_grad():
        return actor(batch)[0].numpy()


def sensor_readings(num_steps: int, seed: int = 1) -> np.ndarray:
    """What the robot measures at each step: everything between the command and the last action."""
    return np.random.default_rng(seed).normal(size=(num_steps, 15)).astype(np.float32)


def observation(clip: MotionClip, frame: int, readings: np.ndarray, last_action: np.ndarray) -> np.ndarray:
    return np.concatenate((clip.joint_pos[frame], clip.joint_vel[frame], readings, last_action)).astype(np.float32)
