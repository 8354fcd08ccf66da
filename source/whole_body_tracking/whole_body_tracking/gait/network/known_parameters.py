"""All gait parameters from some: what is not given is the data's conditional mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from whole_body_tracking.names import require_known

from ..planning.parameters import LONGEST_STRIDE, PARAMETERS, GaitParameters
from .refnn import RefNN

NAMES = tuple(PARAMETERS)
SPEED, CADENCE, PELVIS = NAMES.index("speed"), NAMES.index("cadence"), NAMES.index("pelvis_height")


class KnownParameters(nn.Module):
    """Fills in the parameters that are not given, from those of the gaits which a RefNN was trained on.

    The mean of the others given g is, for jointly normal parameters, linear: m_o + S_og S_gg^-1 (g - m_g); the pelvis
    height, which the legs' reach bends, is a least-squares fit of :func:`fit_features` of all the others. Given values
    are clamped to the network's ranges, and a speed to the longest stride at its cadence.
    """

    def __init__(self, model: RefNN, names: Sequence[str]):
        """Fit.

        Args:
            model: The network.
            names: Parameters that will be given, in their order.

        Raises:
            ValueError: If a name is unknown, or the network carries no examples.
        """
        super().__init__()
        require_known(names, NAMES, "gait parameter")
        if len(model.examples) < 2:
            raise ValueError("The RefNN carries no parameters of its data set. Train it again with this version.")
        self.names = tuple(names)
        given = [NAMES.index(name) for name in names]
        examples = model.examples.double().cpu()
        ones = torch.ones(len(examples), 1, dtype=torch.float64)
        linear = _least_squares(torch.cat((ones, examples[:, given]), dim=-1), examples)
        for row, column in enumerate(given):  # given values are passed on exactly
            linear[:, column] = 0.0
            linear[row + 1, column] = 1.0
        self.register_buffer("linear", linear.float())
        self.register_buffer("pelvis", _least_squares(fit_features(examples), examples[:, PELVIS]).float())
        self.register_buffer("low", model.low.cpu().clone())
        self.register_buffer("high", model.high.cpu().clone())
        self.pelvis_range = model.facts.parameters["pelvis_height"]
        self.pelvis_is_given = "pelvis_height" in self.names

    def forward(self, given: Tensor) -> Tensor:
        """All parameters, shape [num, num_params], from some, shape [num, num_given]."""
        params = torch.cat((torch.ones_like(given[:, :1]), given), dim=-1) @ self.linear
        params = torch.minimum(torch.maximum(params, self.low), self.high)
        columns = list(params.unbind(-1))
        fastest = LONGEST_STRIDE / 120.0 * columns[CADENCE]
        columns[SPEED] = torch.minimum(torch.maximum(columns[SPEED], -fastest), fastest)
        params = torch.stack(columns, dim=-1)
        if self.pelvis_is_given:
            return params
        height = (fit_features(params) @ self.pelvis).clamp(*self.pelvis_range)
        return torch.cat((params[:, :PELVIS], height[:, None], params[:, PELVIS + 1 :]), dim=-1)


def examples_with(model: RefNN, fixed: Mapping[str, float]) -> Tensor:
    """Parameters of the gaits which a RefNN was trained on, some of them replaced, shape [num_examples, num_params].

    A replaced value need not go with a gait's others: a stride longer than any of the data is shortened by a faster
    cadence, or by a lower speed if the cadence is fixed, and the pelvis takes the height that the data has for such
    gaits.

    Args:
        model: The network.
        fixed: Values by name, within the network's ranges.

    Raises:
        ValueError: If a name is unknown, or speed and cadence are fixed with a stride that is too long.
    """
    require_known(fixed, NAMES, "gait parameter")
    rows = model.examples.clone()
    if not fixed:
        return rows
    longest = float((120.0 * rows[:, SPEED] / rows[:, CADENCE]).abs().max().clamp(max=LONGEST_STRIDE))
    for name, value in fixed.items():
        rows[:, NAMES.index(name)] = value
    if "cadence" not in fixed:
        rows[:, CADENCE] = torch.maximum(rows[:, CADENCE], 120.0 * rows[:, SPEED].abs() / longest)
    elif "speed" not in fixed:
        fastest = longest / 120.0 * rows[:, CADENCE]
        rows[:, SPEED] = torch.minimum(torch.maximum(rows[:, SPEED], -fastest), fastest)
    else:
        GaitParameters.of({name: fixed[name] for name in ("speed", "cadence")})  # refuses a stride that is too long
    others = [name for name in NAMES if name != "pelvis_height" or name in fixed]
    return KnownParameters(model, others)(rows[:, [NAMES.index(name) for name in others]].cpu()).to(rows)


def fit_features(params: Tensor) -> Tensor:
    """1, parameters but the pelvis height, their squares, the square of the stride: shape [num, num_features]."""
    others = torch.cat((params[:, :PELVIS], params[:, PELVIS + 1 :]), dim=-1)
    stride = 120.0 * params[:, SPEED] / params[:, CADENCE]
    return torch.cat((torch.ones_like(others[:, :1]), others, others**2, stride[:, None] ** 2), dim=-1)


def _least_squares(features: Tensor, values: Tensor) -> Tensor:
    """Coefficients, also where a feature never changes: the smallest ones then."""
    return torch.linalg.lstsq(features, values.reshape(len(values), -1), driver="gelsd").solution.reshape(
        features.shape[1], *values.shape[1:]
    )
