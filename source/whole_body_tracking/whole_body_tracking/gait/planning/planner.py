"""From gait parameters to a motion of the robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from whole_body_tracking.motion.conversion.readers import RawMotion
from whole_body_tracking.motion.geometry.chain import Poses
from whole_body_tracking.motion.geometry.ground import collider_points
from whole_body_tracking.motion.geometry.kinematics import center_of_mass, forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_exp
from whole_body_tracking.robots import G1, RobotModel

from ..dynamics import GRAVITY, GroundReaction, ground_reaction
from .center_of_mass import plan_center_of_mass
from .curves import FootCurves, foot_curves, posture
from .footsteps import Footsteps, Path, check_length, make_path, place_footsteps
from .leg_kinematics import LegSolver, LegTargets
from .parameters import PARAMETERS, ParameterSchedule

STRAIGHTEST_KNEE = 0.25
"""Bend of the knee that a pelvis height which is chosen leaves [rad]."""
DROPS = (0.0, 0.015, 0.03, 0.05)
"""How much lower such a pelvis is tried when the legs do not reach after all [m]."""
LIMIT_MARGIN = 0.02
"""Distance that joints keep from their limits [rad]."""
BALANCE_ROUNDS, BALANCE_STEP = 8, 1.25
"""Rounds in which the whole robot's zero-moment point is moved to the planned one at most, and the factor on each
change: within a step the trunk swings along, so that a change acts about half as much as on the pendulum."""
ALLOWED = ((-0.015, 0.04), (-0.012, 0.012))
"""How far the planned zero-moment point may be ahead of the real one and to its left [m]: both stay within the sole, of
which the heel is farther away than the toe. Fast swings could not be balanced exactly."""
BALANCED = 0.004
"""What may be left beyond that when the rounds end [m]."""
UNBALANCED, UNBALANCED_SHARE = 0.015, 0.02
"""A walk is refused when more is left in more than this share of the frames [m]."""
MARGIN = 0.5
"""Time solved beyond both ends [s], so that differences and the balance there are those of a walk that goes on."""


@dataclass(frozen=True)
class GaitPlan:
    """A planned motion."""

    robot: RobotModel
    fps: float
    time: np.ndarray
    """[s], shape [num_frames]."""
    root_pos: np.ndarray
    """[m], shape [num_frames, 3]."""
    root_quat: np.ndarray
    """(x, y, z, w), shape [num_frames, 4]."""
    joint_pos: np.ndarray
    """[rad], shape [num_frames, num_joints]."""
    body_pos_w: torch.Tensor
    """[m], shape [num_frames, num_bodies, 3]."""
    body_quat_w: torch.Tensor
    """(x, y, z, w), shape [num_frames, num_bodies, 4]."""
    reaction: GroundReaction
    """What the motion takes from the ground."""
    phase: np.ndarray
    """Phase of the cycle in [0, 1), 0 at the left foot's touchdown, shape [num_frames]."""
    heading: np.ndarray
    """Of the path [rad], shape [num_frames]."""
    values: dict[str, np.ndarray]
    """Wanted parameters, the pelvis height included, shape [num_frames], by name."""

    def motion(self, source: dict | None = None) -> RawMotion:
        """Root and joints, ready for :func:`whole_body_tracking.motion.convert`."""
        return RawMotion(
            self.fps, self.root_pos, self.root_quat, self.joint_pos, self.robot.joint_names, dict(source or {})
        )


