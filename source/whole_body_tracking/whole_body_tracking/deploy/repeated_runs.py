"""Many runs of controller and simulated robot as two processes in real time, and what they have in common."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.files import write_json, write_table

START_TIME = 60.0
"""Longest time from a process' start until its first words [s]."""
STOP_TIME = 20.0
"""Longest time that a process takes to end [s]."""
PROC_STAT = Path("/proc/stat")
"""Where Linux says what its cores did."""


@dataclass(frozen=True)
class RepeatedRuns:
    """What to run; the scripts are those beside ``run_policy.py``."""

    policy: Path
    scripts: Path
    """Folder ``scripts/`` of the checkout."""
    output_dir: Path
    num_runs: int = 20
    seconds: float = 60.0
    """Longest duration of a run [s]."""
    domain: int = 77
    """DDS domain; nothing else may be in it."""
    robot_arguments: Sequence[str] = ()
    """Further arguments of ``robot_sim.py``."""
    controller_arguments: Sequence[str] = ()
    """Further arguments of ``run_policy.py``."""


def run_repeatedly(runs: RepeatedRuns) -> list[dict]:
    """Run, score each run against the robot's truth, and write ``runs.csv`` and ``summary.json``.

    Returns:
        A row per run: whether it finished, what tripped, jitter [ms], skipped steps, ``r_mpkpe`` [m], and
        ``stolen_share``, see :func:`stolen_share`.

    Raises:
        ValueError: If there is nothing to run.
        FileNotFoundError: If the policy does not exist.
        TimeoutError: If the robot's process does not start.
    """
    if runs.num_runs < 1:
        raise ValueError(f"--num_runs {runs.num_runs} should be at least 1.")
    if not runs.policy.is_file():
        raise FileNotFoundError(
            f"Policy {runs.policy} does not exist. Expected a file such as <run>/exported/policy.onnx."
        )
    runs.output_dir.mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(runs.num_runs):
        before = cpu_times()
        rows.append({"run": index} | _run(runs, index) | {"stolen_share": stolen_share(before, cpu_times())})
        print(f"[INFO] {rows[-1]}", flush=True)
        write_table(runs.output_dir / "runs.csv", rows)
    write_json(runs.output_dir / "summary.json", summary(rows))
    return rows


def summary(rows: Sequence[dict]) -> dict:
    """Counts and means over runs; errors are those of the runs that finished."""
    finished = [row for row in rows if row["finished"]]
    errors = [row["r_mpkpe"] for row in finished if row["r_mpkpe"] is not None]
    stolen = [row["stolen_share"] for row in rows if row["stolen_share"] is not None]
    return {
        "runs": len(rows),
        "finished": len(finished),
        "r_mpkpe": sum(errors) / len(errors) if errors else None,
        "largest_jitter_p99_ms": max(row["jitter_p99_ms"] for row in rows),
        "median_jitter_p99_ms": sorted(row["jitter_p99_ms"] for row in rows)[len(rows) // 2],
        "skipped_steps": sum(row["skipped_steps"] for row in rows),
        "largest_stolen_share": max(stolen, default=None),
        "trips": [row["trip"] for row in rows if row["trip"]],
    }


def cpu_times() -> list[int] | None:
    """Time that all cores together spent in each state since the machine started, in ticks; None where Linux is not.

    The order is that of the first line of ``/proc/stat``: user, nice, system, idle, iowait, irq, softirq, steal, ...
    """
    if not PROC_STAT.is_file():
        return None
    return [int(value) for value in PROC_STAT.read_text().splitlines()[0].split()[1:]]


def stolen_share(before: list[int] | None, after: list[int] | None) -> float | None:
    """Share of the cores' time between two readings that the host of a virtual machine gave to others.

    A loop in real time is late whenever that happens, whatever this machine's own load is. None if it is not known.
    """
    if before is None or after is None:
        return None
    passed = [end - start for start, end in zip(before, after, strict=True)]
    total = sum(passed[:8])  # guest times, which follow, count as user time already
    return round(passed[7] / total, 4) if total else 0.0


def _run(runs: RepeatedRuns, index: int) -> dict:
    files = {name: runs.output_dir / f"run{index:02d}_{name}" for name in ("truth.npz", "run.npz", "run.json")}
    for file in files.values():
        file.unlink(missing_ok=True)
    wire = ["--interface", "lo", "--domain", str(runs.domain)]
    robot = subprocess.Popen(
        [sys.executable, str(runs.scripts / "deploy" / "robot_sim.py"), *wire, "--headless", "--seed", str(index),
         "--truth", str(files["truth.npz"]), *runs.robot_arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        _wait_until_it_hangs(robot)
        subprocess.run(
            [sys.executable, str(runs.scripts / "deploy" / "run_policy.py"), *wire, "--policy", str(runs.policy),
             "--seconds", str(runs.seconds), "--record", str(files["run.npz"]), "--json", str(files["run.json"]),
             *runs.controller_arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=runs.seconds + START_TIME, check=False,
        )  # fmt: skip
    finally:
        robot.terminate()
        robot.communicate(timeout=STOP_TIME)
    return row_of(files)


def _wait_until_it_hangs(robot: subprocess.Popen) -> None:
    end, lines = time.monotonic() + START_TIME, []
    while time.monotonic() < end and (line := robot.stdout.readline()):
        lines.append(line)
        if "gantry is holding" in line:
            return
    raise TimeoutError(f"robot_sim.py did not start within {START_TIME:g} s: {''.join(lines)}")


def row_of(files: dict[str, Path]) -> dict:
    """What one run was worth, from the files that it left."""
    from .scoring import score_recording

    if not files["run.json"].is_file():
        return {"finished": False, "trip": "no result", "jitter_p99_ms": 0.0, "skipped_steps": 0, "r_mpkpe": None}
    outcome = json.loads(files["run.json"].read_text())
    row = {
        "finished": bool(outcome["finished"]) and outcome["trip"] is None,
        "trip": outcome["trip"],
        "jitter_p99_ms": round(1000.0 * outcome["jitter_p99"], 2),
        "skipped_steps": outcome["counts"]["skipped_steps"],
    }
    score = None
    if row["finished"]:
        folder = files["run.npz"].with_suffix("")
        score = score_recording(files["run.npz"], files["truth.npz"], folder).overall["r_mpkpe"]
    return row | {"r_mpkpe": score}
