"""Making a data set of gaits: parameters drawn, walks planned and checked, written as they come."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from whole_body_tracking.files import replacing, write_json
from whole_body_tracking.motion.npz import read_arrays, write_arrays
from whole_body_tracking.robots import G1, RobotModel

from ..feasibility import is_carried, plan_sample, residual_of, short_reason
from ..planning.parameters import PARAMETERS
from .dataset import DESCRIPTION, FPS, NUM_FRAMES, GaitSample
from .layout import RootMotion, encode, output_names

SET_SIZE = 512
"""Gaits per file."""
UNFINISHED = "unfinished.npz"
"""Gaits that do not fill a file yet, and how far the draws are."""
KEEP_EVERY = 20
"""Gaits that are lost at most when the making is stopped."""
BLOCK = 16
"""Draws that a worker gets at once."""
LONGEST_PELVIS_DROP = 0.06
"""How far below the highest possible, within its range, the pelvis is drawn [m]."""


@dataclass
class DataSetJob:
    """What to make."""

    output_dir: Path
    num_gaits: int
    seed: int = 0
    robot: RobotModel = G1
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Ranges to draw from by parameter; the others' whole range."""
    num_workers: int = 1
    """Processes that plan; the data set is the same with any number."""

    def __post_init__(self):
        for name in ("num_gaits", "num_workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least 1.")
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

    @property
    def settings(self) -> dict:
        """What decides which gaits are drawn."""
        ranges = {name: list(map(float, self.range_of(name))) for name in PARAMETERS}
        return {"robot": self.robot.name, "seed": self.seed, "ranges": ranges}


@dataclass
class _Progress:
    """How far a data set is."""

    refused: Counter = field(default_factory=Counter)
    written: int = 0
    """Gaits in files."""
    draws: int = 0
    """Number of the next draw."""
    waiting: list[GaitSample] = field(default_factory=list)

    @property
    def made(self) -> int:
        return self.written + len(self.waiting)


def make_data_set(
    job: DataSetJob,
    report: Callable[[int, Counter], None] = lambda made, refused: None,
    samples: Callable[[Counter], Iterator[GaitSample]] | None = None,
) -> Counter:
    """Draw gaits until enough are possible, and write them as they come.

    A making that was stopped goes on where it was. Each draw has random numbers of its own, so that neither the stop
    nor the number of workers changes the result.

    Args:
        job: What to make.
        report: Called after every gait with their number and the refusals by reason.
        samples: Where gaits come from, at most as many as the job asks for; given the counter of refusals. None plans
            them. The ranges of a data set are those of the job, and those found in gaits that come from elsewhere.

    Returns:
        Refusals by reason.

    Raises:
        ValueError: If there is not a single gait, or the folder holds an unfinished data set with other settings.
    """
    job.output_dir.mkdir(parents=True, exist_ok=True)
    progress = _Progress() if samples is not None else _unfinished(job)
    source = _planned(job, progress) if samples is None else samples(progress.refused)
    for sample in islice(source, max(0, job.num_gaits - progress.made)):
        progress.waiting.append(sample)
        report(progress.made, progress.refused)
        if len(progress.waiting) == SET_SIZE:
            _write_waiting(job, progress)
        if samples is None and progress.made % KEEP_EVERY == 0:
            _keep(job, progress)
    if progress.waiting:
        _write_waiting(job, progress)
    if not progress.written:
        raise ValueError(f"No gait was found. Refused: {dict(progress.refused) or 'none'}.")
    ranges = {name: job.range_of(name) for name in PARAMETERS} if samples is None else _ranges_found(job.output_dir)
    write_json(job.output_dir / DESCRIPTION, _description(job, progress.refused, progress.written, ranges))
    (job.output_dir / UNFINISHED).unlink(missing_ok=True)
    return progress.refused


def _planned(job: DataSetJob, progress: _Progress) -> Iterator[GaitSample]:
    """Gaits from the next draw on, in the order of the draws."""
    for result in _drawn(job, progress.draws):
        if sum(progress.refused.values()) > 50 * (progress.made + 20):
            found = f"{dict(progress.refused)} refused, {progress.made} made"
            raise ValueError(f"Hardly any gait of these ranges is possible: {found}.")
        progress.draws += 1
        if isinstance(result, str):
            progress.refused[result] += 1
        else:
            yield result


