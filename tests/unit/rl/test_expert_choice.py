"""Assignment of experts to clips, and the settings that all experts must share."""

import dataclasses

import numpy as np
import pytest
from expert_samples import TASK, make_table

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.sources.motion_entries import cut
from whole_body_tracking.rl.experts.choice import assign_experts
from whole_body_tracking.rl.experts.ensemble import shared_spec
from whole_body_tracking.rl.experts.observations import add_expert_observations, expert_task_cfg
from whole_body_tracking.rl.experts.table import ExpertTable
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def clips() -> list[MotionClip]:
    """Two parts of the shipped squat that look different: standing, and deep in the knees."""
    squat = MotionClip.load(DEFAULT_MOTION_FILE)
    return [cut(squat, 1, 50, "standing"), cut(squat, 90, 170, "deep")]


@pytest.fixture
def table(tmp_path, clips) -> ExpertTable:
    return make_table(tmp_path, clips)


def experts_of(table: ExpertTable, clips, choice: str) -> list[int]:
    return [assignment.expert for assignment in assign_experts(table, clips, choice, G1)]


@pytest.mark.parametrize("choice", ["motion", "nearest"])
def test_a_clip_gets_its_own_expert_in_any_order(table, clips, choice):
    assert experts_of(table, clips, choice) == [0, 1]
    assert experts_of(table, clips[::-1], choice) == [1, 0]
    assert all(assignment.distance == 0.0 for assignment in assign_experts(table, clips, choice, G1))


def test_nearest_finds_the_expert_of_a_clip_by_its_content(table, clips):
    """Another name and a little noise: not the digest, but the similarity decides."""
    noise = np.random.default_rng(0).normal(0.0, 1.0e-3, clips[1].joint_pos.shape).astype(np.float32)
    alike = dataclasses.replace(clips[1], joint_pos=clips[1].joint_pos + noise, name="alike")
    (found,) = assign_experts(table, [alike], "nearest", G1)
    assert found.expert == 1 and 0.0 < found.distance < 0.1


def test_a_clip_without_an_expert_is_refused_by_name(table, clips):
    other = dataclasses.replace(clips[0], name="dance")
    with pytest.raises(ValueError, match=r"'dance' has no expert.*standing, deep.*nearest"):
        assign_experts(table, [clips[0], other], "motion", G1)


def test_another_version_of_a_clip_is_refused_by_name(table, clips):
    changed = dataclasses.replace(clips[0], joint_pos=clips[0].joint_pos + 0.1)
    with pytest.raises(ValueError, match="another version"):
        assign_experts(table, [changed], "motion", G1)


def test_an_expert_whose_clip_changed_is_not_compared(table, clips):
    clips[1].save(table.experts[0].file)
    with pytest.raises(ValueError, match="is not the clip that the expert of 'standing' was trained on"):
        assign_experts(table, [dataclasses.replace(clips[0], joint_pos=clips[0].joint_pos + 0.1)], "nearest", G1)


def test_an_empty_table_is_refused(table, clips):
    with pytest.raises(ValueError, match="no expert yet"):
        assign_experts(ExpertTable(table.path), clips, "motion", G1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", "Tracking-Flat-G1-Low-Freq-v0"),
        ("control_dt", 0.04),
        ("action_kind", "residual"),
        ("observations", [{"name": "joint_pos", "dim": 5}]),
        ("action_scale", [0.6]),
    ],
)
def test_experts_that_were_not_trained_alike_are_refused(tmp_path, clips, field, value):
    table = make_table(tmp_path, clips, deep={field: value})
    with pytest.raises(ValueError, match=f"'standing' and 'deep' differ in {field}"):
        shared_spec(table)


def test_an_expert_that_is_gone_is_named(table):
    (table.experts[1].run_folder / "model_3.pt").unlink()
    with pytest.raises(FileNotFoundError, match=r"expert of 'deep' is gone: .*model_3.pt"):
        shared_spec(table)


def test_experts_see_their_own_task_without_noise(table):
    blind = "Tracking-Flat-G1-Wo-State-Estimation-v0"
    expert_cfg, env_cfg = expert_task_cfg(table, blind), expert_task_cfg(table, TASK)
    add_expert_observations(env_cfg, expert_cfg)
    assert env_cfg.observations.expert.base_lin_vel is None
    assert env_cfg.observations.policy.base_lin_vel is not None
    assert not env_cfg.observations.expert.enable_corruption and env_cfg.observations.policy.enable_corruption
    assert list(vars(env_cfg.observations))[-2:] == ["expert", "expert_clip"]


def test_experts_that_look_ahead_need_a_task_that_does(tmp_path):
    ahead = ExpertTable(tmp_path / "experts.yaml", ("--task", "x", "presets=motion_preview"))
    multi = "Tracking-Flat-G1-Multi-v0"
    plain = expert_task_cfg(ExpertTable(tmp_path / "experts.yaml"), multi)
    with pytest.raises(ValueError, match=r"\[5, 10, 20, 40\] frames ahead, this task not at all"):
        add_expert_observations(plain, expert_task_cfg(ahead, multi))
    add_expert_observations(expert_task_cfg(ahead, multi), expert_task_cfg(ahead, multi))
