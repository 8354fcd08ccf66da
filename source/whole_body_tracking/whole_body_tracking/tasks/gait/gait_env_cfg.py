"""What makes a tracking task a gait task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isaaclab.managers import ObservationTermCfg as ObsTerm

from whole_body_tracking.actuation.stable_pd_cfg import check_engine
from whole_body_tracking.gait.network.known_parameters import examples_with
from whole_body_tracking.gait.network.refnn import load_refnn
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.names import require_known
from whole_body_tracking.physics.prepare import prepare_physics
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.config_check import check_bodies, check_randomization
from whole_body_tracking.tasks.tracking.delays import check_delays
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.tracking_env_cfg import MOTION, TrackingEnvCfg, end_drift

from . import mdp

if TYPE_CHECKING:
    from .mdp.commands_cfg import GaitCommandCfg

EPISODE_LENGTH = 10.0
"""Length of an episode, in play as in training: a walk has no end of its own [s]."""


def track_gait(cfg: TrackingEnvCfg) -> None:
    """Replace the clips of a tracking task by the walk of a RefNN, which the policy knows the parameters of.

    Call it at the end of ``__post_init__`` of a subclass of :class:`GaitTask` and of a task with residual actions.
    """
    clips = cfg.commands.motion
    shared = ("asset_name", "anchor_body_name", "body_names", "pose_range", "velocity_range", "joint_position_range")
    cfg.commands.motion = mdp.GaitCommandCfg(**{name: getattr(clips, name) for name in shared})
    for group in (cfg.observations.policy, cfg.observations.critic):
        group.gait_params = ObsTerm(func=mdp.gait_params, params=MOTION)
        group.gait_phase = ObsTerm(func=mdp.gait_phase, params=MOTION)
    cfg.terminations.clip_ended = None
    cfg.terminations.anchor_drift = end_drift()
    cfg.episode_length_s = EPISODE_LENGTH


class GaitTask:
    """Play mode and checks of a task that tracks a RefNN's walk; goes before a :class:`.TrackingEnvCfg`."""

    def play_from_the_start(self):
        """Start without noise, with the left foot's touchdown; parameters are drawn and change as in training."""
        motion: GaitCommandCfg = self.commands.motion
        motion.random_phase = False
        motion.pose_range = {}
        motion.velocity_range = {}
        motion.joint_position_range = (0.0, 0.0)
        self.episode_length_s = EPISODE_LENGTH

    def validate_config(self):
        """Refuse a wrong RefNN or name, or an engine that cannot run here, before the simulator starts."""
        check_gait(self)
        check_randomization(self)
        check_delays(self)
        check_engine(self.scene.robot.actuators, self.sim.physics)
        prepare_physics(self.sim.physics)


def check_gait(cfg: TrackingEnvCfg) -> None:
    """Check the RefNN of a task, its fixed parameters and its body names.

    Raises:
        FileNotFoundError: If there is no such RefNN.
        ValueError: If none is given, it is of another robot or layout, or a name or value is wrong.
    """
    motion: GaitCommandCfg = cfg.commands.motion
    check_bodies(cfg)
    if not motion.model_file:
        raise ValueError(
            "The gait task has no RefNN to follow. Pass --gait_model FILE, or set `commands.motion.model_file`; make"
            " one with scripts/gait/augment.py and train_forward_gaitnet.py (docs/gait.md)."
        )
    model = load_refnn(Path(motion.model_file), get_robot(cfg.robot_name))
    if len(model.examples) < 2:
        raise ValueError(f"{motion.model_file} carries no parameters of its data set. Train it again.")
    require_known(motion.fixed, PARAMETERS, "gait parameter in commands.motion.fixed")
    require_known(motion.steered, PARAMETERS, "gait parameter in commands.motion.steered")
    for name, value in motion.fixed.items():
        low, high = model.facts.parameters[name]
        if not low <= value <= high:
            raise ValueError(
                f"`commands.motion.fixed` has {name} {value}, and the RefNN was trained on {low:g} to {high:g}"
                f" {PARAMETERS[name].unit}."
            )
    examples_with(model, motion.fixed)
    low, high = motion.change_interval
    if not 0.0 < low <= high:
        raise ValueError(f"`commands.motion.change_interval` is {(low, high)}, expected increasing positive times [s].")
    if action_center(cfg) == "joint_target":
        raise ValueError("A RefNN's walk has no joint_target. Leave env.actions.joint_pos.center at 'reference'.")