def plan_gait(
    schedule: ParameterSchedule, seconds: float, fps: float = 50.0, robot: RobotModel = G1, standing: bool = False
) -> GaitPlan:
    """Plan a walk that begins at the origin along x, with the left foot's touchdown.

    Args:
        schedule: Wanted parameters over time.
        seconds: Time from the first to the last frame.
        fps: Frames per second.
        robot: Who walks: two legs of six joints.
        standing: Start and end at rest.

    Raises:
        ValueError: If the motion is too short, the pelvis too high for the steps, or a joint would leave its limits.
    """
    check_length(schedule, seconds, standing)
    solver = LegSolver(robot)
    margin = round(MARGIN * fps)
    time = np.arange(-margin, round(seconds * fps) + margin + 1) / fps
    com_b = _com_in_root(robot)
    omega = np.sqrt(GRAVITY / (_first_height(schedule) + com_b[2]))
    path = make_path(schedule, seconds, omega, standing)
    steps = place_footsteps(path)
    com, zmp = _center_of_mass(path, steps, omega).at(time)
    joint_pos, root_yaw = posture(robot, path, time)
    foot_pos, foot_rot = _foot_frames(robot, foot_curves(steps, time))
    root_xy = com - _turned(root_yaw, com_b)[:, :2]
    height = _pelvis_height(robot, path, time, foot_pos, foot_rot, root_xy, root_yaw)
    targets = LegTargets(torch.from_numpy(foot_pos), torch.from_numpy(foot_rot), torch.from_numpy(com))
    inner = slice(margin, -margin)
    problem = _Problem(solver, targets, zmp, path.at(path.heading, time), omega, fps, inner)
    drops = DROPS if np.isnan(path.values["pelvis_height"]).any() else (0.0,)
    poses, (body_pos, body_quat), reaction = _solved_low_enough(problem, root_xy, height, root_yaw, joint_pos, drops)
    values = {name: path.at(series, time[inner]) for name, series in path.values.items()}
    return GaitPlan(
        robot=robot,
        fps=fps,
        time=time[inner],
        root_pos=poses.root_pos[inner].numpy(),
        root_quat=poses.root_quat[inner].numpy(),
        joint_pos=poses.joint_pos[inner].numpy(),
        body_pos_w=body_pos[inner],
        body_quat_w=body_quat[inner],
        reaction=GroundReaction(*(values[inner] for values in vars(reaction).values())),
        phase=(0.5 * path.at(path.phase, time[inner])) % 1.0,
        heading=path.at(path.heading, time[inner]),
        values=values | {"pelvis_height": poses.root_pos[inner, 2].numpy()},
    )


def _center_of_mass(path: Path, steps: Footsteps, omega: float):
    times, zmp = steps.zmp()
    resting = path.moves[0] > times[0]
    slope = 0.0 if resting else (zmp[4] - zmp[0]) / (times[4] - times[0])  # mean velocity of the first two steps
    return plan_center_of_mass(times, zmp, omega, slope)


class _OutOfReach(ValueError):
    """The legs are too short, or bend too far."""


@dataclass(frozen=True)
class _Problem:
    """What feet and zero-moment point should do, frame by frame."""

    solver: LegSolver
    targets: LegTargets
    zmp: np.ndarray
    heading: np.ndarray
    omega: float
    fps: float
    inner: slice
    """Frames that are kept."""


def _solved_low_enough(
    problem: _Problem,
    root_xy: np.ndarray,
    height: np.ndarray,
    root_yaw: np.ndarray,
    joint_pos: np.ndarray,
    drops: tuple[float, ...],
):
    """Solve with the pelvis as high as it was chosen; where that is too high once balanced, lower it.

    Raises:
        ValueError: If the legs do not reach with the lowest one either.
    """
    for drop in drops:
        root_pos = np.concatenate((root_xy, height[:, None] - drop), -1)
        poses = Poses(*(torch.from_numpy(a) for a in (root_pos, _yaw_quat(root_yaw), joint_pos)))
        try:
            solved = _balanced(problem, poses)
            _check_joints(problem.solver.robot, solved[0].joint_pos[problem.inner].numpy())
            return solved
        except _OutOfReach as error:
            reason = error
    raise reason


def _balanced(problem: _Problem, poses: Poses) -> tuple[Poses, tuple[torch.Tensor, torch.Tensor], GroundReaction]:
    """Solve the legs, and move the centre of mass until the whole robot's zero-moment point is the planned one.

    The pendulum knows nothing of swinging limbs. A change d of the centre of mass changes the zero-moment point by
    d - d''/w^2; setting that to what is missing gives d by a tridiagonal system.
    """
    solver, targets = problem.solver, problem.targets
    poses, rest = solver.solve(poses, targets, 12)
    _check_reached(rest)
    for _ in range(BALANCE_ROUNDS):
        _, reaction = _dynamics(solver.robot, poses, problem.fps)
        missing = _beyond_allowed(problem.zmp - reaction.zmp, problem.heading)
        if np.abs(missing[problem.inner]).max() < BALANCED:
            break
        change = torch.from_numpy(BALANCE_STEP * _pendulum_change(missing, problem.omega, problem.fps))
        targets = LegTargets(targets.foot_pos, targets.foot_rot, targets.com_xy + change)
        poses, _ = solver.solve(poses, targets, 2)
    poses, rest = solver.solve(poses, targets, 6)
    _check_reached(rest[problem.inner])
    bodies, reaction = _dynamics(solver.robot, poses, problem.fps)
    _check_balance(_beyond_allowed(problem.zmp - reaction.zmp, problem.heading)[problem.inner])
    return poses, bodies, reaction


