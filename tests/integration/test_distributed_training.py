"""Two processes that train one policy on the CPU, through torchrun and train.py's own command line."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from rsl_rl.modules import EmpiricalNormalization
from training_runs import TASK, checkpoint, iterations, progress, run, run_folder, script, start, wait_for

from whole_body_tracking.tasks.tracking.mdp.start_sampling.moving_totals import MovingTotals

pytestmark = pytest.mark.integration

NUM_ENVS = 8
RECORDED = Path(__file__).with_name("recorded_train.py")
SETTINGS = (f"--task={TASK}", "--distributed", "--device", "cpu", "--num_envs", NUM_ENVS, "--seed", 3)
SETTINGS += ("physics=mujoco_cpu", "agent.save_interval=1")


def torchrun(*command: object) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2]
    return [*map(str, launcher), *map(str, command)]


def train(*arguments: object) -> list[str]:
    return torchrun(*script("train.py", *SETTINGS, *arguments)[1:])


def workers(launcher: int) -> list[int]:
    """Processes that torchrun has started, the first one first."""
    stats = [Path(path, "stat").read_text() for path in map(str, Path("/proc").glob("[0-9]*")) if is_there(path)]
    fields = [(int(stat.split(" ", 1)[0]), int(stat.rsplit(")", 1)[1].split()[1])) for stat in stats]
    return sorted(pid for pid, parent in fields if parent == launcher)


def is_there(process: str) -> bool:
    return os.path.exists(f"{process}/stat")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Working folder of a recorded run of three iterations."""
    folder = tmp_path_factory.mktemp("finished")
    run(torchrun(RECORDED, folder, *SETTINGS, "--max_iterations", 3), folder)
    return folder


@pytest.fixture(scope="module")
def ranks(finished) -> list[dict]:
    return [torch.load(finished / f"rank_{rank}.pt", weights_only=False) for rank in range(2)]


def test_both_end_with_the_same_policy(finished, ranks):
    saved = checkpoint(run_folder(finished), 2)
    for name in ("actor_state_dict", "critic_state_dict"):
        for key, value in saved[name].items():
            assert torch.equal(value, ranks[0]["algorithm"][name][key]), key
            assert torch.equal(value, ranks[1]["algorithm"][name][key]), key
    moments = [rank["algorithm"]["optimizer_state_dict"]["state"][0]["exp_avg"] for rank in ranks]
    assert torch.equal(*moments) and moments[0].any()


def test_each_simulates_envs_of_its_own(ranks):
    first, second = (rank["observations"][0]["policy"] for rank in ranks)
    assert len(first) == len(second) == 24 * NUM_ENVS
    assert not torch.isclose(first, second).all(dim=-1).any()


@pytest.mark.parametrize(("model", "group"), [("actor", "policy"), ("critic", "critic")])
def test_normaliser_is_that_of_a_process_that_saw_both_shares(finished, ranks, model, group):
    shares = [[obs[group] for obs in rank["observations"]] for rank in ranks]
    alone = EmpiricalNormalization(shares[0][0].shape[-1])
    for both in zip(*shares, strict=True):
        alone.update(torch.cat(both))
    found = checkpoint(run_folder(finished), 2)[f"{model}_state_dict"]
    assert found["obs_normalizer.count"] == 3 * 2 * 24 * NUM_ENVS
    for name, expected in alone.named_buffers():
        torch.testing.assert_close(found[f"obs_normalizer.{name}"], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("counts", "keys"), [("bins", ("failures", "visits")), ("clips", ("clip_totals",))])
def test_sampler_is_that_of_a_process_that_saw_both_shares(finished, ranks, counts, keys):
    alone = MovingTotals(*ranks[0][counts][0].shape, alpha=ranks[0]["alpha"])
    for both in zip(*(rank[counts] for rank in ranks), strict=True):
        alone.new += sum(both)
        alone.fold()
    sampler = checkpoint(run_folder(finished), 2)["motion_sampler_state_dict"]
    found = torch.stack([sampler[key] for key in keys]) if len(keys) > 1 else sampler[keys[0]]
    assert alone.values.any()
    torch.testing.assert_close(found, alone.values, rtol=1e-6, atol=1e-6)


def test_one_process_writes(finished, ranks):
    found = run_folder(finished)  # the only one
    assert ranks[0]["run_folder"] == ranks[1]["run_folder"] == found
    assert {path.name for path in found.iterdir() if not path.name.startswith("events.")} == {
        *(f"model_{iteration}.pt" for iteration in range(3)),
        *("clips.csv", "exported", "git", "params", "progress.csv", "provenance.json", "run.json"),
    }
    assert len(list(found.glob("events.*"))) == 1
    assert [row["total_steps"] for row in progress(found)] == [str(n * 2 * 24 * NUM_ENVS) for n in (1, 2, 3)]


@pytest.mark.slow
def test_nothing_to_do_is_nothing_to_wait_for(finished):
    out, _ = run(train("--checkpoint", "latest", "--max_iterations", 3), finished)
    assert "already has 3 of 3 iterations: nothing to train" in out


@pytest.mark.slow
def test_resume_then_sigterm_to_one_process_ends_both_with_a_checkpoint(finished):
    process = start(train("--checkpoint", "latest", "--max_iterations", 1000), finished)
    found = run_folder(finished)
    wait_for((found / "model_4.pt").exists, process)
    os.kill(workers(process.pid)[1], signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "exitcode  : 143" in err  # torchrun's own way to say so
    assert run_folder(finished) == found and not list(found.glob(".*"))
    assert [int(row["iteration"]) for row in progress(found)] == list(range(iterations(found)[-1] + 1))
    assert checkpoint(found, iterations(found)[-1])["iter"] == iterations(found)[-1]


@pytest.mark.slow
def test_a_process_that_dies_takes_the_other_with_it(tmp_path):
    process = start(train("--max_iterations", 1000), tmp_path)
    wait_for(lambda: any(tmp_path.glob("logs/rsl_rl/g1_flat/*/model_1.pt")), process)
    left, dying = workers(process.pid)
    os.kill(dying, signal.SIGKILL)
    died = time.monotonic()
    process.communicate(timeout=120)
    assert process.returncode == 1 and time.monotonic() - died < 60.0
    assert not Path(f"/proc/{left}").exists()
    saved = iterations(run_folder(tmp_path))
    assert checkpoint(run_folder(tmp_path), saved[-1])["iter"] == saved[-1]


@pytest.mark.slow
def test_a_bad_motion_ends_all_with_its_message(tmp_path):
    process = start(train("--motion_file", "nowhere.npz"), tmp_path)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "error: " in err and "nowhere.npz" in err
    assert list(tmp_path.iterdir()) == []
