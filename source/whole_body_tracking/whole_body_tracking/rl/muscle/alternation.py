"""Second half of ``train_muscle.py``: MuscleNN in turns with PPO on a task with muscles."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.tasks.tracking.muscle_learning_cfg import MUSCLE_CLASS

from ..cli import parse_args
from ..overrides import OVERRIDE
from ..run.checkpoint_file import load_checkpoint
from ..run.checkpoints import newest_checkpoint
from ..training import train_parser, train_with
from .ppo import MUSCLE_KEY

PRESET = "muscles"
NETWORK = "env.scene.robot.actuators.muscles.muscle_nn"
WIDTHS = "[256,256]"
"""Hidden layers of policy and critic, MASS's."""


@dataclass(frozen=True)
class AlternationResult:
    """What came out of MuscleNN in turns with PPO."""

    run_folder: Path
    exit_code: int
    """0, or 143 after SIGTERM."""
    errors: list[list[float]]
    """Of every iteration: torque errors over the effort limits on states that the policy just visited, of the network,
    which has not learnt from them yet, and of the network as it was given."""


def parse_alternation(argv: Sequence[str], network: Path) -> argparse.Namespace:
    """Parse train.py's arguments, with the muscles, their network and the widths added.

    Args:
        argv: As for train.py; what it says of presets and widths stays.
        network: File of MuscleNN; it need not exist yet.

    Raises:
        ValueError: If they name another network or algorithm, or train.py would not take them.
    """
    added = {
        NETWORK: str(network.absolute()),
        "agent.algorithm.class_name": MUSCLE_CLASS,
        "agent.actor.hidden_dims": WIDTHS,
        "agent.critic.hidden_dims": WIDTHS,
    }
    given = {token.partition("=")[0]: token.partition("=")[2] for token in argv if OVERRIDE.match(token)}
    for name in (NETWORK, "agent.algorithm.class_name"):
        if name in given:
            raise ValueError(f"`{name}` is chosen by train_muscle.py; leave it out. --muscle_nn names a network.")
    presets = [name for name in given.get("presets", "").split(",") if name and name != PRESET]
    tokens = [token for token in argv if not token.startswith("presets=")]
    tokens += [f"presets={','.join([*presets, PRESET])}"]
    tokens += [f"{name}={value}" for name, value in added.items() if name not in given]
    return parse_args(train_parser("MuscleNN in turns with PPO."), tokens)


def alternate(args: argparse.Namespace) -> AlternationResult:
    """Train policy and MuscleNN in turns; the newest network is beside the policy in ``RUN_FOLDER/exported``.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config or motion is wrong.
    """
    result = train_with(args)
    content = load_checkpoint(newest_checkpoint(result.run_folder))
    return AlternationResult(result.run_folder, result.exit_code, content[MUSCLE_KEY]["errors"])