def _beyond_allowed(missing: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """What of a distance [m], shape [num_frames, 2], is beyond what is allowed along and across the heading."""
    cos, sin = np.cos(heading), np.sin(heading)
    along, across = cos * missing[:, 0] + sin * missing[:, 1], cos * missing[:, 1] - sin * missing[:, 0]
    along, across = along - along.clip(*ALLOWED[0]), across - across.clip(*ALLOWED[1])
    return np.stack((cos * along - sin * across, sin * along + cos * across), axis=-1)


def _check_balance(left: np.ndarray) -> None:
    """Refuse a walk whose zero-moment point leaves the soles.

    Raises:
        ValueError: If it does so in too many frames.
    """
    share = float((np.linalg.norm(left, axis=-1) > UNBALANCED).mean())
    if share > UNBALANCED_SHARE:
        raise ValueError(
            f"The legs swing too fast for balance: the zero-moment point leaves the soles in {100.0 * share:.0f} % of"
            " the frames. Lower speed, cadence, clearance or double_support."
        )


def _dynamics(robot: RobotModel, poses: Poses, fps: float):
    bodies = forward_kinematics(robot, poses.root_pos, poses.root_quat, poses.joint_pos)
    return bodies, ground_reaction(robot, *bodies, fps)


def _pendulum_change(missing: np.ndarray, omega: float, fps: float) -> np.ndarray:
    """d of d - d''/w^2 = missing, 0 beyond both ends; shape [num_frames, 2]."""
    alpha = (fps / omega) ** 2
    bands = np.empty((2, len(missing)))
    bands[0], bands[1] = -alpha, 1.0 + 2.0 * alpha
    return solveh_banded(bands, np.nan_to_num(missing))


def _check_reached(rest: torch.Tensor) -> None:
    if rest.max() > 1e-4:
        raise _OutOfReach(
            f"The legs cannot reach these steps: {float(rest.max()):.3g} m or rad are missing. Lower pelvis_height,"
            " speed, step_width or lateral_speed, or raise the cadence."
        )


def _check_joints(robot: RobotModel, joint_pos: np.ndarray) -> None:
    lower, upper = robot.joint_pos_limits.T
    excess = np.maximum(lower + LIMIT_MARGIN - joint_pos, joint_pos - upper + LIMIT_MARGIN)
    if excess.max() > 0.0:
        frame, joint = np.unravel_index(excess.argmax(), excess.shape)
        raise _OutOfReach(
            f"This gait needs {robot.joint_names[joint]} = {joint_pos[frame, joint]:.2f} rad, allowed are"
            f" {lower[joint] + LIMIT_MARGIN:.2f} to {upper[joint] - LIMIT_MARGIN:.2f}. Take shorter, narrower or lower"
            " steps, or less lean."
        )


# -- geometry ----------------------------------------------------------------------------------------------------------


def _foot_frames(robot: RobotModel, curves: FootCurves) -> tuple[np.ndarray, np.ndarray]:
    """Positions [m], [num_frames, 2, 3], and orientations, [num_frames, 2, 3, 3], of the foot frames.

    A foot turns about the middle of the foremost sphere of its sole, so that this sphere's lowest point stays.
    """
    toe, radius = max(collider_points(robot, robot.foot_body_names[0]), key=lambda point: point[0][0])
    toe = np.array(toe)
    yaw, pitch = _turns(curves.yaw, 2), _turns(curves.pitch, 1)
    foot_rot = yaw @ pitch
    ahead = np.array([toe[0], 0.0, 0.0]) - np.array([*_sole_middle(robot), 0.0])
    pivot = np.concatenate((curves.place, curves.height[..., None] + radius), -1) + yaw @ ahead
    return pivot - foot_rot @ (toe * [1.0, 0.0, 1.0]), foot_rot


def _turns(angle: np.ndarray, axis: int) -> np.ndarray:
    """Rotation matrices about a coordinate axis, shape [..., 3, 3]."""
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((*angle.shape, 3, 3))
    turn[..., axis, axis] = 1.0
    turn[..., one, one] = turn[..., other, other] = np.cos(angle)
    turn[..., other, one], turn[..., one, other] = np.sin(angle), -np.sin(angle)
    return turn


def _sole_middle(robot: RobotModel) -> np.ndarray:
    """Middle of the sole's corners in the frame of the foot [m], shape [2]."""
    corners = np.array(robot.facts["foot"]["four_point_spheres"]["centers"])[:, :2]
    return 0.5 * (corners.min(0) + corners.max(0))


def _com_in_root(robot: RobotModel) -> np.ndarray:
    """Centre of mass in the root's frame in the default pose [m], shape [3]."""
    root = torch.zeros(1, 3).double(), torch.tensor([[0.0, 0.0, 0.0, 1.0]]).double()
    return center_of_mass(robot, *forward_kinematics(robot, *root, torch.tensor(robot.default_joint_pos)[None]))[
        0
    ].numpy()


def _first_height(schedule: ParameterSchedule) -> float:
    """Pelvis height that the pendulum is made with [m]; the balance corrects the rest."""
    height = float(np.mean([point["pelvis_height"] for point in schedule.points]))
    return height if np.isfinite(height) else PARAMETERS["pelvis_height"].high - 0.03


def _pelvis_height(
    robot: RobotModel,
    path: Path,
    time: np.ndarray,
    foot_pos: np.ndarray,
    foot_rot: np.ndarray,
    root_xy: np.ndarray,
    root_yaw: np.ndarray,
) -> np.ndarray:
    """Height of the pelvis [m], shape [num_frames]: as wanted, or as high as the legs reach with bent knees.

    Raises:
        ValueError: If a wanted height is above that.
    """
    highest = _highest_pelvis(robot, foot_pos, foot_rot, root_xy, root_yaw)
    wanted = path.at(path.values["pelvis_height"], time)
    if not np.isnan(wanted).any():
        excess = wanted - highest
        if excess.max() > 0.01:
            frame = int(excess.argmax())
            raise ValueError(
                f"pelvis_height {wanted[frame]:.3f} m is too high for these steps: at {time[frame]:.2f} s the legs"
                f" reach up to {highest[frame]:.3f} m. Lower it, leave it out, or take shorter or narrower steps."
            )
        return wanted
    item = PARAMETERS["pelvis_height"]
    if highest.min() < item.low:
        raise ValueError(
            f"These steps need the pelvis at {highest.min():.3f} m, lower than {item.low:g} m. Take shorter or narrower"
            " steps."
        )
    highest = np.minimum(highest - 0.005, item.high)
    if path.changes:
        window = round(2.4 / (time[1] - time[0]))
        return gaussian_filter1d(minimum_filter1d(highest, window), 0.2 * window)
    return np.full(len(time), highest.min())


def _highest_pelvis(
    robot: RobotModel, foot_pos: np.ndarray, foot_rot: np.ndarray, root_xy: np.ndarray, root_yaw: np.ndarray
) -> np.ndarray:
    """Height up to which both legs reach their feet with bent knees [m], shape [num_frames]."""
    heights = []
    for foot, name in enumerate(robot.foot_body_names):
        hip, ankle, reach = _leg_geometry(robot, name)
        to_ankle = foot_pos[:, foot] + foot_rot[:, foot] @ ankle
        apart = to_ankle[:, :2] - root_xy - _turned(root_yaw, hip)[:, :2]
        rise = np.sqrt(np.maximum(reach**2 - (apart**2).sum(-1), 0.0))
        heights.append(to_ankle[:, 2] + rise - hip[2])
    return np.min(heights, axis=0)


def _leg_geometry(robot: RobotModel, foot: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Hip in the root's frame, ankle in the foot's [m], and their distance at the straightest knee [m]."""
    names, parent = [], foot
    while parent != robot.body_names[0]:
        names.insert(0, parent)
        parent = robot.facts["bodies"][parent]["parent"]
    origins = [np.array(robot.facts["bodies"][name]["joint_origin_xyz"]) for name in names]
    hip, thigh, shank, ankle = origins[0] + origins[1], origins[2] + origins[3], origins[4], -origins[5]
    upper, lower = np.hypot(thigh[0], thigh[2]), np.hypot(shank[0], shank[2])
    reach = np.sqrt(upper**2 + lower**2 + 2.0 * upper * lower * np.cos(STRAIGHTEST_KNEE))
    return hip, ankle, float(reach)


def _turned(yaw: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A vector turned about z, shape [..., 3]."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y, z = vector
    return np.stack((cos * x - sin * y, sin * x + cos * y, np.full_like(cos, z)), axis=-1)


def _yaw_quat(yaw: np.ndarray) -> np.ndarray:
    zero = np.zeros_like(yaw)
    return quat_exp(torch.from_numpy(np.stack((zero, zero, yaw), -1))).numpy()
