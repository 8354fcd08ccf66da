"""Distillation settings of the G1 tasks: experts of single motions teach one policy."""

from __future__ import annotations

import torch
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlDistillationAlgorithmCfg, RslRlDistillationRunnerCfg, RslRlMLPModelCfg

from .rsl_rl_ppo_cfg import with_embedding


@configclass
class ExpertTeacherCfg:
    """The experts; ``distil.py`` fills them in from ``--experts``."""

    class_name: str = "whole_body_tracking.rl.experts.switcher:ExpertTeacher"

    checkpoints: list[str] = []
    """Checkpoint of each expert."""

    expert_of_clip: list[int] = []
    """Index of the expert of each clip of the task."""

    distribution_cfg: None = None
    """Experts act without noise. Isaac Lab expects this field and the next one of every model."""

    stochastic: bool = False


@configclass
class G1DistillationRunnerCfg(RslRlDistillationRunnerCfg):
    """DAgger with PPO's rollouts and network; ``presets=motion_embedding`` as for PPO.

    The student acts with a little noise, so that it is also taught how to come back.
    """

    device: str = "cuda:0" if torch.cuda.is_available() else "cpu"
    num_steps_per_env: int = 24
    max_iterations: int = 5_000
    save_interval: int = 200
    experiment_name: str = "g1_distillation"
    obs_groups: dict[str, list[str]] = {"student": ["policy"], "teacher": ["expert", "expert_clip"]}
    student = RslRlMLPModelCfg(
        hidden_dims=[512, 256, 128],
        activation="elu",
        obs_normalization=True,
        distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=0.1),
    )
    teacher: ExpertTeacherCfg = ExpertTeacherCfg()
    algorithm = RslRlDistillationAlgorithmCfg(
        class_name="whole_body_tracking.rl.distillation:TrackingDistillation",
        num_learning_epochs=5,
        gradient_length=6,  # steps whose envs make a batch: 4 batches per epoch, as in PPO
        learning_rate=1.0e-3,
        max_grad_norm=1.0,
    )

    def __post_init__(self):
        self.student = with_embedding(self.student)
