"""The benchmark as a user runs it, small and short: keys, plausible figures, comparison."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from whole_body_tracking.benchmark.measuring.parts import PARTS
from whole_body_tracking.benchmark.result import STABLE_KEYS

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark.py"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), "physics=mujoco_cpu", "--device", "cpu", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    done = run(folder, "--num_envs", "16", "--seconds", "6", "--all", "--output", "first.json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder, json.loads((folder / "first.json").read_text()), done.stdout


def test_rates_are_plausible(first_run):
    _, result, _ = first_run
    assert all(result[key] > 0.0 for key in STABLE_KEYS)
    # On a busy machine two rates measured one after the other may swap places when they lie close
    # together, as physics and the native rollout do; a wrong unit is a factor of 4 (substeps) or 16.
    native = result["native_rollout_steps_per_s"]
    for slower in ("environment_steps_per_s", "physics_steps_per_s", "training_steps_per_s"):
        assert result[slower] < 2.0 * native, slower
    ratio = result["ratio_environment_to_native"]
    assert 0.0 < ratio < 2.0
    assert ratio == pytest.approx(result["environment_steps_per_s"] / native, rel=0.5)
    assert result["environment_cpu_ms"] > result["native_rollout_cpu_ms"] > 0.0
    assert set(result["training"]) == {"512x256x128", "256x128x64"}


def test_every_part_of_a_step_takes_time(first_run):
    _, result, _ = first_run
    assert set(result["parts_ms"]) == set(PARTS)
    assert all(milliseconds > 0.0 for milliseconds in result["parts_ms"].values())


def test_all_measures_a_library_too(first_run):
    extras = first_run[1]["extras"]
    assert extras["library_clips"] == 40
    assert extras["library_compact_mb"] < 0.2 * extras["library_full_mb"]
    assert extras["library_compact_body_pos_w_difference"] < 1e-4


def test_the_table_is_printed_and_nothing_else_is_written(first_run):
    folder, _, printed = first_run
    assert "Where a control step goes" in printed and "environment / native limit" in printed
    assert {path.name for path in folder.iterdir()} <= {"first.json", "outputs", "logs"}


def test_a_missing_earlier_result_ends_it_before_it_starts(tmp_path):
    done = run(tmp_path, "--compare", "missing.json")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: There is no earlier result missing.json")


@pytest.mark.slow
def test_an_iteration_of_the_world_model_is_measured_by_part(tmp_path):
    flags = ("--trainer", "world_model", "--num_envs", "16", "--seconds", "1", "--output", "out.json")
    done = run(tmp_path, "--task", "Tracking-Flat-G1-Demo-v0", *flags)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    result = json.loads((tmp_path / "out.json").read_text())
    parts = [result[f"{name}_s"] for name in ("simulation", "model", "policy")]
    assert min(parts) > 0.0 and sum(parts) == pytest.approx(result["iteration_s"], rel=0.5)
    assert "env steps/s" in done.stdout
