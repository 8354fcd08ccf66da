"""A controller and a simulated robot as two processes that talk DDS over the loopback interface, in real time."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cyclonedds")

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests" / "unit" / folder) for folder in ("deploy", "sim2sim")]

from deploy_samples import stiff_policy  # noqa: E402
from gait_controllers import gait_policy  # noqa: E402

pytestmark = pytest.mark.integration

DOMAIN = str(1 + os.getpid() % 200)
"""Other tests on this machine have another one."""


def start(script: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, REPOSITORY / "scripts" / "deploy" / script, "--interface", "lo", "--domain", DOMAIN]
    return subprocess.Popen(
        [*map(str, command), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start_controller(*arguments: object) -> subprocess.Popen:
    # A shared machine may stop a process for longer than the default watchdog allows.
    return start("run_policy.py", "--policy", stiff_policy(), "--state_timeout", 0.4, *arguments)


def wait_for(process: subprocess.Popen, words: str, patience: float = 90.0) -> str:
    """Read lines until one has the words."""
    end, lines = time.monotonic() + patience, []
    while time.monotonic() < end:
        line = process.stdout.readline()
        lines.append(line)
        if words in line:
            return line
        if not line:
            break
    process.kill()
    pytest.fail(f"'{words}' did not come: {''.join(lines)}")


def end(process: subprocess.Popen, number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    output = process.communicate(timeout=60)[0]
    return process.returncode, output


def test_a_clip_is_tracked_over_a_lossy_wire(tmp_path):
    """Of 5 % lost messages nothing is seen; every process ends as it should."""
    robot = start("robot_sim.py", "--headless", "--packet_loss", 0.05, "--truth", tmp_path / "truth.npz")
    wait_for(robot, "gantry is holding")
    controller = start_controller("--seconds", 90, "--record", tmp_path / "run.npz", "--json", tmp_path / "run.json")
    output = controller.communicate(timeout=180)[0]
    status, robot_output = end(robot, signal.SIGTERM)
    assert controller.returncode == 0, output + robot_output
    assert status == 0 and "gantry is released" in robot_output
    outcome = json.loads((tmp_path / "run.json").read_text())
    assert outcome["finished"] == ["squat"] and outcome["trip"] is None
    assert outcome["counts"]["refused_states"] == {}
    print(f"jitter p99 {1000.0 * outcome['jitter_p99']:.2f} ms, {outcome['counts']['skipped_steps']} skipped steps")
    scored = subprocess.run(
        [sys.executable, REPOSITORY / "scripts/rsl_rl/evaluate.py", "--recording", tmp_path / "run.npz",
         "--truth", tmp_path / "truth.npz"], capture_output=True, text=True,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    assert json.loads((tmp_path / "evaluation" / "report.json").read_text())["overall"]["success"] == 1.0
    with np.load(tmp_path / "truth.npz") as truth:
        assert (np.diff(truth["tick"]) == 2).all()


def test_either_end_notices_that_the_other_is_gone():
    robot = start("robot_sim.py", "--headless")
    wait_for(robot, "gantry is holding")
    first = start_controller("--seconds", 90)
    wait_for(first, "passive -> stand")
    end(first, signal.SIGKILL)
    line = wait_for(robot, "damping, ")
    assert int(re.search(r"damping, (\d+) ms", line)[1]) <= 100
    second = start_controller("--seconds", 90)
    wait_for(second, "passive -> stand")
    robot.kill()
    robot.wait()
    output = second.communicate(timeout=60)[0]
    assert second.returncode == 1 and "the robot has sent no valid state for" in output
    assert "Traceback" not in output


def test_a_controller_alone_says_that_nobody_answers(tmp_path):
    alone = start_controller("--seconds", 90)
    output = alone.communicate(timeout=90)[0]
    assert alone.returncode == 1 and "No valid state came within 10 s" in output and "robot_sim.py" in output


def test_a_gait_for_a_policy_of_clips_is_refused():
    refused = start_controller("--gait", "speed=0.5", "--seconds", 5)
    output = refused.communicate(timeout=90)[0]
    assert refused.returncode == 1 and "takes no gait parameters: leave --gait out" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_robot_walks_for_some_seconds(tmp_path):
    robot = start("robot_sim.py", "--headless")
    wait_for(robot, "gantry is holding")
    controller = start(
        "run_policy.py", "--policy", gait_policy(), "--state_timeout", 0.4, "--gait", "speed=0.4,turn=0.1",
        "--seconds", 2, "--stand_seconds", 6, "--record", tmp_path / "run.npz", "--json", tmp_path / "run.json",
    )  # fmt: skip
    output = controller.communicate(timeout=120)[0]
    end(robot, signal.SIGTERM)
    assert controller.returncode == 0, output
    assert json.loads((tmp_path / "run.json").read_text())["finished"] == ["walk"]
    assert output.index("track -> hold") < output.index("hold -> stand")
