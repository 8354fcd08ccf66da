"""Failure rules on hand-computed states, and the numbers of the task's config."""

import math
from dataclasses import replace

import pytest
import torch

from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1TrackingEnvCfg
from whole_body_tracking.tracking.criteria import (
    DRIFT_THRESHOLD,
    HEIGHT_THRESHOLD,
    TILT_THRESHOLD,
    TrackingRewards,
    TrackingTerminations,
    any_height_fails,
    drift_fails,
    height_fails,
    not_finite,
    tilt_fails,
)
from whole_body_tracking.tracking.errors import BodyState

pytestmark = pytest.mark.unit


def test_criteria_are_the_tasks():
    cfg = G1TrackingEnvCfg()
    for name, term in vars(TrackingRewards()).items():
        expected = getattr(cfg.rewards, name)
        assert (term.weight, term.params["std"]) == (expected.weight, expected.params["std"]), name
    for name, term in vars(TrackingTerminations.of_robot(G1)).items():
        expected = getattr(cfg.terminations, name).params
        assert term.params == {key: expected[key] for key in term.params}, name


def states(**changes) -> tuple[BodyState, BodyState]:
    """Reference and robot, one instant of two envs with two bodies, upright at rest; the robot's arrays changed."""
    shape = (2, 2)
    upright = torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(*shape, 1)
    zero = torch.zeros(*shape, 3)
    ref = BodyState(zero, upright, zero, zero)
    return ref, replace(ref, **changes)


def test_heights_fail_above_the_threshold_only():
    pos_w = torch.zeros(2, 2, 3)
    pos_w[0, 1, 2], pos_w[1, 0, 2], pos_w[1, 1, :2] = -0.26, 0.24, 5.0  # a drift in the plane is not a failure
    ref, robot = states(pos_w=pos_w)
    assert height_fails(ref, robot, 1, HEIGHT_THRESHOLD).tolist() == [True, False]
    assert height_fails(ref, robot, 0, HEIGHT_THRESHOLD).tolist() == [False, False]
    assert any_height_fails(ref, robot, torch.tensor([0, 1]), HEIGHT_THRESHOLD).tolist() == [True, False]
    assert any_height_fails(ref, robot, torch.tensor([0, 1]), 0.2).tolist() == [True, True]


def test_drift_fails_in_the_plane_only():
    pos_w = torch.zeros(2, 2, 3)
    pos_w[0, 1] = torch.tensor([0.3, -0.3, 0.0])  # 0.424 m
    pos_w[1, 1] = torch.tensor([0.3, 0.2, 5.0])  # 0.361 m, and high up
    ref, robot = states(pos_w=pos_w)
    assert drift_fails(ref, robot, 1, DRIFT_THRESHOLD).tolist() == [True, False]
    assert drift_fails(ref, robot, 0, DRIFT_THRESHOLD).tolist() == [False, False]


def test_tilt_fails_by_the_projected_gravity():
    # Tilted by a about x, gravity's z in the body's frame is -cos a: the error 1 - cos a passes 0.8 at 78.46 degrees.
    def about_x(degrees: float) -> list[float]:
        half = math.radians(degrees) / 2.0
        return [math.sin(half), 0.0, 0.0, math.cos(half)]

    quat_w = torch.tensor([[about_x(0.0), about_x(79.0)], [about_x(0.0), about_x(78.0)]])
    ref, robot = states(quat_w=quat_w)
    assert tilt_fails(ref, robot, 1, TILT_THRESHOLD).tolist() == [True, False]
    assert tilt_fails(ref, robot, 0, TILT_THRESHOLD).tolist() == [False, False]


def test_a_position_that_is_not_finite_fails():
    pos_w = torch.zeros(2, 2, 3)
    pos_w[1, 1, 0] = torch.nan
    assert not_finite(states(pos_w=pos_w)[1]).tolist() == [False, True]
