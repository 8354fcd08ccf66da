"""What many runs have in common."""

import pytest

from whole_body_tracking.deploy.repeated_runs import RepeatedRuns, run_repeatedly, summary

pytestmark = pytest.mark.unit


def test_a_summary_counts_what_finished_and_takes_the_worst_jitter():
    rows = [
        {"finished": True, "trip": None, "jitter_p99_ms": 2.0, "skipped_steps": 0, "r_mpkpe": 0.02},
        {"finished": True, "trip": None, "jitter_p99_ms": 3.0, "skipped_steps": 1, "r_mpkpe": 0.04},
        {"finished": False, "trip": "fall: ...", "jitter_p99_ms": 9.0, "skipped_steps": 2, "r_mpkpe": None},
    ]
    assert summary(rows) == {
        "runs": 3, "finished": 2, "r_mpkpe": pytest.approx(0.03), "largest_jitter_p99_ms": 9.0,
        "median_jitter_p99_ms": 3.0, "skipped_steps": 3, "trips": ["fall: ..."],
    }  # fmt: skip


def test_nothing_to_run_is_refused_before_a_process_starts(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        run_repeatedly(RepeatedRuns(tmp_path / "policy.onnx", tmp_path, tmp_path / "out", num_runs=0))
    with pytest.raises(FileNotFoundError, match="policy.onnx does not exist"):
        run_repeatedly(RepeatedRuns(tmp_path / "policy.onnx", tmp_path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
