"""A RefNN that was not trained: small smooth motions about a standing pose, walking at the wanted speed."""

from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.gait.network.layout import NUM_ROOT, output_names
from whole_body_tracking.gait.network.refnn import RefNN, RefNNFacts, save_refnn
from whole_body_tracking.robots import G1

RANGES = {
    "speed": [0.1, 0.8],
    "cadence": [80.0, 130.0],
    "step_width": [0.16, 0.24],
    "clearance": [0.04, 0.09],
    "double_support": [0.2, 0.32],
    "pelvis_height": [0.64, 0.76],
    "torso_pitch": [0.0, 0.15],
    "pelvis_yaw": [0.0, 0.1],
    "arm_swing": [0.1, 0.8],
    "turn_rate": [-0.4, 0.4],
    "lateral_speed": [-0.1, 0.1],
}


def small_refnn(seed: int = 0, **changes) -> RefNN:
    """Outputs within about 0.05 of standing; the pelvis height is 0.76 - 0.1 speed in the examples."""
    torch.manual_seed(seed)
    facts = {"robot": G1.name, "outputs": output_names(G1), "parameters": RANGES, "hidden": [32], "num_examples": 64}
    model = RefNN(RefNNFacts(**(facts | changes)))
    low, high = np.array(list(RANGES.values())).T
    examples = np.random.default_rng(seed).uniform(low, high, (64, len(RANGES)))
    examples[:, 5] = 0.76 - 0.1 * examples[:, 0]
    standing = [0.75, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.4, 0.0, 0.0]
    assert len(standing) == NUM_ROOT
    model.examples.copy_(torch.from_numpy(examples[: len(model.examples)]))
    model.output_mean.copy_(torch.tensor([*standing, *G1.default_joint_pos]))
    model.output_std.fill_(0.05)
    return model.eval().requires_grad_(False)


def save_small_refnn(path: Path, **changes) -> Path:
    """Write it."""
    save_refnn(path, small_refnn(**changes), {})
    return path