def _drawn(job: DataSetJob, start: int) -> Iterator[GaitSample | str]:
    """What comes of the draws from a number on; without end."""
    draw = partial(_draw, job)
    if job.num_workers == 1:
        while True:
            yield draw(start)
            start += 1
    with multiprocessing.get_context("spawn").Pool(job.num_workers) as pool:
        while True:
            yield from pool.imap(draw, range(start, start + BLOCK * job.num_workers))
            start += BLOCK * job.num_workers


def _draw(job: DataSetJob, number: int) -> GaitSample | str:
    """A random gait, or why the legs, ground or friction cannot give it."""
    rng = np.random.default_rng((job.seed, number))
    drawn = {name: float(rng.uniform(*job.range_of(name))) for name in PARAMETERS if name != "pelvis_height"}
    share = float(rng.uniform())
    try:
        plan = plan_sample(drawn, job.robot)
        highest = float(plan.values["pelvis_height"][0])
        low, high = job.range_of("pelvis_height")
        if highest < low:
            return "pelvis_height out of range"
        height = min(highest, high)
        height -= share * min(LONGEST_PELVIS_DROP, height - low)
        if highest > high or highest - height > 0.005:
            plan = plan_sample(drawn | {"pelvis_height": height}, job.robot)
    except ValueError as error:
        return short_reason(str(error))
    if not is_carried(residual_of(plan)):
        return "root residual"
    motion = RootMotion(plan.root_pos, plan.root_quat, plan.joint_pos)
    params = np.array([plan.values[name][0] for name in PARAMETERS])
    outputs = encode(motion, plan.heading, FPS)
    return GaitSample(outputs[:NUM_FRAMES], params, plan.phase[:NUM_FRAMES])


def _write_waiting(job: DataSetJob, progress: _Progress) -> None:
    """Write the gaits that wait as a file."""
    with replacing(job.output_dir / f"gaits_{progress.written:06d}.npz") as partial_file:
        write_arrays(partial_file, _arrays(progress.waiting))
    progress.written, progress.waiting = progress.made, []


def _keep(job: DataSetJob, progress: _Progress) -> None:
    """Write what a later call needs to go on."""
    state = {"draws": progress.draws, "refused": dict(progress.refused), "written": progress.written}
    with replacing(job.output_dir / UNFINISHED) as partial_file:
        arrays = _arrays(progress.waiting) if progress.waiting else {}
        write_arrays(partial_file, arrays | {"state": np.array(json.dumps(state | {"settings": job.settings}))})


def _unfinished(job: DataSetJob) -> _Progress:
    """Where an earlier call was stopped; the beginning if there was none."""
    path = job.output_dir / UNFINISHED
    if not path.is_file():
        return _Progress()
    arrays = read_arrays(path)
    state = json.loads(str(arrays["state"]))
    if state["settings"] != job.settings:
        raise ValueError(
            f"{job.output_dir} holds an unfinished data set of other settings: {state['settings']}, now {job.settings}."
            f" Give another --output_dir, or remove {path}."
        )
    columns = [arrays[name] for name in ("motions", "params", "phase") if name in arrays]
    waiting = [GaitSample(*row) for row in zip(*columns, strict=True)]
    return _Progress(Counter(state["refused"]), state["written"], state["draws"], waiting)


def _arrays(samples: list[GaitSample]) -> dict[str, np.ndarray]:
    return {
        "motions": np.stack([sample.outputs for sample in samples]).astype(np.float32),
        "params": np.stack([sample.params for sample in samples]).astype(np.float32),
        "phase": np.stack([sample.phase for sample in samples]).astype(np.float32),
    }


def _ranges_found(folder: Path) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of every parameter in the files of a folder."""
    params = np.concatenate([read_arrays(path)["params"] for path in sorted(folder.glob("gaits_*.npz"))])
    return {name: (float(column.min()), float(column.max())) for name, column in zip(PARAMETERS, params.T, strict=True)}


def _description(job: DataSetJob, refused: Counter, num_gaits: int, ranges: dict[str, tuple[float, float]]) -> dict:
    return {
        "robot": job.robot.name,
        "fps": FPS,
        "num_frames": NUM_FRAMES,
        "num_gaits": num_gaits,
        "refused": dict(refused),
        "outputs": output_names(job.robot),
        "parameters": {
            name: {"unit": item.unit, "range": list(ranges[name]), "meaning": item.meaning}
            for name, item in PARAMETERS.items()
        },
    }
