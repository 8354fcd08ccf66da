"""The shipped USD files agree with the facts and have visual shapes."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots.g1 import G1, G1_FOUR_POINT_FEET_USD_PATH, G1_USD_PATH

pytestmark = pytest.mark.unit

VARIANTS = {G1_USD_PATH: False, G1_FOUR_POINT_FEET_USD_PATH: True}


@pytest.fixture(params=VARIANTS, ids=lambda path: path.stem)
def stage(request):
    from pxr import Usd

    return Usd.Stage.Open(str(request.param))


@pytest.mark.parametrize(("path", "four_point_feet"), VARIANTS.items(), ids=lambda value: str(value)[-9:])
def test_shipped_file_is_what_the_facts_give(path, four_point_feet):
    from whole_body_tracking.robots.build_usd import build_usd

    assert path.read_text() == build_usd(G1, four_point_feet), "Run scripts/build_robot_usd.py and commit the result."


def prims(stage, kind, under):
    return [prim for prim in stage.Traverse() if prim.GetTypeName() in kind and under in str(prim.GetPath())]


def test_every_body_is_visible_and_its_colliders_are_not(stage):
    from pxr import UsdGeom

    for name in G1.body_names:
        visuals = prims(stage, ("Capsule", "Sphere"), f"/{name}/visuals/")
        assert visuals, f"{name} has no visual shape"
        for prim in visuals:
            assert UsdGeom.Imageable(prim).ComputePurpose() == UsdGeom.Tokens.default_
            assert UsdGeom.Gprim(prim).GetDisplayColorAttr().HasAuthoredValue()
    colliders = prims(stage, ("Capsule", "Sphere"), "/collisions/")
    assert {UsdGeom.Imageable(prim).ComputePurpose() for prim in colliders} == {UsdGeom.Tokens.guide}


def test_feet_reach_the_sole_and_no_deeper(stage):
    from pxr import Usd, UsdGeom

    cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_, UsdGeom.Tokens.guide])
    for body in G1.foot_body_names:
        for group in ("visuals", "collisions"):
            prim = stage.GetPrimAtPath(f"/{G1.name}/{body}/{group}")
            lowest = cache.ComputeLocalBound(prim).ComputeAlignedRange().GetMin()[2]
            assert lowest == pytest.approx(G1.sole_height, abs=3e-4)  # boxes of tilted capsules are loose


def test_joints_meet_in_the_rest_pose(stage):
    """The frame of a joint seen from its parent is the child's frame, as both engines demand."""
    from pxr import UsdGeom, UsdPhysics

    world = UsdGeom.XformCache()
    for name in G1.joint_names:
        joint = UsdPhysics.RevoluteJoint(stage.GetPrimAtPath(f"/{G1.name}/joints/{name}"))
        parent, child = (
            world.GetLocalToWorldTransform(stage.GetPrimAtPath(rel.GetTargets()[0]))
            for rel in (joint.GetBody0Rel(), joint.GetBody1Rel())
        )
        quat = joint.GetLocalRot0Attr().Get()
        turn = Rotation.from_quat([*quat.GetImaginary(), quat.GetReal()])
        relative = np.array(child * parent.GetInverse())  # USD multiplies row vectors from the left
        np.testing.assert_allclose(relative[3, :3], joint.GetLocalPos0Attr().Get(), atol=1e-6)
        np.testing.assert_allclose(relative[:3, :3].T, turn.as_matrix(), atol=1e-6)


def test_file_refers_to_nothing_else(stage):
    assert [layer.identifier for layer in stage.GetUsedLayers() if not layer.anonymous] == [
        stage.GetRootLayer().identifier
    ]


def test_four_point_feet_have_four_spheres():
    from pxr import Usd

    stage = Usd.Stage.Open(str(G1_FOUR_POINT_FEET_USD_PATH))
    for body in G1.foot_body_names:
        assert len(prims(stage, ("Sphere",), f"/{body}/collisions/")) == 4
        assert not prims(stage, ("Capsule",), f"/{body}/collisions/")
