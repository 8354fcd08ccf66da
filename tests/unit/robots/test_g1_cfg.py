"""The G1's Isaac Lab configuration repeats the facts and leaves out no joint."""

import numpy as np
import pytest

from whole_body_tracking.robots.g1 import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def g1_cfg():
    pytest.importorskip("isaaclab")
    from whole_body_tracking.robots import g1_cfg

    return g1_cfg


def test_every_joint_has_one_actuator(g1_cfg):
    driven = [name for group in g1_cfg.G1_CFG.actuators.values() for name in group.joint_names_expr]
    assert sorted(driven) == sorted(G1.joint_names)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("stiffness", G1.stiffness),
        ("damping", G1.damping),
        ("armature", G1.armature),
        ("joint_effort_limit", G1.effort_limit),
        ("joint_velocity_limit", G1.velocity_limit),
    ],
)
def test_actuators_carry_the_facts(g1_cfg, field, expected):
    values = {name: v for group in g1_cfg.G1_CFG.actuators.values() for name, v in getattr(group, field).items()}
    assert [values[name] for name in G1.joint_names] == list(expected)


def test_knee_gains_are_those_of_its_motor(g1_cfg):
    # 0.025101925 kg m^2 * (2 pi 10 Hz)^2 = 99.10 N m/rad; 2 * 2 * 0.025101925 * 2 pi 10 Hz = 6.309 N m s/rad.
    legs = g1_cfg.G1_CFG.actuators["legs"]
    assert legs.stiffness["left_knee_joint"] == pytest.approx(99.098, abs=1e-3)
    assert legs.damping["left_knee_joint"] == pytest.approx(6.3088, abs=1e-4)
    assert g1_cfg.G1_ACTION_SCALE["left_knee_joint"] == pytest.approx(0.25 * 139.0 / 99.0984, abs=1e-4)


def test_order_is_the_facts(g1_cfg):
    assert tuple(g1_cfg.G1_CFG.joint_ordering) == G1.joint_names
    assert tuple(g1_cfg.G1_CFG.body_ordering) == G1.body_names
    assert tuple(g1_cfg.G1_ACTION_SCALE) == G1.joint_names


def test_default_pose_is_within_the_soft_limits(g1_cfg):
    default = np.array([g1_cfg.G1_CFG.init_state.joint_pos[name] for name in G1.joint_names])
    lower, upper = G1.soft_joint_pos_limits.T
    assert ((lower < default) & (default < upper)).all()


def test_four_point_feet_change_only_the_file(g1_cfg):
    first, second = g1_cfg.G1_CFG.to_dict(), g1_cfg.G1_FOUR_POINT_FEET_CFG.to_dict()
    assert first["spawn"].pop("usd_path") != second["spawn"].pop("usd_path")
    assert first == second
