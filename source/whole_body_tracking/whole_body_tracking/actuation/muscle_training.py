"""Train MuscleNN on sampled states: no simulator, only the muscles' formulas."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from whole_body_tracking.files import write_json
from whole_body_tracking.progress_table import ProgressTable
from whole_body_tracking.robots import G1, RobotModel

from .learning.pair_start import pair_activation, pair_network, spread
from .muscle_nn import HIDDEN, LEAK, MuscleNN, load_muscle_nn, new_muscle_nn, save_muscle_nn, torque_loss
from .muscle_pairs import MusclePairs

MODEL_FILE, LAST_FILE = "muscle_nn.safetensors", "muscle_nn_last.safetensors"
SPEED_SPREAD = 0.1
"""Standard deviation of sampled joint velocities, over the velocity limits."""
NUM_HELD_OUT = 2048
HELD_OUT_SEED = 2_147_483_647
"""Of the held-out states, which no training seed reaches."""
PAIR_LEARNING_RATE = 1e-2
"""Of the pair's network, at first."""
PAIR_SHARE = 0.5
"""Share of ``max_minutes`` that the pair's network may take."""


@dataclass(frozen=True)
class MuscleStates:
    """Sampled states of a robot."""

    torque_per_activation: Tensor
    """J^T A [N m], shape [num_states, num_joints, 2]."""
    torque: Tensor
    """Desired active torque that activations in [0, 1] can give [N m], shape [num_states, num_joints]."""


