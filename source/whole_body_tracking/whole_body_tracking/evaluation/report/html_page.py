"""``report.html``: numbers, definitions and plots of an evaluation in one file that needs no network."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.files import write_atomically
from whole_body_tracking.html_parts import image, page, table
from whole_body_tracking.robots import RobotModel

from . import plots
from .notes import diverged_note, score_name

CLIP_COLUMNS = (
    *("success", "success_lafan1", "completion", "survived_s", "normalised_return", "tracking_reward"),
    *("r_mpkpe", "mpkpe", "joint_rmse"),
)
"""Metrics in the table of clips; ``per_clip.csv`` has them all."""
START_COLUMNS = ("completion", "tracking_reward", "r_mpkpe", "mpkpe")
"""Metrics in the table of where rollouts start; ``report.json`` has them all."""


@dataclass
class Example:
    """One rollout to show."""

    title: str
    page: str | None = None
    """Page in which it moves, relative to the report; None if it diverged before there was anything to show."""
    recording: Recording | None = None
    """Of this rollout alone, while its state was finite."""
    joint_names: Sequence[str] = ()
    video: str | None = None
    """Video of it, relative to the report."""


def write_html(path: Path, content: dict, examples: Sequence[Example], rewards: object, robot: RobotModel) -> Path:
    """Write the page under a temporary name, then rename it.

    Args:
        path: File to write.
        content: Content of ``report.json``.
        examples: Rollouts to plot.
        rewards: Tracking terms of the task.
        robot: The robot.
    """
    overall, per_clip = content["overall"], content["per_clip"]
    parts = [f"<h1>{html.escape(str(content.get('task', 'Evaluation')))}</h1>", _lead(overall, per_clip)]
    parts += [_facts(content), "<h2>Overall</h2>", _overall(overall)]
    if "starts" in content:
        parts += ["<h2>From frame 0 and from random frames</h2>", _starts(content["starts"])]
    parts += ["<h2>Clips, the worst first</h2>"]
    parts += [image(plots.plot_worst_clips(per_clip), "Worst clips"), _clips(per_clip)]
    for example in examples:
        parts += [f"<h2>{html.escape(example.title)}</h2>", _link(example), _video(example)]
        parts += [image(figure, title) for title, figure in _figures(example, rewards, robot)]
    write_atomically(path, page("Evaluation", parts))
    return path


def _figures(example: Example, rewards: object, robot: RobotModel) -> Iterator[tuple[str, Figure]]:
    recording = example.recording
    if recording is None:
        return
    yield "Tracking error over time", plots.plot_errors(recording)
    yield "Joints with the largest error", plots.plot_joints(recording, example.joint_names)
    if set(robot.foot_body_names) <= set(recording.body_names):
        yield "Feet and contacts", plots.plot_feet(recording, robot)
    yield "Reward terms", plots.plot_rewards(recording, rewards)


def _lead(overall: dict[str, float], per_clip: Sequence[dict]) -> str:
    """The result in one sentence, and how many rollouts diverged; one that did so at once has no error to mention."""
    error = f", error {100.0 * overall['r_mpkpe']:.1f} cm re-anchored" if "r_mpkpe" in overall else ""
    return (
        f'<p class="lead">{overall["num_rollouts"]} rollouts of {len(per_clip)} clip{"s" * (len(per_clip) != 1)}:'
        f" {overall['success']:.1%} reach the end, completion {overall['completion']:.1%}{error},"
        f" {score_name(per_clip)} {overall['normalised_return']:.3f}.{html.escape(diverged_note(overall))}</p>"
    )


def _link(example: Example) -> str:
    if example.page is None:
        return "<p>It diverged at once: there is nothing to show.</p>"
    return f'<p><a href="{html.escape(example.page)}">See it move beside its reference</a></p>'


def _video(example: Example) -> str:
    if example.video is None:
        return ""
    source = html.escape(example.video)
    return f'<video src="{source}" controls loop muted></video><p><a href="{source}">The video as a file</a></p>'


def _facts(details: dict) -> str:
    shown = ("engine", "checkpoint", "checkpoint_sha256", "commit", "seed", "exact_start", "start_frames")
    rows = [(name, str(details[name])) for name in shown if name in details]
    rows += [(name, str(version)) for name, version in details.get("versions", {}).items() if version]
    return table(("", ""), rows)


def _overall(overall: dict[str, float]) -> str:
    rows = [(name, f"{value:.4g}", DEFINITIONS.get(name, "")) for name, value in overall.items()]
    return table(("metric", "value", "definition"), rows)


def _starts(rows: Sequence[dict]) -> str:
    names = ("start", "num_rollouts", "num_independent", "success", "success_low", "success_high", *START_COLUMNS)
    cells = [[_text(row[name]) if name in row else "" for name in names] for row in rows]
    return table(names, cells)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _clips(per_clip: Sequence[dict]) -> str:
    ranked = sorted(per_clip, key=lambda row: (row["completion"], -row.get("r_mpkpe", float("inf"))))
    rows = [[row["name"], *(f"{row[name]:.4g}" if name in row else "" for name in CLIP_COLUMNS)] for row in ranked]
    return table(("clip", *CLIP_COLUMNS), rows)
