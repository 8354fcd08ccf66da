"""Make the clips that the project ships: CSV files in motions/ and the default clips of the package.

Example::

    python scripts/maintenance/make_motions.py

Motions in place are designed by hand as targets over time (feet, centre of mass, pelvis height, torso, arms) and
solved by whole-body inverse kinematics on the G1; walks are planned from gait parameters. The result is the same on
every run.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.cli import run_script
from whole_body_tracking.gait.dynamics import GRAVITY
from whole_body_tracking.gait.planning import GaitParameters, ParameterSchedule, plan_gait
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, DEFAULT_MOTION_FILE_25HZ, convert, quality_report, read_csv
from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.motion.geometry.inverse_kinematics import Poses, PoseTargets, PoseWeights, solve_poses
from whole_body_tracking.motion.geometry.kinematics import center_of_mass, forward_kinematics
from whole_body_tracking.robots import G1

FPS = 30
MOTIONS_DIR = Path(__file__).parents[2] / "motions"
FOOT_CLEARANCE = 0.06
"""How high a foot is lifted in the stepping motion [m]."""
COM_INSET = 0.008
"""How far inside the stance foot's centre line the centre of mass stays while the other foot is lifted [m]."""
STANCE_LEAN = 0.12
"""How far the torso leans over the stance foot, so that the ankles need not roll up to their limit [rad]."""
STAND_MARGIN = 0.02
"""How much lower than straight-up the pelvis stays while weight is shifted, so that legs keep bent [m]."""

JUMP_CROUCH = 0.12
"""Depth before and after the flight [m]."""
JUMP_TIMES = (0.4, 1.4, 1.5, 1.8, 2.0, 2.3, 2.4, 3.6)
"""When the crouch begins and is deep, push, flight and landing begin, landing ends, rising begins and ends [s]."""


