"""Physics engines of the tracking task: one preset each, chosen with ``physics=NAME``."""

from __future__ import annotations

import torch
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg, NewtonShapeCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.utils import PresetCfg, preset

from whole_body_tracking.physics.mujoco_cpu_cfg import mujoco_cpu_cfg

SHAPES = preset(default=NewtonShapeCfg(), rand_terrain=NewtonShapeCfg(gap=0.0))
"""Contacts of Newton's shapes. On a height field MuJoCo keeps shapes apart by their gaps' sum, 2 cm by default."""

PATCHES = 10 * 2**15
"""Contact patches that PhysX holds for all envs on a GPU: 80 for each of 4,096, twice its default. A fallen G1 makes
about 50 contacts; those that do not fit are dropped, and robots sink into the ground."""

NUM_CONTACTS = 120
"""Contacts of an env that MuJoCo Warp holds."""

ROWS_PER_CONTACT = 4
"""Constraint rows of a contact with a pyramidal cone: 2 (dimensions - 1), with three dimensions."""

NUM_OTHER_ROWS = 40
"""Rows for joint limits, at most one per joint: the G1 has 29."""


@configclass
class TrackingPhysicsCfg(PresetCfg):
    """Settings of each engine. The default is MuJoCo-Warp on a machine with CUDA and native MuJoCo elsewhere."""

    ovphysx = OvPhysxCfg(gpu_max_rigid_patch_count=PATCHES)
    isaacsim_physx = PhysxCfg(gpu_max_rigid_patch_count=PATCHES)
    newton_mjwarp = NewtonCfg(
        solver_cfg=MJWarpSolverCfg(
            integrator="implicitfast", cone="pyramidal", impratio=1.0, iterations=20, ls_iterations=50,
            njmax=ROWS_PER_CONTACT * NUM_CONTACTS + NUM_OTHER_ROWS, nconmax=NUM_CONTACTS,
        ),
        num_substeps=1,
    )  # fmt: skip
    mujoco_cpu = mujoco_cpu_cfg()
    mujoco_cpu.default_shape_cfg = SHAPES
    # A target that arrives between two physics steps needs the steps one by one.
    mujoco_cpu.solver_cfg.fold_decimation = preset(default=True, rand_delay=False)
    default = newton_mjwarp if torch.cuda.is_available() else mujoco_cpu
