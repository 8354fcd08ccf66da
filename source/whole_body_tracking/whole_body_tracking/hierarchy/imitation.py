"""A network that does what another selector does, to begin PPO with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from tensordict import TensorDict

from .env import CourseEnv
from .evaluating import Selector

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

NOISE = 0.3
"""Of speed and turn rate, -1 to 1, while decisions are collected: so that states beside the teacher's way are seen."""
STEPS, BATCH, RATE = 1500, 512, 1.0e-3
"""Of the regression after the last decision."""


def imitate(actor: MLPModel, env: CourseEnv, teacher: Selector, decisions: int) -> float:
    """Fit an actor's mean to a teacher's actions (DAgger with a teacher that drives).

    Half of the robots begin late in their course, so that its end is seen as often as its beginning.

    Args:
        actor: With observation statistics of its own.
        env: Where decisions are collected, so many for every robot.
        teacher: Says what would be right.
        decisions: For every robot.

    Returns:
        Root mean square error of the actions.
    """
    seen, wanted = collect(env, teacher, decisions)
    actor.obs_normalizer.update(seen)
    actor.eval()  # statistics stay
    optimizer = torch.optim.Adam(actor.mlp.parameters(), lr=RATE)
    for _ in range(STEPS):
        rows = torch.randint(len(seen), (BATCH,))
        loss = (_mean(actor, seen[rows]) - wanted[rows]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        error = (_mean(actor, seen) - wanted).square().mean().sqrt()
    actor.train()
    return float(error)


def keep_statistics(actor: MLPModel) -> None:
    """Leave the statistics of an actor's observations as they are: others would make another policy of it."""
    actor.obs_normalizer.until = 0


@torch.no_grad()
def collect(env: CourseEnv, teacher: Selector, decisions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Observations and the teacher's actions, shapes [decisions * num_envs, ...]; robots do these with some noise."""
    env.reset_all()
    env.course.reached = torch.arange(env.num_envs) % 2 * (env.cfg.course.num_goals - 1)
    observations, seen, wanted = env.get_observations(), [], []
    for _ in range(decisions):
        actions = teacher(observations)
        seen.append(observations["policy"])
        wanted.append(actions)
        noise = torch.zeros_like(actions)
        noise[:, len(env.skills) :] = NOISE * torch.randn(env.num_envs, actions.shape[1] - len(env.skills))
        observations, *_ = env.step(actions + noise)
    return torch.cat(seen), torch.cat(wanted)


def _mean(actor: MLPModel, observations: torch.Tensor) -> torch.Tensor:
    return actor(TensorDict({"policy": observations}, batch_size=[len(observations)]))
