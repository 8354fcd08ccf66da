"""A simulation that blows up is noticed by whatever is not finite, and reported within bounds."""

import logging

import pytest
import torch

from whole_body_tracking.tasks.tracking.mdp.reference.diagnostics import (
    MAX_LISTED,
    MAX_MESSAGES,
    DivergenceLog,
)
from whole_body_tracking.tracking.errors import BodyState, has_diverged, tracking_errors

pytestmark = pytest.mark.unit

FIELDS = ["pos_w", "quat_w", "lin_vel_w", "ang_vel_w"]


def bodies(num_envs: int = 3) -> BodyState:
    quat = torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(num_envs, 2, 1)
    return BodyState(torch.rand(num_envs, 2, 3), quat, torch.rand(num_envs, 2, 3), torch.rand(num_envs, 2, 3))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", FIELDS)
def test_one_number_that_is_not_finite_is_enough(field, value):
    """Of body 1, which is not the anchor, in env 1 of 3."""
    robot = bodies()
    getattr(robot, field)[1, 1, 0] = value
    assert has_diverged(tracking_errors(bodies(), robot, anchor_idx=0)).tolist() == [False, True, False]


def test_finite_envs_have_not_diverged():
    assert not has_diverged(tracking_errors(bodies(), bodies(), anchor_idx=0)).any()


def test_the_message_names_envs_clips_and_frames(caplog):
    with caplog.at_level(logging.ERROR):
        DivergenceLog(["walk", "jump"]).write(
            torch.tensor([0, 2]), torch.tensor([1, 0, 0]), torch.tensor([7, 8, 9]), " Their states are in x.npz."
        )
    expected = "Non-finite state in envs 0 (jump, frame 7), 2 (walk, frame 9). Their states are in x.npz."
    assert caplog.messages == [expected]


def test_the_log_is_bounded(caplog):
    """4,096 envs that blow up at each of 1,000 steps."""
    log, env_ids, zeros = DivergenceLog(["walk"]), torch.arange(4096), torch.zeros(4096, dtype=torch.long)
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            log.write(env_ids, zeros, zeros)
    assert len(caplog.messages) == MAX_MESSAGES and max(map(len, caplog.messages)) < 400
    assert f"and {4096 - MAX_LISTED} more." in caplog.messages[0]
    assert "No more messages of this kind" in caplog.messages[-1]
