"""Shapes and mass properties in the form USD wants them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots.g1 import G1
from whole_body_tracking.robots.usd_shapes import (
    principal_inertia,
    quat_from_z_axis,
    rest_poses,
    shape_from_facts,
    visual_shapes,
)

pytestmark = pytest.mark.unit

component = st.floats(-1.0, 1.0)


@given(st.tuples(component, component, component).filter(lambda v: np.linalg.norm(v) > 1e-3))
def test_rotated_z_axis_lies_along_the_direction(direction):
    turned = Rotation.from_quat(quat_from_z_axis(np.array(direction))).apply([0.0, 0.0, 1.0])
    np.testing.assert_allclose(abs(turned @ direction), np.linalg.norm(direction), rtol=1e-12)


def test_capsule_keeps_its_ends():
    capsule = shape_from_facts(
        {"type": "capsule", "name": "c", "radius": 0.1, "p0": [0.1, 0.2, 0.3], "p1": [0.4, 0.2, -0.1]}
    )
    half = Rotation.from_quat(capsule.quat).apply([0.0, 0.0, capsule.height / 2])
    ends = np.stack([capsule.pos - half, capsule.pos + half])
    np.testing.assert_allclose(ends, [[0.4, 0.2, -0.1], [0.1, 0.2, 0.3]], atol=1e-12)
    assert capsule.height == pytest.approx(0.5)  # a 3-4-5 triangle


def test_unknown_shape_is_refused():
    with pytest.raises(ValueError, match=r"'lid'.*'box'.*capsule"):
        shape_from_facts({"type": "box", "name": "lid"})


@pytest.mark.parametrize("body", G1.body_names)
def test_principal_axes_rebuild_the_inertia(body):
    inertia = G1.facts["bodies"][body]["inertia_about_com"]
    moments, quat = principal_inertia(inertia)
    axes = Rotation.from_quat(quat).as_matrix()
    rebuilt = axes @ np.diag(moments) @ axes.T
    expected = [inertia[key] for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")]
    np.testing.assert_allclose(rebuilt[np.triu_indices(3)], expected, atol=1e-15)
    assert moments[0] > 0.0 and moments[0] + moments[1] >= moments[2]  # a physical body


def test_rest_pose_is_symmetric():
    positions = dict(zip(G1.body_names, rest_poses(G1)[0], strict=True))
    for name, position in positions.items():
        if name.startswith("left_"):
            mirrored = positions[name.replace("left_", "right_")] * [1.0, -1.0, 1.0]
            np.testing.assert_allclose(position, mirrored, atol=2e-4)


def test_shells_are_light_and_motors_feet_hands_and_head_dark():
    tones = {shape.name: shape.tone for body in G1.body_names for shape in visual_shapes(G1, body)}
    for name in ("pelvis", "pelvis_contour_link", "torso_link", "left_knee_link", "right_elbow_link"):
        assert tones[name] == "light", name
    for name in ("left_hip_pitch_link", "waist_yaw_link", "head_link", "right_rubber_hand", "left_foot1_collision"):
        assert tones[name] == "dark", name
