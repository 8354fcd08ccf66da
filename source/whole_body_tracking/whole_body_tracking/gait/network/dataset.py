"""Data sets of gaits: parameters drawn, walks planned and checked, 60 frames of each kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from whole_body_tracking.files import replacing, write_json
from whole_body_tracking.motion.npz import read_arrays, write_arrays
from whole_body_tracking.robots import G1, RobotModel

from ..feasibility import root_residual
from ..planning.parameters import PARAMETERS, GaitParameters, ParameterSchedule
from ..planning.planner import GaitPlan, plan_gait
from .layout import RootMotion, encode, output_names

FPS, NUM_FRAMES = 30.0, 60
"""Rate and length of a sample."""
DESCRIPTION = "dataset.json"
SET_SIZE = 512
"""Gaits per file."""
LARGEST_RESIDUAL = 0.2
"""A gait of which more than 5 % of the frames have a larger root residual is refused [body weights]."""
LONGEST_PELVIS_DROP = 0.06
"""How far below the highest possible the pelvis is drawn [m]."""


@dataclass
class DataSetJob:
    """What to make."""

    output_dir: Path
    num_gaits: int
    seed: int = 0
    robot: RobotModel = G1
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Ranges to draw from by parameter; the others' whole range."""

    def __post_init__(self):
        if self.num_gaits < 1:
            raise ValueError(f"--num_gaits is {self.num_gaits}, expected at least 1.")
        if (self.output_dir / DESCRIPTION).exists():
            raise ValueError(f"{self.output_dir} already holds a data set. Give another --output_dir.")
        for name, (low, high) in self.ranges.items():
            item = PARAMETERS[name]
            if not item.low <= low <= high <= item.high:
                raise ValueError(
                    f"The range of {name} is {low:g} to {high:g}, expected increasing values within {item.low:g} to"
                    f" {item.high:g} {item.unit}."
                )

    def range_of(self, name: str) -> tuple[float, float]:
        item = PARAMETERS[name]
        return self.ranges.get(name, (item.low, item.high))


@dataclass(frozen=True)
class GaitSample:
    """One gait of the data set."""

    outputs: np.ndarray
    """shape [60, num_outputs]."""
    params: np.ndarray
    """In the order of :data:`PARAMETERS`, shape [num_params]."""
    phase: np.ndarray
    """shape [60]."""


def make_data_set(
    job: DataSetJob,
    report: Callable[[int, Counter], None] = lambda made, refused: None,
    samples: Callable[[Counter], Iterator[GaitSample]] | None = None,
) -> Counter:
    """Draw gaits until enough are possible, and write them as they come.

    Args:
        job: What to make.
        report: Called after every gait with their number and the refusals by reason.
        samples: Where gaits come from, at most as many as the job asks for; given the counter of refusals. None plans
            them.

    Returns:
        Refusals by reason.

    Raises:
        ValueError: If there is not a single gait.
    """
    job.output_dir.mkdir(parents=True, exist_ok=True)
    refused, waiting, written = Counter(), [], 0
    source = _samples(job, refused) if samples is None else samples(refused)
    for sample in islice(source, job.num_gaits):
        waiting.append(sample)
        report(written + len(waiting), refused)
        if len(waiting) == SET_SIZE:
            _write_set(job.output_dir / f"gaits_{written:06d}.npz", waiting)
            written, waiting = written + len(waiting), []
    if waiting:
        _write_set(job.output_dir / f"gaits_{written:06d}.npz", waiting)
    written += len(waiting)
    if not written:
        raise ValueError(f"No gait was found. Refused: {dict(refused) or 'none'}.")
    write_json(job.output_dir / DESCRIPTION, _description(job, refused, written))
    return refused


def _samples(job: DataSetJob, refused: Counter) -> Iterator[GaitSample]:
    rng, made = np.random.default_rng(job.seed), 0
    while made < job.num_gaits:
        if sum(refused.values()) > 50 * (made + 20):
            raise ValueError(f"Hardly any gait of these ranges is possible: {dict(refused)} refused, {made} made.")
        try:
            sample = _plan_sample(job, rng)
        except ValueError as error:
            refused[_reason(str(error))] += 1
            continue
        if sample is None:
            refused["root residual"] += 1
            continue
        made += 1
        yield sample


