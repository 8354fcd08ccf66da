"""MuscleNN: its loss, training, checkpoints and the least squares that it replaces; tiny networks."""

import json

import numpy as np
import pytest
import torch

from whole_body_tracking.actuation.learning.pair_start import pair_activation, pair_network, spread
from whole_body_tracking.actuation.least_squares import compare_with_least_squares, least_squares_activation
from whole_body_tracking.actuation.muscle_nn import load_muscle_nn, new_muscle_nn, save_muscle_nn, torque_loss
from whole_body_tracking.actuation.muscle_pairs import MusclePairs, reciprocal_activation
from whole_body_tracking.actuation.muscle_training import (
    LAST_FILE,
    MODEL_FILE,
    MuscleTrainer,
    MuscleTrainingJob,
    held_out_states,
    torque_errors,
)
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

PAIRS = MusclePairs.of_robot(G1)


def job_in(folder, **changes) -> MuscleTrainingJob:
    settings = {"iterations": 30, "batch_size": 32, "hidden": (290, 290), "save_every": 10, "pair_iterations": 0}
    return MuscleTrainingJob(folder, **settings | changes)


def test_loss_by_hand():
    # ((12 - 10) / 20)^2 = 0.01 and 0 for the second joint: mean 0.005; activations 0.5, 0, 1, 0: 0.01 * 1.25 / 4.
    activation = torch.tensor([[[0.5, 0.0], [1.0, 0.0]]])
    loss = torque_loss(torch.tensor([[12.0, 3.0]]), torch.tensor([[10.0, 3.0]]), activation, torch.tensor([20.0, 5.0]))
    assert float(loss) == pytest.approx(0.005 + 0.003125)


def test_held_out_torques_are_possible():
    states = held_out_states(PAIRS, 64)
    activation = reciprocal_activation(states.torque_per_activation, states.torque)
    assert torque_errors(activation, states, PAIRS.effort_limit)["torque_error"] < 1e-5
    assert (states.torque.abs() <= PAIRS.effort_limit).all()


def test_activations_are_between_0_and_1_whatever_the_input():
    model = new_muscle_nn(G1, (58,)).eval()
    activation = model(1e3 * torch.randn(8, 29, 2), 1e3 * torch.randn(8, 29))
    assert activation.shape == (8, 29, 2)
    assert activation.min() == 0.0
    assert activation.max() == 1.0


def test_training_learns(tmp_path):
    trainer = MuscleTrainer(job_in(tmp_path, iterations=100, save_every=100, learning_rate=1e-2))
    before = trainer.errors()["torque_error"]
    after = trainer.run_block(0.0)
    assert trainer.is_done(0.0)
    assert after["iteration"] == 100
    assert after["torque_error"] < 0.8 * before


def test_every_joint_starts_with_the_pairs_network():
    # 100 units among 29 joints: 3 each, and 13 that no joint's output listens to.
    model = new_muscle_nn(G1, (100, 64)).eval()
    network, states = pair_network(model), held_out_states(PAIRS, 16)
    spread(network, model)
    expected = pair_activation(network, model, states.torque_per_activation, states.torque, leak=0.0)
    found = model(states.torque_per_activation, states.torque)
    assert 0.0 < float(expected.detach().mean()) < 1.0
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_a_start_from_a_pair_is_better_than_a_training_from_random_weights(tmp_path):
    started = MuscleTrainer(job_in(tmp_path, pair_iterations=150)).errors()["torque_error"]
    plain = MuscleTrainer(job_in(tmp_path, iterations=150, save_every=150, learning_rate=1e-3)).run_block(0.0)
    assert started < 0.7 * plain["torque_error"]
    assert started < 0.1


def test_layers_narrower_than_the_joints_cannot_start_from_a_pair(tmp_path):
    with pytest.raises(ValueError, match=r"--hidden is \[290, 20\].*at least 29.*--pair_iterations 0"):
        MuscleTrainer(job_in(tmp_path, hidden=(290, 20), pair_iterations=1))


def test_a_resumed_training_ends_like_an_uninterrupted_one(tmp_path):
    whole = MuscleTrainer(job_in(tmp_path, iterations=20))
    whole.run_block(0.0)
    whole.save(tmp_path / LAST_FILE)
    resumed = MuscleTrainer(job_in(tmp_path, iterations=20, resume=True))
    assert resumed.iteration == 10
    assert resumed.run_block(0.0) == whole.run_block(0.0)


def test_time_ends_a_training_as_iterations_do(tmp_path):
    trainer = MuscleTrainer(job_in(tmp_path, max_minutes=1.0))
    assert not trainer.is_done(59.0)
    assert trainer.is_done(60.0)


def test_a_finished_training_is_not_overwritten(tmp_path):
    (tmp_path / LAST_FILE).touch()
    with pytest.raises(ValueError, match="already holds a training. Take --resume"):
        job_in(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"iterations": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"max_minutes": -1.0}, {"pair_iterations": -1}],
)
def test_bad_settings_are_refused(tmp_path, change):
    with pytest.raises(ValueError, match=f"--{next(iter(change))} is"):
        job_in(tmp_path, **change)


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=LAST_FILE):
        MuscleTrainer(job_in(tmp_path, resume=True))


def test_a_network_of_another_robot_is_refused(tmp_path):
    facts = json.loads(json.dumps(G1.facts)) | {"name": "other"}
    save_muscle_nn(tmp_path / MODEL_FILE, new_muscle_nn(type(G1)(facts), (58,)), {})
    with pytest.raises(ValueError, match="MuscleNN of other with 29 joints, and the robot is g1"):
        load_muscle_nn(tmp_path / MODEL_FILE, G1)


def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Train one with scripts/muscle/train_muscle.py"):
        load_muscle_nn(tmp_path / "gone.safetensors", G1)
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load_muscle_nn(tmp_path / "text.safetensors", G1)


def test_least_squares_trades_error_for_effort():
    # One joint: minimise (4 a - 2)^2 / 4 + 0.01 a^2 / 2 with the limit 2: a = 4 * 2 / (16 + 4 * 0.005) = 0.499376.
    found = least_squares_activation(np.array([[4.0, -4.0]]), np.array([2.0]), np.array([2.0]))
    np.testing.assert_allclose(found, [[8.0 / 16.02, 0.0]], atol=1e-6)


@pytest.mark.integration
def test_the_network_is_much_faster_than_least_squares():
    compared = compare_with_least_squares(new_muscle_nn(G1), G1, num_solved=10)
    assert compared["speedup"] > 20.0
    assert compared["least_squares_error"] < 0.02
