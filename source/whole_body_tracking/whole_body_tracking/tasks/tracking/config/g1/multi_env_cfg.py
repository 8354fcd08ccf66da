"""One policy for many clips, and what it may see of which one it tracks."""

from __future__ import annotations

from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg as Unoise
from isaaclab_tasks.utils import preset

from ... import mdp
from ...tracking_env_cfg import (
    MOTION,
    CriticObservationsCfg,
    ObservationsCfg,
    PolicyObservationsCfg,
    observation_lag,
)
from .tracking_g1_env_cfg import G1TrackingEnvCfg, residual_actions

PREVIEW_STEPS = [5, 10, 20, 40]
"""Frames of a preview, in steps beyond the frame aimed at: 0.1 to 0.8 s at 50 Hz."""


def _preview(func, noise: float = 0.0):
    """Nothing, or with ``presets=motion_preview`` a term about the frames to come.

    With noise it is a measured one, which ``presets=rand_delay`` delays.
    """
    term = ObsTerm(func=func, params=MOTION)
    if noise:
        term.noise, term.delay_max_lag = Unoise(n_min=-noise, n_max=noise), observation_lag()
    return preset(default=None, motion_preview=term)


def _identity():
    """Nothing, or with ``presets=motion_one_hot`` or ``motion_embedding`` which clip is tracked."""
    term = ObsTerm(func=mdp.motion_one_hot, params=MOTION)
    return preset(default=None, motion_one_hot=term, motion_embedding=term)


@configclass
class MultiPolicyObservationsCfg(PolicyObservationsCfg):
    """The single-clip task's, and by preset a preview or the clip's identity; the identity stays last."""

    preview_joint_pos = _preview(mdp.preview_joint_pos)
    preview_anchor_pos_b = _preview(mdp.preview_anchor_pos_b, noise=0.25)
    preview_anchor_ori_b = _preview(mdp.preview_anchor_ori_b, noise=0.05)
    motion_identity = _identity()


@configclass
class MultiCriticObservationsCfg(CriticObservationsCfg):
    """The same without noise."""

    preview_joint_pos = _preview(mdp.preview_joint_pos)
    preview_anchor_pos_b = _preview(mdp.preview_anchor_pos_b)
    preview_anchor_ori_b = _preview(mdp.preview_anchor_ori_b)
    motion_identity = _identity()


@configclass
class MultiObservationsCfg(ObservationsCfg):
    """Observation groups of the task."""

    policy: MultiPolicyObservationsCfg = MultiPolicyObservationsCfg()
    critic: MultiCriticObservationsCfg = MultiCriticObservationsCfg()


@configclass
class G1TrackingMultiEnvCfg(G1TrackingEnvCfg):
    """``Tracking-Flat-G1-Multi-v0``: the single-clip task with many clips.

    ``presets=motion_one_hot``, ``motion_embedding`` or ``motion_preview`` let the policy see which clip it tracks;
    ``residual_actions`` acts about the reference, as ``Tracking-Flat-G1-Residual-v0`` does.
    """

    observations: MultiObservationsCfg = MultiObservationsCfg()

    def __post_init__(self):
        super().__post_init__()
        self.actions.joint_pos = preset(default=self.actions.joint_pos, residual_actions=residual_actions())
        self.commands.motion.preview_steps = preset(default=[], motion_preview=list(PREVIEW_STEPS))
