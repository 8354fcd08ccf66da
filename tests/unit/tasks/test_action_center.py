"""What residual actions are about: the choice in a config, and clips that get their joint targets."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.refine.missing_targets import with_joint_targets
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.config_check import check_task_clips
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.mdp.reference.motion_loading import load_motions, make_library

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


def test_clips_get_the_targets_that_they_lack_at_every_speed():
    """Forces change with the speed, so a faster copy gets targets of its own."""
    motions = load_motions([str(DEFAULT_MOTION_FILE)], 50.0, None, [1.0, 1.25], "g1", with_targets=True)
    assert all("joint_target" in header.channel_declarations for header in motions.headers)
    nominal, faster = motions
    expected = inverse_dynamics_targets(MotionClip.load(DEFAULT_MOTION_FILE)).joint_target
    np.testing.assert_array_equal(nominal.channels["joint_target"], expected)
    assert faster.channels["joint_target"].shape == faster.joint_pos.shape != nominal.joint_pos.shape


def test_the_library_holds_the_targets():
    motions = load_motions([str(DEFAULT_MOTION_FILE)], 50.0, None, [1.0], "g1", with_targets=True)
    library = make_library(motions, "full", G1.joint_names, G1.tracked_body_names, "cpu", ["joint_target"])
    frame = library.channel_at("joint_target", torch.tensor([0]), torch.tensor([70]))[0]
    expected = inverse_dynamics_targets(MotionClip.load(DEFAULT_MOTION_FILE)).joint_target[70]
    np.testing.assert_array_equal(frame, expected)


def test_a_clip_below_the_ground_is_refused_before_the_simulator_starts(residual_cfg, tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    sunk = replace(clip, body_pos_w=clip.body_pos_w - np.float32([0.0, 0.0, 0.3]))
    residual_cfg.commands.motion.motion_files = [str(sunk.save(tmp_path / "sunk.npz"))]
    check_task_clips(residual_cfg)
    residual_cfg.actions.joint_pos.center = "joint_target"
    with pytest.raises(ValueError, match="sunk is below the ground.*--ground"):
        check_task_clips(residual_cfg)


def test_a_clip_keeps_the_targets_that_it_has():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    own = replace(clip, channels={"joint_target": clip.joint_pos + 0.5})
    (kept,) = with_joint_targets([own], G1)
    assert kept is own


def test_an_unknown_center_is_refused(residual_cfg):
    residual_cfg.actions.joint_pos.center = "joint_targets"
    with pytest.raises(ValueError, match=r"center in actions\.joint_pos\.center: 'joint_targets'.*'joint_target'\?"):
        check_task_clips(residual_cfg)
