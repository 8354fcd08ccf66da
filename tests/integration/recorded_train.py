"""``train.py``, recording what this process sees: ``recorded_train.py FOLDER [arguments of train.py]``.

Writes ``rank_<n>.pt``: what every step added to the sampler's counts, the observations of every update, and what the
process knows in the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from whole_body_tracking.rl import training
from whole_body_tracking.rl.ppo import TrackingPPO
from whole_body_tracking.rl.run.distributed import Member
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

record: dict = {"bins": [], "clips": [], "observations": []}
algorithms: list[TrackingPPO] = []
fold, update = StartSampler.update, TrackingPPO.update


def recorded_fold(self: StartSampler) -> None:
    record["bins"].append(self._bins.new.clone())
    record["clips"].append(self.clips.new.clone())
    fold(self)


def recorded_update(self: TrackingPPO) -> dict[str, float]:
    algorithms[:] = [self]
    record["observations"].append(self.storage.observations.flatten(0, 1).clone())
    return update(self)


def main() -> None:
    StartSampler.update, TrackingPPO.update = recorded_fold, recorded_update
    folder, *arguments = sys.argv[1:]
    result = training.train(arguments)
    (algorithm,) = algorithms
    record.update(algorithm=algorithm.save(), alpha=algorithm.sampler.alpha, run_folder=result.run_folder)
    torch.save(record, Path(folder, f"rank_{Member.from_environment().rank}.pt"))


if __name__ == "__main__":
    main()
