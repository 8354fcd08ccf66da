"""Config of networks with the encoder of a motion prior."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg


@configclass
class PriorModelCfg(RslRlMLPModelCfg):
    """A network that sees the features of a motion prior beside its observations."""

    class_name: str = "whole_body_tracking.rl.prior.actor:PriorActor"

    motion_prior: str = MISSING
    """Model file of ``train_motion.py``."""
    history: int = 8
    """States that the encoder sees."""
    joint_order: list[str] = []
    """Joints as the environment observes them; filled in when it exists."""
    unfreeze_after: int | None = None
    """Updates after which the encoder learns, too; None never."""
    encoder_learning_rate: float = 1.0e-5
    """Its rate then."""
    random_encoder: bool = False
    """Start from fresh weights of the same size: the control of an experiment."""
