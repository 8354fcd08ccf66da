"""World model and policy with their optimisers, trained in tandem from one buffer. No simulator."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from rsl_rl.models import MLPModel
from torch import Tensor, nn

from whole_body_tracking.rl.learning.muon import MuonWithAdam
from whole_body_tracking.rl.learning.ranks import average_gradients, mean_and_std, share_networks, sum_over_ranks

from .imagining.buffer import Moment, StepBuffer
from .imagining.cost import masked_mean
from .imagining.dynamics import WorldModel, window_loss
from .imagining.ensemble import Ensemble, networks_of
from .imagining.imagination import Imagination, Rollouts
from .imagining.value import HorizonValue
from .settings import WorldModelSettings

MIN_OBSERVATION_STD = 0.05
"""Floor of the policy's observation statistics: what stands still at first must not be blown up later."""
FIRST_ACTIONS = 0.01
"""Factor on the last layer of a policy that starts anew: its first actions are those of the joint targets alone."""
MAX_GRADIENT = 1.0
"""Norm to which the gradient of either network's parameters is cut."""
AVERAGE_WARM_UP = 10
"""Of :func:`average_share`."""
MANY_UPDATES = 1_000_000
"""Updates of a policy that others have trained."""
KEY = "world_model"
"""In checkpoints: everything of this training but the averaged policy, which is the checkpoint's actor."""


