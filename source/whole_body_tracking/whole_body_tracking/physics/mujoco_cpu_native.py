"""The native inner loop of ``physics=mujoco_cpu``: every env through MuJoCo's C API without touching Python.

Warp compiles the functions below once for the CPU. A launch runs :func:`step_envs_kernel` on the calling thread;
several threads launch it at the same time, each with its own ``mjData``, and claim envs from a shared counter until
none is left. An env's result depends only on its own inputs, so the number of threads changes nothing but the time.
"""

from __future__ import annotations

import warp as wp

wp.set_module_options({"enable_backward": False})

BAD_VALUE = 1e10
"""A coordinate beyond this magnitude, or NaN, counts as diverged (MuJoCo's ``mjMAXVAL``)."""


@wp.struct
class StepArgs:
    """Addresses and buffers for one thread. Addresses are those of C functions, structs and struct fields."""

    mj_step: wp.uint64
    mj_rne_post_constraint: wp.uint64
    mj_contact_force: wp.uint64
    mj_data: wp.uint64
    """``mjData`` of this thread."""
    mj_models: wp.array(dtype=wp.uint64)
    """``mjModel`` of each env, shape [num_envs]."""
    progress: wp.array(dtype=wp.int32)
    """[next env to claim, substeps to run, whether to report contacts, whether to compute body accelerations]."""
    inputs: wp.array2d(dtype=wp.uint64)
    """Rows of [address in ``mjData`` (float64), address in the solver (float32), values per env]."""
    outputs: wp.array2d(dtype=wp.uint64)
    """As :attr:`inputs`, in the other direction. The first two rows are ``qpos`` and ``qvel``."""
    ncon_offset: wp.int32
    contact_offset: wp.int32
    contact_size: wp.int32
    dist_offset: wp.int32
    pos_offset: wp.int32
    frame_offset: wp.int32
    geom_offset: wp.int32
    efc_offset: wp.int32
    body_pos: wp.uint64
    """``mjData.xpos`` of this thread."""
    body_mat: wp.uint64
    """``mjData.xmat`` of this thread."""
    geom_body: wp.uint64
    """``mjModel.geom_bodyid``, the same in every env."""
    geom_shape: wp.array2d(dtype=wp.int32)
    """Newton shape of each geom, shape [num_envs, num_geoms]."""
    count: wp.array(dtype=wp.int32)
    """Contacts found in a control step, shape [num_envs]; more than the slots if some did not fit."""
    shapes: wp.array2d(dtype=wp.vec2i)
    """The two Newton shapes of a contact; the contact arrays are all of shape [num_envs, slots]."""
    normals: wp.array2d(dtype=wp.vec3)
    """Normal from the first shape to the second, world frame."""
    points0: wp.array2d(dtype=wp.vec3)
    """Contact point on the first shape, in its body's frame [m]."""
    points1: wp.array2d(dtype=wp.vec3)
    """Contact point on the second shape, in its body's frame [m]."""
    forces: wp.array2d(dtype=wp.spatial_vector)
    """Force [N] and torque [N m] on the first shape, world frame, divided by the number of substeps."""
    mj_step1: wp.uint64
    mj_step2: wp.uint64
    mj_fullM: wp.uint64
    pd_qpos: wp.uint64
    """What follows is for stable PD control and empty without it. ``mjData.qpos`` of this thread, and so on."""
    pd_qvel: wp.uint64
    pd_qfrc_bias: wp.uint64
    pd_qfrc_passive: wp.uint64
    pd_qfrc_constraint: wp.uint64
    pd_qfrc_applied: wp.uint64
    pd_feed_forward: wp.uint64
    """Forces applied from outside, float32, [num_envs, num_dofs]."""
    pd_parents: wp.uint64
    """``mjModel.dof_parentid``."""
    pd_positions: wp.uint64
    """Index in qpos of each degree of freedom, negative where no motor drives it."""
    pd_scratch: wp.array(dtype=wp.float64)
    pd_stiffness: wp.array2d(dtype=wp.float32)
    """This and the following of shape [num_envs, num_dofs]."""
    pd_damping: wp.array2d(dtype=wp.float32)
    pd_limit: wp.array2d(dtype=wp.float32)
    pd_target: wp.array2d(dtype=wp.float32)
    pd_target_vel: wp.array2d(dtype=wp.float32)
    pd_torque: wp.array2d(dtype=wp.float32)
    pd_torque_before_limit: wp.array2d(dtype=wp.float32)
    pd_constraint: wp.array2d(dtype=wp.float32)
    """Constraint forces of the last substep."""
    pd_drives: wp.bool
    """Whether the torques drive the robot, or are only computed when asked for."""
    pd_counts_constraint: wp.bool
    pd_timestep: wp.array(dtype=wp.float64)
    """Length of a substep [s], shape [1]."""


