"""Muon for the matrices between hidden layers, and Adam for everything else: for losses whose gradient is not noisy.

Muon is K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); the scale of its steps is
that of J. Liu et al., "Muon is scalable for LLM training" (2025). ``torch.optim.Muon`` is the same, but multiplies in
bfloat16 everywhere, which takes fifty times as long as float32 on a CPU that has no instructions for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
NUM_ITERATIONS = 5
"""Newton-Schulz iterations of :func:`orthogonalized`."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the odd polynomial a s + b s^3 + c s^5, which takes singular values of (0, 1] to 0.7 to 1.2 in five turns."""
RMS_OF_ADAM = 0.2
"""Root mean square of a step's elements over the learning rate, as Adam's steps have."""


def orthogonalized(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Matrix with the singular vectors of another and singular values near 1, same shape.

    x <- a x + b (x x^T) x + c (x x^T)^2 x, from x = matrix / ||matrix||. A matrix of zeros stays one.

    Args:
        matrix: Shape [rows, columns].
        dtype: Number format of the products.
    """
    a, b, c = COEFFICIENTS
    x = (matrix / matrix.norm().clamp(min=1.0e-7)).to(dtype)
    is_tall = x.shape[0] > x.shape[1]
    x = x.T if is_tall else x
    for _ in range(NUM_ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.T if is_tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Steps along the orthogonalised momentum of matrices, with Nesterov's look-ahead.

    m <- 0.95 m + 0.05 g,  w <- w - rate * 0.2 sqrt(max(rows, columns)) * orthogonalized(0.95 m + 0.05 g)
    """

    def __init__(self, matrices: Iterable[nn.Parameter], lr: float, dtype: torch.dtype = torch.float32):
        """Optimise matrices.

        Args:
            matrices: Parameters of two dimensions.
            lr: Learning rate, on the scale of Adam's.
            dtype: Number format of the matrix products.

        Raises:
            ValueError: If a parameter is not a matrix.
        """
        super().__init__(matrices, {"lr": lr})
        self.dtype = dtype
        shapes = [tuple(value.shape) for group in self.param_groups for value in group["params"]]
        if any(len(shape) != 2 for shape in shapes):
            raise ValueError(f"Muon is for matrices; parameters have shapes {shapes}.")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is None:
                    continue
                state = self.state[value]
                if not state:
                    state["momentum"] = torch.zeros_like(value)
                momentum = state["momentum"].lerp_(value.grad, 1.0 - MOMENTUM)
                step = orthogonalized(value.grad.lerp(momentum, MOMENTUM), self.dtype)
                value.add_(step, alpha=-group["lr"] * RMS_OF_ADAM * max(value.shape) ** 0.5)


class MuonWithAdam:
    """One optimizer of networks: Muon for matrices between hidden layers, Adam for first and last layers and biases."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        networks: Iterable[nn.Module],
        lr: float,
        dtype: torch.dtype = torch.float32,
    ):
        """Optimise parameters.

        Args:
            parameters: All that are to be learnt.
            networks: Multilayer perceptrons that have them, whose hidden layers are found.
            lr: Learning rate of both.
            dtype: Number format of Muon's products.
        """
        matrices = {weight for network in networks for weight in hidden_matrices(network)}
        parameters = list(parameters)
        hidden = [value for value in parameters if value in matrices]
        others = [value for value in parameters if value not in matrices]
        self._parts: dict[str, torch.optim.Optimizer] = {"adam": torch.optim.Adam(others, lr=lr)}
        if hidden:
            self._parts["muon"] = Muon(hidden, lr, dtype)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Groups of both."""
        return [group for part in self._parts.values() for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for part in self._parts.values():
            part.zero_grad(set_to_none)

    def step(self) -> None:
        """Move all parameters."""
        for part in self._parts.values():
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """States of both, by name."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def can_load(self, state: dict[str, Any]) -> bool:
        """Whether a state is one of such an optimizer; that of Adam alone, of older checkpoints, is not."""
        return state.keys() == self._parts.keys()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the states of both.

        Raises:
            ValueError: If they are those of another optimizer.
        """
        if not self.can_load(state):
            raise ValueError(f"This is a state of {sorted(state)}, expected one of {sorted(self._parts)}.")
        for name, part in self._parts.items():
            part.load_state_dict(state[name])


def hidden_matrices(network: nn.Module) -> list[nn.Parameter]:
    """Weights between the hidden layers of a multilayer perceptron: of all linear layers but the first and last."""
    return [layer.weight for layer in network.modules() if isinstance(layer, nn.Linear)][1:-1]
