"""Metrics of whole recordings: a perfect one, a failing one, and what one rollout does to another."""

import math

import pytest
import torch
from evaluation_samples import perfect_recording, shipped_clip

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics, measure
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import END_EFFECTORS
from whole_body_tracking.tasks.tracking.tracking_env_cfg import RewardsCfg, TerminationsCfg

pytestmark = pytest.mark.unit

ERRORS = ("mpkpe", "r_mpkpe", "joint_rmse", "anchor_pos", "anchor_ori", "body_ori", "body_lin_vel", "body_ang_vel")


def judge(recording) -> RolloutMetrics:
    terminations = TerminationsCfg()
    terminations.ee_body_pos.params["body_names"] = END_EFFECTORS
    return measure(recording, RewardsCfg(), terminations, G1.body_names[0], G1)


@pytest.fixture(scope="module")
def clip():
    return shipped_clip()


def test_a_policy_that_replays_the_reference_has_no_error_and_always_succeeds(clip):
    overall = judge(perfect_recording(clip, [100, 60])).mean()
    for name in ERRORS:
        assert overall[name] == pytest.approx(0.0, abs=1e-5), name
    for name in ("success", "success_lafan1", "completion", "normalised_return", "tracking_reward"):
        assert overall[name] == pytest.approx(1.0, abs=1e-6), name
    for name in ("body_lin_vel_corr", "body_ang_vel_corr", "contact_precision", "contact_recall"):
        assert overall[name] == pytest.approx(1.0, abs=1e-4), name


def test_every_metric_has_a_definition(clip):
    assert set(judge(perfect_recording(clip, [50])).values) | {"num_rollouts"} == set(DEFINITIONS)


def test_the_failing_step_is_measured(clip):
    recording = perfect_recording(clip, [40])
    recording.robot.pos_w[29:, ..., 2] += 0.3  # above the 0.25 m of the anchor
    measured = judge(recording).mean()
    assert measured["success"] == 0.0
    assert measured["completion"] == pytest.approx(29 / 40)
    assert measured["mpkpe"] == pytest.approx(0.3 / 30, rel=1e-4)  # 30 steps, the last one 0.3 m off


def test_a_rollout_does_not_change_the_numbers_of_another(clip):
    alone, beside = perfect_recording(clip, [40]), perfect_recording(clip, [40, 90, 20])
    for recording in (alone, beside):
        recording.robot.pos_w[:40, 0] += 0.01
    beside.robot.pos_w[10:, 1] = torch.nan
    assert judge(beside).select([0]).mean() == pytest.approx(judge(alone).mean(), rel=1e-6)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e20])
@pytest.mark.parametrize("what", ["pos_w", "quat_w", "lin_vel_w", "joint_pos", "joint_vel", "actions"])
def test_a_step_that_diverges_is_a_failure_and_left_out_of_the_means(clip, what, value):
    recording = perfect_recording(clip, [40, 40])
    recording.robot.pos_w[..., 0] += 0.02
    state = recording if hasattr(recording, what) else recording.robot
    getattr(state, what)[29:, 1] = value
    measured = judge(recording)
    assert measured.values["success"].tolist() == [True, False]
    assert measured.values["success_lafan1"].tolist() == [True, False]
    assert measured.values["diverged"].tolist() == [False, True]
    assert measured.values["completion"].tolist() == pytest.approx([1.0, 29 / 40])
    assert measured.values["mpkpe"].tolist() == pytest.approx([0.02, 0.02], rel=1e-4)  # of 40 and of 29 steps
    assert all(math.isfinite(value) for value in measured.mean().values())


def test_a_rollout_that_diverges_at_once_fails_and_has_no_error(clip):
    recording = perfect_recording(clip, [40])
    recording.robot.pos_w[:] = torch.nan
    overall = judge(recording).mean()
    assert (overall["success"], overall["completion"], overall["diverged"]) == (0.0, 0.0, 1.0)
    assert "mpkpe" not in overall


def test_a_robot_that_diverges_after_its_fall_did_not_fail_by_diverging(clip):
    recording = perfect_recording(clip, [40])
    recording.robot.pos_w[20:, ..., 2] -= 0.5
    recording.robot.pos_w[30:] = torch.nan
    assert judge(recording).mean()["diverged"] == 0.0


def test_a_rollout_cut_out_of_a_batch_measures_the_same(clip):
    recording = perfect_recording(clip, [40, 90])
    recording.robot.pos_w[..., 0] += torch.linspace(0.0, 0.1, 90)[:, None, None]
    cut = recording.rollout(0)
    assert len(cut.joint_pos) == 40 and cut.num_steps.tolist() == [40]
    assert judge(cut).mean() == pytest.approx(judge(recording).select([0]).mean(), rel=1e-6)


def test_a_metric_that_never_exists_is_left_out():
    values = {"contact_offset_ms": torch.tensor([torch.nan, torch.nan]), "mpkpe": torch.tensor([0.1, torch.nan])}
    assert RolloutMetrics(values).mean() == {"mpkpe": pytest.approx(0.1)}
