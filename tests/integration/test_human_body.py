"""MyoFullBody itself: skipped without the extra [muscles]."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("musclemimic_models")

from whole_body_tracking.human.inverse_dynamics import inverse_dynamics  # noqa: E402
from whole_body_tracking.human.job import least_squares  # noqa: E402
from whole_body_tracking.human.model.myofullbody import load_human  # noqa: E402
from whole_body_tracking.human.motions.arm_raise import arm_raise  # noqa: E402
from whole_body_tracking.human.training.env import HumanEnvSettings, HumanTrackingEnv  # noqa: E402
from whole_body_tracking.human.training.job import reference_of  # noqa: E402

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "scripts" / "muscle" / "play_human.py"


@pytest.fixture(scope="module")
def body():
    return load_human()


def test_its_parts(body):
    assert len(body.muscles.names) == 416 and len(body.moved_names) == 71 and "other" not in body.group_of
    assert body.mass == pytest.approx(84.27, abs=0.01)
    figure = body.figure()
    assert figure.leg_length == pytest.approx(0.804, abs=0.005) and figure.rest["left_toe"][0] > 0.08
    assert figure.rest["left_shoulder"][1] == pytest.approx(-float(figure.rest["right_shoulder"][1]), abs=1e-3)


def test_muscles_give_the_torques_of_an_arm_raise(monkeypatch, capsys, tmp_path):
    """The requirement is 5 % of the torques; 0.03 % was measured at 50 frames per second."""
    arguments = ["--arm_raise", "--fps", "10", "--train_minutes", "0.01", "--output_dir", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, *arguments])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    output = capsys.readouterr()
    assert stop.value.code == 0, output.err
    assert "no residuals" in output.out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["least_squares"]["torque_error"] < 0.01 < report["muscle_nn"]["torque_error"]
    assert report["root_residual_body_weights"] < 0.01
    motion = np.load(tmp_path / "out" / "motion.npz", allow_pickle=False)
    assert motion["activation"].shape == (len(motion["qpos"]), 416)
    assert motion["activation"].min() >= 0.0 and motion["activation"].max() <= 1.0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Metabolic rate" in page and 'src="body.html"' in page
    assert (tmp_path / "out" / "body.html").stat().st_size > 2_000_000


def test_the_task_steps_with_it(body):
    settings = HumanEnvSettings(num_envs=2, num_threads=1, seed=1)
    motion = arm_raise(body, 50.0, 0.0)
    env = HumanTrackingEnv(body, reference_of(body, type(motion)("stand", 50.0, motion.qpos[:5]), settings), settings)
    _, reward, done, _ = env.step(torch.zeros(2, env.num_actions))
    env.close()
    assert reward.min() > 0.8 and not done.all()


def test_a_weaker_body_has_residuals(body):
    """With a tenth of the strength the requirement fails, and says where."""
    from whole_body_tracking.human.measuring import residuals

    dynamics = inverse_dynamics(body, arm_raise(body, 10.0))
    dynamics.torque_per_activation[:] *= 0.1
    assert {each.group for each in residuals(body, dynamics, least_squares(dynamics))} >= {"shoulders"}
