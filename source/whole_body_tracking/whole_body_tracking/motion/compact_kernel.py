"""States of compact rows in one kernel: gather, forward kinematics and differences, on the CPU and on CUDA.

Only :mod:`.compact_library` imports this, and only where Warp is installed.
"""

import torch
import warp as wp
from torch import Tensor

from whole_body_tracking.robots import RobotModel

NUM_INSTANTS = 3
"""Frame asked for, frame before, frame after."""


@wp.func
def rotation_vector(q: wp.quat) -> wp.vec3:
    """Axis times angle of the shorter way round [rad]; as ``rotations.quat_log``."""
    u = wp.vec3(q[0], q[1], q[2])
    sin_half = wp.length(u)
    scale = wp.float32(2.0)
    if sin_half > 1.0e-7:
        scale = 2.0 * wp.atan2(sin_half, wp.abs(q[3])) / sin_half
    if q[3] < 0.0:
        scale = -scale
    return u * scale


@wp.func
def walk_chain(
    table: wp.array2d(dtype=float),
    row: wp.int64,
    parents: wp.array(dtype=wp.int64),
    columns: wp.array(dtype=wp.int64),
    axes: wp.array(dtype=wp.vec3),
    origins: wp.array(dtype=wp.transformf),
    poses: wp.array3d(dtype=wp.transformf),
    instant: int,
    i: int,
):
    """Poses of the chain's bodies at one row of the table."""
    root_pos = wp.vec3(table[row, 0], table[row, 1], table[row, 2])
    root_quat = wp.quat(table[row, 3], table[row, 4], table[row, 5], table[row, 6])
    poses[instant, 0, i] = wp.transformf(root_pos, root_quat)
    for joint in range(columns.shape[0]):
        half = 0.5 * table[row, columns[joint]]
        axis = axes[joint] * wp.sin(half)
        turn = wp.transformf(wp.vec3(0.0), wp.quat(axis[0], axis[1], axis[2], wp.cos(half)))
        poses[instant, joint + 1, i] = poses[instant, int(parents[joint]), i] * (origins[joint] * turn)


@wp.func
def write_body(
    states: wp.array2d(dtype=float),
    first: int,
    num_bodies: int,
    body: int,
    i: int,
    now: wp.transformf,
    before: wp.transformf,
    after: wp.transformf,
    rate: float,
):
    """Pose and velocities of one body in the full library's layout; body columns begin at ``first``."""
    pos, quat = wp.transform_get_translation(now), wp.transform_get_rotation(now)
    moved = wp.transform_get_translation(after) - wp.transform_get_translation(before)
    turned = rotation_vector(wp.transform_get_rotation(after) * wp.quat_inverse(wp.transform_get_rotation(before)))
    for axis in range(3):
        states[i, first + 3 * body + axis] = pos[axis]
        states[i, first + 7 * num_bodies + 3 * body + axis] = moved[axis] * rate
        states[i, first + 10 * num_bodies + 3 * body + axis] = turned[axis] * rate
    for component in range(4):
        states[i, first + 3 * num_bodies + 4 * body + component] = quat[component]


@wp.kernel(enable_backward=False)
def compact_states(
    table: wp.array2d(dtype=float),
    starts: wp.array(dtype=wp.int64),
    last_frames: wp.array(dtype=wp.int64),
    clip_ids: wp.array(dtype=wp.int64),
    frames: wp.array(dtype=wp.int64),
    fps: float,
    joint_columns: wp.array(dtype=wp.int64),
    body_idx: wp.array(dtype=wp.int64),
    parents: wp.array(dtype=wp.int64),
    columns: wp.array(dtype=wp.int64),
    axes: wp.array(dtype=wp.vec3),
    origins: wp.array(dtype=wp.transformf),
    poses: wp.array3d(dtype=wp.transformf),
    states: wp.array2d(dtype=float),
):
    """One thread per row: walk the chain at three instants, then write the state in the full library's layout."""
    i = wp.tid()
    start, last = starts[clip_ids[i]], last_frames[clip_ids[i]]
    frame = wp.clamp(frames[i], wp.int64(0), last)
    before, after = wp.max(frame - wp.int64(1), wp.int64(0)), wp.min(frame + wp.int64(1), last)
    rate = fps / float(after - before)
    walk_chain(table, start + frame, parents, columns, axes, origins, poses, 0, i)
    walk_chain(table, start + before, parents, columns, axes, origins, poses, 1, i)
    walk_chain(table, start + after, parents, columns, axes, origins, poses, 2, i)
    num_joints, num_bodies = joint_columns.shape[0], body_idx.shape[0]
    for joint in range(num_joints):
        column = joint_columns[joint]
        states[i, joint] = table[start + frame, column]
        states[i, num_joints + joint] = (table[start + after, column] - table[start + before, column]) * rate
    for body in range(num_bodies):
        k = int(body_idx[body])
        now, back, ahead = poses[0, k, i], poses[1, k, i], poses[2, k, i]
        write_body(states, 2 * num_joints, num_bodies, body, i, now, back, ahead, rate)


