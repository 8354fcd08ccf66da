"""Train on three clips for a few iterations on one engine with several presets, and write the results.

An engine needs a process of its own, so the test runs this file as a program:
``many_motions_probe.py ENGINE PRESET MANIFEST OUT.json [key=value ...]``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from isaaclab_rl.entrypoints.common import add_common_train_args

from whole_body_tracking.export.env_spec import observation_terms
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.run.clip_table import clip_rows
from whole_body_tracking.rl.runner import TrackingRunner
from whole_body_tracking.rl.session import resolve_configs, tracking_env

TASK = "Tracking-Flat-G1-Multi-v0"
NUM_ENVS = 16
NUM_ITERATIONS = 30


class IndexWatch:
    """Counts reference frames outside their clip after every step."""

    def __init__(self, env):
        self.motion = env.unwrapped.command_manager.get_term("motion")
        self.num_outside = torch.zeros((), dtype=torch.long)
        self.clips_seen: set[int] = set()
        step = env.unwrapped.step
        env.unwrapped.step = lambda actions: self._look(step(actions))

    def _look(self, result):
        motion = self.motion
        last = motion.library.num_frames[motion.clip_ids] - 1
        self.num_outside += ((motion.frames < 1) | (motion.frames > last)).sum()
        self.clips_seen |= set(motion.clip_ids.tolist())
        return result


def main(engine: str, preset: str, manifest: str, out: Path, overrides: list[str]) -> None:
    parser = argparse.ArgumentParser()
    add_common_train_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="")
    presets = [] if preset == "none" else [f"presets={preset}"]
    flags = ["--task", TASK, "--motion_file", manifest, "--device", "cpu", "--num_envs", str(NUM_ENVS), "--seed", "1"]
    args = parse_args(parser, [*flags, f"physics={engine}", *presets, *overrides])
    env_cfg, agent_cfg = resolve_configs(args)
    with tracking_env(args, env_cfg, agent_cfg) as env:
        torch.manual_seed(1)
        watch = IndexWatch(env)
        runner = TrackingRunner(env, agent_cfg.to_dict(), log_dir=None, device="cpu")
        runner.learn(NUM_ITERATIONS, init_at_random_ep_len=False)
        obs = env.get_observations()
        exported = runner.alg.get_policy().as_onnx(verbose=False).eval()
        with torch.inference_mode():
            actions = runner.get_inference_policy(device="cpu")(obs)
            difference = (exported.cpu()(obs["policy"]) - actions).abs().max()
        result = {
            "widths": {name: obs[name].shape[1] for name in ("policy", "critic")},
            "terms": [term.name for term in observation_terms(env.unwrapped)],
            "finite": bool(torch.isfinite(actions).all()),
            "export_difference": float(difference),
            "num_outside": int(watch.num_outside),
            "clips_seen": sorted(watch.clips_seen),
            "rows": clip_rows(watch.motion, env.unwrapped.step_dt),
        }
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5:])
