"""Motions on a human body: inverse kinematics finds poses back, mocap arrives on the ground, bad ranges are refused."""

import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from small_human import small_human

sys.path.insert(0, str(Path(__file__).parents[1] / "mocap"))

from mocap_samples import walking_person  # noqa: E402

from whole_body_tracking.human.motions.inverse_kinematics import FRAMES, solve_poses  # noqa: E402
from whole_body_tracking.human.motions.mocap_motion import motion_of, read_range  # noqa: E402
from whole_body_tracking.mocap import write_bvh  # noqa: E402
from whole_body_tracking.mocap.targets import Targets  # noqa: E402

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def body():
    return small_human()


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    path = tmp_path_factory.mktemp("mocap") / "walk.bvh"
    write_bvh(walking_person(1.0), path)
    return path


def targets_of(body, poses: np.ndarray) -> Targets:
    """Where all landmarks and frames are in poses."""
    names = [name for name in body.points if not name.endswith(("chest", "hip", "ankle"))]
    data, pos, quat = mujoco.MjData(body.model), {name: [] for name in names}, {name: [] for name in FRAMES}
    for row in poses:
        data.qpos[:] = row
        mujoco.mj_kinematics(body.model, data)
        for name in pos:
            pos[name].append(body.place(name, data))
        for name in FRAMES:
            quat[name].append(Rotation.from_matrix(body.frame_matrix(name, data)).as_quat())
    pos, quat = ({name: torch.tensor(np.array(rows)) for name, rows in each.items()} for each in (pos, quat))
    return Targets(50.0, pos, quat, {}, torch.zeros(len(poses), 2), {}, 1.0)


def test_poses_are_found_back(body):
    pose = body.rest_qpos.copy()
    pose[:3] = (0.3, -0.2, 1.0)
    pose[3:7] = Rotation.from_euler("z", 0.7).as_quat(scalar_first=True)
    for name, value in (("hip", -0.4), ("knee", 0.7), ("ankle", -0.2), ("shoulder", -0.6), ("elbow", -1.1)):
        pose[body.joint_address(f"left_{name}")] = value
    pose[body.joint_address("waist")] = 0.3
    pose = body.coordinates.expand(pose)
    found = solve_poses(body, targets_of(body, np.tile(pose, (12, 1))), "pose")
    np.testing.assert_allclose(found.qpos[-1, :3], pose[:3], atol=0.01)
    np.testing.assert_allclose(found.qpos[-1, 7:], pose[7:], atol=0.05)
    np.testing.assert_allclose(body.coordinates.expand(found.qpos), found.qpos, atol=1e-12)


def test_mocap_comes_onto_the_ground(body, walk):
    motion = motion_of(read_range(walk, frame_range=(1, 40)), body, 25.0)
    heights = body.lowest_soles(motion.qpos)
    assert np.isfinite(motion.qpos).all() and motion.name == "walk" and motion.fps == 25.0
    assert abs(np.percentile(heights, 5.0)) < 1e-9 and heights.max() < 0.1
    # The person walks along -y, and so does the body.
    way = motion.qpos[-1, :2] - motion.qpos[0, :2]
    assert way[1] < -0.3 and abs(way[0]) < 0.02


def test_a_range_counts_the_files_own_frames(walk, tmp_path):
    """Also those of a calibration pose, which is left out: converters put a T-pose before the recording."""
    lines = walk.read_text().splitlines()
    count = next(index for index, line in enumerate(lines) if line.startswith("Frames:"))
    num = int(lines[count].split()[1])
    channels = [float(value) for value in lines[count + 2].split()]
    pose = (
        " ".join(f"{value + 200.0:.6f}" for value in channels[:3]) + " " + " ".join(["0.000000"] * (len(channels) - 3))
    )
    lines[count] = f"Frames: {num + 1}"
    path = tmp_path / "posed.bvh"
    path.write_text("\n".join([*lines[: count + 2], pose, *lines[count + 2 :]]) + "\n")
    plain, posed = (read_range(file, frame_range=rows) for file, rows in ((walk, (5, 9)), (path, (6, 10))))
    assert len(posed.notes) == 1 and "first frame" in posed.notes[0] and plain.notes == ()
    assert posed.motion.num_frames == 5 and (plain.first_frame, posed.first_frame) == (5, 6)
    np.testing.assert_allclose(posed.motion.root_pos, plain.motion.root_pos, atol=1e-6)
    assert read_range(path, frame_range=(1, 10)).motion.num_frames == 9
    read_range(path, frame_range=(6, num + 1))
    with pytest.raises(ValueError, match=f"has the frames 1 to {num + 1}"):
        read_range(path, frame_range=(6, num + 2))


@pytest.mark.parametrize("rows", [(0, 10), (5, 5), (1, 10_000)])
def test_a_range_outside_the_file_is_refused(walk, rows):
    with pytest.raises(ValueError, match=rf"--frame_range is {rows[0]} {rows[1]}, and walk.bvh has the frames 1 to"):
        read_range(walk, frame_range=rows)
