"""MuscleNN for muscles that cross several joints: (J^T A, desired torque) -> activations, near one motion's states."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import mujoco
import numpy as np
import torch
from torch import Tensor, nn

from whole_body_tracking.actuation.muscle_nn import HIDDEN, LEAK, SLOPE
from whole_body_tracking.files import replacing

from .activations import REGULARISATION
from .inverse_dynamics import HumanDynamics
from .model.body import HumanBody
from .model.coordinates import NUM_ROOT
from .model.muscles import muscle_state
from .motions.motion import HumanMotion

FORMAT = "body_muscle_nn"
NUM_STATES = 1500
"""Poses around the motion that a training draws from."""
POSE_SPREAD, SPEED_SPREAD = 0.05, 0.2
"""Standard deviations of joints about the motion's poses [rad], and of their velocities [rad/s]."""
STRENGTH_SHARE = 0.02
"""Of the torque that all muscles of one direction can give, in the scale of a network's errors."""
TORQUE_SPREAD = 0.2
"""Standard deviation of desired torques about the motion's, over the torque scale of their coordinate."""


@dataclass(frozen=True)
class BodyMuscleFacts:
    """What a network belongs to."""

    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]
    crossings: tuple[tuple[int, int], ...]
    """(coordinate, muscle) of every entry of J^T A that is not always zero."""
    hidden: tuple[int, ...] = HIDDEN


@dataclass(frozen=True)
class CrossingStates:
    """States of the muscles, as a network sees them."""

    gains: Tensor
    """J^T A at the crossings [N m], shape [num_states, num_crossings]."""
    torque: Tensor
    """Desired active torque [N m], shape [num_states, num_coordinates]."""

    def __len__(self) -> int:
        return len(self.torque)


class BodyMuscleNN(nn.Module):
    """MASS's layout (Lee et al., SIGGRAPH 2019) with clamped activations; inputs are normalized by buffers."""

    def __init__(self, facts: BodyMuscleFacts):
        super().__init__()
        self.facts, self.leak = facts, LEAK
        rows = torch.tensor(facts.crossings, dtype=torch.long).reshape(-1, 2)
        self._coordinate, self._muscle = rows.unbind(1)
        size = len(rows) + len(facts.coordinates)
        self.register_buffer("scale", torch.ones(len(facts.coordinates)))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))
        widths, layers = [size, *facts.hidden], []
        for before, after in zip(widths, widths[1:], strict=False):
            layers += [nn.Linear(before, after), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], len(facts.muscles)))

    @torch.no_grad()
    def start_from(self, states: CrossingStates, scale: Tensor, activation: Tensor) -> None:
        """Set the buffers, and let the untrained network give the same activations everywhere.

        Args:
            states: The training's.
            scale: What torque errors are divided by [N m], shape [num_coordinates].
            activation: In [0, 1], shape [num_muscles].
        """
        self.scale.copy_(scale)
        self.layers[-1].weight.mul_(0.1)
        self.layers[-1].bias.copy_(activation)
        inputs = torch.cat((states.gains, states.torque), -1)
        self.mean.copy_(inputs.mean(0))
        self.std.copy_(inputs.std(0).clamp(min=1e-3))

    def forward(self, states: CrossingStates) -> Tensor:
        """Activations in [0, 1], shape [num_states, num_muscles]."""
        inputs = (torch.cat((states.gains, states.torque), -1) - self.mean) / self.std
        outputs = self.layers(inputs)
        bounded = outputs.clamp(0.0, 1.0)
        return bounded + self.leak * (outputs - bounded) if self.training else bounded

    def torque(self, activation: Tensor, gains: Tensor) -> Tensor:
        """Active torque of activations [N m], shape [num_states, num_coordinates]."""
        result = activation.new_zeros(len(activation), len(self.facts.coordinates))
        return result.index_add(1, self._coordinate, gains * activation[:, self._muscle])

    def loss(self, states: CrossingStates) -> Tensor:
        """Mean squared torque error over its scale, plus the bounded solver's weight times mean squared activation."""
        activation = self(states)
        error = (self.torque(activation, states.gains) - states.torque) / self.scale
        return error.square().mean() + REGULARISATION * activation.square().mean()


def crossings_of(dynamics: HumanDynamics) -> tuple[tuple[int, int], ...]:
    """(coordinate, muscle) of every entry of J^T A that is not zero in all frames."""
    places = np.argwhere(np.abs(dynamics.torque_per_activation).max(0) > 1e-6)
    return tuple((int(c), int(m)) for c, m in places)


def network_scale(dynamics: HumanDynamics) -> np.ndarray:
    """What a network's torque errors are divided by: root mean square torque and a share of the muscles' strength.

    Fingers and toes take milligrams of torque and have muscles for much more: a network that had to hit these as
    exactly as the hips' would learn nothing else.
    """
    strength = 0.5 * np.abs(dynamics.torque_per_activation).sum(-1).mean(0)
    return np.sqrt(np.square(dynamics.torque).mean(0)) + STRENGTH_SHARE * strength + 0.01


