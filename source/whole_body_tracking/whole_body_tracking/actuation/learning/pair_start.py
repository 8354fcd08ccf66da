"""A fast start of MuscleNN: one pair's small network, learnt on the states of all joints, becomes every joint's share.

Divided by the effort limits, the pairs of a robot are the same function of three numbers: what the two muscles add and
the torque that is wanted. So one network of a joint's share of the units sees every joint of every state as a sample,
and costs a thousandth of the whole one. Weights between units of different joints stay zero; the training that follows
may change them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..muscle_nn import SLOPE, MuscleNN, bounded_activation

Sample = Callable[[int], tuple[Tensor, Tensor]]
"""Iteration -> J^T A, shape [num_states, num_joints, 2], and desired torque, shape [num_states, num_joints]."""


def pair_network(model: MuscleNN) -> nn.Sequential:
    """An untrained network of a pair, as wide as a joint's share of the whole one.

    Raises:
        ValueError: If a layer of the whole one has fewer units than there are joints.
    """
    num_joints = len(model.facts.joint_names)
    shares = [width // num_joints for width in model.facts.hidden]
    if min(shares) < 1:
        raise ValueError(
            f"--hidden is {list(model.facts.hidden)}, and a start from one pair's network needs at least {num_joints}"
            " units in each layer, one per joint. Widen them, or take --pair_iterations 0."
        )
    layers: list[nn.Module] = []
    for before, after in zip([3, *shares], shares, strict=False):
        layers += [nn.Linear(before, after), nn.LeakyReLU(SLOPE)]
    network = nn.Sequential(*layers, nn.Linear(shares[-1], 2))
    for layer in network[::2]:
        bound = (2.0 / layer.in_features) ** 0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -0.1, 0.1)
    return network


def pair_activation(network: nn.Sequential, model: MuscleNN, gains: Tensor, torque: Tensor, leak: float) -> Tensor:
    """Activations of all joints by a pair's network, shape [num_states, num_joints, 2]."""
    return bounded_activation(network(model.normalized(gains, torque)), leak)


@torch.no_grad()
def spread(network: nn.Sequential, model: MuscleNN) -> None:
    """Write a pair's network into every joint's share of the whole one.

    Units that do not divide among the joints keep their weights, and nothing listens to them at first.
    """
    num_joints = len(model.facts.joint_names)
    joints = torch.arange(num_joints)[:, None]
    inputs, last = 3 * joints + torch.arange(3), len(model.layers) - 1
    for index in range(0, len(model.layers), 2):
        small, whole = network[index], model.layers[index]
        width = torch.arange(small.out_features)
        outputs = 2 * joints + width if index == last else joints + num_joints * width
        whole.weight[outputs.flatten()] = 0.0
        whole.weight[outputs[:, :, None], inputs[:, None, :]] = small.weight
        whole.bias[outputs] = small.bias
        inputs = outputs
