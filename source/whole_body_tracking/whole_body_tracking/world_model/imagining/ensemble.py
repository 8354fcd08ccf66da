"""Several world models of one robot, each learnt from windows of its own. No simulator."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .dynamics import WorldModel


class Ensemble(nn.Module):
    """World models that share the rows of a batch: each predicts its part.

    An imagined rollout stays in one of them, so a policy that gains from the errors of one gains in a part of its
    rollouts only. Trained on windows drawn at random, each learns from windows that the others do not see, and all of
    them take the time of one model for a batch of the same size.
    """

    def __init__(self, make: Callable[[], WorldModel], num: int):
        """Build ``num`` models, which differ in their first weights."""
        super().__init__()
        self.members = nn.ModuleList(make() for _ in range(num))

    @property
    def dt(self) -> float:
        """Control step [s]."""
        return self.members[0].dt

    @property
    def change_std(self) -> Tensor:
        """Standard deviation of changes of velocity, as of each model."""
        return self.members[0].change_std

    def forward(self, state: Tensor, target: Tensor, noise: float = 0.0) -> Tensor:
        """State one control step later, equal shares of the rows by each; arguments as of :class:`WorldModel`."""
        num = len(self.members)
        parts = zip(self.members, state.tensor_split(num), target.tensor_split(num), strict=True)
        return torch.cat([model(*part, noise) for model, *part in parts])

    def fit_normalizers(self, state: Tensor, target: Tensor, after: Tensor) -> None:
        """Take the same means and standard deviations for all from real steps, shape [num, ...] each."""
        for model in self.members:
            model.fit_normalizers(state, target, after)

    def error(self, state: Tensor, real: Tensor) -> Tensor:
        """Distance of predicted from real states, shape [batch]: see :meth:`WorldModel.error`."""
        return self.members[0].error(state, real)


def make_model(make: Callable[[], WorldModel], num: int) -> WorldModel | Ensemble:
    """One world model, or an ensemble of several."""
    return make() if num == 1 else Ensemble(make, num)


def networks_of(model: WorldModel | Ensemble) -> list[nn.Module]:
    """Networks of a model, one for each member of an ensemble."""
    members = model.members if isinstance(model, Ensemble) else [model]
    return [member.network for member in members]
