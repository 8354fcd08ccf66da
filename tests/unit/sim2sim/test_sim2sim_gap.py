"""Comparing with an evaluation: the right clip, the right checkpoint, the sign of the gap."""

import json

import pytest
from g1_policies import g1_spec

from whole_body_tracking.sim2sim.gap import gaps, read_baseline, table

pytestmark = pytest.mark.unit

SHA = "ab" * 32


def write_report(path, **changes):
    content = {
        "overall": {"mpkpe": 9.0},
        "per_clip": [
            {"name": "walk", "num_rollouts": 4, "mpkpe": 5.0, "success": 1.0},
            {"name": "squat", "num_rollouts": 4, "mpkpe": 0.04, "success": 1.0},
        ],
        "engine": "OvPhysx",
        "checkpoint": "model_1.pt",
        "clips": {"walk": "cd" * 32, "squat": SHA},
    }
    path.write_text(json.dumps(content | changes))
    return path


def test_gap_is_taken_to_the_same_clip(tmp_path):
    baseline = read_baseline(write_report(tmp_path / "report.json"), [SHA], g1_spec())
    assert baseline.values == {"mpkpe": 0.04, "success": 1.0}
    assert gaps({"mpkpe": 0.05, "anchor_pos": 1.0}, baseline) == pytest.approx({"mpkpe": 0.01})
    lines = table({"mpkpe": 0.05, "anchor_pos": 1.0}, baseline).splitlines()
    assert lines[1].split() == ["mpkpe:", "0.0500", "0.0400", "+0.0100"]
    assert lines[2].split() == ["anchor_pos:", "1.0000"]


def test_several_clips_are_compared_with_their_mean(tmp_path):
    path = write_report(tmp_path / "report.json")
    assert read_baseline(path, [SHA, "cd" * 32], g1_spec()).values == {"mpkpe": 2.52, "success": 1.0}
    with pytest.raises(ValueError, match="none of which"):
        read_baseline(path, [SHA, "ef" * 32], g1_spec())


def test_a_report_of_other_clips_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"evaluates the clips \['walk', 'squat'\], none of which"):
        read_baseline(write_report(tmp_path / "report.json"), ["ef" * 32], g1_spec())


def test_a_report_of_another_checkpoint_is_pointed_out(tmp_path):
    with pytest.warns(UserWarning, match="is of checkpoint model_9.pt, the policy of model_1.pt"):
        read_baseline(write_report(tmp_path / "report.json", checkpoint="model_9.pt"), [SHA], g1_spec())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clips": {}}'])
def test_what_is_no_report_is_refused(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="is not a report of evaluate.py"):
        read_baseline(path, [SHA], g1_spec())