@wp.func_native("""
return __atomic_fetch_add(&args.progress.data[0], 1, __ATOMIC_RELAXED);
""")
def claim_env(args: StepArgs) -> int: ...


@wp.func_native("""
bool finite = true;
for (int row = 0; row < args.inputs.shape[0]; ++row) {
    const uint64_t* entry = args.inputs.data + 3 * row;
    const size_t count = entry[2];
    double* target = (double*)entry[0];
    const float* source = (const float*)entry[1] + count * env_id;
    for (size_t i = 0; i < count; ++i) {
        target[i] = source[i];
        finite &= target[i] > -bad_value && target[i] < bad_value;
    }
}
return finite;
""")
def load_inputs(args: StepArgs, env_id: int, bad_value: wp.float64) -> bool: ...


@wp.func_native("""
((void (*)(const void*, void*))function)((const void*)args.mj_models.data[env_id], (void*)args.mj_data);
""")
def call_mujoco(args: StepArgs, function: wp.uint64, env_id: int): ...


@wp.func_native("""
bool finite = true;
for (int row = 0; row < 2; ++row) {
    const double* values = (const double*)args.outputs.data[3 * row];
    for (uint64_t i = 0; i < args.outputs.data[3 * row + 2]; ++i)
        finite &= values[i] > -bad_value && values[i] < bad_value;
}
return finite;
""")
def state_is_finite(args: StepArgs, bad_value: wp.float64) -> bool: ...


@wp.func_native("""
for (int row = 0; row < args.outputs.shape[0]; ++row) {
    const uint64_t* entry = args.outputs.data + 3 * row;
    const size_t count = entry[2];
    const double* source = (const double*)entry[0];
    float* target = (float*)entry[1] + count * env_id;
    const float invalid = row < 2 ? __builtin_nanf("") : 0.0f;
    for (size_t i = 0; i < count; ++i) target[i] = valid ? (float)source[i] : invalid;
}
""")
def store_outputs(args: StepArgs, env_id: int, valid: bool): ...


