"""A robot that holds its default pose falls as late in sim2sim as in Isaac Lab on the same model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.export import PolicySpec
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation

pytestmark = pytest.mark.integration

PROBE = Path(__file__).with_name("robot_engine_probe.py")
NUM_ENVS = 16
HOLD_STEPS = 200
"""Control steps, 4 s."""
FALLEN_HEIGHT = 0.5
"""Pelvis height below which the robot counts as fallen [m], as in the probe."""


def hold_spec() -> PolicySpec:
    """The facts' gains and limits; nothing that a held pose does not need."""
    per_joint = {
        "joint_stiffness": G1.stiffness,
        "joint_damping": G1.damping,
        "joint_armature": G1.armature,
        "joint_effort_limit": G1.effort_limit,
        "joint_velocity_limit": G1.velocity_limit,
        "joint_pos_lower": G1.joint_pos_limits[:, 0],
        "joint_pos_upper": G1.joint_pos_limits[:, 1],
        "soft_joint_pos_lower": G1.soft_joint_pos_limits[:, 0],
        "soft_joint_pos_upper": G1.soft_joint_pos_limits[:, 1],
        "default_joint_pos": G1.default_joint_pos,
        "action_scale": G1.action_scale,
    }
    return PolicySpec(
        task="hold", run_path="", checkpoint="", control_dt=0.02, action_kind="default_relative", action_clip=None,
        reference_in_graph=False, observations=(), command_names=(), anchor_body_name=G1.anchor_body_name,
        body_names=G1.tracked_body_names, joint_names=G1.joint_names, clips=(),
        **{name: tuple(values.tolist()) for name, values in per_joint.items()},
    )  # fmt: skip


def fall_time_in_mujoco(simulation: Simulation, joint_pos: np.ndarray) -> float:
    """Time until the pelvis has dropped while joint positions [rad] are held, from the height of the probe [s]."""
    zero = np.zeros(3)
    root_pos = np.array([0.0, 0.0, G1.default_root_height])
    simulation.reset(RobotState(root_pos, np.array([0.0, 0.0, 0.0, 1.0]), zero, zero, joint_pos, np.zeros(29)))
    for step in range(1, HOLD_STEPS + 1):
        simulation.step(joint_pos)
        if simulation.state.root_pos_w[2] < FALLEN_HEIGHT:
            return 0.02 * step
    return np.inf


@pytest.mark.slow
def test_the_default_pose_survives_as_long_as_in_isaac_lab(tmp_path):
    command = [sys.executable, str(PROBE), "newton", str(tmp_path / "newton.npz")]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr[-4000:]
    isaac_lab = np.median(np.load(tmp_path / "newton.npz")["fall_time"])
    rng, simulation = np.random.default_rng(0), Simulation(G1, hold_spec())
    starts = G1.default_joint_pos + rng.uniform(-0.02, 0.02, (NUM_ENVS, G1.num_joints))
    mujoco = np.median([fall_time_in_mujoco(simulation, start) for start in starts])
    assert mujoco == pytest.approx(isaac_lab, rel=0.2)