def states_of(facts: BodyMuscleFacts, dynamics: HumanDynamics) -> CrossingStates:
    """The motion's own states, which no training sees."""
    coordinate, muscle = np.array(facts.crossings).T
    gains = dynamics.torque_per_activation[:, coordinate, muscle]
    wanted = dynamics.torque - dynamics.passive_torque
    return CrossingStates(torch.from_numpy(gains).float(), torch.from_numpy(wanted).float())


def sample_states(
    body: HumanBody,
    motion: HumanMotion,
    dynamics: HumanDynamics,
    facts: BodyMuscleFacts,
    scale: np.ndarray,
    num_states: int = NUM_STATES,
    seed: int = 0,
) -> CrossingStates:
    """States around those of a motion: other poses, velocities and desired torques."""
    random, model, data = np.random.default_rng(seed), body.model, mujoco.MjData(body.model)
    coordinate, muscle = np.array(facts.crossings).T
    gains = np.empty((num_states, len(coordinate)))
    torque = np.empty((num_states, len(facts.coordinates)))
    frames = random.integers(motion.num_frames, size=num_states)
    for place, frame in enumerate(frames):
        step, speed = np.zeros((2, model.nv))
        moved = body.coordinates.dofs[NUM_ROOT:]
        step[moved] = POSE_SPREAD * random.standard_normal(len(moved))
        qpos = motion.qpos[frame].copy()
        mujoco.mj_integratePos(model, qpos, step, 1.0)
        data.qpos[:] = body.coordinates.clamp(qpos)
        jacobian = body.coordinates.jacobian(data.qpos)
        speed[moved] = SPEED_SPREAD * random.standard_normal(len(moved))
        data.qvel[:] = dynamics.qvel[frame] + jacobian @ speed[body.coordinates.dofs]
        mujoco.mj_fwdPosition(model, data)
        mujoco.mj_fwdVelocity(model, data)
        state = muscle_state(model, data)
        moment = (state.moment @ jacobian)[:, NUM_ROOT:]
        gains[place] = (moment * state.active[:, None])[muscle, coordinate]
        wanted = dynamics.torque[frame] - state.passive @ moment
        torque[place] = wanted + TORQUE_SPREAD * scale * random.standard_normal(len(scale))
    return CrossingStates(torch.from_numpy(gains).float(), torch.from_numpy(torque).float())


def train_body_muscle_nn(
    facts: BodyMuscleFacts,
    states: CrossingStates,
    scale: np.ndarray,
    activation: np.ndarray,
    minutes: float,
    seed: int = 0,
    batch_size: int = 128,
    learning_rate: float = 5e-4,
) -> BodyMuscleNN:
    """Train within some minutes; the learning rate falls to zero along a cosine of the time.

    Args:
        facts: What the network belongs to.
        states: From :func:`sample_states`.
        scale: What torque errors are divided by [N m], shape [num_coordinates].
        activation: Where it starts, shape [num_muscles].
        minutes: How long.
        seed: Of weights and batches.
        batch_size: States of an iteration.
        learning_rate: At first.
    """
    torch.manual_seed(seed)
    model = BodyMuscleNN(facts)
    model.start_from(states, *(torch.from_numpy(values).float() for values in (scale, activation)))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    started, generator = time.monotonic(), torch.Generator().manual_seed(seed)
    while (share := (time.monotonic() - started) / (60.0 * minutes)) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = 0.5 * learning_rate * (1.0 + math.cos(math.pi * share))
        model.leak = LEAK * max(0.0, 1.0 - 2.0 * share)
        rows = torch.randint(len(states), (batch_size,), generator=generator)
        loss = model.loss(CrossingStates(states.gains[rows], states.torque[rows]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def save_body_muscle_nn(path: Path, model: BodyMuscleNN) -> None:
    """Write a network atomically as safetensors: nothing in the file is executed when it is read."""
    from safetensors.torch import save_file

    tensors = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    with replacing(path) as partial:
        save_file(tensors, str(partial), {"format": FORMAT, "facts": json.dumps(asdict(model.facts))})


def load_body_muscle_nn(path: Path, body: HumanBody) -> BodyMuscleNN:
    """Read a network.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such network, or one of another body.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"There is no MuscleNN {path}. Leave --muscle_model out to train one.")
    try:
        with safe_open(str(path), "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file ({error}). Leave --muscle_model out to train one.") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no MuscleNN of a body whose muscles cross joints: its format is {metadata.get('format')!r},"
            f" expected {FORMAT!r}. Leave --muscle_model out to train one."
        )
    content = json.loads(metadata["facts"])
    facts = BodyMuscleFacts(
        tuple(content["coordinates"]),
        tuple(content["muscles"]),
        tuple((int(c), int(m)) for c, m in content["crossings"]),
        tuple(content["hidden"]),
    )
    if (facts.coordinates, facts.muscles) != (body.moved_names, body.muscles.names):
        raise ValueError(
            f"{path} is a MuscleNN of a body with {len(facts.coordinates)} coordinates and {len(facts.muscles)}"
            f" muscles, and this one has {len(body.moved_names)} and {len(body.muscles.names)}."
        )
    model = BodyMuscleNN(facts)
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if wanted != {name: tuple(value.shape) for name, value in tensors.items()}:
        raise ValueError(f"{path} does not fit its own description. Leave --muscle_model out to train one.")
    model.load_state_dict(tensors)
    return model.eval()
