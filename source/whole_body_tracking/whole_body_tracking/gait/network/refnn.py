"""RefNN: a network from gait parameters and phase to one frame of the motion, and its file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from whole_body_tracking.files import replacing
from whole_body_tracking.motion.npz import read_arrays, write_arrays
from whole_body_tracking.robots import RobotModel

from ..planning.parameters import PARAMETERS
from .layout import output_names

HIDDEN = (512, 512, 512)
METADATA_KEY = "metadata"
MAX_EXAMPLES = 2048
"""Parameters of gaits that a file carries at most."""


@dataclass(frozen=True)
class RefNNFacts:
    """What a network was trained for."""

    robot: str
    outputs: list[str]
    """Names of the outputs, in their order."""
    parameters: dict[str, list[float]]
    """Low and high end of every parameter by name, in the order of the inputs."""
    harmonics: int = 1
    """How many of sin, cos of the phase, of twice the phase and so on are inputs."""
    hidden: list[int] = field(default_factory=lambda: list(HIDDEN))
    num_examples: int = 0
    """Gaits of the data set whose parameters the file carries."""
    is_cascaded: bool = False
    """Whether the network adds to the output of another one, which is in the same file."""
    base: dict | None = None
    """Facts of that one; None if there is none."""
    training: dict = field(default_factory=dict)
    """Preset, iteration and held-out errors."""


class RefNN(nn.Module):
    """Three layers of 512 rectified units, Xavier initialised.

    Inputs are the parameters, scaled to -1 to 1 over their ranges, and sin, cos of 2 pi phase (and of its multiples):
    the phase enters through these alone, so that the motion is continuous where the phase wraps.

    A cascaded network adds to the output of a first one, which sees the parameters within its own ranges.
    """

    low: Tensor
    """Low end of every parameter, shape [num_params]."""
    high: Tensor
    """High end, same shape."""

    def __init__(self, facts: RefNNFacts, base: RefNN | None = None):
        super().__init__()
        if facts.is_cascaded:
            base = RefNN(RefNNFacts(**facts.base)) if base is None else base
        self.facts = facts
        ranges = torch.tensor(list(facts.parameters.values()), dtype=torch.float32)
        self.register_buffer("low", ranges[:, 0].clone(), persistent=False)
        self.register_buffer("high", ranges[:, 1].clone(), persistent=False)
        self.register_buffer("center", ranges.mean(-1))
        # A parameter that never changes says nothing; dividing by 1 keeps its input at 0.
        half = 0.5 * (ranges[:, 1] - ranges[:, 0])
        self.register_buffer("half_range", torch.where(half > 1e-9, half, torch.ones_like(half)))
        self.register_buffer("output_mean", torch.zeros(len(facts.outputs)))
        self.register_buffer("output_std", torch.ones(len(facts.outputs)))
        self.register_buffer("examples", torch.zeros(facts.num_examples, len(ranges)))
        widths = [len(ranges) + 2 * facts.harmonics, *facts.hidden]
        layers = []
        for before, after in zip(widths, widths[1:], strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], len(facts.outputs)))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.base = base
        if base is not None:
            base.requires_grad_(False)

    def forward(self, params: Tensor, phase: Tensor) -> Tensor:
        """Outputs in their units, shape [batch, num_outputs].

        Args:
            params: Gait parameters in their units, shape [batch, num_params].
            phase: Of the cycle, 0 at the left foot's touchdown, 1 at the next, shape [batch].
        """
        outputs = self.normalized(params, phase) * self.output_std + self.output_mean
        return outputs if self.base is None else outputs + self.base_outputs(params, phase)

    def base_outputs(self, params: Tensor, phase: Tensor) -> Tensor:
        """What a cascaded network adds to: the first one's outputs at the nearest parameters that it knows."""
        return self.base(torch.minimum(torch.maximum(params, self.base.low), self.base.high), phase)

    def normalized(self, params: Tensor, phase: Tensor) -> Tensor:
        """The network's own outputs minus their mean over their standard deviation, which the loss compares."""
        angle = 2.0 * torch.pi * phase[:, None] * torch.arange(1, self.facts.harmonics + 1, device=phase.device)
        return self.layers(torch.cat((self.scaled(params), angle.sin(), angle.cos()), dim=-1))

    def scaled(self, params: Tensor) -> Tensor:
        """Parameters as the network sees them: -1 to 1 over their ranges, shape [batch, num_params]."""
        return (params - self.center) / self.half_range


def save_refnn(path: Path, model: RefNN, training: dict) -> None:
    """Write a network with its facts as plain arrays; nothing in the file is executed when it is read."""
    facts = asdict(model.facts) | {"training": training}
    arrays = {name: values.detach().cpu().numpy() for name, values in model.state_dict().items()}
    with replacing(path) as partial:
        write_arrays(partial, arrays | {METADATA_KEY: np.array(json.dumps(facts))})


def load_refnn(path: Path, robot: RobotModel) -> RefNN:
    """Read a network, with the one that it adds to if it is cascaded.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not one, is of another robot or layout, or lacks arrays.
    """
    if not path.is_file():
        raise FileNotFoundError(f"RefNN {path} does not exist. Train one with scripts/gait/train_forward_gaitnet.py.")
    arrays = read_arrays(path)
    if METADATA_KEY not in arrays:
        raise ValueError(f"{path} is no RefNN: it lacks '{METADATA_KEY}'. Train one with train_forward_gaitnet.py.")
    facts = _facts(path, json.loads(str(arrays.pop(METADATA_KEY))), robot)
    model = RefNN(facts)
    wanted = {name: tuple(values.shape) for name, values in model.state_dict().items()}
    found = {name: values.shape for name, values in arrays.items()}
    if wanted != found:
        wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise ValueError(f"{path} does not fit its own metadata: {wrong} are missing, unknown or misshapen.")
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise ValueError(f"{path} holds values that are not finite. Train it again, or take an earlier checkpoint.")
    model.load_state_dict({name: torch.from_numpy(values) for name, values in arrays.items()})
    return model.eval()


def _facts(path: Path, content: dict, robot: RobotModel) -> RefNNFacts:
    known = {item.name for item in fields(RefNNFacts)}
    if content.keys() - known or {"robot", "outputs", "parameters"} - content.keys():
        raise ValueError(
            f"{path} says {sorted(content)} of itself, expected {sorted(known)}. Train it again with this version."
        )
    facts = RefNNFacts(**content)
    if facts.robot != robot.name or facts.outputs != output_names(robot):
        raise ValueError(
            f"{path} is a RefNN of {facts.robot} with {len(facts.outputs)} outputs, and the robot is {robot.name} with"
            f" {len(output_names(robot))}. Train one on a data set of {robot.name}."
        )
    if list(facts.parameters) != list(PARAMETERS):
        raise ValueError(
            f"{path} has the parameters {list(facts.parameters)}, expected {list(PARAMETERS)}. Train it again."
        )
    if facts.is_cascaded != (facts.base is not None):
        raise ValueError(f"{path}: `is_cascaded` is {facts.is_cascaded}, but facts of a first network are"
                         f" {'there' if facts.base else 'missing'}. Train it again with --base.")  # fmt: skip
    if facts.base is not None:
        _facts(path, facts.base, robot)
    return facts
