"""Who labels: the targets that it starts from, and whether feedback holds a clip."""

from types import SimpleNamespace

import numpy as np
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.sources.motion_entries import cut
from whole_body_tracking.refine.planning.feedback_expert import FeedbackExpert, deviations
from whole_body_tracking.rl.sft.experts import (
    TRIED_SHARES,
    Refinement,
    largest_share_held,
    make_expert,
    perturbed_states,
    refined_clip,
)
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

MOTION = SimpleNamespace(
    pose_range={"x": (-0.05, 0.05), "yaw": (-0.2, 0.2)},
    velocity_range={"y": (-0.5, 0.5), "roll": (-0.4, 0.4)},
    joint_position_range=(-0.1, 0.1),
)


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    return cut(MotionClip.load(DEFAULT_MOTION_FILE), 41, 65, name="part")


@pytest.fixture(scope="module")
def expert(clip):
    expert = FeedbackExpert(clip)
    yield expert
    expert.close()


def test_starts_are_off_by_a_share_of_the_tasks_noise(expert):
    frames = np.repeat(np.arange(1, 24), 40)
    states = perturbed_states(expert, frames, MOTION, 0.5, seed=3)
    off = np.abs(deviations(states, expert.qpos[frames], expert.qvel[frames]))
    limits = np.zeros(70)
    limits[0], limits[6:35], limits[36] = 0.025, 0.05, 0.25
    moved = np.flatnonzero(limits)
    assert (off[:, moved] <= limits[moved] + 1e-9).all() and (off[:, moved].max(0) > 0.9 * limits[moved]).all()
    assert 0.09 < np.linalg.norm(off[:, 3:6], axis=1).max() <= 0.1 + 1e-9  # yaw, seen from the body
    assert 0.18 < np.linalg.norm(off[:, 38:41], axis=1).max() <= 0.2 + 1e-9
    np.testing.assert_array_equal(states, perturbed_states(expert, frames, MOTION, 0.5, seed=3))


def test_the_largest_share_that_is_held_is_found(expert, monkeypatch):
    """Held up to half of the noise; the next share is tried and fails."""
    asked = []

    def share_held(states, frames, num_steps):
        asked.append(num_steps)
        return 1.0 if len(asked) <= TRIED_SHARES.index(0.5) + 1 else 0.75

    monkeypatch.setattr(expert, "share_held", share_held)
    share, why = largest_share_held(expert, MOTION, seed=0)
    assert share == 0.5 and why == "feedback keeps 75% of 16 robots up for 2 s from 75% of the noise"
    assert asked == [100] * 5


@pytest.mark.integration
def test_feedback_that_does_not_hold_gives_way_to_sampling(clip, monkeypatch):
    monkeypatch.setattr(FeedbackExpert, "share_held", lambda *_: 0.2)
    chosen = make_expert("auto", clip, G1, MOTION, seed=0)
    assert chosen.name == "sampling" and chosen.noise_share == 0.5 and "20% of 16 robots" in chosen.why
    chosen.expert.close()
    with pytest.raises(ValueError, match="part: feedback keeps 20% .* Use --expert sampling"):
        make_expert("feedback", clip, G1, MOTION, seed=0)


def test_targets_that_are_loaded_are_those_of_the_expert(clip, tmp_path):
    targets = clip.joint_pos + 0.02
    np.save(tmp_path / "targets.npy", targets)
    refined = refined_clip(clip, G1, Refinement(file=tmp_path / "targets.npy"), seed=0)
    np.testing.assert_array_equal(refined.channels["joint_target"], targets)
    assert refined.digest == clip.digest
    assert refined.source["refinement"] == {"clip": "part", "sha256": clip.digest, "method": "loaded from targets.npy"}


def test_nothing_to_refine_leaves_the_clip(clip):
    assert refined_clip(clip, G1, Refinement(), seed=0) is clip


def test_a_method_refines_first(clip):
    refined = refined_clip(clip, G1, Refinement(method="inverse_dynamics"), seed=0)
    assert refined.channels["joint_target"].shape == clip.joint_pos.shape
    assert set(refined.channels) >= {"joint_target", "root_residual", "contact_forces"}
