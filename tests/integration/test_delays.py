"""``presets=rand_delay`` on engines: targets arrive so many physics steps late, observations so many control steps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=["mujoco_cpu", "ovphysx"])
def measured(request, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("delays")
    probe = Path(__file__).parent / "delay_probe.py"
    done = subprocess.run(
        [sys.executable, str(probe), request.param, str(folder / "out.json")],
        capture_output=True, text=True, cwd=folder, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "out.json").read_text())


def test_targets_arrive_late_by_physics_steps(measured):
    """In physics step n the target is that of step n - delay, and before there is one the first of the episode."""
    decimation, delays = measured["decimation"], measured["delay_steps"]
    assert decimation == 4 and min(delays) >= 0 and max(delays) <= 8 and len(set(delays)) > 4
    for step, numbers in enumerate(measured["numbers"]):
        expected = [1 + max(0, step - delay) // decimation for delay in delays]
        assert numbers == pytest.approx(expected, abs=0.02), step


def test_observations_are_those_of_so_many_steps_ago(measured):
    assert set(measured["lags"]) == {0, 1, 2} and not measured["reset"]
    assert max(measured["late"]) < 1e-5 and measured["early"] > 1e-3  # [rad/s]
