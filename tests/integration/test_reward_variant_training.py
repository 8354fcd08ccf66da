"""The reward presets on engines: what each new term gives in random motion and on the reference."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

PRESETS = "reward_tightening,reward_end_effectors,reward_energy,reward_style,reward_com"
STYLE = ("foot_contacts", "foot_heights", "root_tilt", "arm_joints")
MASS = ("com_pos", "com_lin_vel")


@pytest.fixture(scope="module", params=["mujoco_cpu", "ovphysx"])
def measured(request, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("variants")
    probe = Path(__file__).parent / "variants_probe.py"
    command = [sys.executable, str(probe), "Tracking-Flat-G1-Demo-v0", request.param, PRESETS, str(folder / "out.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "out.json").read_text())


def test_style_terms_are_kernels_that_move(measured):
    for name in (*STYLE, *MASS):
        low, high = measured["rewards"][name]
        assert 0.0 <= low <= high <= 1.0 + 1e-6, name
    for name in ("foot_heights", "root_tilt", "arm_joints", *MASS):
        assert measured["rewards"][name][0] < 0.99, name


def test_every_positive_term_is_one_on_the_reference(measured):
    assert {*STYLE, *MASS} < set(measured["on_reference"])
    assert min(measured["on_reference"].values()) > 0.999


def test_power_is_that_of_the_drives(measured):
    assert 5.0 < measured["power"]["reward"] < 2000.0  # [W]
    assert measured["power"]["reward"] == pytest.approx(measured["power"]["expected"], rel=1e-4)


def test_kernels_follow_the_step_counter_and_keep_their_nominal_width(measured):
    found = measured["tightening"]
    assert found["scale"] == pytest.approx(found["expected"]) and found["scale"] < 1.5
    assert found["steps"] > 0 and found["std"] == 0.3
