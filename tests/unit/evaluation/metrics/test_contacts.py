"""Foot contacts: heights of soles, and how two sequences of contacts agree."""

import pytest
import torch
from evaluation_samples import shipped_clip

from whole_body_tracking.evaluation.metrics.contacts import contact_agreement
from whole_body_tracking.motion.geometry.ground import foot_points, sole_heights
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

UP, DOWN = 0.10, 0.0


def heights(*contacts: str) -> torch.Tensor:
    """Sole heights [m] of one rollout, one string a foot; ``#`` is a contact."""
    return torch.tensor([[DOWN if step == "#" else UP for step in foot] for foot in contacts]).T[:, None]


def agreement(ref: torch.Tensor, robot: torch.Tensor, num_valid: int | None = None):
    valid = (torch.arange(len(ref)) < (len(ref) if num_valid is None else num_valid))[:, None]
    return contact_agreement(ref, robot, valid, step_dt=0.02)


def test_the_same_contacts_agree():
    found = agreement(heights("##..##", "######"), heights("##..##", "######"))
    assert (found.precision.item(), found.recall.item(), found.offset.item()) == (1.0, 1.0, 0.0)


def test_a_late_touch_down_costs_recall_and_shows_as_offset():
    # reference: 4 contacts, robot: 3, all of them right; lift-off on time, touch-down 1 step of 20 ms late
    found = agreement(heights("##..##"), heights("##...#"))
    assert found.precision.item() == 1.0
    assert found.recall.item() == pytest.approx(3 / 4)
    assert found.offset.item() == pytest.approx(0.010)


def test_a_foot_that_stays_down_costs_precision():
    found = agreement(heights("#..#"), heights("####"))
    assert found.precision.item() == pytest.approx(2 / 4)
    assert found.recall.item() == 1.0
    assert found.offset.isnan().all()  # the robot has no event


def test_events_further_away_than_the_window_are_not_matched():
    far = 11  # steps: 220 ms
    ref, robot = "#" * 5 + "." * 30, "#" * (5 + far) + "." * (30 - far)
    assert agreement(heights(ref), heights(robot)).offset.isnan().all()


def test_steps_after_the_end_do_not_count():
    found = agreement(heights("##..##"), heights("##.###"), num_valid=3)
    assert (found.precision.item(), found.recall.item()) == (1.0, 1.0)


def test_no_contact_gives_no_number():
    found = agreement(heights("...."), heights("...."))
    assert found.precision.isnan().all() and found.recall.isnan().all()


def test_sole_heights_are_those_of_the_quality_report():
    clip = shipped_clip()
    order = clip.body_indices(G1.body_names)
    pos, quat = torch.from_numpy(clip.body_pos_w[:, order]), torch.from_numpy(clip.body_quat_w[:, order])
    expected = foot_points(G1, pos, quat)[..., 2].amin(-1)
    assert torch.allclose(sole_heights(G1, list(G1.body_names), pos, quat), expected, atol=1e-6)
