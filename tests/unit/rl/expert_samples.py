"""Run folders of experts with tiny networks, and tables of them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import yaml
from rsl_rl.models import MLPModel
from tensordict import TensorDict

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.rl.experts.table import Expert, ExpertTable

NUM_OBS, NUM_ACTIONS = 5, 3
TASK = "Tracking-Flat-G1-v0"
SETTINGS = {"hidden_dims": [32, 16], "activation": "elu", "obs_normalization": True}
SPEC = {
    "task": TASK, "control_dt": 0.02, "action_kind": "default_relative", "action_clip": None, "joint_names": ["knee"],
    "action_scale": [0.5], "default_joint_pos": [0.0], "observations": [{"name": "command", "dim": NUM_OBS}],
}  # fmt: skip


def make_model(seed: int) -> MLPModel:
    """A tiny actor whose normaliser has seen something."""
    torch.manual_seed(seed)
    obs = TensorDict({"policy": torch.randn(32, NUM_OBS) * (1 + seed) + seed}, batch_size=[32])
    noise = {"class_name": "GaussianDistribution", "init_std": 0.3}
    model = MLPModel(obs, {"actor": ["policy"]}, "actor", NUM_ACTIONS, **SETTINGS, distribution_cfg=noise)
    model.train()
    model.update_normalization(obs)
    return model.eval()


def make_run(folder: Path, seed: int = 0, sha256: str = "", **spec) -> Path:
    """Run folder of an expert."""
    for name in ("params", "exported"):
        (folder / name).mkdir(parents=True)
    model = make_model(seed)
    torch.save({"actor_state_dict": model.state_dict(), "iter": 3}, folder / "model_3.pt")
    noise = {"class_name": "GaussianDistribution", "init_std": 0.3, "std_range": (0.0, 1.0)}
    actor = SETTINGS | {"class_name": "MLPModel", "distribution_cfg": noise}
    (folder / "params" / "agent.yaml").write_text(yaml.dump({"actor": actor}))
    (folder / "exported" / "policy.json").write_text(json.dumps(SPEC | spec))
    (folder / "provenance.json").write_text(json.dumps({"clips": [{"sha256": sha256}]}))
    return folder


def make_table(folder: Path, clips: list[MotionClip], **specs) -> ExpertTable:
    """Table with an expert of each clip, which are saved beside it."""
    experts = []
    for seed, clip in enumerate(clips):
        file = clip.save(folder / "clips" / f"{clip.name}.npz")
        run = make_run(folder / clip.name, seed, clip.digest, **specs.get(clip.name, {}))
        experts.append(Expert(clip.name, clip.digest, TASK, run, "model_3.pt", Path(file)))
    table = ExpertTable(folder / "experts.yaml", ("--task", TASK), tuple(experts))
    table.save()
    return table
