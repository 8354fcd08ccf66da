"""Real mocap on the G1: against the published retargeting of the same frames, and what every source must fulfil."""

import numpy as np
import pytest
import torch
from mocap_samples import shared_mocap
from scipy.spatial.transform import Rotation

from whole_body_tracking.mocap import RetargetSettings, read_mocap, retarget
from whole_body_tracking.motion import read_csv
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import G1

pytestmark = [pytest.mark.unit, pytest.mark.integration]

SOURCES = {
    "11_01.amc": ("cmu", "cmu", 249),
    "cmu_01_01.bvh": ("cmu", "cmu", 1146),
    "games105_walk_forward.bvh": ("generic", "m", 50),
    "xia_neutral_01_000.bvh": ("cmu", "cmu", 136),
}
"""Table, unit and frames at 50 fps."""


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_on_the_robot(name, g1_figure):
    file = read_mocap(shared_mocap() / name)
    result = retarget(file, g1_figure)
    report, quality = result.report, result.report.quality
    assert (file.table.name, file.unit, result.clip.num_frames) == SOURCES[name] and file.up == "y"
    assert max(report.position_error_cm.values()) < 2.5
    assert report.foot_skate < 0.01 and report.foot_skate_p95 < 0.15  # [m/s]; the published clips: 0.08 and 0.24
    assert report.penetration_mm < 10.0 and report.self_overlap_mm < 20.0
    assert quality.joint_limit_violations == quality.jumps == 0 and quality.joint_speed_violations <= 3


def test_published_retargeting_of_the_same_frames(g1_figure):
    """Ten frames of LAFAN1's dance1_subject2, nearly still: median distance of the bodies after turning and shifting
    one on the other is at most 5 cm."""
    folder = shared_mocap()
    file = read_mocap(folder / "lafan1_dance1_subject2_excerpt.bvh")
    assert (file.table.name, file.unit) == ("lafan1", "cm")
    ours = retarget(file, g1_figure, RetargetSettings(output_fps=30.0)).clip.body_pos_w
    published = read_csv(folder.parent / "lafan1" / "dance1_subject2.csv", 30, (1, len(ours)))
    rows = (published.root_pos, published.root_quat, published.joint_pos)
    theirs = forward_kinematics(G1, *(torch.from_numpy(row).double() for row in rows))[0].numpy()
    a, b = ours.reshape(-1, 3) - ours.mean((0, 1)), theirs.reshape(-1, 3) - theirs.mean((0, 1))
    yaw = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a[:, :2] * b[:, :2]).sum())
    turned = Rotation.from_euler("z", yaw).apply(ours.reshape(-1, 3) - ours.mean((0, 1)) * [1, 1, 0])
    distance = np.linalg.norm(turned - (theirs.reshape(-1, 3) - theirs.mean((0, 1)) * [1, 1, 0]), axis=-1)
    assert float(np.median(distance)) < 0.025  # measured 0.012; wanted at most 0.05
