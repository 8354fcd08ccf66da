"""A policy that follows its clip with stiff joints and balances by that alone, and robots and controllers around it."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
from g1_policies import OBSERVATIONS, export_zero_policy, g1_spec
from scipy.spatial.transform import Rotation

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.controller import Controller, ControllerConfig
from whole_body_tracking.deploy.control.estimation.estimator import state_of
from whole_body_tracking.deploy.control.limits import limits_of
from whole_body_tracking.deploy.control.standing import standing_gains
from whole_body_tracking.deploy.lockstep import advance, make_clock
from whole_body_tracking.deploy.protocol.readings import readings_of
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState

WITHOUT_ESTIMATE = tuple(term for term in OBSERVATIONS if term.name not in ("motion_anchor_pos_b", "base_lin_vel"))

QUICK = ControllerConfig(ramp=0.2, blend=0.1, settle=0.2)


def export_stiff_policy(path: Path, **changes) -> Path:
    """Export a policy whose targets are the squat's joint positions, at the gains of standing."""
    stiffness, damping = standing_gains(limits_of(g1_spec(), G1.joint_names))
    fields = {
        "action_kind": "residual",
        "observations": WITHOUT_ESTIMATE,
        "joint_stiffness": tuple(stiffness.tolist()),
        "joint_damping": tuple(damping.tolist()),
    }
    return export_zero_policy(path, **fields | changes)


@functools.cache
def stiff_policy() -> Path:
    """The policy of :func:`export_stiff_policy`, exported once."""
    return export_stiff_policy(Path(tempfile.mkdtemp(prefix="stiff_policy_")) / "policy.onnx")


def pair(config: ControllerConfig = QUICK, options: RobotOptions | None = None) -> tuple[Controller, SimulatedRobot]:
    """A controller and a robot on its feet, which share a clock."""
    robot = SimulatedRobot(options or RobotOptions(gantry=False))
    return build_controller(stiff_policy(), config=config, clock=make_clock(robot)), robot


def standing_pair(config: ControllerConfig = QUICK) -> tuple[Controller, SimulatedRobot]:
    """The same, standing in the clip's first pose."""
    controller, robot = pair(config)
    advance(controller, robot, 0.02)
    controller.stand()
    advance(controller, robot, config.ramp + 0.1)
    assert controller.is_standing, controller.safety.trip
    return controller, robot


def tracking_pair(config: ControllerConfig = QUICK) -> tuple[Controller, SimulatedRobot]:
    """The same, tracking the clip."""
    controller, robot = standing_pair(config)
    assert controller.track()
    advance(controller, robot, 0.3)
    assert controller.mode == "track", controller.safety.trip
    return controller, robot


def joint(name: str) -> int:
    """Place of a joint among the motors."""
    return G1.joint_names.index(name)


def through_the_wire(robot: SimulatedRobot, inbox, state: RobotState, tick: int) -> RobotState:
    """The state that a message reports; position and velocity, which no message has, are the true ones."""
    data = robot.data
    data.qpos[:3], data.qpos[3:7], data.qpos[7:] = state.root_pos_w, np.roll(state.root_quat_w, 1), state.joint_pos
    data.qvel[3:6] = Rotation.from_quat(state.root_quat_w).inv().apply(state.root_ang_vel_w)
    data.qvel[6:], data.time = state.joint_vel, tick * 0.02
    readings = readings_of(inbox.take(robot.state()), 29)
    return state_of(readings, np.arange(29), state.root_pos_w, state.root_lin_vel_w)
