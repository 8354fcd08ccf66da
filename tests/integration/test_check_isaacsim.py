"""The check for machines with Isaac Sim, on engines that need none."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from whole_body_tracking.engine_check.checking import check_engine

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_isaacsim.py"


def check(*arguments, folder, status=0):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def statuses(done):
    lines = [line.split("  ") for line in done.stdout.splitlines() if line[:6] in ("PASS  ", "FAIL  ", "SKIP  ")]
    return {name: status for status, name, *_ in lines}


def test_ovphysx_does_what_it_did_when_it_was_recorded(tmp_path):
    found = statuses(check("physics=ovphysx", folder=tmp_path))
    assert len(found) == 12 and set(found.values()) == {"PASS"}, found


@pytest.mark.slow
def test_other_dynamics_are_noticed(tmp_path):
    done = check("physics=ovphysx", "env.scene.robot.actuators.legs.stiffness=20", folder=tmp_path, status=1)
    assert statuses(done)["time to fall"] == statuses(done)["joints after one step"] == "FAIL"
    assert "checks failed." in done.stdout


@pytest.mark.slow
def test_order_on_an_engine_that_is_not_physx(tmp_path):
    found = statuses(check("physics=mujoco_cpu", folder=tmp_path))
    assert found["joint order"] == found["body order"] == found["replay of 2 s"] == "PASS"
    assert found["joints after one step"] == "SKIP"


@pytest.mark.slow
def test_a_record_goes_where_it_is_told(tmp_path):
    check("physics=mujoco_cpu", "--record", "mine.json", folder=tmp_path)
    assert json.loads((tmp_path / "mine.json").read_text())["engine"] == "NewtonCfg"


@pytest.mark.skipif(importlib.util.find_spec("isaacsim") is not None, reason="Isaac Sim is installed")
def test_without_isaac_sim_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["check_isaacsim.py"])
    with pytest.raises(OSError, match=r"docker/install-isaacsim\.sh.*physics=ovphysx"):
        check_engine([], "")
