"""MuscleNN: the network that finds activations for desired torques, and its checkpoints without code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from whole_body_tracking.files import replacing
from whole_body_tracking.robots import RobotModel

from .muscle_pairs import MusclePairs

FORMAT = "muscle_nn"
HIDDEN = (1024, 512, 512)
SLOPE = 0.2
"""Of the leaky rectifiers for negative inputs."""
LEAK = 0.1
"""Slope of activations outside [0, 1], in the first half of the training; it falls to zero meanwhile."""


@dataclass(frozen=True)
class MuscleNNFacts:
    """What a network belongs to."""

    robot: str
    joint_names: tuple[str, ...]
    hidden: tuple[int, ...] = HIDDEN


class MuscleNN(nn.Module):
    """(J^T A, desired torque) -> activations in [0, 1], all joints at once.

    The layout is MASS's (Lee, Park, Lee, Lee, "Scalable Muscle-actuated Human Simulation and Control", SIGGRAPH 2019):
    three hidden layers of leaky rectifiers. At the end MASS has tanh and a rectifier, which died in training here (all
    muscles at rest after 100 iterations), so activations are clamped instead.
    """

    def __init__(self, facts: MuscleNNFacts, effort_limit: Tensor):
        """Untrained weights.

        Args:
            facts: Robot, joints and widths.
            effort_limit: What torques are divided by [N m], shape [num_joints].
        """
        super().__init__()
        self.facts, self.leak = facts, LEAK
        self.register_buffer("effort_limit", effort_limit.clone())
        num_joints = len(facts.joint_names)
        widths, layers = [3 * num_joints, *facts.hidden], []
        for before, after in zip(widths, widths[1:], strict=False):
            layers += [nn.Linear(before, after), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 2 * num_joints))
        self._start_joint_by_joint()

    def forward(self, torque_per_activation: Tensor, torque: Tensor) -> Tensor:
        """Activations in [0, 1], shape [num_states, num_joints, 2].

        Args:
            torque_per_activation: J^T A [N m], shape [num_states, num_joints, 2].
            torque: Desired active torque [N m], shape [num_states, num_joints].
        """
        outputs = self.layers(self.normalized(torque_per_activation, torque).flatten(-2)).unflatten(-1, (-1, 2))
        return bounded_activation(outputs, self.leak if self.training else 0.0)

    def normalized(self, torque_per_activation: Tensor, torque: Tensor) -> Tensor:
        """What the layers read of every joint: both muscles' torques and the desired one over the effort limit, shape
        [num_states, num_joints, 3]."""
        return torch.cat((torque_per_activation.abs(), torque[..., None]), -1) / self.effort_limit[:, None]

    @torch.no_grad()
    def _start_joint_by_joint(self) -> None:
        """Let the weights between units of different joints start at zero: pairs do not act on each other's joints.

        Units are dealt to the joints in turn. Learning is free to connect them; on the G1 it needs a fraction of the
        iterations of a dense start.
        """
        num_joints = len(self.facts.joint_names)
        groups = torch.arange(num_joints).repeat_interleave(3)
        for layer in self.layers:
            if not isinstance(layer, nn.Linear):
                continue
            is_last = layer.out_features == 2 * num_joints and layer is self.layers[-1]
            units = torch.arange(num_joints).repeat_interleave(2) if is_last else torch.arange(layer.out_features)
            own = units[:, None] % num_joints == groups[None] % num_joints
            fan_in = own.sum(1, keepdim=True).clamp(min=1)
            bound = (2.0 / fan_in).sqrt()
            layer.weight.uniform_(-1.0, 1.0).mul_(bound * own)
            layer.bias.uniform_(-0.1, 0.1)
            groups = units


def bounded_activation(outputs: Tensor, leak: float) -> Tensor:
    """Outputs kept in [0, 1], but for a share ``leak`` of what is outside.

    While a network learns, an activation leaks out of its range: a muscle at rest would have no slope to wake it up.
    """
    bounded = outputs.clamp(0.0, 1.0)
    return bounded + leak * (outputs - bounded) if leak else bounded


def torque_loss(pairs_torque: Tensor, torque: Tensor, activation: Tensor, effort_limit: Tensor) -> Tensor:
    """Mean squared torque error over the effort limits, plus 0.01 times the mean squared activation.

    Args:
        pairs_torque: Active torque that the activations give [N m], shape [num_states, num_joints].
        torque: Desired [N m], same shape.
        activation: In [0, 1], shape [num_states, num_joints, 2].
        effort_limit: [N m], shape [num_joints].
    """
    return ((pairs_torque - torque) / effort_limit).square().mean() + 0.01 * activation.square().mean()


def new_muscle_nn(robot: RobotModel, hidden: tuple[int, ...] = HIDDEN) -> MuscleNN:
    """An untrained network of a robot."""
    return MuscleNN(
        MuscleNNFacts(robot.name, tuple(robot.joint_names), hidden), MusclePairs.of_robot(robot).effort_limit
    )


def save_muscle_nn(path: Path, model: MuscleNN, training: dict, more: dict[str, Tensor] | None = None) -> None:
    """Write a network and further tensors, atomically, as safetensors: nothing in the file is executed when it is read.

    Args:
        path: ``*.safetensors``.
        model: The network.
        training: What the file should say about its training, as JSON can hold it.
        more: Further tensors, such as the optimizer's; their names must not start with ``model.``.
    """
    from safetensors.torch import save_file

    tensors = {f"model.{name}": value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    metadata = {"format": FORMAT, "facts": json.dumps(asdict(model.facts)), "training": json.dumps(training)}
    with replacing(path) as partial:
        save_file(tensors | (more or {}), str(partial), metadata)


def load_muscle_nn(path: Path, robot: RobotModel) -> tuple[MuscleNN, dict, dict[str, Tensor]]:
    """Read a network, what its file says about the training, and its further tensors.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no MuscleNN, or one of another robot.
    """
    tensors, metadata = _read(path)
    facts = json.loads(metadata["facts"])
    facts = MuscleNNFacts(facts["robot"], tuple(facts["joint_names"]), tuple(facts["hidden"]))
    if (facts.robot, facts.joint_names) != (robot.name, tuple(robot.joint_names)):
        raise ValueError(
            f"{path} is a MuscleNN of {facts.robot} with {len(facts.joint_names)} joints, and the robot is {robot.name}"
            f" with {len(robot.joint_names)}. Train one for it with scripts/muscle/train_muscle.py."
        )
    model = MuscleNN(facts, torch.zeros(len(facts.joint_names)))
    own = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in own.items()}
    if wanted != found:
        wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise ValueError(f"{path} does not fit its own description: {wrong} are missing, unknown or misshapen.")
    model.load_state_dict(own)
    more = {name: value for name, value in tensors.items() if not name.startswith("model.")}
    return model.eval(), json.loads(metadata["training"]), more


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"There is no MuscleNN {path}. Train one with scripts/muscle/train_muscle.py.")
    try:
        with safe_open(str(path), "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file ({error}). Train one with train_muscle.py.") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is no MuscleNN: its metadata are {sorted(metadata)}. Train one with train_muscle.py.")
    return tensors, metadata
