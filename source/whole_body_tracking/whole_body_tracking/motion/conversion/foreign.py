"""Clip files of BeyondMimic, mjlab and holosoma, as raw motions.

Only the joints and the root pose are taken from such a file. Its bodies say how the columns are laid out, and whether
the file was recorded with this robot: forward kinematics has to put every body where the file has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel

from .layout_fit import (
    POSITION_TOLERANCE,
    ROOT_COLUMNS,
    ROTATION_TOLERANCE,
    TO_XYZW,
    ForeignLayout,
    LayoutFit,
    fit_layout,
    root_pose,
)
from .readers import UNIT_TOLERANCE, RawMotion

FOREIGN_KEYS = ("fps", "joint_pos", "body_pos_w", "body_quat_w")
NUM_PROBE_FRAMES = 64
"""Frames on which the layouts compete; the winner is checked on all."""


@dataclass(frozen=True, eq=False)
class ForeignMotion:
    """A motion of another project and how its file was read."""

    raw: RawMotion
    """Root pose and joint positions, at the file's rate."""
    fit: LayoutFit
    """The layout, and how well the file agrees with itself under it."""


def read_foreign(
    arrays: dict[str, np.ndarray], name: str, robot: RobotModel, layout: str | None = None
) -> ForeignMotion:
    """Read the content of another project's clip file.

    Args:
        arrays: The file's arrays.
        name: What messages call the file.
        robot: The robot that moves.
        layout: ``beyondmimic``, ``mjlab``, ``holosoma`` or ``named``, followed by ``-xyzw`` if quaternions are not w
            first; None takes the one under which the stored bodies are nearest to the stored joints.

    Raises:
        ValueError: If the file is not such a clip, the layout is unknown, or in some frame a body is more than
            ``POSITION_TOLERANCE`` or ``ROTATION_TOLERANCE`` of :mod:`.layout_fit` from where the joints put it.
    """
    if "quat_order" in arrays:
        raise ValueError(f"{name} is already a clip of this project (it has 'quat_order'): use it as it is.")
    _check_arrays(arrays, name)
    fits = {layout.name: fit for layout, fit in _fits(arrays, name, robot, layout).items()}
    if layout is not None:
        require_known(layout, fits, f"layout of {name}")
    chosen = layout or min(fits, key=lambda candidate: fits[candidate].score)
    fit = fit_layout(arrays, fits[chosen].layout, robot, np.arange(len(arrays["joint_pos"])))
    others = {other: fits[other] for other in fits if layout is not None and other != layout}
    _require_fit(fit, name, others)
    root_pos, root_quat = root_pose(arrays, fit.layout, robot)
    raw = RawMotion(
        fps=float(arrays["fps"].item()),
        root_pos=root_pos.numpy(),
        root_quat=root_quat.numpy(),
        joint_pos=arrays["joint_pos"][:, fit.layout.num_root_columns :],
        joint_names=fit.layout.joint_names,
        source={"file": name, "layout": fit.layout.name},
    )
    return ForeignMotion(raw, fit)