@wp.func_native("""
typedef void (*ContactForce)(const void*, const void*, int, double*);
const char* data = (const char*)args.mj_data;
const int num_contacts = *(const int*)(data + args.ncon_offset);
const char* contacts = *(const char* const*)(data + args.contact_offset);
const int num_slots = args.shapes.shape[1];
const size_t first = (size_t)env_id * num_slots;
const int recorded = args.count.data[env_id] < num_slots ? args.count.data[env_id] : num_slots;
int next_match = 0;

for (int index = 0; index < num_contacts; ++index) {
    const char* contact = contacts + (size_t)index * args.contact_size;
    const int* geom = (const int*)(contact + args.geom_offset);
    const bool active = *(const int*)(contact + args.efc_offset) >= 0;
    if (!active || geom[0] < 0 || geom[1] < 0) continue;
    const double* frame = (const double*)(contact + args.frame_offset);
    int shapes[2];
    for (int side = 0; side < 2; ++side)
        shapes[side] = args.geom_shape.data[env_id * args.geom_shape.shape[1] + geom[side]];

    size_t record = first + num_slots;
    for (int slot = next_match; slot < recorded && record == first + num_slots; ++slot) {
        const int* other_shapes = (const int*)args.shapes.data + 2 * (first + slot);
        const float* other_normal = (const float*)args.normals.data + 3 * (first + slot);
        bool same = shapes[0] == other_shapes[0] && shapes[1] == other_shapes[1];
        for (int axis = 0; axis < 3; ++axis) same &= other_normal[axis] == (float)frame[axis];
        if (same) { record = first + slot; next_match = slot + 1; }
    }
    float* force = (float*)args.forces.data + 6 * record;
    if (record == first + num_slots) {
        const int slot = args.count.data[env_id]++;
        if (slot >= num_slots) continue;
        record = first + slot;
        force = (float*)args.forces.data + 6 * record;
        for (int part = 0; part < 6; ++part) force[part] = 0.0f;
    }

    double wrench[6];
    ((ContactForce)args.mj_contact_force)((const void*)args.mj_models.data[env_id], data, index, wrench);
    for (int part = 0; part < 6; part += 3)
        for (int axis = 0; axis < 3; ++axis) {
            double value = 0.0;
            for (int row = 0; row < 3; ++row) value += wrench[part + row] * frame[3 * row + axis];
            force[part + axis] -= (float)(value * weight);
        }
    const double* pos = (const double*)(contact + args.pos_offset);
    const double dist = *(const double*)(contact + args.dist_offset);
    for (int axis = 0; axis < 3; ++axis) ((float*)args.normals.data)[3 * record + axis] = (float)frame[axis];
    for (int side = 0; side < 2; ++side) {
        ((int*)args.shapes.data)[2 * record + side] = shapes[side];
        const int body = ((const int*)args.geom_body)[geom[side]];
        const double* origin = (const double*)args.body_pos + 3 * body;
        const double* rotation = (const double*)args.body_mat + 9 * body;
        float* point = (float*)(side ? args.points1.data : args.points0.data) + 3 * record;
        double offset[3];
        for (int axis = 0; axis < 3; ++axis)
            offset[axis] = pos[axis] + (side ? 0.5 : -0.5) * dist * frame[axis] - origin[axis];
        for (int axis = 0; axis < 3; ++axis)
            point[axis] = (float)(rotation[axis] * offset[0] + rotation[3 + axis] * offset[1]
                                  + rotation[6 + axis] * offset[2]);
    }
}
""")
def record_contacts(args: StepArgs, env_id: int, weight: wp.float64):
    """Add the contacts of the substep that ``mjData`` holds to the env's records.

    A contact of a pair of shapes with the normal of an earlier record (the ground's never changes) adds its force to
    that record; where the normal moved a new record starts, so that normal and friction parts stay apart.
    """
    ...


@wp.func_native("""
const int n = args.pd_stiffness.shape[1];
const size_t row = (size_t)env_id * n;
const double h = args.pd_timestep.data[0];
const double *qpos = (const double*)args.pd_qpos, *qvel = (const double*)args.pd_qvel;
const double *bias = (const double*)args.pd_qfrc_bias, *passive = (const double*)args.pd_qfrc_passive;
const float* feed_forward = (const float*)args.pd_feed_forward + row;
const int *parent = (const int*)args.pd_parents, *position = (const int*)args.pd_positions;
double *M = args.pd_scratch.data, *x = M + n * n, *drive = x + n;

((void (*)(const void*, const void*, double*))args.mj_fullM)(
    (const void*)args.mj_models.data[env_id], (const void*)args.mj_data, M);
for (int i = 0; i < n; ++i) {
    const float* kp = args.pd_stiffness.data + row;
    const float* kd = args.pd_damping.data + row;
    drive[i] = 0.0;
    if (position[i] >= 0) {
        drive[i] = -kp[i] * (qpos[position[i]] + h * qvel[i] - args.pd_target.data[row + i])
                   - kd[i] * (qvel[i] - args.pd_target_vel.data[row + i]);
        M[i * n + i] += h * kd[i];
    }
    x[i] = drive[i] + passive[i] - bias[i];
    if (args.pd_drives) x[i] += feed_forward[i];
    if (args.pd_counts_constraint) x[i] += args.pd_constraint.data[row + i];
}
for (int k = n - 1; k >= 0; --k)
    for (int i = parent[k]; i >= 0; i = parent[i]) {
        const double factor = M[k * n + i] / M[k * n + k];
        for (int j = i; j >= 0; j = parent[j]) M[i * n + j] -= factor * M[k * n + j];
        M[k * n + i] = factor;
    }
for (int k = n - 1; k >= 0; --k)
    for (int i = parent[k]; i >= 0; i = parent[i]) x[i] -= M[k * n + i] * x[k];
for (int k = 0; k < n; ++k) {
    x[k] /= M[k * n + k];
    for (int i = parent[k]; i >= 0; i = parent[i]) x[k] -= M[k * n + i] * x[i];
}
for (int i = 0; i < n; ++i) {
    if (position[i] < 0) continue;
    const double limit = args.pd_limit.data[row + i];
    double torque = drive[i] - h * args.pd_damping.data[row + i] * x[i];
    if (args.pd_drives) torque += feed_forward[i];
    const double limited = torque > limit ? limit : (torque < -limit ? -limit : torque);
    if (args.pd_drives) ((double*)args.pd_qfrc_applied)[i] = limited;
    args.pd_torque_before_limit.data[row + i] = (float)torque;
    args.pd_torque.data[row + i] = (float)limited;
}
""")
def apply_stable_pd(args: StepArgs, env_id: int):
    """Set the motors' torques from the state after ``mj_step1``.

    Solves (M + h Kd) q'' = drive + known forces as L^T D L along the tree (Featherstone, Rigid Body Dynamics
    Algorithms, 2008, section 6.5), and adds -h kd q'' to the drives.
    """
    ...


