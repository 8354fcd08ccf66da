"""Hidden layers in bfloat16 while training, and what must not change by it."""

import copy

import pytest
import torch
from rsl_rl.modules import MLP

from whole_body_tracking.rl.learning import precision
from whole_body_tracking.rl.learning.precision import BFloat16HiddenLayers, resolve_precision

pytestmark = pytest.mark.unit


@pytest.fixture
def mlp() -> MLP:
    torch.manual_seed(0)
    return MLP(160, 29, [64, 32], "elu")


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(128, 160, generator=torch.Generator().manual_seed(1))


def test_training_computes_nearly_the_same(mlp, inputs):
    network = BFloat16HiddenLayers(copy.deepcopy(mlp)).train()
    exact, rounded = mlp(inputs), network(inputs)
    assert rounded.dtype == torch.float32
    error = (rounded - exact).norm() / exact.norm()
    assert 1e-5 < error < 0.02  # 0: not in bfloat16; rsl_rl's activations are one shared module, and 0.3 without them


def test_gradients_are_nearly_the_same_in_float32(mlp, inputs):
    network = BFloat16HiddenLayers(copy.deepcopy(mlp)).train()
    for module in (mlp, network):
        module(inputs).square().mean().backward()
    for exact, rounded in zip(mlp.parameters(), network.parameters(), strict=True):
        assert rounded.grad.dtype == torch.float32
        assert (rounded.grad - exact.grad).norm() < 0.03 * exact.grad.norm()


def test_evaluation_is_exact(mlp, inputs):
    assert torch.equal(BFloat16HiddenLayers(mlp).eval()(inputs), mlp.eval()(inputs))


def test_checkpoints_do_not_depend_on_the_precision(mlp):
    network = BFloat16HiddenLayers(copy.deepcopy(mlp))
    assert list(network.state_dict()) == list(mlp.state_dict())
    network.load_state_dict(mlp.state_dict())


@pytest.mark.parametrize("is_training", [True, False])
def test_an_export_converts_no_numbers(mlp, inputs, is_training):
    network = copy.deepcopy(BFloat16HiddenLayers(mlp)).train(is_training)
    with torch.no_grad():
        graph = torch.jit.trace(network, inputs[:1]).inlined_graph
    assert ("aten::to" in {node.kind() for node in graph.nodes()}) == is_training  # exports are in evaluation mode


@pytest.mark.parametrize(
    ("name", "device", "has_instructions", "expected"),
    [
        ("auto", "cpu", True, torch.bfloat16),
        ("auto", "cpu", False, torch.float32),
        ("auto", "cuda:0", True, torch.float32),
        ("float32", "cpu", True, torch.float32),
        ("bfloat16", "cuda:0", False, torch.bfloat16),
    ],
)
def test_format_by_device(monkeypatch, name, device, has_instructions, expected):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: has_instructions)
    assert resolve_precision(name, device) == expected


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="'half'; it is one of auto, float32, bfloat16"):
        resolve_precision("half", "cpu")
