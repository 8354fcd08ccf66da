"""Plots of an evaluation: functions that draw on a matplotlib figure.

Names of clips, joints and bodies are shown as they are: a dollar sign starts no formula.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from whole_body_tracking.evaluation.metrics.contacts import CONTACT_HEIGHT
from whole_body_tracking.evaluation.metrics.measure import DEGREES, per_step_errors
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.motion.geometry.ground import sole_heights
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.criteria import tracking_terms

REFERENCE, ROBOT = "#8a8f98", "#1f5fa8"
NUM_JOINTS = 6
"""Joints that are drawn: those with the largest error."""
NUM_CLIPS = 15
"""Clips in the chart of the worst ones."""


def plot_errors(recording: Recording) -> Figure:
    """Position and orientation errors over time of one rollout."""
    errors = {name: value[:, 0].numpy() for name, value in per_step_errors(recording).items()}
    figure, (position, angle) = _panels(2)
    position.plot(_times(recording), 100.0 * errors["mpkpe"], label="bodies, world", color=REFERENCE)
    position.plot(_times(recording), 100.0 * errors["r_mpkpe"], label="bodies, re-anchored", color=ROBOT)
    position.set(ylabel="position error [cm]", ylim=(0.0, None))
    angle.plot(_times(recording), errors["anchor_ori"], label="anchor, world", color=REFERENCE)
    angle.plot(_times(recording), errors["body_ori"], label="bodies, re-anchored", color=ROBOT)
    angle.set(ylabel="orientation error [deg]", ylim=(0.0, None))
    return _finish(figure, (position, angle))


def plot_joints(recording: Recording, joint_names: Sequence[str]) -> Figure:
    """Positions of the joints with the largest error, beside their references, of one rollout."""
    ref, robot = (DEGREES * value[:, 0].numpy() for value in (recording.ref_joint_pos, recording.joint_pos))
    rms = np.sqrt(np.square(ref - robot).mean(0))
    figure, axes = _panels(NUM_JOINTS, columns=3)
    for axis, joint in zip(axes, np.argsort(-rms), strict=False):
        axis.plot(_times(recording), ref[:, joint], color=REFERENCE, label="reference")
        axis.plot(_times(recording), robot[:, joint], color=ROBOT, label="robot")
        axis.set_title(f"{joint_names[joint]} ({rms[joint]:.1f} deg)", fontsize=10, parse_math=False)
        axis.set_ylabel("[deg]")
    return _finish(figure, axes)


def plot_feet(recording: Recording, robot: RobotModel) -> Figure:
    """Sole heights and contacts of each foot of one rollout; a bar below zero is a contact."""
    states = {"reference": (recording.ref, REFERENCE), "robot": (recording.robot, ROBOT)}
    figure, axes = _panels(len(robot.foot_body_names))
    for row, (label, (state, color)) in enumerate(states.items()):
        heights = 100.0 * sole_heights(robot, recording.body_names, state.pos_w, state.quat_w)[:, 0].numpy()
        for foot, axis in enumerate(axes):
            contact = heights[:, foot] < 100.0 * CONTACT_HEIGHT
            axis.plot(_times(recording), heights[:, foot], color=color, label=label)
            axis.fill_between(_times(recording), -3.0 - 1.5 * row, -2.0 - 1.5 * row, where=contact, color=color)
    for axis, name in zip(axes, robot.foot_body_names, strict=True):
        axis.set_title(name, parse_math=False)
        axis.set_ylabel("sole height [cm]")
    return _finish(figure, axes)


def plot_rewards(recording: Recording, rewards: object) -> Figure:
    """The six tracking terms over time of one rollout, each at most 1."""
    figure, axes = _panels(1)
    for name, term in tracking_terms(recording.errors(), rewards).items():
        axes[0].plot(_times(recording), term[:, 0].numpy(), label=name.removeprefix("motion_"), linewidth=1.2)
    axes[0].set(ylabel="share of the term's maximum", ylim=(0.0, 1.02))
    return _finish(figure, axes)


def plot_worst_clips(per_clip: Sequence[dict]) -> Figure:
    """Clips with the lowest completion, then the largest error, as bars of both."""
    rows = sorted(per_clip, key=lambda row: (row["completion"], -row.get("r_mpkpe", np.inf)))[:NUM_CLIPS]
    figure = Figure(figsize=(10.0, 1.4 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    axes[0].set_yticks(range(len(rows)), [row["name"] for row in rows], parse_math=False)
    axes[0].barh(range(len(rows)), [100.0 * row["completion"] for row in rows], color=ROBOT)
    axes[0].set(xlabel="completion [%]", xlim=(0.0, 100.0))
    axes[1].barh(range(len(rows)), [100.0 * row.get("r_mpkpe", np.nan) for row in rows], color=REFERENCE)
    axes[1].set(xlabel="position error, re-anchored [cm]")
    axes[0].invert_yaxis()
    return figure


def _times(recording: Recording) -> np.ndarray:
    return np.arange(1, len(recording.joint_pos) + 1) * recording.step_dt


def _panels(count: int, columns: int = 2) -> tuple[Figure, Sequence]:
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(10.0, 2.8 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharex=True).flatten()


def _finish(figure: Figure, axes: Sequence) -> Figure:
    for axis in axes:
        axis.grid(alpha=0.3)
    for axis in figure.axes[-figure.axes[0].get_gridspec().ncols :]:
        axis.set_xlabel("time [s]")
    axes[0].legend(fontsize=8)
    return figure
