"""The gait task on an engine, and its policy from training to plain MuJoCo."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from small_refnn import save_small_refnn
from training_runs import run, script

from whole_body_tracking.export import load_policy
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.gait_run import run_gait_sim2sim
from whole_body_tracking.sim2sim.gait_steering import Steering

pytestmark = pytest.mark.integration
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def refnn(tmp_path_factory):
    return save_small_refnn(tmp_path_factory.mktemp("refnn") / "refnn.npz")


@pytest.fixture(scope="module")
def probed(refnn, tmp_path_factory):
    """Folder with what the probe measured and exported."""
    folder = tmp_path_factory.mktemp("probe")
    run([sys.executable, str(HERE / "gait_task_probe.py"), str(refnn), "out.json"], folder)
    return folder


@pytest.fixture(scope="module")
def on_engine(probed):
    return json.loads((probed / "out.json").read_text())


def test_episodes_start_in_the_walk_and_the_policy_sees_it(on_engine):
    assert on_engine["widths"] == {"policy": 160 + 13, "critic": 286 + 13}
    assert on_engine["start_joints"] < 1e-5 and on_engine["start_phase"] == pytest.approx([0.0] * 4, abs=1e-6)
    assert on_engine["finite"] and on_engine["params_observed"] < 1e-6


def test_the_kernel_gives_what_exported_policies_compute_in_torch(on_engine):
    """Positions and velocities at the origin; a wrong body or joint is off by centimetres."""
    worst = on_engine["kernel_against_torch"]
    assert max(worst["joint_pos"], worst["body_pos_w"], worst["body_quat_w"]) < 1e-5
    assert max(worst["joint_vel"], worst["body_lin_vel_w"], worst["body_ang_vel_w"]) < 1e-3


def test_rewards_are_one_on_the_reference(on_engine):
    for name, value in on_engine["rewards"].items():
        assert value == pytest.approx(1.0, abs=2e-3), name


def test_parameters_change_within_an_episode_unless_an_operator_keeps_them(on_engine):
    """Every 0.1 s, five of the 20 ms steps: eight steps change them once."""
    assert on_engine["changes"] == 1 and on_engine["kept"]


def test_the_exported_policy_takes_speed_cadence_and_turn_rate(probed):
    """It was compared with torch, last actions included, before its file appeared."""
    policy = load_policy(probed / "exported" / "policy.onnx", follows_gait=True)
    assert policy.spec.gait_inputs == ("speed", "cadence", "turn_rate")
    assert policy.input_names == ["obs", "gait", "state"]
    assert not (probed / "exported" / "deploy.yaml").exists()


def test_sim2sim_walks_it_in_plain_mujoco(probed, tmp_path):
    result = run_gait_sim2sim(probed / "exported" / "policy.onnx", {"speed": 0.4, "turn_rate": 0.1}, 2.0, tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["overall"]["turn_rate"] == pytest.approx(0.1) and report["seconds"] == 2.0
    assert report["overall"]["survived_s"] > 0.3  # a fall takes longer
    assert result.reference.num_frames == 100 and (tmp_path / "played.html").is_file()
    steering = Steering(
        load_policy(probed / "exported" / "policy.onnx", follows_gait=True), G1, np.array([0.4, 100, 0])
    )
    steering.change("speed", 9.0)
    steering.step()
    assert steering.gait[0] == pytest.approx(0.8) and "| speed | 0.80 | I K |" in steering.describe()


@pytest.mark.slow
def test_train_and_play_take_a_network_and_the_run_keeps_it(refnn, tmp_path):
    """From the command lines that users type; the second finds the network beside the checkpoint."""
    flags = ("--task", "Gait-Flat-G1-Demo-v0", "physics=mujoco_cpu", "--headless")
    run(script("train.py", *flags, "--gait_model", refnn, "--num_envs", 4, "--max_iterations", 1), tmp_path)
    (found,) = tmp_path.glob("logs/rsl_rl/g1_gait_demo/*")
    assert (found / "refnn.npz").read_bytes() == refnn.read_bytes() and (found / "exported" / "policy.onnx").is_file()
    run(script("play.py", *flags, "--checkpoint", "latest", "--num_envs", 2, "--max_steps", 5), tmp_path)
    _, err = run(script("train.py", *flags), tmp_path, status=1)
    assert "no RefNN to follow. Pass --gait_model FILE" in err
