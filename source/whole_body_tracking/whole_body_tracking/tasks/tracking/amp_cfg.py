"""Settings of adversarial motion priors, as a part of PPO's."""

from __future__ import annotations

from isaaclab.utils import configclass

AMP_CLASS = "whole_body_tracking.rl.amp.ppo:AmpPPO"


@configclass
class AmpCfg:
    """``agent.algorithm.amp``: used with ``agent.algorithm.class_name=whole_body_tracking.rl.amp.ppo:AmpPPO``."""

    motion_files: list[str] = []
    """Clips of the motion to look like: files, folders, globs or manifests, at a rate that divides the control rate.
    None: those that the task tracks, or the package's walk."""
    num_frames: int = 2
    """States that the discriminator sees; 2 is a transition. More of them tell rhythm."""
    style_weight: float = 2.0
    """Of the style reward beside the task's: like a reward term's weight, times the step's seconds."""
    task_weight: float = 1.0
    """Factor on the task's own reward."""
    hidden_dims: list[int] = [256, 128]
    """Hidden layers of the discriminator."""
    learning_rate: float = 1.0e-4
    """Of the discriminator. Lower it when both accuracies are near 1: then no motion earns anything."""
    weight_decay: float = 1.0e-4
    gradient_penalty: float = 5.0
    """On the squared gradient at clips. Raise it when both accuracies are near 1."""
    num_updates: int = 10
    """Of the discriminator, per iteration."""
    batch_size: int = 1024
    """Samples of either side in an update."""
