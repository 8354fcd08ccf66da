"""Room for contacts: what does not fit is dropped by the engine, and a robot falls through the ground."""

import pytest

from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.physics_cfg import TrackingPhysicsCfg
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

pytestmark = pytest.mark.unit

CONTACTS_OF_A_FALLEN_ROBOT = 50


@pytest.mark.parametrize("engine", ["ovphysx", "isaacsim_physx"])
def test_physx_holds_the_patches_of_all_default_envs(engine):
    """4,096 envs of 50 patches are 204,800; PhysX's default of 5 * 2^15 = 163,840 is less."""
    num_patches = getattr(TrackingPhysicsCfg(), engine).gpu_max_rigid_patch_count
    assert num_patches >= TrackingEnvCfg().scene.num_envs * CONTACTS_OF_A_FALLEN_ROBOT == 204_800
    assert num_patches == 327_680


def test_mujoco_warp_has_rows_for_all_its_contacts_and_limits():
    """A pyramidal cone in three dimensions takes 2 * (3 - 1) = 4 rows: 120 contacts and 29 limits are 509 rows."""
    solver = TrackingPhysicsCfg().newton_mjwarp.solver_cfg
    assert solver.cone == "pyramidal" and solver.nconmax >= 2 * CONTACTS_OF_A_FALLEN_ROBOT
    assert solver.njmax >= 4 * solver.nconmax + G1.num_joints >= 509
