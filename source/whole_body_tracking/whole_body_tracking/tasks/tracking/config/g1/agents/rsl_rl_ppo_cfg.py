"""PPO settings of the G1 tasks (BeyondMimic's)."""

from __future__ import annotations

import torch
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg, RslRlSymmetryCfg
from isaaclab_tasks.utils import preset

from whole_body_tracking.tasks.tracking.amp_cfg import AmpCfg
from whole_body_tracking.tasks.tracking.muscle_learning_cfg import MuscleLearningCfg


@configclass
class TrackingPPOAlgorithmCfg(RslRlPpoAlgorithmCfg):
    """PPO of this project."""

    class_name: str = "whole_body_tracking.rl.ppo:TrackingPPO"

    amp: AmpCfg = AmpCfg()
    """Settings of AMP, used with ``class_name=whole_body_tracking.rl.amp.ppo:AmpPPO`` alone: see docs/tasks.md."""

    muscle: MuscleLearningCfg = MuscleLearningCfg()
    """Settings of MuscleNN's learning, used with ``class_name=whole_body_tracking.rl.muscle.ppo:MusclePPO`` alone: see
    docs/actuation.md."""

    precision: str = "auto"
    """Number format of the hidden layers' matrix products in training: ``float32``, ``bfloat16``, or ``auto``, which is
    bfloat16 on a CPU that has instructions for it and float32 elsewhere."""

    final_learning_rate: float | None = None
    """Learning rate at the end of the training budget (``max_iterations``, or ``--max_minutes``), to which it falls
    linearly; None keeps it. For ``schedule=fixed``."""

    symmetry_cfg: RslRlSymmetryCfg | None = preset(
        default=None,
        mirror_symmetry=RslRlSymmetryCfg(
            use_data_augmentation=True,
            data_augmentation_func="whole_body_tracking.rl.learning.symmetry:with_mirror_images",
        ),
    )
    """Nothing, or with ``presets=mirror_symmetry`` a mirror image of every transition."""


@configclass
class FineTuningCfg:
    """PPO from a policy of ``train_sft.py``; used with ``--load_sft_pretrain`` alone."""

    value_warmup: int = 20
    """Iterations in which the critic learns alone, the policy and its observation statistics fixed: a fresh critic
    gives random advantages, which destroy a good policy within a few updates."""

    warmup_learning_rate: float = 1.0e-3
    """Of the critic meanwhile; nothing can be lost yet."""

    init_std: float = 0.1
    """Initial noise of the policy, in action units. That of an untrained one makes a trained robot fall. Raise it if
    the policy stops improving early."""

    learning_rate: float = 2.0e-5
    """Fixed rate after the warm-up: the adaptive one starts too high and grows while the policy stands still. At 1e-4
    an update moved a student of the squat by a KL divergence of 0.2 to 0.7, which goes with the square of the rate."""

    anchor: float = 0.3
    """Weight of the KL divergence from the policy that training started from. 0 lets go of it at once."""

    anchor_iterations: int = 300
    """Iterations in which that weight falls linearly to 0; later the student no longer limits the policy."""

    entropy_coef: float = 0.0
    """Reward of noise: none, for the student already knows where to go."""


@configclass
class G1TrackingPPORunnerCfg(RslRlOnPolicyRunnerCfg):
    """PPO for control at 50 Hz."""

    device: str = "cuda:0" if torch.cuda.is_available() else "cpu"
    num_steps_per_env: int = 24
    max_iterations: int = 30_000
    save_interval: int = 500
    experiment_name: str = "g1_flat"
    obs_groups: dict[str, list[str]] = {"actor": ["policy"], "critic": ["critic"]}
    actor = RslRlMLPModelCfg(
        hidden_dims=[512, 256, 128],
        activation="elu",
        obs_normalization=True,
        distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=1.0),
    )
    critic = RslRlMLPModelCfg(hidden_dims=[512, 256, 128], activation="elu", obs_normalization=True)
    algorithm = TrackingPPOAlgorithmCfg(
        num_learning_epochs=5,
        num_mini_batches=4,
        learning_rate=1.0e-3,
        schedule="adaptive",
        desired_kl=0.01,
        gamma=0.99,
        lam=0.95,
        clip_param=0.2,
        entropy_coef=0.005,
        value_loss_coef=1.0,
        use_clipped_value_loss=True,
        max_grad_norm=1.0,
    )
    fine_tuning: FineTuningCfg = FineTuningCfg()


@configclass
class G1TrackingLowFreqPPORunnerCfg(G1TrackingPPORunnerCfg):
    """PPO for control at 25 Hz: the same horizon in seconds."""

    def __post_init__(self):
        self.num_steps_per_env //= 2
        self.algorithm.gamma **= 2
        self.algorithm.lam **= 2


@configclass
class MotionEmbeddingModelCfg(RslRlMLPModelCfg):
    """A network that learns a vector for each motion."""

    class_name: str = "whole_body_tracking.rl.embedding_model:MotionEmbeddingModel"

    embedding_dim: int = 16
    """Length of a motion's vector."""


@configclass
class G1TrackingMultiPPORunnerCfg(G1TrackingPPORunnerCfg):
    """PPO for many clips; ``presets=motion_embedding`` takes networks with a learned vector for each."""

    experiment_name: str = "g1_multi"

    def __post_init__(self):
        self.actor = with_embedding(self.actor)
        self.critic = with_embedding(self.critic)


def with_embedding(model: RslRlMLPModelCfg):
    """A network, which ``presets=motion_embedding`` replaces by one of its size that learns a vector a motion."""
    fields = {name: getattr(model, name) for name in ("hidden_dims", "activation", "obs_normalization")}
    embedding = MotionEmbeddingModelCfg(**fields, distribution_cfg=model.distribution_cfg)
    return preset(default=model, motion_embedding=embedding)


@configclass
class G1TrackingDemoPPORunnerCfg(G1TrackingPPORunnerCfg):
    """PPO for ten minutes on a few CPU cores with 256 envs.

    The initial noise is small because the action-rate penalty of noise with standard deviation 1 exceeds every reward,
    so that falling early would pay; the rate is fixed because the adaptive one shrinks to nothing at this batch size.
    """

    experiment_name: str = "g1_demo"
    max_iterations: int = 1_000
    save_interval: int = 50

    def __post_init__(self):
        self.actor.hidden_dims = [256, 128, 64]
        self.actor.distribution_cfg.init_std = 0.25
        self.critic.hidden_dims = [256, 128, 64]
        self.algorithm.schedule = "fixed"
        self.algorithm.final_learning_rate = 1.0e-4
        self.algorithm.entropy_coef = 0.001
