"""Where episodes start."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

pytestmark = pytest.mark.unit


def sampler(lengths=(120, 60, 251), **kwargs) -> StartSampler:
    return StartSampler(torch.tensor(lengths), frames_per_bin=50, **kwargs)


def test_bins_cover_every_start_frame_once():
    cut = sampler()
    starts = [
        (int(clip), int(start) + k)
        for clip, start, length in zip(cut.bin_clip, cut.bin_start, cut.bin_length, strict=True)
        for k in range(int(length))
    ]
    assert sorted(starts) == [(clip, f) for clip, num in enumerate((120, 60, 251)) for f in range(num - 1)]
    assert int(cut.bin_length.max()) <= 50


@given(
    failures=st.lists(st.floats(0, 1e6), min_size=10, max_size=10),
    visits=st.lists(st.floats(0, 1e6), min_size=10, max_size=10),
    kernel_size=st.integers(1, 4),
    strategy=st.sampled_from(["adaptive", "return", "beyondmimic", "uniform", "first"]),
)
@settings(max_examples=100, deadline=None)
def test_probabilities_are_a_distribution_for_any_counts(failures, visits, kernel_size, strategy):
    s = sampler(kernel_size=kernel_size, strategy=strategy)
    s.failures[:] = torch.tensor(failures)[: s.num_bins]
    s.visits[:] = torch.tensor(visits)[: s.num_bins]
    p = s.probabilities()
    assert torch.isfinite(p).all() and (p >= 0).all()
    assert p.sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("num_envs", [16, 4096])
def test_uniform_floor_does_not_depend_on_the_number_of_envs(num_envs):
    s = sampler(uniform_ratio=0.2, alpha=0.01)
    for _ in range(50):  # every env fails in bin 0, all the time
        bins = torch.zeros(num_envs, dtype=torch.long)
        s.record_visits(bins, torch.ones(num_envs, dtype=torch.bool))
        s.record_failures(bins, torch.ones(num_envs, dtype=torch.bool))
        s.update()
    p = s.probabilities()
    assert p.min().item() == pytest.approx(0.2 / s.num_bins, rel=1e-4)
    assert p[0].item() == pytest.approx(0.8 + 0.2 / s.num_bins, rel=1e-4)


def test_the_floor_of_beyondmimic_does_depend_on_it():
    """The defect that the rates mend: with counts, the uniform share shrinks as envs are added."""
    floors = []
    for num_envs in (16, 4096):
        s = sampler(strategy="beyondmimic", alpha=0.01)
        s.record_failures(torch.zeros(num_envs, dtype=torch.long), torch.ones(num_envs, dtype=torch.bool))
        s.update()
        floors.append(s.probabilities().min().item())
    assert floors[1] < 0.05 * floors[0]


def test_rates_are_failures_over_visits():
    s = sampler(alpha=0.5)
    s.record_visits(torch.tensor([0, 0, 0, 0, 1]), torch.ones(5, dtype=torch.bool))
    s.record_failures(torch.tensor([0]), torch.tensor([True]))
    s.update()
    assert s.failure_rates[:3].tolist() == pytest.approx([0.25, 0.0, 0.0])


def test_kernel_looks_ahead_and_stays_in_the_clip():
    s = sampler(kernel_size=2, kernel_lambda=0.5, uniform_ratio=0.0)
    last_of_clip_0 = int((s.bin_clip == 0).nonzero()[-1])
    s.visits[:] = 1.0
    s.failures[last_of_clip_0 + 1] = 1.0  # first bin of clip 1
    assert s.probabilities()[last_of_clip_0].item() == 0.0
    s.failures.zero_()
    s.failures[last_of_clip_0] = 1.0
    p = s.probabilities()
    # the bin before sees it at weight 0.5; the last bin sees itself twice (replicated border): 1 + 0.5
    assert (p[last_of_clip_0 - 1] / p[last_of_clip_0]).item() == pytest.approx(0.5 / 1.5)


@pytest.mark.parametrize("strategy", ["adaptive", "return", "uniform", "first", "beyondmimic"])
def test_every_start_has_a_successor_in_its_clip(strategy):
    s = sampler((2, 51, 52, 300), strategy=strategy)
    clips, frames = s.sample(20_000)
    assert (frames >= 0).all()
    assert (frames + 1 < torch.tensor([2, 51, 52, 300])[clips]).all()
    assert set(clips.tolist()) == {0, 1, 2, 3}


def test_state_survives_a_checkpoint_and_frozen_statistics_stay():
    a, b = sampler(), sampler()
    a.record_visits(torch.arange(4), torch.ones(4, dtype=torch.bool))
    a.update()
    b.load_state_dict(a.state_dict())
    assert torch.equal(a.visits, b.visits) and a.visits.sum() > 0
    b.frozen = True
    b.record_visits(torch.arange(4), torch.ones(4, dtype=torch.bool))
    b.update()
    assert torch.equal(a.visits, b.visits)


def test_checkpoint_of_other_clips_is_refused():
    with pytest.raises(ValueError, match=r"3 clips in 10 bins but the motions given now make 1 clips in 10 bins"):
        sampler((500,)).load_state_dict(sampler().state_dict())


def test_a_one_frame_clip_is_refused():
    with pytest.raises(ValueError, match="at least 2 frames"):
        sampler((1,))


def test_the_old_name_of_a_strategy_is_an_alias_and_an_unknown_one_is_refused():
    assert sampler(strategy="ancestor").strategy == "beyondmimic"
    with pytest.raises(ValueError, match="start_sampling: 'adaptve'.*Did you mean 'adaptive'"):
        sampler(strategy="adaptve")


def test_statistics_of_inference_mode_can_be_written_to_outside_of_it():
    s, yes = sampler(), torch.ones(4, dtype=torch.bool)
    s.share_across_ranks()
    with torch.inference_mode():
        s.record_visits(torch.arange(4), yes)
        s.record_failures(torch.arange(4), yes)
        s.clips.record(torch.zeros(4, dtype=torch.long), torch.arange(4), yes, yes)
        s.update()
    s.merge(lambda tensor: tensor)
    s.update()
    s.load_state_dict(sampler().state_dict())
    assert s.visits.sum() == 0.0


def test_frames_left_in_a_bin():
    """Clips of 120 and 60 frames: bins 0 to 49, 50 to 99, 100 to 119; 0 to 49, 50 to 59."""
    cut = sampler((120, 60))
    clips, frames = torch.tensor([0, 0, 0, 0, 0, 1, 1]), torch.tensor([0, 49, 50, 118, 119, 49, 52])
    assert cut.frames_left(clips, frames).tolist() == [49, 0, 49, 1, 0, 0, 7]


def test_bins_that_earn_little_are_drawn_more_often():
    """Bin 0: steps that earn 1 and 0.5, 1.5 of 2. Bin 1: a step that earns 0.4 and fails with 3 frames left, 0.4 of 4.

    Rates are 0.25 and 0.9, nothing elsewhere; shares 0.9 / 1.15 of the 90 % that are not uniform.
    """
    s, yes = sampler((251,), strategy="return", alpha=0.5), torch.tensor([True])
    bins, rewards = torch.tensor([0, 0, 2, -1]), torch.tensor([1.3, 0.5, 0.0, 0.0])
    s.earnings.record(bins, rewards, torch.tensor([True, True, False, False]))
    s.earnings.record(torch.tensor([1]), torch.tensor([0.4]), yes, lost=torch.tensor([3]))
    s.update()
    assert s.earnings.shares.tolist() == pytest.approx([0.75, 0.1, 1.0, 1.0, 1.0])
    p = s.probabilities()
    assert p[:3].tolist() == pytest.approx([0.9 * 0.25 / 1.15 + 0.02, 0.9 * 0.9 / 1.15 + 0.02, 0.02], rel=1e-5)
    assert s.metrics()["sampling_earned_share"].item() == pytest.approx((0.75 + 0.1) / 2)  # of those visited
    other = sampler((251,), strategy="return")
    other.load_state_dict(s.state_dict())
    assert torch.equal(other.probabilities(), p)
    other.forget()
    assert other.probabilities().tolist() == pytest.approx([0.2] * 5)


def test_what_is_earned_can_be_merged_and_is_not_kept_by_other_strategies():
    """A rank that saw the step and one that did not agree on it after a merge."""
    ranks = [sampler((251,), strategy="return", alpha=0.5) for _ in range(2)]
    for s in ranks:
        s.share_across_ranks()
    ranks[0].earnings.record(torch.tensor([1]), torch.tensor([0.4]), torch.tensor([True]))
    for s in ranks:
        s.update()
    own = [total._own.clone() for s in ranks for total in s._totals]
    sums = [first + second for first, second in zip(own[:3], own[3:], strict=True)]
    for s in ranks:
        left = iter(sums)
        s.merge(lambda tensor, left=left: tensor.copy_(next(left)))
    assert ranks[0].earnings.shares[1].item() == pytest.approx(0.4)
    assert torch.equal(ranks[0].earnings.shares, ranks[1].earnings.shares)
    plain = sampler((251,))
    assert plain.earnings is None and "earnings" not in plain.state_dict()
    ranks[0].load_state_dict(plain.state_dict())  # a run may be gone on with another strategy
    plain.load_state_dict(ranks[0].state_dict())