@dataclass(frozen=True)
class MuscleTrainingJob:
    """What to train, how, and where to."""

    output_dir: Path
    robot: RobotModel = G1
    iterations: int = 200
    """Of the whole network."""
    batch_size: int = 128
    pair_iterations: int = 4000
    """Of one pair's network, from which all joints start; 0 starts from random weights."""
    learning_rate: float | None = None
    """Of the whole network at first; it falls to zero along a cosine. None takes 3e-5 after a pair's network, whose
    weights larger ones spoil, and 1e-3 from random weights."""
    hidden: tuple[int, ...] = HIDDEN
    save_every: int = 100
    """Iterations between two checkpoints and rows of the table."""
    seed: int = 0
    resume: bool = False
    max_minutes: float | None = None
    """Finish when they are used up: the learning rate falls with the time as with the iterations."""

    def __post_init__(self):
        for name in ("iterations", "batch_size", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least 1.")
        if self.pair_iterations < 0:
            raise ValueError(f"--pair_iterations is {self.pair_iterations}, expected at least 0.")
        if self.learning_rate is not None and not self.learning_rate > 0.0:
            raise ValueError(f"--learning_rate is {self.learning_rate}, expected more than 0.")
        if self.max_minutes is not None and not self.max_minutes > 0.0:
            raise ValueError(f"--max_minutes is {self.max_minutes:g}, expected more than 0.")
        if not self.resume and (self.output_dir / LAST_FILE).exists():
            raise ValueError(f"{self.output_dir} already holds a training. Take --resume, or give another folder.")

    @property
    def first_rate(self) -> float:
        """Learning rate of the whole network at first."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 3e-5 if self.pair_iterations else 1e-3


def sample_states(pairs: MusclePairs, num_states: int, generator: torch.Generator) -> MuscleStates:
    """Draw joint positions within their limits, velocities around rest, and torques that the muscles can give.

    Positions are uniform, velocities normal with a tenth of the velocity limits as standard deviation, active torques
    uniform between what either muscle gives alone, within the effort limits. The generator is on the muscles' device.
    """
    shape = (num_states, len(pairs.joint_names))
    device = generator.device
    position, share = (torch.rand(shape, generator=generator, device=device) for _ in range(2))
    velocity = SPEED_SPREAD * torch.randn(shape, generator=generator, device=device) * pairs.velocity_limit
    gains = pairs.torque_per_activation(pairs.lower + position * (pairs.upper - pairs.lower), velocity)
    low = torch.maximum(gains.amin(-1), -pairs.effort_limit)
    high = torch.minimum(gains.amax(-1), pairs.effort_limit)
    return MuscleStates(gains, low + share * (high - low))


def held_out_states(pairs: MusclePairs, num_states: int = NUM_HELD_OUT) -> MuscleStates:
    """States that no training sees."""
    return sample_states(pairs, num_states, torch.Generator().manual_seed(HELD_OUT_SEED))


@torch.no_grad()
def torque_errors(activation: Tensor, states: MuscleStates, effort_limit: Tensor) -> dict[str, float]:
    """Root mean square and 99th percentile of the torque error over the effort limit, and the mean activation."""
    torque = (states.torque_per_activation * activation).sum(-1)
    error = ((torque - states.torque) / effort_limit).abs()
    return {
        "torque_error": float(error.square().mean().sqrt()),
        "torque_error_p99": float(error.flatten().sort().values[int(0.99 * (error.numel() - 1))]),
        "activation": float(activation.mean()),
    }


def train_muscle_nn(job: MuscleTrainingJob, report: Callable[[dict], None] = lambda row: None) -> dict:
    """Train, write checkpoints, ``muscle_nn.safetensors``, ``progress.csv``, TensorBoard events and ``summary.json``.

    Returns:
        The summary: errors on held-out states, iterations, time and settings.

    Raises:
        FileNotFoundError: If a training should be resumed that is not there.
        ValueError: If its checkpoint is of another robot, or the loss is not finite.
    """
    from torch.utils.tensorboard import SummaryWriter

    job.output_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    trainer, table = MuscleTrainer(job), ProgressTable(job.output_dir)
    table.rewind(trainer.iteration + 1)
    writer = SummaryWriter(str(job.output_dir), purge_step=trainer.iteration + 1)
    row = {}
    while not trainer.is_done(time.monotonic() - started):
        row = trainer.run_block(time.monotonic() - started)
        row["seconds"] = time.monotonic() - started
        if not math.isfinite(row["loss"]):
            raise ValueError(f"The loss is {row['loss']} at iteration {row['iteration']}. Lower --learning_rate.")
        table.append(row)
        for name, value in row.items():
            writer.add_scalar(f"muscle_nn/{name}", value, trainer.iteration)
        trainer.save(job.output_dir / LAST_FILE)
        report(row)
    writer.close()
    summary = {"iteration": trainer.iteration, **trainer.errors(), "robot": job.robot.name, "seed": job.seed}
    summary["seconds"] = time.monotonic() - started
    save_muscle_nn(job.output_dir / MODEL_FILE, trainer.model, summary)
    write_json(job.output_dir / "summary.json", summary)
    return summary


class MuscleTrainer:
    """Takes optimisation steps on freshly sampled states; all random numbers follow from seed and iteration."""

    def __init__(self, job: MuscleTrainingJob):
        """Begin, or go on from the last checkpoint.

        Raises:
            FileNotFoundError: If there is no checkpoint to go on from.
            ValueError: If it is of another robot.
        """
        self.job, self.pairs, self.iteration = job, MusclePairs.of_robot(job.robot), 0
        self._held_out = held_out_states(self.pairs)
        torch.manual_seed(job.seed)
        tensors: dict[str, Tensor] = {}
        self.model = new_muscle_nn(job.robot, job.hidden)
        if job.resume:
            self.model, training, tensors = load_muscle_nn(job.output_dir / LAST_FILE, job.robot)
            self.iteration = training["iteration"]
        elif job.pair_iterations:
            self._start_from_a_pair()
        self._optimizer = torch.optim.Adam(self.model.parameters(), lr=job.first_rate)
        if tensors:
            _restore(self._optimizer, tensors)

    def is_done(self, seconds: float) -> bool:
        """Whether all iterations are taken, or the time is used up."""
        return self._share(seconds) >= 1.0

    def run_block(self, seconds: float) -> dict:
        """Iterate until the next checkpoint; returns the mean loss and the errors on held-out states."""
        job, losses, start = self.job, [], time.monotonic()
        self.model.train()
        while not losses or self.iteration % job.save_every:
            share = self._share(seconds + time.monotonic() - start)
            if share >= 1.0:
                break
            losses.append(self._step(share))
            self.iteration += 1
        return {"iteration": self.iteration, "loss": float(torch.stack(losses).mean()), **self.errors()}

    def errors(self) -> dict[str, float]:
        """Errors on held-out states; see :func:`torque_errors`."""
        self.model.eval()
        with torch.no_grad():
            activation = self.model(self._held_out.torque_per_activation, self._held_out.torque)
        return torque_errors(activation, self._held_out, self.pairs.effort_limit)

    def save(self, path: Path) -> None:
        """Write the network with the optimizer's moments."""
        more = {}
        for index, state in self._optimizer.state_dict()["state"].items():
            more |= {f"optimizer.{index}.{name}": value.clone() for name, value in state.items()}
        save_muscle_nn(path, self.model, {"iteration": self.iteration}, more)

    def _share(self, seconds: float) -> float:
        """Share of the training that is behind."""
        minutes = self.job.max_minutes
        of_time = 0.0 if minutes is None else seconds / (60.0 * minutes)
        return max(self.iteration / self.job.iterations, of_time)

    def _step(self, share: float) -> Tensor:
        job = self.job
        states = self._sample(self.iteration)
        self.model.leak = 0.0 if job.pair_iterations else leak_at(share)  # a pair's network is awake
        activation = self.model(states.torque_per_activation, states.torque)
        loss = loss_of(activation, states, self.pairs.effort_limit)
        take_step(self._optimizer, loss, falling(job.first_rate, share))
        return loss.detach()

    def _sample(self, iteration: int) -> MuscleStates:
        generator = torch.Generator().manual_seed(1_000_003 * self.job.seed + iteration)
        return sample_states(self.pairs, self.job.batch_size, generator)

    def _start_from_a_pair(self) -> None:
        """Learn one pair's network, and give every joint its weights; see :mod:`.learning.pair_start`."""
        job, started = self.job, time.monotonic()
        network = pair_network(self.model)
        optimizer = torch.optim.Adam(network.parameters())
        for iteration in range(job.pair_iterations):
            share = iteration / job.pair_iterations
            if job.max_minutes is not None:
                share = max(share, (time.monotonic() - started) / (60.0 * PAIR_SHARE * job.max_minutes))
            if share >= 1.0:
                break
            states = self._sample(500_000_000 + iteration)
            gains, torque = states.torque_per_activation, states.torque
            activation = pair_activation(network, self.model, gains, torque, leak_at(share))
            loss = loss_of(activation, states, self.pairs.effort_limit)
            take_step(optimizer, loss, falling(PAIR_LEARNING_RATE, share))
        spread(network, self.model)


def leak_at(share: float) -> float:
    """Leak of activations out of their range after a share of a training: it is gone after half of it."""
    return LEAK * max(0.0, 1.0 - 2.0 * share)


def falling(rate: float, share: float) -> float:
    """A learning rate after a share of a training, along a cosine to zero."""
    return 0.5 * rate * (1.0 + math.cos(math.pi * share))


def loss_of(activation: Tensor, states: MuscleStates, effort_limit: Tensor) -> Tensor:
    """:func:`.muscle_nn.torque_loss` of activations on states."""
    found = (states.torque_per_activation * activation).sum(-1)
    return torque_loss(found, states.torque, activation, effort_limit)


def take_step(optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    """One optimisation step at a learning rate, with a gradient of length 1 at most."""
    (group,) = optimizer.param_groups
    group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimizer.step()


def _restore(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        _, index, name = key.split(".", 2)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def trained_muscle_nn(robot: RobotModel, folder: Path, max_minutes: float) -> MuscleNN:
    """Train a network into a folder within some minutes, and return it."""
    train_muscle_nn(MuscleTrainingJob(folder, robot, pair_iterations=8000, max_minutes=max_minutes))
    return load_muscle_nn(folder / MODEL_FILE, robot)[0]
