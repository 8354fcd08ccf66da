"""Modes on a CUDA device that is not there: a step, and a reset, ask it nothing but for who starts in a frame."""

import pytest
import torch
from fake_cuda import DEVICE
from test_cuda_readiness import traffic_of

from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE
from whole_body_tracking.tasks.locomotion.mdp import mode_terms
from whole_body_tracking.tasks.locomotion.mdp.mode_commands import ModeMotionCommand

pytestmark = pytest.mark.integration  # seconds of fake tensors, as for the variants of tracking


def step(env) -> None:
    """The commands' part of a step, and what the policy sees of it."""
    env.common_step_counter += 1
    env.motion.compute(env.step_dt)
    for term in (mode_terms.mode, mode_terms.mode_phase):
        assert term(env, "motion").device == DEVICE
    assert env.motion.reference.body_pos_w.device == env.motion.guidance.device == DEVICE


def step_and_reset(env) -> None:
    """A step, then the end of some episodes."""
    step(env)
    logged = env.motion.reset(torch.empty(2, dtype=torch.long, device=DEVICE))
    assert {value.device for value in logged.values()} == {DEVICE}


def test_modes_keep_to_the_device(monkeypatch):
    for name in ("_report_non_finite", "_write_state"):  # these may wait, once per reset
        monkeypatch.setattr(ModeMotionCommand, name, lambda *_: None)
    traffic = traffic_of(step_and_reset, task="Velocity-Flat-G1-Modes-v0", motion_files=[str(DEFAULT_MOTION_FILE)])
    assert traffic.stalls == [] and traffic.num_launches < 500
