"""How well the estimator follows clips: what sensors would report of a motion, and how far the estimate is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.robots import RobotModel

from .control.estimation.estimator import RootEstimator
from .control.estimation.legs import Legs
from .protocol.readings import Readings
from .simulated_robot.robot import DT
from .simulated_robot.sensors import NoisySensors, SensorNoise

GRAVITY_W = np.array([0.0, 0.0, -9.81])
STILL = 1.0
"""Time for which the first pose is held before the motion begins, while the filter settles [s]."""


@dataclass(frozen=True)
class Followed:
    """Errors of the estimate along one clip."""

    clip: str
    seconds: float
    distance: float
    """Horizontal way of the root [m]."""
    velocity_rmse: float
    """Root mean square of the velocity's error [m/s]."""
    drift: float
    """Horizontal distance between estimated and true place at the end, less that at the beginning [m]."""
    height_rmse: float
    """Root mean square of the height's error [m]."""


def follow(clip: MotionClip, robot: RobotModel, spec: PolicySpec, noise: SensorNoise | None, seed: int) -> Followed:
    """Run the estimator on the readings that a robot would have if it did exactly what a clip does.

    Between frames the motion is a cubic spline; torques are those of inverse dynamics with contact forces, from which
    the estimator finds out which foot stands.

    Args:
        clip: The motion, on level ground.
        robot: Whose clip it is.
        spec: Of a policy of the robot, for the model of its legs.
        noise: Of the sensors; None for perfect ones.
        seed: Of the noise.

    Raises:
        ValueError: If the clip is not one of this robot, or below the ground.
    """
    order = np.array([robot.joint_names.index(name) for name in spec.joint_names])
    estimator = RootEstimator(Legs(robot, spec), robot, order)
    sensors = NoisySensors(noise, robot.num_joints, np.random.default_rng(seed)) if noise else None
    errors = []
    for pos_w, lin_vel_w, reading in _instants(clip, robot):
        sensed = reading if sensors is None else sensors.read(reading)
        estimator.update(sensed, DT if errors else 0.0)
        state = estimator.state(sensed, order)
        errors.append((*state.root_pos_w - pos_w, *state.root_lin_vel_w - lin_vel_w))
    errors = np.array(errors)[round(STILL / DT) :]
    place = errors[:, :3] - errors[0, :3] * [1.0, 1.0, 0.0]  # the estimator's world begins where the robot stands
    root = clip.body_pos_w[:, clip.body_indices(robot.body_names[:1])[0], :2]
    return Followed(
        clip=clip.name,
        seconds=(clip.num_frames - 1) / clip.fps,
        distance=float(np.linalg.norm(np.diff(root, axis=0), axis=1).sum()),
        velocity_rmse=float(np.sqrt((errors[:, 3:] ** 2).sum(1).mean())),
        drift=float(np.linalg.norm(place[-1, :2])),
        height_rmse=float(np.sqrt((place[:, 2] ** 2).mean())),
    )


def averaged(runs: Sequence[Followed]) -> dict[str, float | str]:
    """A row of the table: means over runs of one clip, and the drift in shares of the distance."""
    names = ("seconds", "distance", "velocity_rmse", "drift", "height_rmse")
    row = {name: float(np.mean([getattr(run, name) for run in runs])) for name in names}
    return {"clip": runs[0].clip} | row | {"drift_share": row["drift"] / row["distance"]}


def _instants(clip: MotionClip, robot: RobotModel):
    """Position and velocity of the root in the world, and readings, every :data:`DT`."""
    root = clip.body_indices(robot.body_names[:1])[0]
    times = np.arange(clip.num_frames) / clip.fps
    columns = [clip.joint_names.index(name) for name in robot.joint_names]
    places = CubicSpline(times, clip.body_pos_w[:, root], bc_type="clamped")
    turns = RotationSpline(times, Rotation.from_quat(clip.body_quat_w[:, root]))
    joints = CubicSpline(times, clip.joint_pos[:, columns], bc_type="clamped")
    torques = inverse_dynamics_targets(clip, robot).joint_torque[:, columns]
    for step in range(-round(STILL / DT), round(times[-1] / DT)):
        now, moves = max(0.0, step * DT), float(step >= 0)
        turn = turns(now)
        readings = Readings(
            quat_xyzw=turn.as_quat(),
            gyro=moves * (turn.inv() * turns(now + 1e-4)).as_rotvec() / 1e-4,
            accelerometer=turn.inv().apply(moves * places(now, 2) - GRAVITY_W),
            joint_pos=joints(now),
            joint_vel=moves * joints(now, 1),
            joint_torque=np.array([np.interp(now, times, column) for column in torques.T]),
        )
        yield places(now), moves * places(now, 1), readings
