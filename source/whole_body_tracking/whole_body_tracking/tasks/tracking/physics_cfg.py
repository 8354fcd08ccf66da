"""Physics engines of the tracking task: one preset each, chosen with ``physics=NAME``."""

from __future__ import annotations

import torch
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.utils import PresetCfg

from whole_body_tracking.physics.mujoco_cpu_cfg import MUJOCO_CPU_CFG


@configclass
class TrackingPhysicsCfg(PresetCfg):
    """Settings of each engine. The default is MuJoCo-Warp on a machine with CUDA and native MuJoCo elsewhere."""

    ovphysx = OvPhysxCfg()
    isaacsim_physx = PhysxCfg(gpu_max_rigid_patch_count=10 * 2**15)
    newton_mjwarp = NewtonCfg(
        solver_cfg=MJWarpSolverCfg(
            integrator="implicitfast", cone="pyramidal", impratio=1.0, iterations=20, ls_iterations=50,
            njmax=400, nconmax=120,
        ),
        num_substeps=1,
    )  # fmt: skip
    mujoco_cpu = MUJOCO_CPU_CFG
    default = newton_mjwarp if torch.cuda.is_available() else mujoco_cpu
