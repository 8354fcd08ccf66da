"""Processes that train together have the statistics of one process that saw everything."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.integration

PROBE = Path(__file__).with_name("shared_statistics_probe.py")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def start(folder: Path, rank: int, size: int, port: int) -> subprocess.Popen:
    variables = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    environment = os.environ | {name: str(value) for name, value in variables.items()} | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(PROBE), str(folder)], env=environment, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory) -> dict[str, dict]:
    """What one process alone and each of two processes know after the same data."""
    folder, port = tmp_path_factory.mktemp("learnt"), free_port()
    for process in [start(folder, 0, 1, port), start(folder, 0, 2, port), start(folder, 1, 2, port)]:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
    return {path.stem: torch.load(path, weights_only=False) for path in folder.iterdir()}


@pytest.mark.parametrize("rank", ["0_of_2", "1_of_2"])
@pytest.mark.parametrize("what", ["sampler", "normalizers"])
def test_two_processes_know_what_one_that_saw_all_knows(learnt, rank, what):
    alone, shared = learnt["0_of_1"][what], learnt[rank][what]
    assert alone.keys() == shared.keys()
    for name, expected in alone.items():
        torch.testing.assert_close(shared[name], expected, rtol=1e-6, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")


def test_the_known_data_are_about_something(learnt):
    """All bins and clips were visited, and observations have means and spreads of their own."""
    sampler, normalizers = learnt["0_of_1"]["sampler"], learnt["0_of_1"]["normalizers"]
    assert (sampler["visits"] > 0).all() and (sampler["clip_totals"] > 0).all()
    assert normalizers["0._mean"].squeeze()[:5].tolist() == pytest.approx([3.0, 0.03, 300.0, 3.0, 90.0], rel=0.05)
    assert normalizers["1._mean"].shape == (1, 5)  # the motion's id is not normalised


def test_both_processes_normalise_with_the_same_bits(learnt):
    for name, value in learnt["0_of_2"]["normalizers"].items():
        assert torch.equal(value, learnt["1_of_2"]["normalizers"][name]), name


@pytest.mark.parametrize("rank", ["0_of_2", "1_of_2"])
def test_agreements(learnt, rank):
    assert learnt[rank]["decided"] == {"folder": Path("run"), "by": 0}
    assert learnt[rank]["largest"] == 7
    assert learnt[rank]["curriculum_level"] == pytest.approx(0.3)  # the mean of 0.4 and 0.2


def test_other_motions_on_another_machine_are_refused(learnt):
    assert learnt["0_of_2"]["refusal"] is None
    assert learnt["1_of_2"]["refusal"] == "Process 1 has other motions than process 0: walk, expected squat."