@wp.func_native("""
const int n = args.pd_constraint.shape[1];
for (int i = 0; i < n; ++i)
    args.pd_constraint.data[(size_t)env_id * n + i] = (float)((const double*)args.pd_qfrc_constraint)[i];
""")
def keep_constraint_forces(args: StepArgs, env_id: int): ...


@wp.kernel
def step_envs_kernel(args: StepArgs):
    """Step envs until none is left to claim. Launch with one thread."""
    bad_value = wp.float64(wp.static(BAD_VALUE))
    num_envs = args.mj_models.shape[0]
    num_substeps = args.progress[1]
    weight = wp.float64(1.0) / wp.float64(num_substeps)
    env_id = claim_env(args)
    while env_id < num_envs:
        args.count[env_id] = 0
        valid = load_inputs(args, env_id, bad_value)
        substep = int(0)  # noqa: UP018 (Warp: a variable, not a constant)
        while valid and substep < num_substeps:
            if args.pd_drives:
                call_mujoco(args, args.mj_step1, env_id)
                apply_stable_pd(args, env_id)
                call_mujoco(args, args.mj_step2, env_id)
            else:
                call_mujoco(args, args.mj_step, env_id)
            if args.pd_constraint.shape[0] > 0:
                keep_constraint_forces(args, env_id)
            valid = state_is_finite(args, bad_value)
            if valid and args.progress[2] != 0:
                record_contacts(args, env_id, weight)
            substep += 1
        if valid and args.progress[3] != 0:
            call_mujoco(args, args.mj_rne_post_constraint, env_id)
        if not valid:
            args.count[env_id] = 0
        store_outputs(args, env_id, valid)
        env_id = claim_env(args)


@wp.kernel
def stable_pd_kernel(args: StepArgs):
    """Compute the torques of stable PD control at the present state until no env is left. Launch with one thread."""
    env_id = claim_env(args)
    while env_id < args.mj_models.shape[0]:
        if load_inputs(args, env_id, wp.float64(wp.static(BAD_VALUE))):
            call_mujoco(args, args.mj_step1, env_id)
            apply_stable_pd(args, env_id)
        env_id = claim_env(args)


@wp.kernel
def pack_contacts_kernel(
    first: wp.array(dtype=wp.int32),
    args: StepArgs,
    shape0: wp.array(dtype=wp.int32),
    shape1: wp.array(dtype=wp.int32),
    point0: wp.array(dtype=wp.vec3),
    point1: wp.array(dtype=wp.vec3),
    normal: wp.array(dtype=wp.vec3),
    force: wp.array(dtype=wp.spatial_vector),
):
    """Append the contacts of each env to Newton's flat contact arrays, starting at ``first[env_id]``."""
    env_id = wp.tid()
    for slot in range(wp.min(args.count[env_id], args.shapes.shape[1])):
        out = first[env_id] + slot
        shapes = args.shapes[env_id, slot]
        shape0[out] = shapes[0]
        shape1[out] = shapes[1]
        point0[out] = args.points0[env_id, slot]
        point1[out] = args.points1[env_id, slot]
        normal[out] = args.normals[env_id, slot]
        if force:
            force[out] = args.forces[env_id, slot]