@torch.library.custom_op("whole_body_tracking::compact_states", mutates_args=())
def compact_states_op(
    table: Tensor,
    starts: Tensor,
    last_frames: Tensor,
    clip_ids: Tensor,
    frames: Tensor,
    fps: float,
    joint_columns: Tensor,
    body_idx: Tensor,
    parents: Tensor,
    chain_columns: Tensor,
    axes: Tensor,
    origins: Tensor,
) -> Tensor:
    """States in the layout of :class:`.MotionLibrary`, shape [num, 2 * num_joints + 13 * num_bodies].

    An operation of torch, so that tools that watch torch see one operation and know its output's shape.
    """
    states = table.new_empty(len(frames), 2 * len(joint_columns) + 13 * len(body_idx))
    poses = _scratch(table, NUM_INSTANTS, len(parents) + 1, len(frames))
    before = [wp.from_torch(value.contiguous()) for value in (table, starts, last_frames, clip_ids, frames)]
    chain = [wp.from_torch(value) for value in (joint_columns, body_idx, parents, chain_columns)]
    vectors = [wp.from_torch(axes, dtype=wp.vec3), wp.from_torch(origins, dtype=wp.transformf)]
    outputs = [wp.from_torch(poses, dtype=wp.transformf), wp.from_torch(states)]
    stream = wp.stream_from_torch(torch.cuda.current_stream(table.device)) if table.is_cuda else None
    device = wp.device_from_torch(table.device)
    wp.launch(compact_states, len(frames), [*before, fps, *chain, *vectors], outputs, device=device, stream=stream)
    return states


def _scratch(table: Tensor, num_instants: int, num_bodies: int, num: int) -> Tensor:
    """Room for poses, shape [num_instants, num_bodies, num, 7], laid out for the device's caches.

    Threads of a GPU run side by side, so neighbours in memory are the same body of neighbouring rows; a CPU takes one
    row after another.
    """
    if table.is_cuda:
        return table.new_empty(num_instants, num_bodies, num, 7)
    return table.new_empty(num, num_instants, num_bodies, 7).permute(1, 2, 0, 3)


@compact_states_op.register_fake
def _(table, starts, last_frames, clip_ids, frames, fps, joint_columns, body_idx, *_) -> Tensor:
    return table.new_empty(frames.shape[0], 2 * joint_columns.shape[0] + 13 * body_idx.shape[0])


def chain_tensors(chain: RobotModel, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """What the kernel needs to know about a chain.

    Returns:
        Index of each joint's parent body, axis in the child's frame, and pose of the joint in the parent's frame as
        position [m] and quaternion; shapes [num_joints], [num_joints, 3] and [num_joints, 7].
    """
    wp.init()
    parents = torch.tensor([int(parent) for parent in chain.parent_idx[1:]], dtype=torch.long, device=device)
    axes, pos, quat = (
        torch.as_tensor(value, dtype=torch.float32)
        for value in (chain.joint_axis, chain.joint_origin_pos, chain.joint_origin_quat)
    )
    return parents, axes.contiguous().to(device), torch.cat((pos, quat), dim=-1).to(device)