def _plan_sample(job: DataSetJob, rng: np.random.Generator) -> GaitSample | None:
    """A random gait, None if ground and friction cannot carry it."""
    drawn = {name: float(rng.uniform(*job.range_of(name))) for name in PARAMETERS if name != "pelvis_height"}
    drop = float(rng.uniform(0.0, LONGEST_PELVIS_DROP))
    plan = _plan(drawn, job.robot)
    height = float(plan.values["pelvis_height"][0]) - drop
    low, high = job.range_of("pelvis_height")
    if low <= height <= high and drop > 0.005:
        plan = _plan(drawn | {"pelvis_height": height}, job.robot)
    if np.percentile(residual_of(plan), 95.0) > LARGEST_RESIDUAL:
        return None
    motion = RootMotion(plan.root_pos, plan.root_quat, plan.joint_pos)
    params = np.array([plan.values[name][0] for name in PARAMETERS])
    outputs = encode(motion, plan.heading, FPS)
    return GaitSample(outputs[:NUM_FRAMES], params, plan.phase[:NUM_FRAMES])


def _plan(given: dict[str, float], robot: RobotModel) -> GaitPlan:
    schedule = ParameterSchedule.constant(GaitParameters.of(given))
    return plan_gait(schedule, NUM_FRAMES / FPS, FPS, robot)


def residual_of(plan: GaitPlan) -> np.ndarray:
    """Root residual of a plan [body weights], shape [num_frames]."""
    feet = [plan.robot.body_names.index(name) for name in plan.robot.foot_body_names]
    pos, quat = plan.body_pos_w[:, feet].numpy(), plan.body_quat_w[:, feet].numpy()
    return root_residual(plan.robot, plan.reaction, plan.root_pos, pos, quat)


def _reason(message: str) -> str:
    """Short name of a refusal by the planner."""
    for part, name in (
        ("balance", "balance"),
        ("stride", "stride"),
        ("_joint", "joint limits"),
        ("pelvis", "reach"),
        ("reach", "reach"),
    ):
        if part in message:
            return name
    return message


def _write_set(path: Path, samples: list[GaitSample]) -> None:
    with replacing(path) as partial:
        write_arrays(
            partial,
            {
                "motions": np.stack([sample.outputs for sample in samples]).astype(np.float32),
                "params": np.stack([sample.params for sample in samples]).astype(np.float32),
                "phase": np.stack([sample.phase for sample in samples]).astype(np.float32),
            },
        )


def _description(job: DataSetJob, refused: Counter, num_gaits: int) -> dict:
    return {
        "robot": job.robot.name,
        "fps": FPS,
        "num_frames": NUM_FRAMES,
        "num_gaits": num_gaits,
        "refused": dict(refused),
        "outputs": output_names(job.robot),
        "parameters": {
            name: {"unit": item.unit, "range": list(job.range_of(name)), "meaning": item.meaning}
            for name, item in PARAMETERS.items()
        },
    }


@dataclass(frozen=True)
class DataSet:
    """A data set on disk; its files are read one after the other."""

    folder: Path
    description: dict
    files: list[Path]

    @classmethod
    def open(cls, folder: Path, robot: RobotModel) -> DataSet:
        """Check a folder.

        Raises:
            FileNotFoundError: If it holds no data set.
            ValueError: If the data set is of another robot or has other outputs.
        """
        path = folder / DESCRIPTION
        if not path.is_file():
            raise FileNotFoundError(f"{folder} holds no {DESCRIPTION}. Make a data set with scripts/gait/augment.py.")
        description = json.loads(path.read_text())
        if description.get("robot") != robot.name or description.get("outputs") != output_names(robot):
            raise ValueError(f"{folder} is a data set of {description.get('robot')}, and the robot is {robot.name}.")
        files = sorted(folder.glob("gaits_*.npz"))
        if not files:
            raise FileNotFoundError(f"{folder} holds no gaits_*.npz.")
        return cls(folder, description, files)

    @property
    def ranges(self) -> np.ndarray:
        """Low and high end of every parameter, shape [num_params, 2]."""
        return np.array([item["range"] for item in self.description["parameters"].values()])

    def read(self, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Motions, params and phase of one file.

        Raises:
            ValueError: If an array is missing, misshapen or not finite.
        """
        arrays = read_arrays(path)
        missing = [name for name in ("motions", "params", "phase") if name not in arrays]
        if missing:
            raise ValueError(f"{path} lacks the arrays {missing}; it has {sorted(arrays)}. Make it with augment.py.")
        motions, params, phase = arrays["motions"], arrays["params"], arrays["phase"]
        count, outputs = len(params), len(self.description["outputs"])
        expected = [(count, NUM_FRAMES, outputs), (count, len(self.ranges)), (count, NUM_FRAMES)]
        if [motions.shape, params.shape, phase.shape] != expected:
            found = [motions.shape, params.shape, phase.shape]
            raise ValueError(f"{path}: motions, params and phase have the shapes {found}, expected {expected}.")
        if not all(np.isfinite(values).all() for values in (motions, params, phase)):
            raise ValueError(f"{path} holds values that are not finite. Make it again with augment.py.")
        return motions, params, phase
