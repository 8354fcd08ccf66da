"""What many runs have in common."""

import pytest

from whole_body_tracking.deploy import repeated_runs
from whole_body_tracking.deploy.repeated_runs import RepeatedRuns, cpu_times, run_repeatedly, stolen_share, summary

pytestmark = pytest.mark.unit


def test_a_summary_counts_what_finished_and_takes_the_worst_jitter():
    names = ("finished", "trip", "jitter_p99_ms", "skipped_steps", "r_mpkpe", "stolen_share")
    values = [
        (True, None, 2.0, 0, 0.02, 0.01),
        (True, None, 3.0, 1, 0.04, 0.03),
        (False, "fall: ...", 9.0, 2, None, None),
    ]
    rows = [dict(zip(names, row, strict=True)) for row in values]
    assert summary(rows) == {
        "runs": 3, "finished": 2, "r_mpkpe": pytest.approx(0.03), "largest_jitter_p99_ms": 9.0,
        "median_jitter_p99_ms": 3.0, "skipped_steps": 3, "largest_stolen_share": 0.03,
        "trips": ["fall: ..."],
    }  # fmt: skip


def test_time_that_a_host_took(tmp_path, monkeypatch):
    monkeypatch.setattr(repeated_runs, "PROC_STAT", tmp_path / "stat")
    assert stolen_share(cpu_times(), cpu_times()) is None
    # user nice system idle iowait irq softirq steal guest guest_nice: 100 ticks passed, 5 of them were stolen.
    (tmp_path / "stat").write_text("cpu  100 10 20 500 1 0 2 7 9 9\ncpu0 1 2 3\n")
    before = cpu_times()
    (tmp_path / "stat").write_text("cpu  150 10 25 539 1 0 3 12 59 9\ncpu0 1 2 3\n")
    assert stolen_share(before, cpu_times()) == pytest.approx(0.05)
    assert stolen_share(before, before) == 0.0


def test_nothing_to_run_is_refused_before_a_process_starts(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        run_repeatedly(RepeatedRuns(tmp_path / "policy.onnx", tmp_path, tmp_path / "out", num_runs=0))
    with pytest.raises(FileNotFoundError, match="policy.onnx does not exist"):
        run_repeatedly(RepeatedRuns(tmp_path / "policy.onnx", tmp_path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
