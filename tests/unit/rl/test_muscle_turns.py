"""MuscleNN's own updates between those of PPO: they learn, and a checkpoint goes on as if nothing had happened."""

from copy import deepcopy

import pytest
import torch

from whole_body_tracking.actuation.muscle_nn import new_muscle_nn
from whole_body_tracking.actuation.muscle_pairs import MusclePairs
from whole_body_tracking.actuation.muscle_training import sample_states
from whole_body_tracking.rl.muscle.ppo import MUSCLE_KEY, WARM_UP, MusclePPO
from whole_body_tracking.rl.ppo import TrackingPPO
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.muscle_learning_cfg import MuscleLearningCfg

pytestmark = pytest.mark.unit

PAIRS = MusclePairs.of_robot(G1)


@pytest.fixture
def without_ppo(monkeypatch):
    monkeypatch.setattr(TrackingPPO, "save", lambda self: {"actor_state_dict": {}})
    monkeypatch.setattr(TrackingPPO, "load", lambda self, *args: True)
    monkeypatch.setattr(TrackingPPO, "update", lambda self: {"value": 0.5})


def algorithm(seed: int = 0, hidden=(58,), **settings) -> MusclePPO:
    """The algorithm without a policy; the visited states are sampled ones with small torques."""
    torch.manual_seed(seed)
    made = object.__new__(MusclePPO)
    made.take_network(new_muscle_nn(G1, hidden).eval(), PAIRS, MuscleLearningCfg(**settings), "cpu")
    made.is_multi_gpu = False
    states = sample_states(PAIRS, 64, torch.Generator().manual_seed(5))
    made._visited.add(states.torque_per_activation, 0.2 * states.torque)
    return made


def test_updates_learn_from_states_that_were_new(without_ppo):
    made = algorithm(num_updates=110, learning_rate=3e-3)
    losses = made.update()
    assert losses["value"] == 0.5
    assert losses["muscle_nn_error"] == losses["muscle_nn_error_of_first"]
    states = sample_states(PAIRS, 64, torch.Generator().manual_seed(6))
    made._visited.add(states.torque_per_activation, 0.2 * states.torque)
    again = made.update()
    assert again["muscle_nn_error"] < 0.7 * again["muscle_nn_error_of_first"]
    assert not made.network.training
    assert "muscle_nn_error" not in made.update(), "no state is new"


def test_the_learning_rate_rises(without_ppo):
    made = algorithm(learning_rate=1e-3)
    rates = []
    for _ in range(3):
        made._update_network()
        rates.append(made._network_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3 * share / WARM_UP for share in (1, 2, 3)])


def test_a_checkpoint_goes_on(without_ppo):
    first = algorithm(num_updates=3)
    first.update()
    content = deepcopy(first.save())  # as a file would be
    resumed = algorithm(seed=1, num_updates=3)
    resumed.load(content, None, True)
    assert resumed.save()[MUSCLE_KEY]["errors"] == content[MUSCLE_KEY]["errors"]
    resumed._random.set_state(first._random.get_state())
    for made in (first, resumed):
        torch.manual_seed(2)
        made._update_network()
    for one, other in zip(first.network.parameters(), resumed.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=0.0)
    with pytest.raises(ValueError, match="MuscleNN is of another size"):
        algorithm(hidden=(87,)).load(content, None, True)
