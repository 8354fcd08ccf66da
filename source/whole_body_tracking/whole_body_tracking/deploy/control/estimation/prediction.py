"""Where the robot will be when a command acts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation

from .latency import TICK, LatencyMeter

STANDING_DEPTH = 3.0e-4
"""How far a standing foot is in the ground in the model [m]; a foot that hovers would let the robot fall first."""


class Predictor:
    """Integrates the robot's dynamics over the delay, with the commands that are on their way.

    x(t + d) = x(t) + integral over s from 0 to d of f(x(t + s), u(t + s - d)): f is the dynamics of sim2sim's model on
    flat ground, u(t') the command that was sent at t', with its gains. The lower foot is put on the ground first, so
    that an error of the estimated height does not count.
    """

    def __init__(self, robot: RobotModel, spec: PolicySpec, meter: LatencyMeter):
        """Build the model.

        Args:
            robot: The facts.
            spec: Of the policy.
            meter: Says how long the delay is, and what was sent.
        """
        self.meter = meter
        self._simulation = Simulation(robot, spec)
        self._order = np.array([robot.joint_names.index(name) for name in spec.joint_names])
        self._feet, self._sole_height = self._simulation.body_ids(robot.foot_body_names), robot.sole_height

    def ahead(self, state: RobotState, time: float) -> RobotState:
        """The state at the instant at which a command sent now acts.

        Args:
            state: The present one; joints in the policy's order.
            time: The robot's clock [s].
        """
        delay, simulation = self.meter.delay, self._simulation
        if delay <= 0.0 or not self.meter.sent.is_full:
            return state
        simulation.reset(state)
        lowest = simulation.bodies(self._feet)[0][:, 2].min() + self._sole_height
        lift = np.array([0.0, 0.0, -STANDING_DEPTH - lowest])
        simulation.reset(replace(state, root_pos_w=state.root_pos_w + lift))
        steps = max(1, round(delay / PHYSICS_DT))
        simulation.model.opt.timestep = delay / steps
        now = round((time - delay) / TICK)
        for index in range(steps):
            middle = now + int((index + 0.5) * delay / steps / TICK)
            self._command(*self.meter.sent.at(np.array([middle]))[0][:, self._order])
            simulation.step(simulation.data.ctrl, 1)
        after = simulation.state
        return replace(after, root_pos_w=after.root_pos_w - lift)

    def _command(self, target: np.ndarray, stiffness: np.ndarray, damping: np.ndarray) -> None:
        model = self._simulation.model
        model.actuator_gainprm[:, 0] = stiffness
        model.actuator_biasprm[:, 1], model.actuator_biasprm[:, 2] = -stiffness, -damping
        self._simulation.data.ctrl[:] = target
