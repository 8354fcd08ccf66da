"""What residual actions are about: the choice in a config, and clips that get their joint targets."""

from dataclasses import replace

import numpy as np
import pytest
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.refine.missing_targets import with_joint_targets
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.mdp.reference.motion_loading import for_action_center

pytestmark = pytest.mark.unit


@pytest.fixture
def residual_cfg():
    env_cfg, _ = resolve_task_config("Tracking-Flat-G1-Residual-v0", "rsl_rl_cfg_entry_point", overrides=[])
    env_cfg.commands.motion.motion_files = [str(DEFAULT_MOTION_FILE)]
    return env_cfg


def test_residual_actions_are_about_the_reference_by_default(residual_cfg):
    assert action_center(residual_cfg) == "reference"
    plain, _ = resolve_task_config("Tracking-Flat-G1-v0", "rsl_rl_cfg_entry_point", overrides=[])
    assert action_center(plain) == "default"


def test_the_multi_task_takes_the_choice_beside_its_preset():
    overrides = ["presets=residual_actions", "env.actions.joint_pos.center=joint_target"]
    env_cfg, _ = resolve_task_config("Tracking-Flat-G1-Multi-v0", "rsl_rl_cfg_entry_point", overrides=overrides)
    assert action_center(env_cfg) == "joint_target"


def test_a_clip_gets_the_targets_that_it_lacks(residual_cfg):
    residual_cfg.actions.joint_pos.center = "joint_target"
    (clip,) = load_task_clips(residual_cfg)
    expected = inverse_dynamics_targets(MotionClip.load(DEFAULT_MOTION_FILE)).joint_target
    np.testing.assert_array_equal(clip.channels["joint_target"], expected)


def test_a_clip_keeps_the_targets_that_it_has():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    own = replace(clip, channels={"joint_target": clip.joint_pos + 0.5})
    (kept,) = with_joint_targets([own], G1)
    assert kept is own


def test_only_the_center_on_targets_asks_for_the_channel():
    clips = [MotionClip.load(DEFAULT_MOTION_FILE)]
    assert for_action_center(clips, ["contact_flags"], "reference", "g1") == (clips, ["contact_flags"])
    with_targets, channels = for_action_center(clips, ["contact_flags"], "joint_target", "g1")
    assert channels == ["contact_flags", "joint_target"] and "joint_target" in with_targets[0].channels


def test_an_unknown_center_is_refused(residual_cfg):
    residual_cfg.actions.joint_pos.center = "joint_targets"
    with pytest.raises(ValueError, match=r"center in actions\.joint_pos\.center: 'joint_targets'.*'joint_target'\?"):
        load_task_clips(residual_cfg)