class Learner:
    """Both networks.

    The policy that acts and is updated is :attr:`policy`; :attr:`average`, an exponential moving average of it, is what
    is saved, played and evaluated.
    """

    def __init__(
        self,
        average: MLPModel,
        model: WorldModel | Ensemble,
        imagination: Imagination,
        settings: WorldModelSettings,
        starts: Callable[[StepBuffer], Tensor] | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        """Start with a policy whose actions are nearly zero.

        Args:
            average: Actor of the task, which becomes the average of the policy.
            model: World model on the same device.
            imagination: The task.
            settings: Numbers of the training.
            starts: Weights of the buffer's instants for the rollouts that start where the sampler says.
            dtype: Number format of the products in the optimizers' steps: float32 or bfloat16.
        """
        self.starts = starts
        self.average, self.model, self.imagination, self.settings = average, model, imagination, settings
        layers = [layer for layer in average.mlp if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            layers[-1].weight.mul_(FIRST_ACTIONS)
            layers[-1].bias.zero_()
        self._set_noise()
        self._num_updates = 0
        self.policy = copy.deepcopy(average).train()
        average.eval().requires_grad_(False)
        self.policy_optimizer = MuonWithAdam(
            self._parameters_that_act(), [self.policy.mlp], settings.policy_rate, dtype
        )
        self.model_optimizer = MuonWithAdam(model.parameters(), networks_of(model), settings.model_rate, dtype)
        self.value: HorizonValue | None = None
        """What follows the last imagined step; None without ``value_discount``."""
        if settings.value_discount > 0.0:
            device = layers[0].weight.device
            self.value = HorizonValue(layers[0].in_features, settings.value_discount).to(device)
            self.value_optimizer = torch.optim.Adam(self.value.network.parameters(), lr=settings.value_rate)
        self.group = self.policy.obs_groups[0]
        """Observation group of the policy."""
        share_networks(self.policy, self.average, self.model, *([self.value] if self.value else []))

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
        windows = buffer.windows(settings.model_batch * settings.ensemble, settings.model_window)
        loss = window_loss(self.model, *windows)
        _step(self.model_optimizer, loss, self.model.parameters())
        return loss.detach()

    def update_policy(self, buffer: StepBuffer) -> Tensor:
        """One step of the policy on imagined rollouts, and of its average; returns the cost, a scalar."""
        settings = self.settings
        self.model.requires_grad_(False)
        moment = self._draw_starts(buffer)
        model = functools.partial(self.model, noise=settings.model_noise)
        rollouts = self.imagination.rollouts(
            self._policy, model, moment, settings.horizon, settings.action_noise, settings.state_gradient
        )
        cost = masked_mean(rollouts.costs, rollouts.counts)
        loss = cost if self.value is None else cost + self._cost_to_come(moment, rollouts)
        _step(self.policy_optimizer, loss, self._parameters_that_act())
        self.model.requires_grad_(True)
        if self.value is not None:
            self._update_value(moment, rollouts)
        share = average_share(self._num_updates, settings.average_rate)
        self._num_updates += 1
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.policy.parameters(), strict=True):
                mean.lerp_(value, share)
        return cost.detach()

    def anneal(self, used: float) -> None:
        """Set the learning rates to those after a share of the budget, in [0, 1].

        They fall linearly from the settings' to ``final_rate`` of them, whatever a checkpoint's optimizers bring.
        """
        settings = self.settings
        share = 1.0 - used * (1.0 - settings.final_rate)
        rates = [(self.policy_optimizer, settings.policy_rate), (self.model_optimizer, settings.model_rate)]
        rates += [(self.value_optimizer, settings.value_rate)] if self.value is not None else []
        for optimizer, rate in rates:
            for group in optimizer.param_groups:
                group["lr"] = share * rate

    @property
    def policy_rate(self) -> float:
        """Learning rate of the policy now."""
        return self.policy_optimizer.param_groups[0]["lr"]

    def _draw_starts(self, buffer: StepBuffer) -> Moment:
        settings = self.settings
        num = round(settings.start_share * settings.policy_batch)
        if num == 0 or self.starts is None:
            return buffer.moments(settings.policy_batch)
        evenly, by_sampler = buffer.moments(settings.policy_batch - num), buffer.moments(num, self.starts(buffer))
        pairs = zip(vars(evenly).values(), vars(by_sampler).values(), strict=True)
        moment = Moment(*(torch.cat(pair) for pair in pairs))
        mixed = torch.randperm(settings.policy_batch, device=moment.frames.device)  # each model gets some of both
        return Moment(*(values[mixed] for values in vars(moment).values()))

    def _cost_to_come(self, moment: Moment, rollouts: Rollouts) -> Tensor:
        """Value after the last step, on the scale of the mean cost: a sum of H costs and the value, over H."""
        self.value.requires_grad_(False)
        value = self.value(self._latent(moment, self.settings.horizon, rollouts.state, rollouts.last_action))
        self.value.network.requires_grad_(True)
        return torch.where(rollouts.goes_on, value, 0.0).sum() / rollouts.counts.sum().clamp(min=1)

    def _update_value(self, moment: Moment, rollouts: Rollouts) -> None:
        with torch.no_grad():
            first = self._latent(moment, 0, moment.state, moment.last_action)
            last = self._latent(moment, self.settings.horizon, rollouts.state, rollouts.last_action)
            costs = torch.where(rollouts.counts, rollouts.costs, 0.0)
        loss = self.value.loss(first, costs, last, rollouts.goes_on)
        _step(self.value_optimizer, loss, self.value.network.parameters())
        self.value.follow()

    def _latent(self, moment: Moment, ahead: int, state: Tensor, last_action: Tensor) -> Tensor:
        observations = self.imagination.clean_observations(moment, ahead, state, last_action)
        return self.policy.get_latent({self.group: observations})

    # -- saving --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything but the average and the buffer, as tensors and plain numbers."""
        state = {
            "policy": self.policy.state_dict(),
            "model": self.model.state_dict(),
            "policy_optimizer": self.policy_optimizer.state_dict(),
            "model_optimizer": self.model_optimizer.state_dict(),
            "num_updates": self._num_updates,
        }
        if self.value is not None:
            state |= {"value": self.value.state_dict(), "value_optimizer": self.value_optimizer.state_dict()}
        return state

    def restore(self, actor: dict[str, Tensor], state: dict[str, Any] | None) -> None:
        """Continue a training, or with ``state`` None start from a policy alone.

        Raises:
            ValueError: If the model of the checkpoint has layers of another size.
        """
        self.average.load_state_dict(actor)
        self._set_noise()
        self.policy.load_state_dict(actor)
        self._num_updates = MANY_UPDATES  # what comes in is good already, and is left slowly
        if state is None:
            return
        found, expected = ({k: tuple(v.shape) for k, v in s.items()} for s in (state["model"], self.model.state_dict()))
        if found != expected:
            raise ValueError(
                f"The checkpoint's world model has layers {_layers(found)}, this training {_layers(expected)}. Pass the"
                " --model_width, --model_layers and --ensemble of its run."
            )
        self.policy.load_state_dict(state["policy"])
        self.model.load_state_dict(state["model"])
        for optimizer, name in ((self.policy_optimizer, "policy_optimizer"), (self.model_optimizer, "model_optimizer")):
            if not optimizer.can_load(state[name]):
                print(f"[INFO] The checkpoint's {name.replace('_', ' ')} is another one: it begins anew.")
                continue
            optimizer.load_state_dict(state[name])
        self._num_updates = state.get("num_updates", MANY_UPDATES)
        if self.value is not None and "value" in state:  # a run may be gone on with that had none
            self.value.load_state_dict(state["value"])
            self.value_optimizer.load_state_dict(state["value_optimizer"])
        self.anneal(0.0)

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


def average_share(num_updates: int, rate: float) -> float:
    """Share by which the average follows an update: max(rate, 9 / (10 + n)) after n updates.

    With a rate of 0.01 alone it would lag by 100 updates, about what a short clip takes in all.
    """
    return max(rate, (AVERAGE_WARM_UP - 1) / (AVERAGE_WARM_UP + num_updates))


def _step(optimizer: torch.optim.Optimizer | MuonWithAdam, loss: Tensor, parameters: Iterable[nn.Parameter]) -> None:
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
