"""Muon against PyTorch's own, and which parameters it moves."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from whole_body_tracking.rl.learning.muon import Muon, MuonWithAdam, hidden_matrices, orthogonalized
from whole_body_tracking.rl.learning.precision import BFloat16HiddenLayers

pytestmark = pytest.mark.unit


def perceptron() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Linear(3, 8), nn.ELU(), nn.Linear(8, 6), nn.ELU(), nn.Linear(6, 5), nn.ELU(), nn.Linear(5, 2)
    return nn.Sequential(*layers)


def train(network: nn.Module, optimizer, num: int = 3) -> None:
    inputs = torch.arange(12.0).view(4, 3) / 12.0
    for _ in range(num):
        optimizer.zero_grad()
        (network(inputs) - 1.0).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (7, 7)])
def test_singular_values_become_one_and_vectors_stay(shape):
    torch.manual_seed(0)
    u, s, vh = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    found = u.T @ orthogonalized(u @ torch.diag(s) @ vh, torch.float32) @ vh.T
    assert torch.allclose(found, torch.diag(found.diag()), atol=1e-4)
    assert float(found.diag().min()) > 0.6 and float(found.diag().max()) < 1.3


def test_a_matrix_of_zeros_stays_one():
    assert torch.equal(orthogonalized(torch.zeros(3, 4), torch.float32), torch.zeros(3, 4))


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_steps_are_those_of_pytorch(shape):
    """Its products are in bfloat16; in the same format steps are the same, in float32 nearly."""
    torch.manual_seed(0)
    first = torch.randn(shape)
    ours, rough, theirs = (nn.Parameter(first.clone()) for _ in range(3))
    optimizers = [
        Muon([ours], 0.1),
        Muon([rough], 0.1, torch.bfloat16),
        torch.optim.Muon([theirs], 0.1, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
    ]
    for _ in range(4):
        gradient = torch.randn(shape)
        for value, optimizer in zip((ours, rough, theirs), optimizers, strict=True):
            value.grad = gradient.clone()
            optimizer.step()
    moved = (theirs - first).norm()
    assert (rough - theirs).norm() < 0.03 * moved
    assert (ours - theirs).norm() < 0.05 * moved


def test_hidden_matrices_are_neither_the_first_nor_the_last():
    network = perceptron()
    for found in (hidden_matrices(network), hidden_matrices(BFloat16HiddenLayers(network))):
        assert [tuple(weight.shape) for weight in found] == [(6, 8), (5, 6)]
    assert hidden_matrices(nn.Sequential(nn.Linear(3, 4), nn.ELU(), nn.Linear(4, 2))) == []


def test_each_parameter_is_moved_by_one_of_both():
    ours = perceptron()
    theirs = copy.deepcopy(ours)
    train(ours, MuonWithAdam(ours.parameters(), [ours], 0.01), num=1)
    train(theirs, torch.optim.Adam(theirs.parameters(), lr=0.01), num=1)
    same = {name: torch.allclose(a, dict(theirs.named_parameters())[name]) for name, a in ours.named_parameters()}
    assert {name for name, is_same in same.items() if not is_same} == {"2.weight", "4.weight"}


def test_a_network_with_one_hidden_layer_has_adam_alone():
    network = nn.Sequential(nn.Linear(3, 4), nn.ELU(), nn.Linear(4, 2))
    optimizer = MuonWithAdam(network.parameters(), [network], 0.01)
    train(network, optimizer)
    assert list(optimizer.state_dict()) == ["adam"]


def test_a_state_goes_on_as_if_nothing_had_been():
    straight = perceptron()
    optimizer = MuonWithAdam(straight.parameters(), [straight], 0.01)
    train(straight, optimizer)
    other = copy.deepcopy(straight)
    continued = MuonWithAdam(other.parameters(), [other], 0.5)
    continued.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for network, its in ((straight, optimizer), (other, continued)):
        train(network, its)
    for a, b in zip(straight.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    assert {group["lr"] for group in continued.param_groups} == {0.01}


def test_a_state_of_adam_alone_is_told_apart():
    network = perceptron()
    state = torch.optim.Adam(network.parameters()).state_dict()
    optimizer = MuonWithAdam(network.parameters(), [network], 0.01)
    assert not optimizer.can_load(state) and optimizer.can_load(optimizer.state_dict())
    with pytest.raises(ValueError, match=r"state of \['param_groups', 'state'\], expected one of \['adam', 'muon'\]"):
        optimizer.load_state_dict(state)


def test_what_is_not_a_matrix_is_refused():
    with pytest.raises(ValueError, match=r"shapes \[\(3,\)\]"):
        Muon([nn.Parameter(torch.zeros(3))], 0.1)
