"""Observation terms with hand-computed numbers, and layouts that are refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from g1_policies import OBSERVATIONS, g1_spec

from whole_body_tracking.export import ObservationTerm
from whole_body_tracking.sim2sim.observations import TERMS, ObservationBuilder, Situation

pytestmark = pytest.mark.unit

LEFT = np.array([0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)])
"""A quarter turn about the vertical."""
UNIT = np.array([0.0, 0.0, 0.0, 1.0])


def situation(**changes) -> Situation:
    joints = np.zeros(29)
    fields = {
        "ref_joint_pos": joints + 0.5,
        "ref_joint_vel": joints + 2.0,
        "ref_anchor_pos_w": np.array([1.0, 2.0, 0.8]),
        "ref_anchor_quat_w": UNIT,
        "anchor_pos_w": np.array([1.0, 1.0, 0.8]),
        "anchor_quat_w": LEFT,
        "root_pos_w": np.array([1.0, 1.0, 0.75]),
        "root_quat_w": LEFT,
        "root_lin_vel_w": np.array([0.0, 3.0, 0.0]),
        "root_ang_vel_w": np.array([1.0, 0.0, 0.5]),
        "joint_pos": joints + 0.3,
        "joint_vel": joints - 1.0,
        "default_joint_pos": joints + 0.1,
        "last_action": joints + 7.0,
        "preview_joint_pos": np.stack((joints + 1.0, joints + 2.0)),
        "preview_anchor_pos_w": np.array([[1.0, 2.0, 0.8], [0.0, 1.0, 1.8]]),
        "preview_anchor_quat_w": np.stack((UNIT, LEFT)),
        "clip_id": np.array([0.0, 1.0, 0.0]),
    }
    return Situation(**fields | changes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("motion_anchor_pos_b", [1.0, 0.0, 0.0]),  # 1 m to the north of a robot that faces north: straight ahead
        ("motion_anchor_ori_b", [0.0, 1.0, -1.0, 0.0, 0.0, 0.0]),  # a quarter turn to the right, rows of two columns
        ("base_lin_vel", [3.0, 0.0, 0.0]),
        ("base_ang_vel", [0.0, -1.0, 0.5]),
        ("joint_pos", [0.2] * 29),
        ("joint_vel", [-1.0] * 29),
        ("actions", [7.0] * 29),
        ("command", [0.5] * 29 + [2.0] * 29),
        ("preview_joint_pos", [1.0] * 29 + [2.0] * 29),
        ("preview_anchor_pos_b", [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]),  # ahead; to the left and above
        ("preview_anchor_ori_b", [0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        ("motion_identity", [0.0, 1.0, 0.0]),
        ("prior_root_height", [0.75]),
        ("prior_root_up", [0.0, 0.0, 1.0]),
        ("prior_joint_pos", [0.3] * 29),
        ("prior_root_lin_vel", [3.0, 0.0, 0.0]),
    ],
)
def test_terms(name, expected):
    np.testing.assert_allclose(TERMS[name](situation()), expected, atol=1e-12)


def test_terms_come_in_the_order_of_the_file():
    spec = g1_spec(observations=(OBSERVATIONS[4], OBSERVATIONS[0]))
    obs = ObservationBuilder(spec).build(situation())
    assert obs.dtype == np.float32
    np.testing.assert_allclose(obs[:3], [0.0, -1.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(obs[3:], [0.5] * 29 + [2.0] * 29)


def test_values_are_clipped_then_scaled():
    spec = g1_spec(observations=(ObservationTerm("base_lin_vel", 3, scale=(2.0,), clip=(-1.0, 1.0)),))
    np.testing.assert_allclose(ObservationBuilder(spec).build(situation()), [2.0, 0.0, 0.0], atol=1e-6)


def test_history_is_filled_with_the_first_step_and_ends_with_the_last():
    builder = ObservationBuilder(g1_spec(observations=(ObservationTerm("base_lin_vel", 9, history_length=3),)))
    now = situation(root_quat_w=UNIT)
    moving = replace(now, root_lin_vel_w=np.array([9.0, 0.0, 0.0]))
    np.testing.assert_allclose(builder.build(now), [0, 3, 0] * 3)
    np.testing.assert_allclose(builder.build(moving), [0, 3, 0, 0, 3, 0, 9, 0, 0])
    builder.reset()
    np.testing.assert_allclose(builder.build(moving), [9, 0, 0] * 3)


def test_an_unknown_term_is_refused_by_name():
    spec = g1_spec(observations=(*OBSERVATIONS[:2], ObservationTerm("height_scan", 187)))
    with pytest.raises(ValueError, match=r"observation term 3 of policy\.onnx .*'height_scan'\. Known: command"):
        ObservationBuilder(spec, "policy.onnx")


def test_a_term_of_another_width_is_refused_by_name():
    """unitree_rl_mjlab issue 23: a 160-wide policy in a 154-wide controller."""
    spec = g1_spec(observations=(*OBSERVATIONS[:5], ObservationTerm("joint_pos", 23), *OBSERVATIONS[6:]))
    with pytest.raises(ValueError, match=r"term 6, 'joint_pos', has 23 values, expected 29 .*= 154"):
        ObservationBuilder(spec)


def test_widths_follow_from_preview_steps_and_clips():
    observations = (ObservationTerm("preview_anchor_ori_b", 24), ObservationTerm("motion_identity", 1))
    ObservationBuilder(g1_spec(observations=observations, preview_steps=(5, 10, 20, 40)))
    with pytest.raises(ValueError, match=r"'preview_anchor_ori_b', has 24 values, expected 12 .* 2 preview steps"):
        ObservationBuilder(g1_spec(observations=observations, preview_steps=(5, 10)))
    with pytest.raises(ValueError, match=r"'motion_identity', has 3 values, expected 1 .* 1 clips"):
        ObservationBuilder(g1_spec(observations=(ObservationTerm("motion_identity", 3),)))
