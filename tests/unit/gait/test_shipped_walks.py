"""The walks in motions/ keep what their README promises, read from the files themselves."""

from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.gait.analysis import measure_gait
from whole_body_tracking.motion import convert, quality_report, read_csv
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit
MOTIONS = Path(__file__).parents[3] / "motions"
SPEEDS = {"walk_slow": 0.3, "walk": 0.5, "walk_fast": 0.75, "walk_backwards": -0.25, "turn_left": 0.3, "side_step": 0.0}


@pytest.fixture(scope="module", params=SPEEDS)
def walk(request):
    return request.param, convert(read_csv(MOTIONS / f"{request.param}.csv", fps=30))


def test_a_walk_holds_its_promises(walk):
    name, clip = walk
    report, gait = quality_report(clip), measure_gait(clip, G1)
    assert report.joint_limit_violations == report.joint_speed_violations == report.jumps == 0
    assert report.sole_penetration_max_m < 1e-3 and report.airtime_share == 0.0
    assert gait.mean("slip") < 5e-3 and gait.mean("zmp_inside") > 0.98
    for frame in (0, -1):
        assert np.abs(clip.joint_vel[frame]).max() < 0.05
    middle = [cycle.speed for cycle in gait.cycles if 3.0 < cycle.start < 4.5]
    assert middle and np.mean(middle) == pytest.approx(SPEEDS[name], abs=0.03)
