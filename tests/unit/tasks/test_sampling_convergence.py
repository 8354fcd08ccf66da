"""Where the adaptive sampler settles for a made-up profile of failures; docs/how_it_works.md has the numbers."""

import pytest
import torch
from torch import Tensor

from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

pytestmark = pytest.mark.unit

PROFILE = [0.0, 0.1, 0.3, 0.6]
"""Probability that an episode fails on its way through each bin of a clip of four."""
SETTLED = [0.025, 0.115, 0.295, 0.565]
"""0.9 * rate / (0 + 0.1 + 0.3 + 0.6) + 0.1 / 4."""
WALL = [0.1, 1.0, 0.0, 0.0]
"""Nobody gets past the second bin: what comes after it is seen by those who start there only."""


def make_sampler(num_bins: int, uniform_ratio: float) -> StartSampler:
    """A clip of bins of one frame each; the averages remember some 50 steps."""
    return StartSampler(torch.tensor([num_bins + 1]), 1, uniform_ratio=uniform_ratio, alpha=0.02)


def play(sampler: StartSampler, profile: list[float], num_steps: int, num_envs: int = 2048) -> None:
    """Let envs walk through the clip, one bin per step, and start again where the sampler says once they end."""
    rates, random = torch.tensor(profile), torch.Generator().manual_seed(0)
    bins = draw(sampler, num_envs)
    for _ in range(num_steps):
        sampler.record_visits(bins, torch.ones(num_envs, dtype=torch.bool))
        failed = torch.rand(num_envs, generator=random) < rates[bins]
        ended = failed | (bins == len(profile) - 1)
        sampler.record_failures(bins[ended], failed[ended])
        sampler.update()
        bins = bins + 1
        bins[ended] = draw(sampler, int(ended.sum()))


def draw(sampler: StartSampler, num: int) -> Tensor:
    return sampler.bin_of(*sampler.sample(num))


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("num_envs", [256, 4096])
def test_shares_settle_where_the_rates_say_whatever_the_number_of_envs(num_envs):
    sampler = make_sampler(4, uniform_ratio=0.1)
    play(sampler, PROFILE, num_steps=400, num_envs=num_envs)
    assert sampler.failure_rates.tolist() == pytest.approx(PROFILE, abs=0.03)
    assert sampler.probabilities().tolist() == pytest.approx(SETTLED, abs=0.03)


def test_they_settle_there_from_wrong_statistics_too():
    """Rates are failures over visits, so being drawn more often does not make a bin look harder: no feedback."""
    sampler = make_sampler(4, uniform_ratio=0.1)
    sampler.visits[:], sampler.failures[:] = 100.0, torch.tensor([100.0, 0.0, 0.0, 0.0])
    assert sampler.probabilities()[0].item() == pytest.approx(0.925)
    play(sampler, PROFILE, num_steps=600)
    assert sampler.probabilities().tolist() == pytest.approx(SETTLED, abs=0.03)


def test_counts_instead_of_rates_settle_elsewhere():
    """BeyondMimic's rule: a bin that is drawn more often fails more often, and the share of a bin feeds on itself."""
    sampler = StartSampler(torch.tensor([5]), 1, strategy="ancestor", uniform_ratio=0.1, alpha=0.02)
    play(sampler, PROFILE, num_steps=400)
    assert sampler.probabilities()[3].item() > SETTLED[3] + 0.1


def test_a_floor_keeps_every_bin_visited():
    sampler = make_sampler(4, uniform_ratio=0.1)
    play(sampler, WALL, num_steps=400)
    starts = sampler.probabilities()
    assert starts.min().item() == pytest.approx(0.1 / 4, abs=1e-3)
    assert (sampler.visits > 0.02 * 2048 * 0.5).all(), "at least half of what the floor gives, per step"


def test_without_a_floor_what_lies_behind_a_wall_is_lost():
    """And with it what the policy forgets there is never noticed: the floor is what finds it again."""
    without, with_floor = make_sampler(4, uniform_ratio=0.0), make_sampler(4, uniform_ratio=0.1)
    forgotten = [*WALL[:3], 0.8]
    for sampler in (without, with_floor):
        play(sampler, WALL, num_steps=400)
        play(sampler, forgotten, num_steps=400)
    assert without.probabilities()[2:].tolist() == [0.0, 0.0]
    # 0.9 * 0.8 / (0.1 + 1 + 0 + 0.8) + 0.1 / 4 = 0.404
    assert with_floor.probabilities()[3].item() == pytest.approx(0.404, abs=0.03)
