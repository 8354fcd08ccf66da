"""The randomisation presets on engines: that the engine got them, in range, and that they stay within an episode."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration

PRESETS = {
    "mujoco_cpu": "rand_mass,rand_imu,rand_encoder,rand_time,rand_lengths",
    "ovphysx": "rand_mass,rand_imu,rand_encoder,rand_time",
}


@pytest.fixture(scope="module", params=list(PRESETS))
def measured(request, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("randomization")
    probe = Path(__file__).parent / "randomization_probe.py"
    command = [sys.executable, str(probe), request.param, PRESETS[request.param], str(folder / "out.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "out.json").read_text()) | {"name": request.param}


def test_the_presets_combine(measured):
    assert measured["finite"]


def test_masses_reach_the_engine_and_stay_in_range(measured):
    total, engine = measured["masses"]["total"], measured["masses"]["engine"]
    assert engine == pytest.approx(total, rel=1e-5)
    assert 0.9 * G1.total_mass < min(total) < max(total) < 1.1 * G1.total_mass
    assert max(total) - min(total) > 0.5  # [kg]; 30 links of up to 10 % each partly cancel


def test_inertia_follows_mass(measured):
    ratios = measured["masses"]["inertia_over_mass"]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-4)


def test_an_encoder_is_off_by_a_constant_within_an_episode(measured):
    encoder = measured["sensors"]["joint_pos"]
    assert encoder["spread_of_bias"] == pytest.approx(0.02 / 3**0.5, rel=0.15)  # uniform within 0.02 rad
    assert encoder["white"] == pytest.approx(0.005, rel=0.15)
    assert encoder["redrawn"] > 0.008  # mean distance of two draws: 0.04 / 3 rad
    # four deviations of the mean of ten steps' white noise on top; after 20 resets, so biases do not add up
    assert encoder["largest_bias"] < 0.02 + 4.5 * 0.005 / 10**0.5
    assert measured["sensors"]["joint_vel"]["white"] == pytest.approx(0.3, rel=0.15)


def test_a_gyroscope_has_bias_and_white_noise(measured):
    gyro = measured["sensors"]["gyro"]
    assert gyro["white"] == pytest.approx(0.1, rel=0.2)
    assert 0.05 / 3**0.5 < gyro["spread_of_bias"] < 0.06  # the white noise' mean of ten steps is 0.03


def test_an_orientation_is_off_by_a_rotation(measured):
    """An angle of a component changes a column by its sine: two thirds of the components see two angles."""
    orientation = measured["sensors"]["orientation"]
    assert 0.008 < orientation["spread_of_bias"] < 0.025 and 0.004 < orientation["white"] < 0.012


def test_clips_come_at_every_speed(measured):
    speeds = measured["speeds"]
    assert speeds["names"] == ["squat-x0.8", "squat-x0.9", "squat", "squat-x1.1", "squat-x1.2"]
    nominal = speeds["durations"][2]
    for duration, speed in zip(speeds["durations"], (0.8, 0.9, 1.0, 1.1, 1.2), strict=True):
        assert duration == pytest.approx(nominal / speed, abs=0.021)  # whole steps of 20 ms
    assert speeds["started"] >= 3 and speeds["within"] and speeds["nominal"] == ["squat"]


def test_shanks_differ_in_length_where_the_engine_can(measured):
    lengths = measured["lengths"]
    nominal = lengths["nominal"]
    if measured["name"] == "ovphysx":
        assert lengths["left"] == pytest.approx([nominal] * len(lengths["left"]), rel=1e-3)
        return
    assert lengths["left"] == pytest.approx(lengths["right"], rel=1e-4)  # nobody limps
    assert lengths["native"] == pytest.approx(lengths["left"], rel=1e-4)
    assert 0.98 * nominal - 1e-5 <= min(lengths["left"]) < max(lengths["left"]) <= 1.02 * nominal + 1e-5
    assert max(lengths["left"]) - min(lengths["left"]) > 0.015 * nominal
