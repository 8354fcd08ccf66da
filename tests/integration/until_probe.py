"""``train.py --until``, recording what it acts on: ``until_probe.py FOLDER [flags]``.

Writes ``until.pt``: for every scoring, the observations right after it and those that the next action is for; the step
counter before and after; and what the sampler has counted.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from whole_body_tracking.rl import training
from whole_body_tracking.rl.learning.scoring import Scorer
from whole_body_tracking.rl.ppo import TrackingPPO

record: dict = {"seen": [], "acted_on": [], "steps": [], "counted": [], "normalizer": []}
act, continue_from, score = TrackingPPO.act, TrackingPPO.continue_from, Scorer.score
pending: list[bool] = []


def recorded_score(self: Scorer):
    env, normalizer = self.env.unwrapped, algorithms[0].get_policy().obs_normalizer
    before, seen, counts = env.common_step_counter, int(normalizer.count), self.motion.sampler.clips.new.clone()
    found = score(self)
    record["steps"].append((before, env.common_step_counter))
    record["normalizer"].append((seen, int(normalizer.count)))
    record["counted"].append((counts, self.motion.sampler.clips.new.clone()))
    return found


def recorded_continue(self: TrackingPPO, obs) -> None:
    record["seen"].append(obs["policy"].clone())
    pending.append(True)
    continue_from(self, obs)


algorithms: list[TrackingPPO] = []


def recorded_act(self: TrackingPPO, obs):
    algorithms[:] = [self]
    if pending:
        pending.clear()
        record["acted_on"].append(obs["policy"].clone())
    return act(self, obs)


def main() -> None:
    Scorer.score, TrackingPPO.continue_from, TrackingPPO.act = recorded_score, recorded_continue, recorded_act
    folder, *arguments = sys.argv[1:]
    training.train(arguments)
    torch.save(record, Path(folder, "until.pt"))


if __name__ == "__main__":
    main()
