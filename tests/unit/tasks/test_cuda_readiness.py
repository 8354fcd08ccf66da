"""A step on a CUDA device that is not there: nothing on the wrong device, and no line that makes the host wait."""

from collections.abc import Callable

import pytest
import torch
from fake_cuda import DEVICE, HostTraffic, fake_cuda, on_cuda
from fake_env import NUM_ENVS, FakeEnv
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand

pytestmark = pytest.mark.unit

VARIANTS = {
    "default": {},
    "residual": {"task": "Tracking-Flat-G1-Residual-v0"},
    "end_effectors": {"presets": ("reward_end_effectors",)},
    "style": {"presets": ("reward_style",)},
    "center_of_mass": {"presets": ("reward_com",)},
    "speeds": {"presets": ("rand_time",)},
    "preview": {"presets": ("motion_preview",), "task": "Tracking-Flat-G1-Multi-v0"},
    "one_hot": {"presets": ("motion_one_hot",), "task": "Tracking-Flat-G1-Multi-v0"},
    "loop": {"clip_end": "loop"},
    "hold": {"clip_end": "hold"},
    "beyondmimic": {"start_sampling": "beyondmimic"},
    "return": {"start_sampling": "return"},
    "compact": {"motion_storage": "compact"},
}
MAY_WAIT = {
    "_report_non_finite": "one question per reset, whether a state diverged; what follows writes a file",
}
"""Methods of the motion command that a reset calls and that wait for the device, and why they may."""


def step(env: FakeEnv) -> None:
    """One step in the order of ``ManagerBasedRLEnv.step``, without the reset."""
    env.common_step_counter += 1
    for name, (function, params) in env.terms().items():
        value = function(env, **params)
        assert value.device == DEVICE and value.shape[0] == NUM_ENVS, name
    env.motion.compute(env.step_dt)
    assert env.motion.command.device == DEVICE


def step_and_reset(env: FakeEnv) -> None:
    """A step, then the end of some episodes."""
    step(env)
    logged = env.motion.reset(torch.empty(2, dtype=torch.long, device=DEVICE))
    assert {value.device for value in logged.values()} == {DEVICE}
    assert env.motion.robot_bodies.pos_w.device == DEVICE


@pytest.fixture
def waiting_left_out(monkeypatch):
    for name in MAY_WAIT:
        assert hasattr(MotionCommand, name)
        monkeypatch.setattr(MotionCommand, name, lambda *_: None)


def traffic_of(run: Callable[[FakeEnv], None], **variant) -> HostTraffic:
    """What the second of two runs does; the first one may copy constants to the device."""
    env = FakeEnv(*variant.pop("presets", ()), **variant)
    with fake_cuda() as traffic:
        on_cuda(env)
        env.device = str(DEVICE)
        run(env)
        traffic.clear()
        run(env)
    return traffic


@pytest.mark.parametrize("variant", [
    pytest.param(variant, id=name, marks=() if name == "default" else pytest.mark.integration)
    for name, variant in VARIANTS.items()
])  # fmt: skip
def test_a_step_and_a_reset_keep_to_the_device(variant, waiting_left_out):
    assert traffic_of(step_and_reset, **variant).stalls == []


@pytest.mark.parametrize("name", MAY_WAIT)
def test_what_may_wait_does(name):
    """An exception that is none any more leaves the list."""
    with pytest.raises((DataDependentOutputException, DynamicOutputShapeException)):
        traffic_of(step_and_reset)


def test_a_step_of_the_default_task_stays_small():
    """Each launch takes about 5 us on a GPU, whatever the number of envs."""
    assert traffic_of(step).num_launches < 225


STALLS = {
    "constant made anew": lambda a: a + a.new_tensor([1.0, 2.0, 3.0]),
    "list as an index": lambda a: a[[0, 1]],
    "copy to the host": lambda a: a.cpu(),
    "copy from the host": lambda a: torch.zeros(3).to(DEVICE),
}
RAISING = {
    "item": (lambda a: a.sum().item(), DataDependentOutputException),
    "branch on a value": (lambda a: 1 if (a > 0).any() else 0, DataDependentOutputException),
    "nonzero": (lambda a: (a > 0).nonzero(), DynamicOutputShapeException),
    "mask as an index": (lambda a: a[a > 0], DynamicOutputShapeException),
    "two devices": (lambda a: a + torch.zeros(3), RuntimeError),
}


@pytest.mark.parametrize("operation", STALLS.values(), ids=STALLS)
def test_the_record_sees(operation):
    with fake_cuda() as traffic:
        operation(torch.empty(2, 3, device=DEVICE))
    assert traffic.stalls


@pytest.mark.parametrize(("operation", "error"), RAISING.values(), ids=RAISING)
def test_a_fake_device_refuses(operation, error):
    with fake_cuda(), pytest.raises(error):
        operation(torch.empty(2, 3, device=DEVICE))
