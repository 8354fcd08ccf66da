"""The ground: an infinite plane at z = 0 whose friction leaves the robot's to decide."""

import pytest

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def stage():
    pytest.importorskip("isaaclab")
    import isaaclab.sim as sim_utils

    from whole_body_tracking.robots.ground_cfg import GROUND_CFG

    stage = sim_utils.create_new_stage()
    GROUND_CFG.spawn.func(GROUND_CFG.prim_path, GROUND_CFG.spawn)
    return stage


def test_collider_is_one_plane_at_the_origin(stage):
    from pxr import Usd, UsdGeom, UsdPhysics

    colliders = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI)]
    assert [prim.GetTypeName() for prim in colliders] == ["Plane"]
    assert UsdGeom.Plane(colliders[0]).GetAxisAttr().Get() == "Z"
    pose = UsdGeom.Xformable(colliders[0]).ComputeLocalToWorldTransform(Usd.TimeCode.Default())
    assert list(pose.ExtractTranslation()) == [0.0, 0.0, 0.0]


def test_friction_is_one_and_multiplies(stage):
    from pxr import UsdPhysics, UsdShade

    collider = next(prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI))
    material = UsdShade.MaterialBindingAPI(collider).ComputeBoundMaterial("physics")[0].GetPrim()
    values = {name: material.GetAttribute(name).Get() for name in EXPECTED_MATERIAL}
    assert values == EXPECTED_MATERIAL


EXPECTED_MATERIAL = {
    "physics:staticFriction": 1.0,
    "physics:dynamicFriction": 1.0,
    "physics:restitution": 0.0,
    "physxMaterial:frictionCombineMode": "multiply",
    "physxMaterial:restitutionCombineMode": "multiply",
}
