"""A controller on a simulated robot in lockstep: the root's estimate, and a recording scored as an evaluation is."""

import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.estimation.estimator import RootEstimator
from whole_body_tracking.deploy.control.estimation.legs import Legs
from whole_body_tracking.deploy.lockstep import advance, make_clock, track_once
from whole_body_tracking.deploy.recorded import load_run
from whole_body_tracking.deploy.scoring import score_from_command_line, score_recording
from whole_body_tracking.deploy.simulated_robot.robot import DT, RobotOptions, SimulatedRobot
from whole_body_tracking.deploy.simulated_robot.sensors import SensorNoise
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.run import run_sim2sim

sys.path[:0] = [str(Path(__file__).parents[1] / "unit" / folder) for folder in ("deploy", "sim2sim")]

from deploy_samples import QUICK, stiff_policy, tracking_pair  # noqa: E402

pytestmark = pytest.mark.integration


def test_the_squat_is_followed_with_the_noise_of_training():
    """Below 0.1 m/s of velocity error and 3 cm of drift in a motion of 5 s, with biased and noisy sensors."""
    robot = SimulatedRobot(RobotOptions(gantry=False, noise=SensorNoise(), seed=1))
    controller = build_controller(stiff_policy(), config=QUICK, clock=make_clock(robot))
    order = np.arange(29)
    controller.estimator = estimator = RootEstimator(Legs(G1, controller.tracker.spec), G1, order)
    errors, on_state = [], controller.on_state

    def compared(data):
        command = on_state(data)
        state = estimator.state(controller.readings, order)
        errors.append((state.root_pos_w - robot.data.qpos[:3], state.root_lin_vel_w - robot.data.qvel[:3]))
        return command

    controller.on_state = compared
    advance(controller, robot, 2 * DT)
    controller.stand()
    advance(controller, robot, 0.5)
    first = len(errors)
    assert track_once(controller, robot)
    pos, vel = (np.array(part[first:]) for part in zip(*errors, strict=True))
    assert np.sqrt((vel**2).sum(-1).mean()) < 0.1
    assert np.linalg.norm((pos[-1] - pos[0])[:2]) < 0.03 and np.abs(pos[:, 2]).max() < 0.02


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Path, Path]:
    """Recording and truth of a whole squat."""
    folder = tmp_path_factory.mktemp("run")
    controller, robot = tracking_pair()
    truth, state = [], robot.state

    def recorded_state():
        truth.append((round(robot.time * 1000), robot.data.qpos.copy(), robot.data.qvel.copy()))
        return state()

    robot.state = recorded_state
    controller.loop.recorder._rows.clear()
    controller.mode = "stand"
    advance(controller, robot, 0.002)
    controller.track()
    advance(controller, robot, 6.0)
    assert controller.mode == "hold", controller.safety.trip
    controller.loop.recorder.save(folder / "run.npz", {"reason": "test"})
    arrays = dict(zip(("tick", "qpos", "qvel"), map(np.array, zip(*truth, strict=True)), strict=True))
    np.savez(folder / "truth.npz", **arrays)
    return folder / "run.npz", folder / "truth.npz"


def test_scores_are_close_to_sim2sims(run, tmp_path):
    """The same policy from frame 0: 1 cm of mean position error after re-anchoring at most between the two."""
    expected = run_sim2sim(stiff_policy(), num_rollouts=1, perturbed=False, output_dir=tmp_path / "sim2sim").overall
    found = score_recording(run[0], output_dir=tmp_path / "scored").overall
    assert found["success"] == expected["success"] == 1.0
    assert found["r_mpkpe"] == pytest.approx(expected["r_mpkpe"], abs=0.01)
    assert found["joint_rmse"] == pytest.approx(expected["joint_rmse"], abs=1.0)
    assert {path.name for path in (tmp_path / "scored").iterdir()} == {
        "report.json", "per_track.csv", "played.npz", "played.html",
    }  # fmt: skip


def test_rows_are_the_states_after_each_step(run):
    recorded = load_run(run[0])
    (track,) = recorded.tracks
    assert sorted(track.rows) == list(range(250)) and track.num_late == 0
    first = int(track.rows[0])
    assert recorded.arrays["frame"][first - 1] == 1 and recorded.arrays["frame"][first] == 2
    assert recorded.arrays["tracking"][first - 1] and not recorded.arrays["tracking"][first - 2]


def test_a_late_step_lies_between_its_neighbours(run, tmp_path):
    """Take one row out: its step is then half-way between those around it, and is counted."""
    with np.load(run[0]) as file:
        content = dict(file)
    rows = len(content["time"])
    late = {name: np.delete(value, 100, axis=0) if len(np.atleast_1d(value)) == rows else value
            for name, value in content.items()}  # fmt: skip
    np.savez(tmp_path / "late.npz", **late)
    recorded, whole = load_run(tmp_path / "late.npz"), load_run(run[0])
    step = int(whole.arrays["frame"][99]) - 1
    assert recorded.tracks[0].num_late == 1 and recorded.tracks[0].rows[step] == 99.5
    np.testing.assert_allclose(
        recorded.state(99.5).joint_pos, (content["joint_pos"][99] + content["joint_pos"][101]) / 2.0
    )


def test_truth_replaces_the_estimate(run, tmp_path):
    estimated, true = load_run(run[0]), load_run(*run)
    np.testing.assert_allclose(true.state(50).joint_pos, estimated.state(50).joint_pos, atol=1e-6)
    assert true.state(50).root_pos_w[2] == pytest.approx(estimated.state(50).root_pos_w[2], abs=0.01)
    with np.load(run[1]) as file:
        shifted = dict(file) | {"tick": file["tick"] + 1}
    np.savez(tmp_path / "other.npz", **shifted)
    with pytest.raises(ValueError, match="is of another run"):
        load_run(run[0], tmp_path / "other.npz")


def test_an_early_end_counts_as_a_failure(run, tmp_path):
    with np.load(run[0]) as file:
        content = dict(file)
    rows = len(content["time"])
    half = {n: v[: rows // 2] if len(np.atleast_1d(v)) == rows else v for n, v in content.items()}
    np.savez(tmp_path / "half.npz", **half)
    overall = score_recording(tmp_path / "half.npz", output_dir=tmp_path).overall
    assert overall["success"] == 0.0 and 0.3 < overall["completion"] < 0.6


def test_what_is_no_recording_is_refused(tmp_path, run):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz does not exist\. Expected a recording"):
        load_run(tmp_path / "gone.npz")
    (tmp_path / "text.npz").write_text("nothing")
    with pytest.raises(ValueError, match="is not a recording of run_policy.py"):
        load_run(tmp_path / "text.npz")
    with pytest.raises(ValueError, match=r"is not a recording of run_policy.py: it lacks \['format'"):
        load_run(run[1])


def test_evaluate_takes_a_recording(run, tmp_path, monkeypatch):
    score = score_from_command_line(["--recording", str(run[0]), "--output_dir", str(tmp_path)])
    assert "r_mpkpe" in score.render()
    script = Path(__file__).parents[2] / "scripts" / "rsl_rl" / "evaluate.py"
    assert "--recording" in script.read_text()
