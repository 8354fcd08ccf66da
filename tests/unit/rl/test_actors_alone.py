"""Checkpoints that hold an actor alone, and what actions of several clips are about; without a simulator."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from whole_body_tracking.rl.distillation import TrackingDistillation
from whole_body_tracking.rl.run.checkpoints import is_same_training
from whole_body_tracking.rl.sft import bridge

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("keys", "ppo", "distillation"),
    [
        (("critic_state_dict", "optimizer_state_dict"), True, False),
        (("optimizer_state_dict",), False, True),
        ((), False, False),
    ],
    ids=["PPO", "distilled", "supervised or world model"],
)
def test_a_checkpoint_is_of_the_training_that_can_go_on_with_all_of_it(keys, ppo, distillation):
    content = dict.fromkeys(("actor_state_dict", *keys))
    assert is_same_training(content, ("actor", "critic")) is ppo
    assert is_same_training(content, ("actor",)) is distillation


def test_a_distillation_starts_from_an_actor_alone():
    algorithm = object.__new__(TrackingDistillation)
    algorithm._raw_student, algorithm.sampler = nn.Linear(2, 1), None
    actor = nn.Linear(2, 1).state_dict()
    assert algorithm.load({"actor_state_dict": actor}, None, True) is False
    assert torch.equal(algorithm._raw_student.weight, actor["weight"])


@pytest.mark.parametrize(("center", "differs"), [("joint_target", True), ("reference", False)])
def test_other_joint_targets_of_the_same_clips_are_other_actions(center, differs, monkeypatch):
    """A clip's digest does not cover its channels."""
    monkeypatch.setattr(bridge, "action_center", lambda cfg: center)

    def digest(target: float) -> str:
        table = SimpleNamespace(values=torch.full((4, 29), target))
        library = SimpleNamespace(num_clips=2, digests=("a", "b"), channel_table=lambda name: table)
        monkeypatch.setattr(bridge, "motion_of", lambda env: SimpleNamespace(library=library))
        action = SimpleNamespace(scale=torch.ones(1, 29))
        env = SimpleNamespace(cfg=None, action_manager=SimpleNamespace(get_term=lambda name: action))
        return bridge.supervised_targets(env)["action_sha256"]

    assert (digest(0.1) != digest(0.2)) is differs
    assert digest(0.1) == digest(0.1)
