"""SIGKILL at random moments: each time the same command line goes on, and the run ends like one that was left alone."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest
from training_runs import REPOSITORY, TASK, checkpoint, finish, iterations, progress, start, wait_for

pytestmark = pytest.mark.integration

EXPERIMENT, NUM_ENVS, SAVE_INTERVAL = "killed", 8, 2
STEPS = 24 * NUM_ENVS
"""Environment steps of an iteration."""
START_SECONDS = 10.0
"""About what a simulator's start takes."""
OTHERS = {"clips.csv", "exported", "git", "params", "progress.csv", "provenance.json", "run.json"}
EXPORTED = {"deploy.yaml", "policy.json", "policy.onnx", "policy.pt"}


def train(total: int) -> list[str]:
    """The one command line that starts and restarts."""
    settings = [f"--task={TASK}", "--num_envs", NUM_ENVS, "--seed", 3, "--max_iterations", total]
    settings += ["--device", "cpu", "physics=mujoco_cpu", f"agent.save_interval={SAVE_INTERVAL}"]
    return [str(REPOSITORY / "scripts" / "train_resume.sh"), EXPERIMENT, *map(str, settings)]


def newest(folder: Path) -> int:
    """Newest checkpoint's iteration, -1 if there is none."""
    found = [int(path.stem.split("_")[1]) for path in folder.glob(f"logs/rsl_rl/{EXPERIMENT}/*/model_*.pt")]
    return max(found, default=-1)


def kill_at_random(process: subprocess.Popen, folder: Path, moment: str, chance: random.Random) -> None:
    """Kill a training while it starts, just after its folder has appeared, in between, or while it saves."""
    before = newest(folder)
    if moment == "start":
        time.sleep(chance.uniform(0.0, START_SECONDS))
    elif moment == "birth":
        wait_for(lambda: any(folder.glob(f"logs/rsl_rl/{EXPERIMENT}/*")), process)
        time.sleep(chance.uniform(0.0, 0.3))
    else:
        wait_for(lambda: newest(folder) > before, process)
        time.sleep(chance.uniform(0.0, 3.0))
    if moment == "save":
        deadline = time.monotonic() + 60.0
        while not list(folder.glob(f"logs/rsl_rl/{EXPERIMENT}/*/.model_*.tmp")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.3))
    assert process.poll() is None, "ended before it could be killed"
    process.kill()
    process.communicate()


def only_run(folder: Path) -> Path:
    (found,) = folder.glob(f"logs/rsl_rl/{EXPERIMENT}/*")
    return found


def check_what_is_left(folder: Path) -> None:
    """One folder; whole checkpoints that are at most one save interval behind what was logged."""
    if not any(folder.glob("logs/rsl_rl/*/*")):
        return  # killed before the simulator had started
    run = only_run(folder)
    for iteration in iterations(run):
        assert checkpoint(run, iteration)["iter"] == iteration
    rows = progress(run) if (run / "progress.csv").exists() else []
    assert len(rows) - (newest(folder) + 1) <= SAVE_INTERVAL


def check_end(run: Path, total: int) -> None:
    """What an uninterrupted run of this many iterations leaves, event files excepted: one a session."""
    saved = sorted({*range(0, total, SAVE_INTERVAL), total - 1})
    assert iterations(run) == saved
    names = {path.name for path in run.iterdir() if not path.name.startswith("events.")}
    assert names == OTHERS | {f"model_{iteration}.pt" for iteration in saved}
    assert {path.name for path in (run / "exported").iterdir()} == EXPORTED
    rows = progress(run)
    assert [int(row["iteration"]) for row in rows] == list(range(total))
    assert [int(row["total_steps"]) for row in rows] == [STEPS * (iteration + 1) for iteration in range(total)]
    last = checkpoint(run, total - 1)
    assert last["actor_state_dict"]["obs_normalizer.count"] == STEPS * total
    assert last["optimizer_state_dict"]["state"][0]["step"] == 5 * 4 * total


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "moments",
    [
        pytest.param(["birth", "save"], id="2 kills"),
        pytest.param(
            ["birth"] + ["any", "save", "start", "save", "any"] * 3 + ["start", "any", "save", "any"],
            id="20 kills",
        ),
    ],
)
def test_a_run_that_is_killed_again_and_again_ends_like_any_other(tmp_path, moments):
    total, chance = 10 * len(moments), random.Random(len(moments))
    for moment in moments:
        kill_at_random(start(train(total), tmp_path), tmp_path, moment, chance)
        check_what_is_left(tmp_path)
        print(f"killed at {moment}, newest checkpoint {newest(tmp_path)}")
    assert 0 <= newest(tmp_path) < total - 1
    finish(start(train(total), tmp_path), timeout=600.0)
    check_end(only_run(tmp_path), total)
    out, _ = finish(start(train(total), tmp_path))
    assert f"already has {total} of {total} iterations: nothing to train" in out
