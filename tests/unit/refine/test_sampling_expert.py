"""The expert in lockstep: its labels repeat, go on with a plan, and bring robots back to the clip."""

import numpy as np
import pytest
from refine_samples import squat_part

from whole_body_tracking.refine.planning.expert import SamplingExpert
from whole_body_tracking.refine.planning.sampling import SamplingSettings

pytestmark = pytest.mark.unit

SMALL = SamplingSettings(samples=6, rounds=1, horizon=6, replan_every=2)


def expert_of(settings=SMALL, seed=0, joint_target=None):
    return SamplingExpert(squat_part(30), joint_target=joint_target, settings=settings, seed=seed)


def test_labels_repeat_with_the_seed():
    frames = np.array([0, 7, 20])
    labels = []
    for _ in range(2):
        expert = expert_of()
        labels.append(expert.label(expert.states_at(frames), frames))
        expert.close()
    assert labels[0].shape == (3, 29)
    np.testing.assert_array_equal(*labels)


def test_a_row_that_goes_on_keeps_its_plan_and_another_begins_anew():
    """Planned every second step: the second label of a row that goes on costs no physics."""
    expert = expert_of()
    frames = np.array([3, 10])
    states = expert.states_at(frames)
    targets = expert.label(states, frames)
    assert expert.num_control_steps == 2 * 6 * 6  # robots, samples, horizon
    states = expert.step(states, targets)
    expert.label(states, frames + 1)
    assert expert.num_control_steps == 2 * 6 * 6
    expert.label(states, np.array([5, 20]))  # the first goes on and is due, the second jumped
    assert expert.num_control_steps == 4 * 6 * 6
    expert.close()


@pytest.mark.integration
def test_a_disturbed_robot_is_brought_back():
    """A root that moves 0.2 m/s too fast; after 24 steps the labels hold it closer than feed-forward does."""
    ends = []
    for settings in (SamplingSettings(samples=24, rounds=2, horizon=12, replan_every=2), None):
        expert = expert_of(settings or SMALL)
        frames = np.array([0, 2])
        states = expert.states_at(frames)
        states[:, 36:38] += [[0.2, 0.0], [0.0, 0.2]]
        for step in range(24):
            held = expert.label(states, frames + step) if settings else expert._planner.targets[frames + step + 1]
            states = expert.step(states, held)
        ends.append(np.linalg.norm(states[:, :2] - expert.states_at(frames + 24)[:, :2], axis=1))
        expert.close()
    assert (ends[0] < 0.85 * ends[1]).all()


def test_states_that_do_not_fit_are_refused():
    expert = expert_of()
    with pytest.raises(ValueError, match=r"shape \[2, 70\], expected \[2, 71\]"):
        expert.label(np.zeros((2, 70)), np.array([0, 1]))
    with pytest.raises(ValueError, match="frames lie in 0 to 30, but squat_part has the frames 0 to 29"):
        expert.label(expert.states_at(np.array([0, 1])), np.array([0, 30]))
    expert.close()
