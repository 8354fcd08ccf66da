"""One of several processes that learn from known data over gloo: ``shared_statistics_probe.py OUT_FOLDER``.

Which one it is, and of how many, is in torchrun's environment variables. Each takes its share of the envs; a process
that is alone takes all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict

from whole_body_tracking.rl.embedding_model import MotionEmbeddingModel
from whole_body_tracking.rl.run import distributed
from whole_body_tracking.tasks.tracking.mdp.start_sampling.curriculum import ClipCurriculum
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

NUM_ENVS, NUM_STEPS, NUM_UPDATES, NUM_CLIPS, WIDTH = 8, 24, 6, 3, 5


def make_sampler() -> StartSampler:
    return StartSampler(torch.tensor([31, 11, 21]), 10, alpha=0.02)


def make_model(kind: type[MLPModel], **kwargs) -> MLPModel:
    obs = TensorDict({"policy": observations(torch.Generator().manual_seed(0), 2)[0]}, batch_size=2)
    return kind(obs, {"actor": ["policy"]}, "actor", 2, hidden_dims=[4], obs_normalization=True, **kwargs)


def observations(generator: torch.Generator, num_envs: int) -> torch.Tensor:
    """Observations far from zero in unlike units, then a one-hot clip id, shape [NUM_STEPS, num_envs, columns]."""
    scale = torch.tensor([1.0, 1e-2, 1e2, 1.0, 30.0])
    values = scale * (torch.randn(NUM_STEPS, num_envs, WIDTH, generator=generator) + 3.0)
    ids = torch.randint(NUM_CLIPS, (NUM_STEPS, num_envs), generator=generator)
    return torch.cat((values, torch.nn.functional.one_hot(ids, NUM_CLIPS)), dim=-1)


def episodes(generator: torch.Generator, sampler: StartSampler) -> list[torch.Tensor]:
    """Bins, whether entered, ended and failed, and steps survived, each of shape [NUM_STEPS, NUM_ENVS]."""
    shape = (NUM_STEPS, NUM_ENVS)
    chances = [torch.rand(shape, generator=generator) < p for p in (0.4, 0.3, 0.6)]
    return [
        torch.randint(sampler.num_bins, shape, generator=generator),
        *chances,
        torch.randint(1, 500, shape, generator=generator),
    ]


def step(sampler: StartSampler, bins, entered, ended, failed, lengths) -> None:
    sampler.record_visits(bins, entered)
    sampler.record_failures(bins, ended & failed)
    sampler.clips.record(sampler.bin_clip[bins], lengths, ended, failed)
    sampler.update()


def learn(member: distributed.Member) -> dict:
    """What a process knows after the last update."""
    sampler = make_sampler()
    models = [make_model(MLPModel), make_model(MotionEmbeddingModel, num_motions=NUM_CLIPS)]
    if not member.is_alone:
        sampler.share_across_ranks()
    mine = slice(member.rank, None, member.size)
    generator = torch.Generator().manual_seed(1)
    for _ in range(NUM_UPDATES):
        seen, obs = episodes(generator, sampler), observations(generator, NUM_ENVS)[:, mine]
        for values in zip(*seen, strict=True):
            step(sampler, *(value[mine] for value in values))
        if not member.is_alone:
            sampler.merge(torch.distributed.all_reduce)
        for model in models:
            model.update_normalization(TensorDict({"policy": obs.flatten(0, 1)}, batch_size=obs.shape[:2].numel()))
    buffers = {f"{i}.{k}": v for i, model in enumerate(models) for k, v in model.obs_normalizer.named_buffers()}
    return {"sampler": sampler.state_dict() | {"probabilities": sampler.probabilities()}, "normalizers": buffers}


def curriculum_level(member: distributed.Member) -> float:
    """Level of a curriculum that rose in the first process only, after a merge."""
    sampler = StartSampler(torch.tensor([11, 11]), 10, curriculum=ClipCurriculum(torch.arange(2.0), 10, 0.5))
    sampler.curriculum.level.fill_(0.4 if member.is_first else 0.2)
    sampler.merge(torch.distributed.all_reduce)
    return float(sampler.curriculum.level)


def refusal(member: distributed.Member) -> str | None:
    """What a process is told that has other motions than the first."""
    distributed.require_same("numbers", [1, 2])
    try:
        distributed.require_same("motions", ["squat", "walk"][member.rank])
    except ValueError as error:
        return str(error)
    return None


def agreements(member: distributed.Member) -> dict:
    return {
        "decided": distributed.decided_by_first(lambda: {"folder": Path("run"), "by": member.rank}),
        "largest": distributed.largest(7 if member.rank == 1 else -1),
        "curriculum_level": curriculum_level(member),
        "refusal": refusal(member),
    }


def main() -> None:
    torch.set_num_threads(1)
    member = distributed.Member.from_environment()
    if not member.is_alone:
        distributed.meet("cpu")
    found = learn(member) | ({} if member.is_alone else agreements(member))
    torch.save(found, Path(sys.argv[1], f"{member.rank}_of_{member.size}.pt"))
    distributed.leave()


if __name__ == "__main__":
    main()
