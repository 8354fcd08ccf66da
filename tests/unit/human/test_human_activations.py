"""Bounded least squares, the muscles' facts, metabolic rate and MuscleNN for muscles that cross joints."""

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear
from small_human import small_human

from whole_body_tracking.human.activations import BoundedSolver, bounded_activations
from whole_body_tracking.human.model.muscles import MuscleFacts, metabolic_rate
from whole_body_tracking.human.muscle_nn import (
    BodyMuscleFacts,
    BodyMuscleNN,
    CrossingStates,
    load_body_muscle_nn,
    save_body_muscle_nn,
)

pytestmark = pytest.mark.unit


def test_one_muscle_by_hand():
    # (10 a - 4)^2 / 2^2 + 0.08 a^2 is least at a = 100 * 0.4 / (100 + 0.08 * 4).
    found = bounded_activations(
        torch.tensor([[[10.0]]]), torch.tensor([[4.0]]), torch.tensor([2.0]), regularisation=0.08
    )
    assert float(found.activation) == pytest.approx(40.0 / 100.32, abs=1e-6)
    too_much = bounded_activations(torch.tensor([[[10.0]]]), torch.tensor([[40.0]]), torch.tensor([2.0]))
    assert float(too_much.activation) == 1.0


def test_it_finds_what_scipy_finds():
    random = np.random.default_rng(0)
    frames, coordinates, muscles = 6, 12, 60
    gains = (
        20.0 * random.standard_normal((frames, coordinates, muscles)) * (random.random((coordinates, muscles)) < 0.3)
    )
    torque, scale = 60.0 * random.standard_normal((frames, coordinates)), random.uniform(1.0, 30.0, coordinates)
    found = bounded_activations(*map(torch.from_numpy, (gains, torque, scale)), regularisation=1e-2, iterations=1000)
    weight = np.sqrt(1e-2 * coordinates / muscles)
    for frame in range(frames):
        system = np.concatenate((gains[frame] / scale[:, None], weight * np.eye(muscles)))
        wanted = np.concatenate((torque[frame] / scale, np.zeros(muscles)))
        oracle = lsq_linear(system, wanted, bounds=(0.0, 1.0), tol=1e-12).x
        costs = [np.square(system @ x - wanted).sum() for x in (found.activation[frame].numpy(), oracle)]
        assert costs[0] == pytest.approx(costs[1], rel=2e-3)
        np.testing.assert_allclose(found.activation[frame], oracle, atol=0.02)
    assert (found.activation == 0.0).any() and (found.activation == 1.0).any()


def test_a_prepared_solver_solves_chosen_frames_about_a_rest():
    # Muscles of gains 10 and -10 that are to do nothing rest; for a torque of 5 one pulls more and the other less.
    gains, scale = torch.tensor([[[1.0, -1.0]], [[10.0, -10.0]]]), torch.tensor([1.0])
    solver = BoundedSolver(gains, scale, regularisation=0.05, dtype=torch.float32)
    found = solver(torch.tensor([[0.0], [5.0]]), torch.tensor([1, 1]), rest=0.3).activation
    torch.testing.assert_close(found, torch.tensor([[0.3, 0.3], [0.55, 0.05]]), atol=1e-2, rtol=0.0)
    held = solver(torch.tensor([[8.0]]), torch.tensor([1]), rest=0.3).activation
    torch.testing.assert_close(held, torch.tensor([[0.8, 0.0]]), atol=5e-3, rtol=0.0)
    whole = solver(torch.tensor([[0.4], [5.0]]), rest=0.3).activation
    torch.testing.assert_close(whole, torch.tensor([[0.5, 0.1], [0.55, 0.05]]), atol=2e-2, rtol=0.0)


def test_metabolic_rate_by_hand():
    facts = MuscleFacts(("m",), np.array([1000.0]), np.array([0.1]), np.array([1.0]))
    # At rest phi = 0.054; shortening at half the largest velocity: (0.054 + 0.253 + 0.615) / (1 - 0.565 + 3.2 - 0.205).
    rates = metabolic_rate(facts, np.full((2, 1), 0.5), np.array([[0.0], [-0.5]]))
    np.testing.assert_allclose(rates[:, 0], [500.0 * 0.054, 500.0 * 0.922 / 3.43])


FACTS = BodyMuscleFacts(("hip", "knee"), ("a", "b", "both"), ((0, 0), (1, 1), (0, 2), (1, 2)), (16,))


def test_a_muscle_that_crosses_two_joints_acts_on_both():
    model = BodyMuscleNN(FACTS)
    torque = model.torque(torch.tensor([[0.5, 0.25, 1.0]]), torch.tensor([[10.0, 8.0, 3.0, -2.0]]))
    assert torque.tolist() == [[0.5 * 10.0 + 3.0, 0.25 * 8.0 - 2.0]]


def test_a_small_network_learns():
    torch.manual_seed(0)
    gains = torch.tensor([10.0, 8.0, 3.0, -2.0]) * (1.0 + 0.1 * torch.randn(256, 4))
    states = CrossingStates(gains, BodyMuscleNN(FACTS).torque(torch.rand(256, 3), gains))
    model = BodyMuscleNN(FACTS)
    model.start_from(states, torch.ones(2), torch.full((3,), 0.5))
    before = model.loss(states).item()
    for _ in range(200):
        gradients = torch.autograd.grad(model.loss(states), list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= 3e-3 * gradient
    assert model.loss(states).item() < 0.1 * before
    activation = model.eval()(states)
    assert activation.min().item() >= 0.0 and activation.max().item() <= 1.0


def test_a_network_of_another_body_or_kind_is_refused(tmp_path):
    body, path = small_human(), tmp_path / "nn.safetensors"
    own = BodyMuscleNN(BodyMuscleFacts(body.moved_names, body.muscles.names, ((0, 0),), (4,)))
    save_body_muscle_nn(path, own)
    assert torch.equal(load_body_muscle_nn(path, body).layers[0].weight, own.layers[0].weight)
    save_body_muscle_nn(path, BodyMuscleNN(FACTS))
    with pytest.raises(ValueError, match="2 coordinates and 3 muscles, and this one has 11 and 12"):
        load_body_muscle_nn(path, body)
    path.write_bytes(b"no")
    with pytest.raises(ValueError, match="no safetensors file"):
        load_body_muscle_nn(path, body)
    with pytest.raises(FileNotFoundError, match="Leave --muscle_model out"):
        load_body_muscle_nn(tmp_path / "gone", body)
