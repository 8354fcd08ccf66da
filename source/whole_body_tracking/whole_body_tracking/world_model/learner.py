"""World model and policy with their optimisers, trained in tandem from one buffer. No simulator."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from rsl_rl.models import MLPModel
from torch import Tensor, nn

from whole_body_tracking.rl.learning.ranks import average_gradients, mean_and_std, share_networks, sum_over_ranks

from .imagining.buffer import StepBuffer
from .imagining.dynamics import WorldModel
from .imagining.imagination import Imagination
from .imagining.state import integrate
from .settings import WorldModelSettings

MIN_OBSERVATION_STD = 0.05
"""Floor of the policy's observation statistics: what stands still at first must not be blown up later."""
FIRST_ACTIONS = 0.01
"""Factor on the last layer of a policy that starts anew: its first actions are those of the joint targets alone."""
MAX_GRADIENT = 1.0
"""Norm to which the gradient of either network's parameters is cut."""
KEY = "world_model"
"""In checkpoints: everything of this training but the averaged policy, which is the checkpoint's actor."""


class Learner:
    """Both networks.

    The policy that acts and is updated is :attr:`policy`; :attr:`average`, an exponential moving average of it, is what
    is saved, played and evaluated.
    """

    def __init__(self, average: MLPModel, model: WorldModel, imagination: Imagination, settings: WorldModelSettings):
        """Start with a policy whose actions are nearly zero.

        Args:
            average: Actor of the task, which becomes the average of the policy.
            model: World model on the same device.
            imagination: The task.
            settings: Numbers of the training.
        """
        self.average, self.model, self.imagination, self.settings = average, model, imagination, settings
        layers = [layer for layer in average.mlp if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            layers[-1].weight.mul_(FIRST_ACTIONS)
            layers[-1].bias.zero_()
        self._set_noise()
        self.policy = copy.deepcopy(average).train()
        average.eval().requires_grad_(False)
        self.policy_optimizer = torch.optim.Adam(self._parameters_that_act(), lr=settings.policy_rate)
        self.model_optimizer = torch.optim.Adam(model.parameters(), lr=settings.model_rate)
        self.group = self.policy.obs_groups[0]
        """Observation group of the policy."""
        share_networks(self.policy, self.average, self.model)

    # -- acting --------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def act(self, obs: Tensor) -> Tensor:
        """Actions of the policy with exploration noise, shape [num_envs, num_joints]."""
        self.policy.eval()
        mean = self._policy(obs)
        self.policy.train()
        return mean + self.settings.action_noise * torch.randn_like(mean)

    @torch.no_grad()
    def act_on_average(self, obs: Tensor) -> Tensor:
        """Actions of the averaged policy without noise, shape [num_envs, num_joints]."""
        return self.average({self.group: obs})

    # -- learning ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def fit_normalizers(self, buffer: StepBuffer, observations: Tensor | None) -> None:
        """Take both networks' input statistics from the buffer.

        Args:
            buffer: Real steps.
            observations: Observations of the policy, shape [num, width]; None leaves the policy's as they are.
        """
        num = min(buffer.num_filled * buffer.num_envs, 20_000)
        states, targets = buffer.windows(num, 1)
        self.model.fit_normalizers(states[0], targets[0], states[1])
        if observations is not None and self.policy.obs_normalization:
            num = int(sum_over_ranks(torch.tensor(len(observations), device=observations.device)))
            for network in (self.policy, self.average):
                _set_statistics(network, observations, num)

    def update_model(self, buffer: StepBuffer) -> Tensor:
        """One step of the model on windows of real steps; returns the loss, a scalar."""
        settings = self.settings
        self.model.train()
        loss = self.model.window_loss(*buffer.windows(settings.model_batch, settings.model_window))
        _step(self.model_optimizer, loss, self.model.parameters())
        return loss.detach()

    def update_policy(self, buffer: StepBuffer) -> Tensor:
        """One step of the policy on imagined rollouts, and of its average; returns the cost, a scalar."""
        settings = self.settings
        self.model.requires_grad_(False)
        moment = buffer.moments(settings.policy_batch)
        loss = self.imagination.cost(
            self._policy, self.model, moment, settings.horizon, settings.action_noise, settings.state_gradient
        )
        _step(self.policy_optimizer, loss, self._parameters_that_act())
        self.model.requires_grad_(True)
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.policy.parameters(), strict=True):
                mean.lerp_(value, settings.average_rate)
        return loss.detach()

    # -- saving --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything but the average and the buffer, as tensors and plain numbers."""
        return {
            "policy": self.policy.state_dict(),
            "model": self.model.state_dict(),
            "policy_optimizer": self.policy_optimizer.state_dict(),
            "model_optimizer": self.model_optimizer.state_dict(),
        }

    def restore(self, actor: dict[str, Tensor], state: dict[str, Any] | None) -> None:
        """Continue a training, or with ``state`` None start from a policy alone.

        Raises:
            ValueError: If the model of the checkpoint has layers of another size.
        """
        self.average.load_state_dict(actor)
        self._set_noise()
        self.policy.load_state_dict(actor)
        if state is None:
            return
        found, expected = ({k: tuple(v.shape) for k, v in s.items()} for s in (state["model"], self.model.state_dict()))
        if found != expected:
            raise ValueError(
                f"The checkpoint's world model has layers {_layers(found)}, this training {_layers(expected)}. Pass the"
                " --model_width and --model_layers of its run."
            )
        self.policy.load_state_dict(state["policy"])
        self.model.load_state_dict(state["model"])
        self.policy_optimizer.load_state_dict(state["policy_optimizer"])
        self.model_optimizer.load_state_dict(state["model_optimizer"])

    def _policy(self, obs: Tensor) -> Tensor:
        return self.policy({self.group: obs})

    def _parameters_that_act(self) -> list[nn.Parameter]:
        """Parameters of the policy but for its noise, which is not learnt."""
        noise = set() if self.policy.distribution is None else set(self.policy.distribution.parameters())
        return [value for value in self.policy.parameters() if value not in noise]

    @torch.no_grad()
    def _set_noise(self) -> None:
        std = getattr(self.average.distribution, "std_param", None)
        if std is not None:
            std.fill_(max(self.settings.action_noise, 1.0e-3))  # for whoever goes on with PPO


