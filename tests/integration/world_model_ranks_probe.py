"""``world_model/train.py``, recording what this process sees: ``world_model_ranks_probe.py FOLDER [arguments]``.

Writes ``rank_<n>.pt``: how far the differentiable task is from the environment, what the statistics of the inputs were
taken from, what every step added to the sampler's counts, and what the process knows in the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from world_model_probe import compare

from whole_body_tracking.rl.run.distributed import Member
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler
from whole_body_tracking.world_model import training
from whole_body_tracking.world_model.imagining.dynamics import WorldModel
from whole_body_tracking.world_model.job import WorldModelJob
from whole_body_tracking.world_model.learner import Learner

record: dict = {"bins": []}
fold, fit_model, fit_policy = StartSampler.update, WorldModel.fit_normalizers, Learner.fit_normalizers


class RecordedJob(WorldModelJob):
    """Compares the task with its differentiable form before it trains."""

    def __init__(self, args, env, agent_cfg, run_folder, terms, settings, progress):
        super().__init__(args, env, agent_cfg, run_folder, terms, settings, progress)
        with torch.no_grad():
            record["worst"] = compare(env, terms, settings)
        self.runner.alg.sampler.forget()
        record.update(job=self, names=list(terms.observations))


def recorded_fold(self: StartSampler) -> None:
    if "job" in record and not self.frozen:
        record["bins"].append(self._bins.new.clone())
    fold(self)


def recorded_fit_model(self: WorldModel, state, target, after) -> None:
    record["states"] = state.clone()
    fit_model(self, state, target, after)


def recorded_fit_policy(self: Learner, buffer, observations) -> None:
    record["observations"] = observations.clone()
    fit_policy(self, buffer, observations)


def main() -> None:
    StartSampler.update = recorded_fold
    WorldModel.fit_normalizers, Learner.fit_normalizers = recorded_fit_model, recorded_fit_policy
    training.WorldModelJob = RecordedJob
    folder, *arguments = sys.argv[1:]
    result = training.train_world_model(arguments)
    job = record.pop("job")
    record.update(
        average=job.learner.average.state_dict(),
        learner=job.learner.state(),
        sampler=job.runner.alg.sampler.state_dict(),
        alpha=job.runner.alg.sampler.alpha,
        score=vars(result.curve[-1].score),
        errors=result.curve[-1].errors.scalars(),
        run_folder=str(result.run_folder),
    )
    torch.save(record, Path(folder, f"rank_{Member.from_environment().rank}.pt"))


if __name__ == "__main__":
    main()
