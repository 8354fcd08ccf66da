"""Training of RefNN on a data set that is streamed from disk."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.files import write_json
from whole_body_tracking.progress_table import ProgressTable
from whole_body_tracking.robots import G1, RobotModel

from .dataset import DataSet
from .layout import NUM_ROOT
from .refnn import MAX_EXAMPLES, RefNN, RefNNFacts, load_refnn, save_refnn
from .slip import StandingFeet

HELD_OUT = 20
"""One gait in so many is not trained on."""
SMALLEST_STD = 1e-3
"""Outputs that hardly change are not divided by less."""


@dataclass(frozen=True)
class Preset:
    """Settings of an optimisation."""

    learning_rate: float
    epochs: int
    batch_size: int
    set_size: int = 65_536
    """Frames that are shuffled together."""
    loss_factor: float = 1.0
    cosine: bool = True
    """Whether the rate falls to 0 along half a cosine."""
    clip_norm: float | None = 1.0
    """Largest norm of the gradient."""
    clamp: float | None = None
    """Largest entry of the gradient."""
    normalize_outputs: bool = True
    """Whether errors are compared over the outputs' standard deviations, or in their units."""


PRESETS = {
    "ours": Preset(learning_rate=1e-3, epochs=60, batch_size=1024),
    "gaitnet": Preset(
        learning_rate=1e-5,
        epochs=5,
        batch_size=128,
        loss_factor=5.0,
        cosine=False,
        clip_norm=None,
        clamp=0.1,
        normalize_outputs=False,
    ),
}
"""``gaitnet`` has the published settings of Forward GaitNet."""


