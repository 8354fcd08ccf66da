"""The gait task on an engine, and its policy from training to plain MuJoCo."""

import json
import sys
from pathlib import Path

import pytest
from small_refnn import save_small_refnn
from training_runs import REPOSITORY, run, script

from whole_body_tracking.export import load_policy

pytestmark = pytest.mark.integration
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def refnn(tmp_path_factory):
    return save_small_refnn(tmp_path_factory.mktemp("refnn") / "refnn.npz")


@pytest.fixture(scope="module")
def on_engine(refnn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe")
    run([sys.executable, str(HERE / "gait_task_probe.py"), str(refnn), "out.json"], folder)
    return json.loads((folder / "out.json").read_text())


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


@pytest.fixture(scope="module")
def trained(refnn, tmp_path_factory):
    """Run folder after one iteration, which exports the policy and compares it with torch."""
    folder = tmp_path_factory.mktemp("gait_run")
    flags = ("--gait_model", refnn, "physics=mujoco_cpu", "--num_envs", 4, "--max_iterations", 1, "--headless")
    run(script("train.py", "--task", "Gait-Flat-G1-Demo-v0", *flags), folder)
    (found,) = folder.glob("logs/rsl_rl/g1_gait_demo/*")
    return found


def test_training_exports_a_policy_that_takes_speed_cadence_and_turn_rate(trained):
    policy = load_policy(trained / "exported" / "policy.onnx", follows_gait=True)
    assert policy.spec.gait_inputs == ("speed", "cadence", "turn_rate") and policy.input_names == [
        "obs",
        "gait",
        "state",
    ]
    assert not (trained / "exported" / "deploy.yaml").exists()


def test_sim2sim_walks_it_in_plain_mujoco(trained, tmp_path):
    command = [sys.executable, str(REPOSITORY / "scripts" / "sim2sim.py"), "--policy"]
    command += [str(trained / "exported" / "policy.onnx"), "--output_dir", "walk", "--gait_seconds", "2"]
    out, _ = run([*command, "--gait", "speed=0.4,turn=0.1"], tmp_path)
    report = json.loads((tmp_path / "walk" / "report.json").read_text())
    assert report["overall"]["turn_rate"] == pytest.approx(0.1) and "realised_speed" in out
    assert report["overall"]["survived_s"] > 0.3  # the first step of a fall takes longer
