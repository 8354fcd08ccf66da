"""How often each clip is drawn: shares, caps, the curriculum, and statistics that ranks share."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.tasks.tracking.mdp.commands_cfg import MotionCommandCfg
from whole_body_tracking.tasks.tracking.mdp.start_sampling import factory
from whole_body_tracking.tasks.tracking.mdp.start_sampling.curriculum import ClipCurriculum, completed_difficulties
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler
from whole_body_tracking.tasks.tracking.mdp.start_sampling.shares import capped, normalized
from whole_body_tracking.tasks.tracking.mdp.start_sampling.statistics import ClipStatistics

pytestmark = pytest.mark.unit

LENGTHS = (120, 60, 251)  # bins of 50 frames: 3, 2 and 5


def sampler(**kwargs) -> StartSampler:
    return StartSampler(torch.tensor(LENGTHS), frames_per_bin=50, **kwargs)


def fail_in_bin(s: StartSampler, bin_: int, num_envs: int, num_steps: int = 50) -> None:
    bins, yes = torch.full((num_envs,), bin_), torch.ones(num_envs, dtype=torch.bool)
    for _ in range(num_steps):
        s.record_visits(bins, yes)
        s.record_failures(bins, yes)
        s.clips.record(s.bin_clip[bins], bins * 0 + 10, yes, yes)
        s.update()


@pytest.mark.parametrize("strategy", ["adaptive", "uniform", "first", "beyondmimic"])
def test_given_shares_hold_whatever_the_start_strategy(strategy):
    s = sampler(strategy=strategy, clip_shares=torch.tensor([1.0, 0.0, 3.0]))
    fail_in_bin(s, 4, num_envs=8)
    assert s.clip_probabilities.tolist() == pytest.approx([0.25, 0.0, 0.75])
    assert set(s.sample(2000)[0].tolist()) == {0, 2}


def test_within_its_share_a_clip_starts_where_it_fails():
    s = sampler(clip_shares=torch.ones(3), uniform_ratio=0.2)
    fail_in_bin(s, 1, num_envs=8)  # the second of clip 0's three bins
    # floor: 0.2 of a third over 3 bins; the failing bin gets the remaining 0.8 of a third.
    assert s.probabilities()[:3].tolist() == pytest.approx([0.2 / 9, 0.2 / 9 + 0.8 / 3, 0.2 / 9])


@pytest.mark.parametrize("num_envs", [16, 1024, 16384])
def test_floor_is_what_the_config_says_for_any_number_of_envs(num_envs):
    s = sampler(uniform_ratio=0.2, alpha=0.01)
    fail_in_bin(s, 0, num_envs)
    assert s.probabilities().min().item() == pytest.approx(0.2 / 10, rel=1e-4)


@pytest.mark.parametrize("num_envs", [16, 16384])
def test_a_clip_that_always_fails_does_not_exceed_its_cap(num_envs):
    s = sampler(uniform_ratio=0.1, max_clip_probability=0.5)
    fail_in_bin(s, 3, num_envs)  # clip 1
    shares = s.clip_probabilities
    assert shares[1].item() == pytest.approx(0.5, abs=1e-5) and shares.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert s.probabilities().min().item() >= 0.1 / 10 - 1e-6


@given(
    weights=st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e3)), min_size=2, max_size=12),
    room=st.floats(0.0, 1.0),
)
@settings(max_examples=200, deadline=None)
def test_capped_shares_are_a_distribution_in_proportion_below_the_cap(weights, room):
    shares = normalized(torch.tensor(weights))
    cap = (1.0 + 1e-6) / len(weights) + room * (1.0 - 1.0 / len(weights))
    found = capped(shares, torch.full_like(shares, cap))
    assert found.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert (found <= cap + 1e-4).all() and (found >= -1e-6).all()
    if shares.max() <= cap:
        assert torch.allclose(found, shares, atol=1e-4)


def test_an_impossible_cap_is_refused():
    with pytest.raises(ValueError, match=r"max_clip_probability is 0.2, expected between 1 / 3 clips = 0.333 and 1"):
        sampler(max_clip_probability=0.2)


def test_curriculum_opens_clips_in_order_and_waits_for_those_that_fail():
    curriculum = ClipCurriculum(torch.tensor([5.0, 1.0, 3.0]), num_steps=300, max_failure_rate=0.5)
    s = sampler(curriculum=curriculum, alpha=0.05)
    assert s.clip_probabilities.tolist() == [0.0, 1.0, 0.0]
    yes, no = torch.ones(3, dtype=torch.bool), torch.zeros(3, dtype=torch.bool)
    for _ in range(150):  # everybody succeeds
        s.clips.record(torch.arange(3), torch.full((3,), 100), yes, no)
        s.update()
    # At level 1/2 of thirds: the first two are open, the third is half open.
    assert s.clip_probabilities.tolist() == pytest.approx([0.2, 0.4, 0.4], abs=0.01)
    level = curriculum.level.item()
    for _ in range(300):  # everybody fails
        s.clips.record(torch.arange(3), torch.full((3,), 5), yes, yes)
        s.update()
    assert curriculum.level.item() < level + 0.1
    for _ in range(600):
        s.clips.record(torch.arange(3), torch.full((3,), 100), yes, no)
        s.update()
    assert s.clip_probabilities.tolist() == pytest.approx([1 / 3] * 3)


def test_clip_statistics_are_means_over_ended_episodes():
    clips = ClipStatistics(2, alpha=0.1)
    ended = torch.tensor([True, True, False])
    clips.record(torch.tensor([0, 0, 1]), torch.tensor([10, 30, 99]), ended, torch.tensor([True, False, True]))
    clips.fold()
    assert clips.failure_rates.tolist() == pytest.approx([0.5, 0.0])
    assert clips.mean_steps.tolist() == pytest.approx([20.0, 0.0])
    assert clips.has_episodes.tolist() == [True, False]


def random_steps(num_steps: int):
    """Bins, failures and episode lengths of 8 envs."""
    for _ in range(num_steps):
        yield torch.randint(10, (8,)), torch.rand(8) < 0.3, torch.randint(1, 100, (8,))


def record(s: StartSampler, bins, failed, steps) -> None:
    s.record_visits(bins, torch.ones_like(failed))
    s.record_failures(bins, failed)
    s.clips.record(s.bin_clip[bins], steps, torch.ones_like(failed), failed)


def test_two_ranks_that_merge_agree_with_one_that_saw_all():
    torch.manual_seed(0)
    one, ranks = sampler(alpha=0.05), [sampler(alpha=0.05), sampler(alpha=0.05)]
    for rank in ranks:
        rank.share_across_ranks()
    for step, (first, second) in enumerate(zip(random_steps(60), random_steps(60), strict=True)):
        for rank, seen in zip(ranks, (first, second), strict=True):
            record(rank, *seen)
            rank.update()
            record(one, *seen)
        one.update()
        if step % 20 == 19:
            merge(ranks)
    for rank in ranks:
        torch.testing.assert_close(rank.failures, one.failures)
        torch.testing.assert_close(rank.visits, one.visits)
        torch.testing.assert_close(rank.clips.values, one.clips.values)
        torch.testing.assert_close(rank.probabilities(), one.probabilities())


def merge(ranks: list[StartSampler]) -> None:
    """What all_reduce does: first find out what each rank sends, then answer all with the sums."""
    sent: list[list[torch.Tensor]] = []
    for rank in ranks:
        values = [rank._bins._own.clone(), rank.clips._own.clone()]
        sent.append(values)
    sums = [sum(values) for values in zip(*sent, strict=True)]
    for rank in ranks:
        answers = iter(sums)
        rank.merge(lambda tensor, answers=answers: tensor.copy_(next(answers)))


def test_resuming_restores_the_sampler_exactly():
    torch.manual_seed(0)
    build = lambda: sampler(curriculum=ClipCurriculum(torch.arange(3), 100, 0.9))  # noqa: E731
    before, after = build(), build()
    for seen in random_steps(40):
        record(before, *seen)
        before.update()
    after.load_state_dict(before.state_dict())
    for seen in random_steps(10):
        for s in (before, after):
            record(s, *seen)
            s.update()
    assert torch.equal(before.probabilities(), after.probabilities())
    assert torch.equal(before.clips.values, after.clips.values)
    torch.manual_seed(1)
    drawn = before.sample(100)
    torch.manual_seed(1)
    assert all(torch.equal(a, b) for a, b in zip(drawn, after.sample(100), strict=True))


def test_one_clip_without_a_difficulty_does_not_discard_the_given_ones():
    """By content the given ones are at 2, 1 and 4 and would be in another order; 3 lies half way from 2 to 4.

    On the manifest's scale the contents 1, 2, 4 are 10, 20, 60, so 3 becomes 40, and 9 no more than 60.
    """
    found = completed_difficulties([10.0, 60.0, 20.0, None, None], [2.0, 1.0, 4.0, 3.0, 9.0])
    assert found == [10.0, 60.0, 20.0, 40.0, 60.0]


def test_difficulties_are_as_computed_or_as_given_where_there_is_one_kind_only():
    assert completed_difficulties([None, None], [0.3, 0.1]) == [0.3, 0.1]
    assert completed_difficulties([5.0, 4.0], [0.0, 0.0]) == [5.0, 4.0]
    assert completed_difficulties([5.0, None], [0.7, 0.9]) == [5.0, 5.0]


def test_the_curriculum_of_a_task_begins_with_the_clip_that_the_manifest_calls_easiest(monkeypatch):
    """The second of four clips has no difficulty; by content the third would be the easiest."""
    monkeypatch.setattr(factory, "difficulties", lambda library, robot: torch.tensor([3.0, 2.0, 1.0, 4.0]))
    library = SimpleNamespace(num_frames=torch.tensor([60, 60, 60, 60]))
    entries = [
        MotionEntry(Path(f"{name}.npz"), difficulty=d) for name, d in zip("abcd", (1.0, None, 7.0, 9.0), strict=True)
    ]
    cfg = MotionCommandCfg(clip_sampling="curriculum")
    sampler = factory.make_sampler(cfg, library, entries, step_dt=0.02, robot_name="g1")
    assert sampler.clip_probabilities.tolist() == [1.0, 0.0, 0.0, 0.0]