@dataclass
class TrainingJob:
    """What to train, how, and where to."""

    data_dir: Path
    output_dir: Path
    preset: Preset = field(default_factory=lambda: PRESETS["ours"])
    preset_name: str = "ours"
    harmonics: int = 1
    root_weight: float = 2.0
    arm_weight: float = 0.5
    slip_weight: float = 0.0
    """Of the standing toes' mean squared velocity in the loss [s^2/m^2]; 0 leaves it out."""
    save_every: int = 2000
    """Iterations between two checkpoints."""
    seed: int = 0
    robot: RobotModel = G1
    base: Path | None = None
    """RefNN whose output the new one adds to; the file that is written holds both."""
    start: Path | None = None
    """RefNN from whose weights training goes on, for instance with another loss; None starts from random ones."""

    def __post_init__(self):
        if self.harmonics not in (1, 2):
            raise ValueError(f"--harmonics is {self.harmonics}, expected 1 or 2.")
        for name in ("epochs", "batch_size"):
            if getattr(self.preset, name) < 1:
                raise ValueError(f"--{name} is {getattr(self.preset, name)}, expected at least 1.")
        if self.save_every < 1:
            raise ValueError(f"--save_every is {self.save_every}, expected at least 1.")
        if not self.preset.learning_rate > 0.0:
            raise ValueError(f"--learning_rate is {self.preset.learning_rate}, expected more than 0.")
        for name in ("root_weight", "arm_weight", "slip_weight"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least 0.")

    def with_preset(self, **changes) -> TrainingJob:
        """The job with some of its preset's settings changed; None changes nothing."""
        return replace(self, preset=replace(self.preset, **{k: v for k, v in changes.items() if v is not None}))


def output_weights(robot: RobotModel, root: float, arms: float) -> Tensor:
    """Weight of every output in the loss, shape [num_outputs]."""
    is_arm = [any(part in name for part in ("shoulder", "elbow", "wrist")) for name in robot.joint_names]
    return torch.tensor([root] * NUM_ROOT + [arms if arm else 1.0 for arm in is_arm])


def weighted_error(found: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Mean over frames and outputs of weight * difference^2."""
    return (weights * (found - wanted).square()).mean()


def train_refnn(job: TrainingJob, report=lambda row: None) -> dict:
    """Train, write checkpoints, ``refnn.npz``, ``progress.csv``, TensorBoard events and ``summary.json``.

    Returns:
        The summary: errors on held-out gaits, time and settings.

    Raises:
        FileNotFoundError: If there is no data set.
        ValueError: If it is damaged or of another robot.
    """
    from torch.utils.tensorboard import SummaryWriter

    torch.manual_seed(job.seed)
    data = DataSet.open(job.data_dir, job.robot)
    base = None if job.base is None else load_refnn(job.base, job.robot)
    job.output_dir.mkdir(parents=True, exist_ok=True)
    held_out = held_out_frames(data)
    model = _new_model(job, data, base)
    stepper, total = _Stepper(job, model), _num_iterations(job, data)
    table, writer, started = ProgressTable(job.output_dir), SummaryWriter(str(job.output_dir)), time.monotonic()
    table.rewind(0)  # a training that was stopped begins anew
    iteration = 0
    for epoch in range(job.preset.epochs):
        losses = []
        for params, phase, wanted in _batches(data, job, epoch):
            losses.append(stepper.step(params, phase, wanted, iteration / total))
            iteration += 1
            if iteration % job.save_every == 0:
                training = {"preset": job.preset_name, "iteration": iteration}
                save_refnn(job.output_dir / f"refnn_{iteration}.npz", model, training)
        row = {"epoch": epoch, "iteration": iteration, "loss": float(torch.stack(losses).mean())}
        row |= held_out_errors(model, *held_out) | {"seconds": time.monotonic() - started}
        table.append(row)
        for name, value in row.items():
            writer.add_scalar(f"refnn/{name}", value, iteration)
        report(row)
    writer.close()
    summary = {"preset": job.preset_name, **row}
    save_refnn(job.output_dir / "refnn.npz", model, summary)
    write_json(job.output_dir / "summary.json", summary)
    return summary


class _Stepper:
    """One optimisation step after the other."""

    def __init__(self, job: TrainingJob, model: RefNN):
        self._preset, self._model = job.preset, model
        self._weights = output_weights(job.robot, job.root_weight, job.arm_weight)
        self._slip_weight, self._feet = job.slip_weight, StandingFeet(job.robot)
        self._optimizer = torch.optim.Adam(model.parameters(), lr=job.preset.learning_rate)

    def step(self, params: Tensor, phase: Tensor, wanted: Tensor, share: float) -> Tensor:
        """Take a step at a share of the whole training in [0, 1]; returns the loss."""
        preset, model = self._preset, self._model
        rate = preset.learning_rate * (0.5 * (1.0 + math.cos(math.pi * share)) if preset.cosine else 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        if model.base is not None:
            with torch.no_grad():
                wanted = wanted - model.base_outputs(params, phase)
        found = model.normalized(params, phase)
        loss = preset.loss_factor * weighted_error(
            found, (wanted - model.output_mean) / model.output_std, self._weights
        )
        if self._slip_weight > 0.0:
            loss = loss + self._slip_weight * self._slip(params, phase, found)
        self._optimizer.zero_grad()
        loss.backward()
        if preset.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), preset.clip_norm)
        if preset.clamp is not None:
            torch.nn.utils.clip_grad_value_(model.parameters(), preset.clamp)
        self._optimizer.step()
        return loss.detach()

    def _slip(self, params: Tensor, phase: Tensor, found: Tensor) -> Tensor:
        """Mean squared velocity of standing toes, from normalized outputs at the phase and new ones a step later."""
        model = self._model
        first = found * model.output_std + model.output_mean
        if model.base is not None:
            first = first + model.base_outputs(params, phase)
        return self._feet.mean_square(params, phase, first, model(params, self._feet.later(params, phase)))


def _new_model(job: TrainingJob, data: DataSet, base: RefNN | None) -> RefNN:
    parameters = {name: list(item["range"]) for name, item in data.description["parameters"].items()}
    examples = _examples(data, job.seed)
    facts = RefNNFacts(
        job.robot.name,
        list(data.description["outputs"]),
        parameters,
        job.harmonics,
        num_examples=len(examples),
        is_cascaded=base is not None,
        base=None if base is None else asdict(base.facts),
    )
    model = RefNN(facts, base)
    model.examples.copy_(torch.from_numpy(examples))
    if job.start is not None:
        _take_weights(model, job)
    elif job.preset.normalize_outputs:
        motions, params, phase = (torch.from_numpy(values) for values in data.read(data.files[0]))
        outputs = motions.reshape(-1, len(facts.outputs))
        if base is not None:
            with torch.no_grad():
                outputs = outputs - model.base_outputs(params.repeat_interleave(phase.shape[1], 0), phase.reshape(-1))
        model.output_mean.copy_(outputs.mean(0))
        model.output_std.copy_(outputs.std(0).clamp(min=SMALLEST_STD))
    return model


def _take_weights(model: RefNN, job: TrainingJob) -> None:
    """Start from the weights and the normalisation of another network.

    Raises:
        FileNotFoundError: If there is no such network.
        ValueError: If its parameters, inputs or layers are others.
    """
    start = load_refnn(job.start, job.robot)
    for name in ("parameters", "harmonics", "hidden", "is_cascaded"):
        found, expected = getattr(start.facts, name), getattr(model.facts, name)
        if found != expected:
            raise ValueError(
                f"{job.start} has the {name} {found}, and the new network {expected}. Start from one of the same data"
                " set and settings, or leave --start out."
            )
    weights = {name: values for name, values in start.state_dict().items() if name != "examples"}
    model.load_state_dict(weights, strict=False)


def _examples(data: DataSet, seed: int) -> np.ndarray:
    """Parameters of some gaits that are trained on, shape [num, num_params]."""
    parts = [data.read(path)[1] for path in data.files]
    params = np.concatenate([part[~is_held_out(len(part))] for part in parts])
    chosen = np.random.default_rng(seed).permutation(len(params))[:MAX_EXAMPLES]
    return params[chosen]


def is_held_out(count: int) -> np.ndarray:
    """Which gaits of a file are not trained on, shape [count]."""
    return np.arange(count) % HELD_OUT == HELD_OUT - 1


def _frames(motions: np.ndarray, params: np.ndarray, phase: np.ndarray, chosen: np.ndarray):
    """Frames of the chosen gaits: params, phase and outputs as tensors."""
    repeated = np.repeat(params[chosen], motions.shape[1], axis=0)
    outputs = motions[chosen].reshape(-1, motions.shape[-1])
    return tuple(torch.from_numpy(np.ascontiguousarray(v)) for v in (repeated, phase[chosen].reshape(-1), outputs))


def held_out_frames(data: DataSet) -> tuple[Tensor, Tensor, Tensor]:
    """Params, phase and outputs of the gaits that nobody trains on.

    Raises:
        ValueError: If the data set is too small to hold any out.
    """
    parts = []
    for path in data.files:
        motions, params, phase = data.read(path)
        parts.append(_frames(motions, params, phase, is_held_out(len(params))))
    joined = tuple(torch.cat(values) for values in zip(*parts, strict=True))
    if not len(joined[0]):
        raise ValueError(f"{data.folder} has fewer than {HELD_OUT} gaits per file. Make more with augment.py.")
    return joined


def _num_iterations(job: TrainingJob, data: DataSet) -> int:
    gaits = data.description["num_gaits"] * (1.0 - 1.0 / HELD_OUT)
    return max(1, math.ceil(job.preset.epochs * gaits * data.description["num_frames"] / job.preset.batch_size))


def _batches(data: DataSet, job: TrainingJob, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches of one epoch: files in random order, their frames shuffled in sets."""
    rng = np.random.default_rng((job.seed, epoch))
    waiting: list[tuple[Tensor, ...]] = []
    for number, index in enumerate(rng.permutation(len(data.files))):
        motions, params, phase = data.read(data.files[index])
        waiting.append(_frames(motions, params, phase, ~is_held_out(len(params))))
        is_last = number == len(data.files) - 1
        if sum(len(part[0]) for part in waiting) >= job.preset.set_size or is_last:
            whole = tuple(torch.cat(values) for values in zip(*waiting, strict=True))
            order = torch.from_numpy(rng.permutation(len(whole[0])))
            for chosen in order.split(job.preset.batch_size):
                yield tuple(values[chosen] for values in whole)
            waiting = []


@torch.no_grad()
def held_out_errors(model: RefNN, params: Tensor, phase: Tensor, wanted: Tensor) -> dict[str, float]:
    """Root-mean-square errors: joints [rad], root height [m] and velocity [m/s]."""
    error = (
        torch.cat([model(p, f) for p, f in zip(params.split(8192), phase.split(8192), strict=True)]) - wanted
    ).square()
    return {
        "joint_rmse": float(error[:, NUM_ROOT:].mean().sqrt()),
        "height_rmse": float(error[:, 0].mean().sqrt()),
        "velocity_rmse": float(error[:, 7:9].mean().sqrt()),
    }
