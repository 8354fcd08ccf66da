"""A network of rsl_rl with the encoder of MotionNN beside its observations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict
from torch import Tensor, nn

from whole_body_tracking.priors import MotionModel, StateLayout, load_model
from whole_body_tracking.priors.state import PARTS

from ..learning.split_input import ExportedSplitInput


class PriorActor(MLPModel):
    """MLP on observations and on the encoder's features of the robot's last states; for actors and critics.

    The last observations of its set are the parts of ``history`` states, each part oldest first, as
    :mod:`.observations` adds them. The encoder normalises them itself; the others are normalised as in the plain model.

    For ``unfreeze_after`` updates the encoder is frozen; then it learns, at a rate of its own
    (:func:`~.release.separate_encoders`). The number of updates is a part of the checkpoint.
    """

    def __init__(
        self,
        obs: TensorDict,
        obs_groups: dict[str, list[str]],
        obs_set: str,
        output_dim: int,
        motion_prior: str,
        history: int,
        joint_order: Sequence[str],
        unfreeze_after: int | None = None,
        encoder_learning_rate: float = 1.0e-5,
        random_encoder: bool = False,
        obs_normalization: bool = False,
        **kwargs,
    ):
        """Build the network.

        Args:
            obs: Observations.
            obs_groups: Observation groups of each set.
            obs_set: Set of this network, such as ``actor``.
            output_dim: Number of outputs.
            motion_prior: Model file of ``train_motion.py``.
            history: States that the encoder sees.
            joint_order: Joints of the robot in the order in which they are observed.
            unfreeze_after: Updates after which the encoder learns; None never.
            encoder_learning_rate: Its rate then.
            random_encoder: Whether to start from fresh weights instead of the file's, as a control.
            obs_normalization: Whether to normalise the other observations.
            kwargs: What rsl_rl's model takes.

        Raises:
            ValueError: If the file is no predicting model, or the observations do not end with the states.
        """
        encoder = load_encoder(motion_prior, random_encoder)
        self.num_prior = encoder.layout.dim * history
        self.num_features = encoder.num_features
        super().__init__(obs, obs_groups, obs_set, output_dim, obs_normalization=obs_normalization, **kwargs)
        if obs_normalization:
            self.obs_normalizer = type(self.obs_normalizer)(self.obs_dim - self.num_prior)
        self.encoder = PriorEncoder(encoder, history, joint_order)
        self.unfreeze_after, self.encoder_learning_rate = unfreeze_after, encoder_learning_rate
        self.register_buffer("num_updates", torch.zeros((), dtype=torch.long))
        self._num_updates = 0
        """The buffer's value, which a GPU is not asked for at every step."""

    @property
    def is_frozen(self) -> bool:
        """Whether the encoder does not learn (yet)."""
        return self.unfreeze_after is None or self._num_updates < self.unfreeze_after

    def end_update(self) -> None:
        """Count an update of the networks."""
        self._num_updates += 1
        self.num_updates += 1

    def get_latent(self, obs: TensorDict, masks: Tensor | None = None, hidden_state=None) -> Tensor:
        """Normalised observations followed by the encoder's features, shape [num_envs, num_latents]."""
        all_obs = self._concatenated(obs)
        others, states = all_obs[..., : -self.num_prior], all_obs[..., -self.num_prior :]
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen):
            features = self.encoder(states)
        return torch.cat((self.obs_normalizer(others), features), dim=-1)

    def update_normalization(self, obs: TensorDict) -> None:
        """Update the statistics of everything but the states."""
        if self.obs_normalization:
            self.obs_normalizer.update(self._concatenated(obs)[..., : -self.num_prior])

    def as_onnx(self, verbose: bool) -> nn.Module:
        """The network as one module from all observations to actions, for export."""
        return ExportedSplitInput(self, self.num_prior, self.encoder)

    def as_jit(self) -> nn.Module:
        """The network as one module from all observations to actions, for export."""
        return ExportedSplitInput(self, self.num_prior, self.encoder)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._num_updates = int(self.num_updates)

    def _get_latent_dim(self) -> int:
        if self.obs_dim <= self.num_prior:
            raise ValueError(
                f"There are {self.obs_dim} observations, too few to end with the {self.num_prior} values of the motion"
                " prior's states. Train with --motion_prior, which adds them."
            )
        return self.obs_dim - self.num_prior + self.num_features

    def _concatenated(self, obs: TensorDict) -> Tensor:
        return torch.cat([obs[group] for group in self.obs_groups], dim=-1)


class PriorEncoder(nn.Module):
    """From observed states, part by part, to features."""

    def __init__(self, model: MotionModel, history: int, joint_order: Sequence[str]):
        """Take over a model.

        Args:
            model: Whose features to give.
            history: Number of states.
            joint_order: Joints in the order in which they are observed.

        Raises:
            ValueError: If the robot lacks a joint of the model.
        """
        super().__init__()
        missing = [name for name in model.layout.joint_names if name not in joint_order]
        if missing:
            raise ValueError(f"The motion prior knows joints that the robot lacks: {missing}.")
        self.model, self.history, self.widths = model, history, model.layout.widths
        self.training_dtype = torch.float32
        """Format of its matrix products while training (:func:`~..learning.precision.train_in`)."""
        joints = torch.tensor([list(joint_order).index(name) for name in model.layout.joint_names])
        self.register_buffer("joints", joints, persistent=False)

    def forward(self, observed: Tensor) -> Tensor:
        """Features, shape [batch, num_features], of states, shape [batch, history * dim], each part oldest first."""
        parts, start = [], 0
        for name in PARTS:
            end = start + self.history * self.widths[name]
            part = observed[..., start:end].reshape(-1, self.history, self.widths[name])
            parts.append(part[..., self.joints] if name.startswith("joint") else part)
            start = end
        states = torch.cat(parts, dim=-1)
        if not (self.training and self.training_dtype == torch.bfloat16):
            return self.model.features(states)
        with torch.autocast(observed.device.type, torch.bfloat16):
            return self.model.features(states).float()


def load_encoder(path: str, is_random: bool = False) -> MotionModel:
    """Read a model whose features a policy can use.

    Args:
        path: Model file.
        is_random: Whether to give it fresh weights; the normaliser's statistics are the file's all the same.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it does not predict states.
    """
    model = load_model(path)
    if not isinstance(model, MotionModel):
        raise ValueError(f"{path} is a {model.settings.mode}, which predicts no states. Train another --mode.")
    if is_random:
        fresh = MotionModel(model.layout, model.settings)
        fresh.normalizer.load_state_dict(model.normalizer.state_dict())
        return fresh.eval()
    return model


def require_prior_of(path: str, robot_name: str, control_dt: float) -> StateLayout:
    """Check that a model is of a robot and of the control rate.

    Args:
        path: Model file.
        robot_name: Robot of the task.
        control_dt: Time between two actions [s].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If they differ.
    """
    layout = load_encoder(path).layout
    if layout.robot_name != robot_name:
        raise ValueError(f"{path} is a prior of the robot {layout.robot_name}, this task's is {robot_name}.")
    if abs(layout.fps * control_dt - 1.0) > 1e-3:
        raise ValueError(
            f"{path} was trained at {layout.fps:g} fps, but the policy acts at {1.0 / control_dt:g} Hz. Train it on"
            f" clips that were converted with --output_fps {1.0 / control_dt:g}."
        )
    return layout
