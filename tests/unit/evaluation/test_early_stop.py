"""A rollout is stopped one second after it has failed under every criterion, and not before."""

from dataclasses import fields

import pytest
import torch
from evaluation_samples import perfect_recording, shipped_clip

from whole_body_tracking.evaluation.early_stop import AFTERMATH, EarlyStop
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.robots import G1
from whole_body_tracking.tracking.criteria import TrackingTerminations
from whole_body_tracking.tracking.errors import BodyState

pytestmark = pytest.mark.unit

NUM_STEPS = 200
FAIL_STEP = 60
AFTER = round(AFTERMATH / 0.02)


def one_step(recording: Recording, step: int) -> Recording:
    """What the rollout loop shows after a step."""

    def cut(value):
        if isinstance(value, BodyState):
            return BodyState(*(cut(getattr(value, field.name)) for field in fields(value)))
        is_trajectory = isinstance(value, torch.Tensor) and value.ndim > 1
        return value[step : step + 1] if is_trajectory else value

    return Recording(**{field.name: cut(getattr(recording, field.name)) for field in fields(Recording)})


def stops(recording: Recording) -> list[int | None]:
    """Step after which each rollout is stopped."""
    watch, found = EarlyStop(TrackingTerminations.of_robot(G1), G1.body_names[0]), [None] * recording.num_rollouts
    for step in range(NUM_STEPS):
        for rollout in watch.update(one_step(recording, step)).nonzero().flatten().tolist():
            found[rollout] = step if found[rollout] is None else found[rollout]
    return found


def test_a_fall_ends_a_second_later():
    recording = perfect_recording(shipped_clip(), [NUM_STEPS] * 2)
    recording.robot.pos_w[FAIL_STEP:, 1, :, 2] -= 0.5  # everything sinks: both criteria fail
    assert stops(recording) == [None, FAIL_STEP + AFTER]


def test_a_rollout_that_one_criterion_still_counts_goes_on():
    recording = perfect_recording(shipped_clip(), [NUM_STEPS])
    wrist = recording.body_names.index("left_wrist_yaw_link")
    recording.robot.pos_w[FAIL_STEP:, 0, wrist, 2] += 0.3  # the task's, not the LAFAN1-40 criterion
    assert stops(recording) == [None]
    recording.robot.pos_w[FAIL_STEP + 50, 0, 0, 2] -= 0.3  # the pelvis for one step: now both, for good
    assert stops(recording) == [FAIL_STEP + 50 + AFTER]


def test_a_rollout_is_cut_to_what_was_recorded():
    recording = perfect_recording(shipped_clip(), [NUM_STEPS, 100])
    recording.num_recorded = torch.tensor([80, 100])
    first, second = recording.rollout(0), recording.rollout(1)
    assert (len(first.joint_pos), len(second.joint_pos)) == (80, 100)
    assert first.num_steps.tolist() == [NUM_STEPS] and first.num_recorded.tolist() == [80]