def main() -> None:
    """Solve, write and check every motion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output_dir", type=Path, default=MOTIONS_DIR, help="Where the CSV files go (motions/).")
    parser.add_argument("--no_default_clips", action="store_true", help="Leave the package's own NPZ files alone.")
    args = parser.parse_args()
    args.output_dir.mkdir(parents=True, exist_ok=True)
    for name, make in MOTIONS.items():
        path = args.output_dir / f"{name}.csv"
        write_csv(path, make())
        print(quality_report(convert(read_csv(path, fps=FPS))).render())
    if not args.no_default_clips:
        raw = read_csv(args.output_dir / "squat.csv", fps=FPS)
        convert(raw, output_fps=50).save(DEFAULT_MOTION_FILE)
        convert(raw, output_fps=25).save(DEFAULT_MOTION_FILE_25HZ)
        convert(read_csv(args.output_dir / "walk.csv", fps=FPS), output_fps=50).save(DEFAULT_WALK_FILE)


# -- targets over time -------------------------------------------------------------------------------------------------


def keyframes(num_frames: int, *points: tuple[float, float]) -> torch.Tensor:
    """Values that rest at each (time [s], value) and move between them with zero velocity and acceleration."""
    times, values = np.array(points).T
    clock = np.arange(num_frames) / FPS
    index = np.clip(np.searchsorted(times, clock, side="right") - 1, 0, len(times) - 2)
    phase = np.clip((clock - times[index]) / (times[index + 1] - times[index]), 0.0, 1.0)
    blend = phase**3 * (10.0 - 15.0 * phase + 6.0 * phase**2)
    return torch.as_tensor(values[index] + blend * (values[index + 1] - values[index]))


class Standing:
    """The default pose with flat feet on the ground: where every motion starts and ends."""

    def __init__(self):
        joint_pos = torch.as_tensor(G1.default_joint_pos)[None]
        root_quat = torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
        body_pos, body_quat = forward_kinematics(G1, torch.zeros(1, 3, dtype=torch.float64), root_quat, joint_pos)
        feet = body_pos[0, [G1.body_names.index(name) for name in G1.foot_body_names]]
        self.root_height = float(-G1.sole_height - feet[:, 2].mean())
        self.foot_pos = torch.cat((feet[:, :2], torch.full((2, 1), -G1.sole_height, dtype=torch.float64)), -1)
        self.com_xy = center_of_mass(G1, body_pos, body_quat)[0, :2]
        # The ball and heel are 13 and 5 cm from the ankle: stand over the middle of the foot, not over the ankle.
        self.com_xy[0] = self.foot_pos[:, 0].mean() + 0.03

    def targets(self, num_frames: int, **changes: torch.Tensor) -> PoseTargets:
        """Stand still, except for what ``changes`` replaces."""
        identity = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64)
        values = {
            "foot_pos": self.foot_pos.expand(num_frames, 2, 3).clone(),
            "foot_quat": identity.expand(num_frames, 2, 4),
            "com_xy": self.com_xy.expand(num_frames, 2).clone(),
            "root_height": torch.full((num_frames,), self.root_height, dtype=torch.float64),
            "torso_quat": identity.expand(num_frames, 4),
            "joint_pos": torch.as_tensor(G1.default_joint_pos).expand(num_frames, -1).clone(),
        }
        return PoseTargets(**(values | changes))


def posture(num_frames: int, share: torch.Tensor, **offsets: float) -> torch.Tensor:
    """Default joint positions plus ``share`` times the offsets [rad]; names without side move both sides alike."""
    joint_pos = torch.as_tensor(G1.default_joint_pos).expand(num_frames, -1).clone()
    for name, offset in offsets.items():
        for side, sign in (("left_", 1.0), ("right_", -1.0 if name.endswith(("roll", "yaw")) else 1.0)):
            joint = name if name.startswith("waist") else side + name
            joint_pos[:, G1.joint_names.index(f"{joint}_joint")] += share * offset * (1.0 if joint == name else sign)
            if joint == name:
                break
    return joint_pos


def rolled(angle: torch.Tensor) -> torch.Tensor:
    """Orientations (x, y, z, w) leaning to the right by an angle [rad], shape [num_frames, 4]."""
    zero = torch.zeros_like(angle)
    return torch.stack(((0.5 * angle).sin(), zero, zero, (0.5 * angle).cos()), dim=-1)


def pitched(angle: torch.Tensor) -> torch.Tensor:
    """Orientations (x, y, z, w) leaning forward by an angle [rad], shape [num_frames, 4]."""
    zero = torch.zeros_like(angle)
    return torch.stack((zero, (0.5 * angle).sin(), zero, (0.5 * angle).cos()), dim=-1)


# -- the motions -------------------------------------------------------------------------------------------------------


def squat():
    """Squat 17 cm deep in place while the arms swing forward, and stand up again: 5 s."""
    stand, num_frames = Standing(), 5 * FPS + 1
    down = keyframes(num_frames, (0.0, 0.0), (0.4, 0.0), (1.9, 1.0), (2.5, 1.0), (4.0, 0.0), (5.0, 0.0))
    return solve_poses(
        G1,
        stand.targets(
            num_frames,
            root_height=stand.root_height - 0.17 * down,
            torso_quat=pitched(0.30 * down),
            joint_pos=posture(num_frames, down, shoulder_pitch=-1.5, shoulder_roll=0.12, elbow=0.2),
        ),
    )


def bow_and_reach():
    """Bow by 50 degrees with both hands reaching forward and down, hold, and come back: 6 s."""
    stand, num_frames = Standing(), 6 * FPS + 1
    bow = keyframes(num_frames, (0.0, 0.0), (0.5, 0.0), (2.5, 1.0), (3.3, 1.0), (5.3, 0.0), (6.0, 0.0))
    reach = keyframes(num_frames, (0.0, 0.0), (1.0, 0.0), (2.7, 1.0), (3.2, 1.0), (5.0, 0.0), (6.0, 0.0))
    return solve_poses(
        G1,
        stand.targets(
            num_frames,
            root_height=stand.root_height - 0.03 * bow,
            torso_quat=pitched(0.87 * bow),
            joint_pos=posture(num_frames, reach, shoulder_pitch=-1.4, elbow=0.4, waist_pitch=0.3),
        ),
    )


def step_in_place():
    """Shift the weight over one foot, lift the other by 6 cm, put it down, and the same on the other side: 10 s."""
    stand, num_frames = Standing(), 10 * FPS + 1
    half_width = float(stand.foot_pos[0, 1])
    side = keyframes(
        num_frames, (0.0, 0.0), (0.4, 0.0), (1.9, 1.0), (4.1, 1.0), (5.9, -1.0), (8.1, -1.0), (9.6, 0.0), (10.0, 0.0)
    )
    lift = torch.stack(
        (
            keyframes(num_frames, (0.0, 0.0), (6.1, 0.0), (7.0, 1.0), (7.9, 0.0), (10.0, 0.0)),
            keyframes(num_frames, (0.0, 0.0), (2.1, 0.0), (3.0, 1.0), (3.9, 0.0), (10.0, 0.0)),
        ),
        dim=-1,
    )
    foot_pos = stand.foot_pos.expand(num_frames, 2, 3).clone()
    foot_pos[..., 2] += FOOT_CLEARANCE * lift
    com_xy = stand.com_xy.expand(num_frames, 2).clone()
    com_xy[:, 1] = side * (half_width - COM_INSET)
    return solve_poses(
        G1,
        stand.targets(
            num_frames,
            foot_pos=foot_pos,
            com_xy=com_xy,
            root_height=stand.root_height - STAND_MARGIN * side.square(),
            torso_quat=rolled(-STANCE_LEAN * side),
            joint_pos=posture(num_frames, side.square(), shoulder_roll=0.25, elbow=0.2),
        ),
    )


def arm_swing():
    """Stand and swing both arms against each other, three times: 6 s."""
    stand, num_frames = Standing(), 6 * FPS + 1
    turns = [(0.0, 0.0), (0.4, 0.0), *((1.2 + 0.8 * k, (-1.0) ** k) for k in range(5)), (5.6, 0.0), (6.0, 0.0)]
    swing = keyframes(num_frames, *turns)
    joint_pos = torch.as_tensor(G1.default_joint_pos).expand(num_frames, -1).clone()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        joint_pos[:, G1.joint_names.index(f"{side}_shoulder_pitch_joint")] -= 0.6 * sign * swing
        joint_pos[:, G1.joint_names.index(f"{side}_elbow_joint")] += 0.2 * sign * swing
    return solve_poses(G1, stand.targets(num_frames, joint_pos=joint_pos))


def jump():
    """Crouch by 12 cm, jump 5 cm high with both feet, and land in the same crouch: 4 s.

    The centre of mass is in free fall for 0.2 s: it leaves the ground with g 0.1 s = 0.98 m/s. The feet follow it up by
    4 cm and are back on the ground with it, at rest.
    """
    stand, num_frames = Standing(), 4 * FPS + 1
    clock = np.arange(num_frames) / FPS
    rise, flight = _jump_rise(clock), _flight(clock)
    crouch = torch.from_numpy((-rise / JUMP_CROUCH).clip(0.0) ** 2)  # squared: no torso turns at take-off
    foot_pos = stand.foot_pos.expand(num_frames, 2, 3).clone()
    foot_pos[..., 2] += 0.04 * torch.from_numpy(np.sin(np.pi * flight) ** 2)[:, None]
    wanted = torch.from_numpy(rise)
    height = stand.root_height + wanted
    for _ in range(4):  # the legs' masses move, too: the root goes where the centre of mass rises as it should
        targets = stand.targets(
            num_frames,
            foot_pos=foot_pos,
            root_height=height,
            torso_quat=pitched(0.25 * crouch),
            joint_pos=posture(num_frames, crouch, shoulder_pitch=0.5),
        )
        poses = solve_poses(G1, targets, PoseWeights(root_height=300.0))
        bodies = forward_kinematics(G1, poses.root_pos, poses.root_quat, poses.joint_pos)
        com_height = center_of_mass(G1, *bodies)[:, 2]
        height = height + wanted - (com_height - com_height[0])
    return poses


def _flight(clock: np.ndarray) -> np.ndarray:
    """Share of the flight that has passed, 0 before and 1 after it, shape [num_frames]."""
    start, end = JUMP_TIMES[3:5]
    return ((clock - start) / (end - start)).clip(0.0, 1.0)


def _jump_rise(clock: np.ndarray) -> np.ndarray:
    """Height of the centre of mass over that of standing [m]; its acceleration is continuous, -g from take-off on."""
    down, deep, push, takeoff, landing, low, up, end = JUMP_TIMES
    speed = 0.5 * GRAVITY * (landing - takeoff)
    rest, thrown = (-JUMP_CROUCH, 0.0, 0.0), (0.0, speed, -GRAVITY)
    slow = (0.0, 0.0), (down, 0.0), (deep, -JUMP_CROUCH), (up, -JUMP_CROUCH), (end, 0.0), (clock[-1], 0.0)
    rise = keyframes(len(clock), *slow).numpy().copy()
    pushing, flying, braking = (
        (clock >= start) & (clock < stop) for start, stop in ((push, takeoff), (takeoff, landing), (landing, low))
    )
    rise[pushing] = _quintic(clock[pushing] - push, takeoff - push, rest, thrown)
    rise[flying] = speed * (clock[flying] - takeoff) - 0.5 * GRAVITY * (clock[flying] - takeoff) ** 2
    rise[braking] = _quintic(low - clock[braking], low - landing, rest, thrown)
    return rise


def _quintic(time: np.ndarray, length: float, start: tuple, end: tuple) -> np.ndarray:
    """The polynomial of degree five with this position, velocity and acceleration at both ends."""
    k, powers = np.arange(6), length ** np.arange(-2.0, 4.0)  # length^(k - 2)
    rows = [*np.diag([1.0, 1.0, 2.0, 0.0, 0.0, 0.0])[:3], length**k, k * powers * length, k * (k - 1) * powers]
    coefficients = np.linalg.solve(np.array(rows), np.array([*start, *end]))
    return np.polynomial.polynomial.polyval(time, coefficients)


def walk(seconds: float, **parameters: float):
    """Walk with these gait parameters, from standing to standing."""
    schedule = ParameterSchedule.constant(GaitParameters.of(parameters))
    plan = plan_gait(schedule, seconds, FPS, standing=True)
    return Poses(*(torch.from_numpy(values) for values in (plan.root_pos, plan.root_quat, plan.joint_pos)))


MOTIONS = {
    "squat": squat,
    "bow_and_reach": bow_and_reach,
    "step_in_place": step_in_place,
    "arm_swing": arm_swing,
    "jump": jump,
    "walk_slow": partial(walk, 8.0, speed=0.3, cadence=85.0),
    "walk": partial(walk, 8.0, speed=0.5, cadence=100.0),
    "walk_fast": partial(walk, 8.0, speed=0.75, cadence=115.0),
    "walk_backwards": partial(walk, 8.0, speed=-0.25, cadence=90.0),
    "turn_left": partial(walk, 8.0, speed=0.3, cadence=95.0, turn_rate=0.4),
    "side_step": partial(walk, 8.0, speed=0.0, cadence=90.0, lateral_speed=0.12, arm_swing=0.1),
}


def write_csv(path: Path, poses) -> None:
    """Write poses in Unitree's convention (docs/data_format.md), with micrometre and microradian digits."""
    rows = torch.cat((poses.root_pos, poses.root_quat, poses.joint_pos), dim=-1).numpy()
    np.savetxt(path, np.round(rows, 6) + 0.0, fmt="%.6f", delimiter=",")


if __name__ == "__main__":
    run_script(main)
