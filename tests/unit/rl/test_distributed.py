"""How a process learns whether it trains alone, and on which device."""

import argparse

import pytest
import torch

from whole_body_tracking.rl.run import distributed

pytestmark = pytest.mark.unit


def arguments(distributed: bool, device: str = "cpu") -> argparse.Namespace:
    return argparse.Namespace(distributed=distributed, device=device)


def test_a_process_without_torchrun_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    member = distributed.join(arguments(False))
    assert member.is_alone and member.is_first
    with pytest.raises(ValueError, match=r"torchrun --nproc_per_node"):
        distributed.join(arguments(True))


def test_torchrun_without_the_flag_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="2 processes, but --distributed is missing"):
        distributed.join(arguments(False))


@pytest.mark.parametrize(("num_visible", "expected"), [(8, "cuda:1"), (1, "cuda:0")])
def test_device_of_a_process(monkeypatch, num_visible, expected):
    """A process takes the device of its number; the only one if the launcher shows it no other."""
    for name, value in {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: num_visible)
    args = arguments(True, "cuda:0")
    distributed.join(args)
    assert (args.device, args.distributed) == (expected, True)


def test_on_the_cpu_the_launcher_is_not_told(monkeypatch):
    for name, value in {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    args = arguments(True)
    distributed.join(args)
    assert (args.device, args.distributed) == ("cpu", False)