def _step(optimizer: torch.optim.Optimizer, loss: Tensor, parameters: Iterable[nn.Parameter]) -> None:
    """One step with the mean gradient of all processes, cut; of a loss that is not finite it is a step without one.

    Asks the device nothing.
    """
    parameters = list(parameters)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(parameters)
    nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT)
    for value in parameters:
        if value.grad is not None:
            value.grad.nan_to_num_(0.0, 0.0, 0.0)
    optimizer.step()


def _set_statistics(network: MLPModel, observations: Tensor, num: int) -> None:
    """Set a network's observation statistics to those of ``num`` observations, of which this process has its own."""
    normalizer = network.obs_normalizer
    width = normalizer._mean.shape[-1]  # a one-hot id at the end is not normalised
    mean, std = mean_and_std(observations[:, :width])
    std = std + MIN_OBSERVATION_STD
    normalizer._mean.copy_(mean[None])
    normalizer._std.copy_(std[None])
    normalizer._var.copy_(std[None].square())
    normalizer.count.fill_(num)


def _layers(shapes: dict[str, tuple]) -> list[tuple]:
    return [shape for name, shape in shapes.items() if name.endswith("weight")]


@torch.no_grad()
def open_loop_errors(model: WorldModel, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Errors after each step of windows that are predicted from their first state alone.

    Args:
        model: World model.
        states: Real states, shape [num_steps + 1, batch, width].
        targets: Joint targets of each step, shape [num_steps, batch, num_joints].

    Returns:
        Mean error of the model, and of keeping all velocities (no change), each of shape [num_steps]: see
        :meth:`WorldModel.error`.
    """
    predicted, kept, errors = states[0], states[0], []
    nothing = torch.zeros_like(model.change_std).expand(states.shape[1], -1)
    for target, real in zip(targets, states[1:], strict=True):
        predicted, kept = model(predicted, target), integrate(kept, nothing, model.dt)
        errors.append(torch.stack((model.error(predicted, real).mean(), model.error(kept, real).mean())))
    ours, theirs = torch.stack(errors).unbind(-1)
    return ours, theirs
