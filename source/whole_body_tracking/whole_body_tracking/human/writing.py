"""Files of a played human motion."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from whole_body_tracking.files import write_atomically, write_json

from .job import HumanResult
from .page import write_human_page
from .report import write_report_page


def write_results(
    result: HumanResult, content: dict, folder: Path, with_body: bool = True, json_file: Path | None = None
) -> list[Path]:
    """Write ``motion.npz``, ``report.json``, ``body.html`` and ``report.html``; returns them, the report last.

    Args:
        result: What was found.
        content: The report as JSON.
        folder: An existing folder.
        with_body: Whether to write ``body.html``.
        json_file: Where to write the JSON as well.
    """
    written = [folder / "motion.npz", folder / "report.json"]
    write_atomically(written[0], _motion_bytes(result))
    for path in (written[1], *([json_file] if json_file else [])):
        write_json(path, content)
    body_page = None
    if with_body:
        body_page = write_human_page(folder / "body.html", result.body, result.motion, result.activation)
        written.append(body_page)
    report = folder / "report.html"
    write_report_page(report, result, body_page)
    return [*written, report]


def _motion_bytes(result: HumanResult) -> bytes:
    """Positions, activations, torques and names, without pickled objects."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        fps=result.motion.fps,
        qpos=result.motion.qpos,
        activation=result.activation.astype(np.float32),
        torque=result.dynamics.torque.astype(np.float32),
        muscle_names=np.array(result.body.muscles.names),
        coordinate_names=np.array(result.body.moved_names),
    )
    return buffer.getvalue()
