"""Phases from a reference to a task, opened by made-up successes."""

import pytest
import torch

from whole_body_tracking.locomotion.schedule import PhaseRules, PhaseSchedule

pytestmark = pytest.mark.unit

RULES = PhaseRules(success=0.75, min_episodes=8, settle_steps=100, check_every=10)


def play(schedule: PhaseSchedule, step: int, won: int, lost: int) -> bool:
    """Episodes that end at one step, of which some failed, among envs that go on; whether a phase began."""
    ended = torch.tensor([True] * (won + lost) + [False] * 3)
    failed = torch.tensor([False] * won + [True] * (lost + 3))
    schedule.record(ended, failed, step)
    return schedule.update(step)


def test_made_up_successes_lead_through_all_phases():
    schedule, seen = PhaseSchedule(RULES), []
    for step in range(0, 5000, 10):
        seen += [(schedule.phase, schedule.weight)]
        play(schedule, step, won=2, lost=0)
    assert list(dict.fromkeys(seen)) == [(0, 1.0), (1, 0.5), (2, 0.1), (3, 0.0)]
    assert schedule.is_last and not play(schedule, 9000, 99, 0)


def test_too_few_too_bad_or_too_early_successes_open_nothing():
    few, bad, early = (PhaseSchedule(RULES) for _ in range(3))
    assert not play(few, 100, won=7, lost=0)
    for step in range(100, 3000, 10):
        assert not play(bad, step, won=2, lost=1)
    assert not play(early, 99, won=50, lost=0) and early.success == 0.0
    # 7 won of 8 at the same step as before, and one more: 8 episodes, all won.
    assert play(few, 110, won=1, lost=0) and few.phase == 1 and few.success == 0.0


def test_the_success_forgets_over_min_episodes():
    schedule = PhaseSchedule(RULES)
    play(schedule, 100, won=0, lost=4)
    play(schedule, 101, won=4, lost=0)
    # Four failures count 1 - 4/8 = half after four more episodes: 4 won of 2 + 4.
    assert schedule.success.item() == pytest.approx(4.0 / 6.0)


def test_phases_by_steps_do_not_ask_for_success():
    schedule = PhaseSchedule(PhaseRules(steps=(10, 20, 30)))
    phases = []
    for step in range(0, 40, 5):
        play(schedule, step, won=0, lost=5)
        phases.append(schedule.phase)
    assert phases == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_checkpoint_keeps_phase_and_tally():
    first, second = PhaseSchedule(RULES), PhaseSchedule(RULES)
    play(first, 100, won=8, lost=0)
    play(first, 205, won=6, lost=0)
    second.load_state_dict(first.state_dict())
    assert (second.phase, second.weight, second.success.item()) == (1, 0.5, 1.0)
    assert play(second, 220, won=2, lost=0) and second.phase == 2  # 6 + 2 episodes are enough
    with pytest.raises(ValueError, match=r"phases have the weights \[1.0, 0.5, 0.1, 0.0\], this task's \[1.0, 0.0\]"):
        PhaseSchedule(PhaseRules(weights=(1.0, 0.0))).load_state_dict(first.state_dict())


@pytest.mark.parametrize(
    "wrong",
    [{"weights": (1.0, 0.5)}, {"weights": (0.5, 1.0, 0.0)}, {"weights": (2.0, 0.0)}, {"weights": (float("nan"), 0.0)},
     {"success": 0.0}, {"min_episodes": 0}, {"steps": (10, 5, 20)}, {"steps": (10,)}],
)  # fmt: skip
def test_rules_that_cannot_end_are_refused(wrong):
    with pytest.raises(ValueError, match="expected|at least"):
        PhaseRules(**wrong)
