"""What is noted of a real step when the reference stands still past its clip's end; without a simulator."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from whole_body_tracking.world_model import collecting
from whole_body_tracking.world_model.collecting import Collector, Situation
from whole_body_tracking.world_model.imagining.buffer import StepBuffer

pytestmark = pytest.mark.unit


def test_a_held_pose_is_past_its_clip(monkeypatch):
    """A clip whose last frame is 9. Envs aim at frame 5, at the last one, and stand in it, held.

    The last one is noted as frame 10, which is looked up as frame 9 and is no step that counts; all episodes go on.
    """
    monkeypatch.setattr(collecting, "joint_targets", lambda env: torch.zeros(3, 1))
    collector = object.__new__(Collector)
    collector.env, collector.buffer = SimpleNamespace(unwrapped=None), StepBuffer(4, 3, 1, 1, "cpu")
    ids = torch.zeros(3, dtype=torch.long)
    clock = SimpleNamespace(is_held=torch.tensor([False, True, True]))
    collector.motion = SimpleNamespace(frames=torch.tensor([6, 9, 9]), clip_ids=ids, clock=clock)
    nothing, held = torch.zeros(3, 1), torch.tensor([False, False, True])
    collector._add(Situation(nothing, nothing, ids, torch.tensor([5, 9, 9]), held), torch.zeros(3, dtype=torch.bool))
    assert collector.buffer.frames[0].tolist() == [5, 9, 10]
    assert collector.buffer._age.tolist() == [1, 1, 1]
