"""docs/how_it_works.md: its numbers are the code's."""

import pytest
import torch
from doc_pages import DOCS, section, table_rows

from whole_body_tracking.tasks.tracking.config.g1.agents.rsl_rl_ppo_cfg import G1TrackingPPORunnerCfg
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TRACKING_TERMS, RewardsCfg, TrackingEnvCfg
from whole_body_tracking.tracking.errors import exp_kernel

pytestmark = pytest.mark.unit

PAGE = (DOCS / "how_it_works.md").read_text()


def test_the_table_of_the_kernel():
    """exp(-(e / sigma)^2) for an error in units of sigma."""
    lines = {row[0]: row[1:] for line in PAGE.splitlines() if line.startswith("| ") for row in [cells(line)]}
    errors, rewards = lines["e / sigma"], lines["reward"]
    computed = exp_kernel(0.3**2 * torch.tensor([float(value) for value in errors]).square(), 0.3)
    assert rewards == [f"{value:.3f}" for value in computed.tolist()]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_sigmas_and_weights_are_those_of_the_task():
    rows = table_rows(section("how_it_works.md", "Rewards"))[-len(TRACKING_TERMS) :]
    for name, (_, sigma, weight) in zip(TRACKING_TERMS, rows, strict=True):
        term = getattr(RewardsCfg(), name)
        assert (float(sigma.split()[0]), float(weight)) == (term.params["std"], term.weight), name
    assert "weights add up to 5," in PAGE and sum(getattr(RewardsCfg(), name).weight for name in TRACKING_TERMS) == 5.0


def test_numbers_of_ppo_are_those_of_the_agent():
    agent = G1TrackingPPORunnerCfg()
    algorithm = agent.algorithm
    assert f"{agent.num_steps_per_env * TrackingEnvCfg().scene.num_envs:,} samples" in PAGE
    assert f"every environment steps {agent.num_steps_per_env} times" in PAGE
    assert f"in {algorithm.num_mini_batches} mini-batches, {algorithm.num_learning_epochs} times" in PAGE
    assert f"`gamma = {algorithm.gamma}`" in PAGE and f"`lambda = {algorithm.lam}`" in PAGE
    assert algorithm.gamma * algorithm.lam == pytest.approx(0.9405) and round(1 / (1 - 0.9405)) == 17
    assert f"between {1 - algorithm.clip_param} and {1 + algorithm.clip_param}" in PAGE
    assert f"`desired_kl={algorithm.desired_kl}`" in PAGE


def test_shares_of_the_sampler_are_those_that_are_tested():
    """tests/unit/tasks/test_sampling_convergence.py plays them."""
    rows = dict((row[0], [float(value) for value in row[1:]]) for row in table_rows(PAGE) if len(row) == 5)
    rates, shares = rows["chance to fail"], rows["share of starts"]
    assert shares == pytest.approx([0.9 * rate / sum(rates) + 0.1 / 4 for rate in rates])
