"""The demo's steps: what is drawn from a log, times kept over sessions, and what a second call leaves out."""

import json
import os
import sys
from dataclasses import replace

import pytest

from whole_body_tracking.gait_expert import demo
from whole_body_tracking.gait_expert.demo_steps import DemoSteps, share_in_log

pytestmark = pytest.mark.unit
PLAN = demo.GaitDemoPlan("Gait-Flat-G1-Demo-v0", "rand_push", "mujoco_cpu", 256, 60.0, 1000, 20, 64, "ovphysx")


def test_the_bar_is_what_the_last_n_of_m_of_a_log_says(tmp_path):
    log = tmp_path / "data.log"
    assert share_in_log(log) is None
    log.write_text("warning: 3 of 4\n20 of 80 gaits, 1 refused\n40 of 80 gaits, 2 refused\nsomething else\n")
    assert share_in_log(log) == 0.5
    log.write_text("nothing yet, 0 of 0\n")
    assert share_in_log(log) is None


def test_times_are_kept_over_sessions_and_a_step_that_fails_counts(tmp_path):
    (tmp_path / "steps.json").write_text(json.dumps({"data": 120.0}))
    steps = DemoSteps(tmp_path, 10.0)
    assert steps.used == 2.0 and steps.left == 8.0
    with pytest.raises(ChildProcessError, match=r"refnn\.log"):
        steps.run("refnn", [sys.executable, "-c", "raise SystemExit('no data')"])
    kept = json.loads((tmp_path / "steps.json").read_text())
    assert kept["data"] == 120.0 and 0.0 < kept["refnn"] < 60.0
    again = DemoSteps(tmp_path, 10.0)
    again.run("refnn", [sys.executable, "-c", "print('1 of 1 done')"])
    assert json.loads((tmp_path / "steps.json").read_text())["refnn"] > kept["refnn"]


def test_training_gets_what_walking_leaves(tmp_path):
    """64 gaits on three engines are 3 x (0.5 + 64 x 0.025) = 6.3 min; 12 min are used."""
    (tmp_path / "steps.json").write_text(json.dumps({"data": 600.0, "refnn": 120.0}))
    assert demo._training_minutes(PLAN, DemoSteps(tmp_path, 60.0)) == pytest.approx(60.0 - 12.0 - 6.3)
    assert demo._training_minutes(PLAN, DemoSteps(tmp_path, 10.0)) == demo.LEAST_TRAINING


def test_what_is_there_is_not_made_again(tmp_path, monkeypatch):
    """Data, network, errors and walks are there: no script runs, until the policy is a newer one."""
    ran = []
    monkeypatch.setattr(DemoSteps, "run", lambda self, step, command: ran.append((step, list(map(str, command)))))
    for path in ("gaits/dataset.json", "refnn/refnn.npz", "refnn.json", "run/exported/policy.onnx"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    steps, run = DemoSteps(tmp_path, 60.0), tmp_path / "run"
    walks = tmp_path / "walks_plain_mujoco.json"
    walks.write_text(json.dumps({"summary": {"num_gaits": 64}}))
    model = demo._make_refnn(PLAN, steps, 42)
    assert demo._walk(PLAN, steps, run, model, demo.PLAIN) == {"num_gaits": 64} and ran == []
    os.utime(run / "exported" / "policy.onnx", (2e9, 2e9))
    demo._walk(PLAN, steps, run, model, demo.PLAIN)
    assert [step for step, _ in ran] == ["walk_plain_mujoco"] and "--policy" in ran[0][1]
    (tmp_path / "gaits" / "dataset.json").unlink()
    demo._make_refnn(PLAN, steps, 42)
    assert [step for step, _ in ran][1:] == ["data"]


@pytest.mark.parametrize(("presets", "given"), [("rand_push,rand_friction", True), (None, False)])
def test_the_training_gets_its_presets(tmp_path, monkeypatch, presets, given):
    calls = []

    def train(folder, arguments, minutes, watch):
        calls.append(arguments)
        return folder

    monkeypatch.setattr(demo, "train_to_end", train)
    monkeypatch.setattr(DemoSteps, "watched", lambda self, step, work, look: work(None))
    demo._train(replace(PLAN, presets=presets), DemoSteps(tmp_path, 60.0), tmp_path / "refnn.npz", 42)
    assert ("presets=rand_push,rand_friction" in calls[0]) is given and "physics=mujoco_cpu" in calls[0]
    assert any("presets" in str(each) for each in calls[0]) is given
