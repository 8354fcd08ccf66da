"""Run the cells of an ablation, one after another on this machine or as jobs on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from whole_body_tracking.rl.run.launching import latest_progress
from whole_body_tracking.rl.run.ray_options import RayOptions
from whole_body_tracking.rl.run.ray_queue import run_on_ray

from .cell import Cell, CellJob, Plan

console = Console()

HEADLINE = ("success", "r_mpkpe", "survived", "velocity_error", "falls_per_minute")
"""What is said of a cell that is done, where its evaluation has it."""


def run_cells[R](
    cells: Sequence[Cell], plan: Plan, options: RayOptions | None, folder: Path, done: Callable[[Cell, dict], R]
) -> R:
    """Run what is left of all cells.

    Args:
        cells: At least one.
        plan: What they share.
        options: The Ray cluster; None for this machine, where the first cell that fails ends the call.
        folder: Folder of all cells.
        done: Called with each cell and its row when it is finished.

    Returns:
        What the last call of ``done`` returned.

    Raises:
        ChildProcessError: If a cell fails; on Ray after all others have ended.
    """
    if options is None:
        titles = [f"{number} of {len(cells)}: {cell.name}" for number, cell in enumerate(cells, start=1)]
        return [done(cell, _run(cell, plan, title)) for cell, title in zip(cells, titles, strict=True)][-1]
    results, failed = [], {}

    def ended(job: CellJob, error: ChildProcessError | None) -> None:
        if error is not None:
            failed[job.name] = str(error)
            return _say(f"failed {job.name}: {error}")
        row = job.cell.row(plan)
        results.append(done(job.cell, row))
        return _print(f"{len(results) + len(failed)} of {len(cells)}: {job.name}", row)

    run_on_ray([CellJob(cell, plan) for cell in cells], options, folder, ended, _say)
    if failed:
        name, reason = next(iter(failed.items()))
        raise ChildProcessError(
            f"{len(failed)} of {len(cells)} cells failed: {'; '.join(failed)}. The same command continues them, the"
            f" others are in the table. {name}: {reason}"
        )
    return results[-1]


def _run(cell: Cell, plan: Plan, title: str) -> dict:
    with console.status(title) as status:

        def watch() -> None:
            row = latest_progress(cell.folder)
            if row is not None:
                status.update(f"{title}: iteration {row['iteration']:.0f}, reward {row['mean_reward']:.1f}")

        row = cell.run(plan, watch)
    _print(title, row)
    return row


def _say(line: str) -> None:
    console.print(line, markup=False)


def _print(title: str, row: dict) -> None:
    said = [f"{name} {row[name]:.3f}" for name in HEADLINE if row.get(name) is not None]
    console.print(f"[green]done[/green] {title}: {', '.join(said)} after {row['env_steps'] / 1e6:.2f} M steps")
