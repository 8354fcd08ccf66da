"""Two exported policies that were not trained: a walk in place and the squat, both held by stiff joints."""

from __future__ import annotations

import functools
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from rsl_rl.models import MLPModel
from small_refnn import RANGES, small_refnn
from tensordict import TensorDict

from whole_body_tracking.deploy.control.limits import limits_of
from whole_body_tracking.deploy.control.standing import standing_gains
from whole_body_tracking.export import ObservationTerm
from whole_body_tracking.export.gait.graph import build_gait_graph
from whole_body_tracking.export.graph import build_graph
from whole_body_tracking.export.run_export import write_policy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.gait.network.reference import GaitReference
from whole_body_tracking.hierarchy.skill_set import SkillSet, read_skills
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary
from whole_body_tracking.robots import G1

sys.path.append(str(Path(__file__).parent / "unit" / "sim2sim"))
from g1_policies import OBSERVATIONS, g1_spec  # noqa: E402

STEERED = ("speed", "cadence", "turn_rate")
SWAY = 0.004
"""Of joints [rad] and root [m, m/s]: a robot with stiff joints stays on its feet."""
NUM_FRAMES = 30
"""Of the clip: the beginning of the shipped squat."""


def stiff_spec(**changes) -> PolicySpec:
    """A residual policy's description at the gains of standing."""
    stiffness, damping = standing_gains(limits_of(g1_spec(), G1.joint_names))
    fields = {
        "action_kind": "residual",
        "joint_stiffness": tuple(stiffness.tolist()),
        "joint_damping": tuple(damping.tolist()),
    }
    return g1_spec(**fields | changes)


def zero_actor(spec: PolicySpec) -> MLPModel:
    """A network that gives zeros."""
    obs = TensorDict({"policy": torch.zeros(2, spec.num_observations)}, batch_size=[2])
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0}
    actor = MLPModel(obs, {"actor": ["policy"]}, "actor", 29, [8], "elu", False, distribution)
    with torch.no_grad():
        for parameter in actor.mlp.parameters():
            parameter.zero_()
    return actor


def export_walk(folder: Path, **changes) -> Path:
    """A walk in place: its root moves by the sway alone, whatever the speed."""
    model = small_refnn()
    model.output_std.fill_(SWAY)
    model.output_mean[7] = 0.0
    walk = GaitReference(model, G1, 0.02)
    fields = {
        "task": "Gait-Flat-G1-v0",
        "reference_in_graph": False,
        "clips": (),
        "observations": (*OBSERVATIONS, ObservationTerm("gait_params", 11), ObservationTerm("gait_phase", 2)),
        "gait_inputs": STEERED,
        "gait_state_size": walk.state_size,
        "gait_low": tuple(RANGES[name][0] for name in STEERED),
        "gait_high": tuple(RANGES[name][1] for name in STEERED),
    }
    spec = stiff_spec(**fields | changes)
    folder.mkdir(parents=True, exist_ok=True)
    write_policy(folder, build_gait_graph(zero_actor(spec), spec, walk), spec, G1.joint_names)
    return folder / "policy.onnx"


def export_squat(folder: Path, **changes) -> Path:
    """The first frames of the shipped squat."""
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    arrays = ("joint_pos", "joint_vel", "body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
    clip = replace(clip, channels={}, **{name: getattr(clip, name)[:NUM_FRAMES] for name in arrays})
    reference = replace(stiff_spec().clips[0], sha256=clip.digest, num_frames=NUM_FRAMES)
    spec = stiff_spec(clips=(reference,), **changes)
    folder.mkdir(parents=True, exist_ok=True)
    graph = build_graph(zero_actor(spec), spec, MotionLibrary.from_clips([clip]))
    write_policy(folder, graph, spec, G1.joint_names)
    return folder / "policy.onnx"


@functools.cache
def exported() -> tuple[Path, Path]:
    """Walk and squat, exported once."""
    folder = Path(tempfile.mkdtemp(prefix="course_policies_"))
    return export_walk(folder / "walk"), export_squat(folder / "squat")


@functools.cache
def small_skills() -> SkillSet:
    """Skills of both."""
    walk, squat = exported()
    return read_skills(walk, [squat])