def layout_names(robot: RobotModel) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Joint and body names of files without names, by layout."""
    return {
        "beyondmimic": (robot.joint_names_breadth_first, robot.body_names_breadth_first),
        "mjlab": (robot.joint_names, robot.body_names),
    }


def _fits(arrays: dict, name: str, robot: RobotModel, layout: str | None) -> dict[ForeignLayout, LayoutFit]:
    frames = np.unique(np.linspace(0, len(arrays["joint_pos"]) - 1, NUM_PROBE_FRAMES).astype(int))
    return {c: fit_layout(arrays, c, robot, frames) for c in _candidates(arrays, name, robot, layout)}


def _candidates(arrays: dict, name: str, robot: RobotModel, layout: str | None) -> list[ForeignLayout]:
    width, num_bodies = arrays["joint_pos"].shape[1], arrays["body_pos_w"].shape[1]
    root_columns = ROOT_COLUMNS if width == robot.num_joints + ROOT_COLUMNS else 0
    orders = layout_names(robot)
    nameless = layout is not None and layout.removesuffix("-xyzw") in orders
    if not nameless and {"joint_names", "body_names"} <= arrays.keys():
        joints, bodies = (tuple(str(item) for item in arrays[key]) for key in ("joint_names", "body_names"))
        orders = {"holosoma" if root_columns else "named": (joints, bodies)}
    for joints, bodies in orders.values():
        _require_names(name, robot, joints, bodies)
        if (width, num_bodies) != (root_columns + len(joints), len(bodies)):
            raise ValueError(
                f"{name} holds {width} joint and {num_bodies} body columns, expected {root_columns + len(joints)} and"
                f" {len(bodies)} for {robot.name}. Convert the motion that it was made from with csv_to_npz.py."
            )
    return [
        ForeignLayout(base if order == "wxyz" else f"{base}-{order}", joints, bodies, order, root_columns)
        for base, (joints, bodies) in orders.items()
        for order in TO_XYZW
    ]


def _require_names(name: str, robot: RobotModel, joints: tuple[str, ...], bodies: tuple[str, ...]) -> None:
    for kind, wanted, stored in (("joints", robot.joint_names, joints), ("bodies", robot.body_names, bodies)):
        missing = [item for item in wanted if item not in stored]
        if missing:
            raise ValueError(f"{name} lacks the {kind} {missing} of {robot.name}. Stored: {list(stored)}.")


def _check_arrays(arrays: dict[str, np.ndarray], name: str) -> None:
    missing = [key for key in FOREIGN_KEYS if key not in arrays]
    if missing:
        raise ValueError(f"{name} is not a motion clip: it lacks {missing}. Stored: {sorted(arrays)}.")
    if arrays["fps"].size != 1 or not float(arrays["fps"].item()) > 0:
        raise ValueError(f"{name}: expected one positive fps, got {arrays['fps']}.")
    shapes = {key: arrays[key].shape for key in FOREIGN_KEYS[1:]}
    num_frames, num_bodies = (*shapes["body_pos_w"], 0, 0)[:2]
    expected = {"body_pos_w": (num_frames, num_bodies, 3), "body_quat_w": (num_frames, num_bodies, 4)}
    expected["joint_pos"] = (num_frames, *shapes["joint_pos"][1:2])
    if shapes != expected or len(shapes["joint_pos"]) != 2 or num_frames < 2:
        raise ValueError(
            f"{name}: expected joint_pos [T, J], body_pos_w [T, B, 3] and body_quat_w [T, B, 4] with at least 2 frames,"
            f" got { ({key: list(shape) for key, shape in shapes.items()}) }."
        )
    for key in shapes:
        if not np.isfinite(arrays[key]).all():
            raise ValueError(f"{name}: {key} holds values that are not finite.")
    norm = np.linalg.norm(arrays["body_quat_w"], axis=-1)
    if np.abs(norm - 1.0).max() > UNIT_TOLERANCE:
        raise ValueError(f"{name}: body_quat_w is not unit: norms from {norm.min():.4g} to {norm.max():.4g}.")


def _require_fit(fit: LayoutFit, name: str, others: dict[str, LayoutFit]) -> None:
    if not fit.misfits:
        return
    if others:
        begin = f"{name} does not fit layout '{fit.layout.name}' of {fit.robot.name}:"
    else:
        begin = f"{name} does not agree with itself: under '{fit.layout.name}', the best layout,"
    frame = int(fit.position_error.max(1).argmax())
    listed = ", ".join(f"{other} {1e3 * each.position_error.max():.1f} mm" for other, each in others.items())
    raise ValueError(
        f"{begin} bodies are up to"
        f" {1e3 * fit.position_error.max():.1f} mm and {np.degrees(fit.rotation_error.max()):.1f} deg from where the"
        f" joints put them (worst in frame {frame} of {len(fit.position_error)}), expected at most"
        f" {1e3 * POSITION_TOLERANCE:g} mm and {np.degrees(ROTATION_TOLERANCE):.1f} deg."
        + (f" Other layouts: {listed}." if others else "")
        + f" It starts at {fit.first_misfits()}; all: {fit.describe_misfits()}. Either the layout is another, or the"
        f" file was recorded with another model of {fit.robot.name} (an older waist, for example), or it is damaged:"
        " convert the motion that it was made from with csv_to_npz.py."
    )
