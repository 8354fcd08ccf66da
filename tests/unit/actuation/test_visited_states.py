"""The ring of states that a policy visits, and what trains MuscleNN in turns with it before any simulator starts."""

from types import SimpleNamespace

import pytest
import torch

from whole_body_tracking.actuation.learning.visited import VisitedStates
from whole_body_tracking.rl.muscle.alternation import NETWORK, parse_alternation
from whole_body_tracking.rl.muscle.settings import check_muscle_learning
from whole_body_tracking.tasks.tracking.muscle_learning_cfg import MUSCLE_CLASS, MuscleLearningCfg

pytestmark = pytest.mark.unit


def gains(*flexors: float) -> torch.Tensor:
    """One joint: flexors as given, the extensor gives -2 N m."""
    return torch.tensor([[[flexor, -2.0]] for flexor in flexors])


def test_the_ring_keeps_the_newest():
    ring = VisitedStates(3, 1)
    ring.add(gains(1.0, 2.0), torch.tensor([[0.1], [0.2]]))
    assert len(ring) == 2
    ring.add(gains(3.0, 4.0), torch.tensor([[0.3], [0.4]]))
    assert (len(ring), ring.num_added) == (3, 4)
    kept = ring.sample(200)
    assert kept.torque_per_activation[:, 0, 0].unique().tolist() == [2.0, 3.0, 4.0]
    newest = ring.sample(200, newest=2)
    torch.testing.assert_close(newest.torque.unique(), torch.tensor([0.3, 0.4]))


def test_torques_beyond_the_muscles_are_cut():
    ring = VisitedStates(8, 1)
    ring.add(gains(4.0, 4.0), torch.tensor([[9.0], [-9.0]]))
    assert ring.sample(50).torque.unique().tolist() == [-2.0, 4.0]


def test_a_batch_larger_than_the_ring_fits():
    ring = VisitedStates(2, 1)
    ring.add(gains(1.0, 2.0, 3.0), torch.zeros(3, 1))
    assert len(ring) == 2
    with pytest.raises(ValueError, match="No state was visited yet"):
        VisitedStates(2, 1).sample(1)


def configs(muscle_nn: str | None = "a.safetensors", **changes):
    robot = SimpleNamespace(actuators={"muscles": SimpleNamespace(muscle_nn=muscle_nn)})
    algorithm = SimpleNamespace(class_name=MUSCLE_CLASS, muscle=MuscleLearningCfg(**changes))
    return SimpleNamespace(scene=SimpleNamespace(robot=robot)), SimpleNamespace(algorithm=algorithm)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_updates": 0}, "muscle.num_updates is 0, expected at least 1"),
        ({"capacity": 0}, "muscle.capacity is 0"),
        ({"learning_rate": 0.0}, "muscle.learning_rate is 0.0"),
        ({"visited_share": 1.5}, "visited_share is 1.5, expected 0 to 1"),
        ({"muscle_nn": None}, r"actuators \['muscles'\] have none. Take presets=muscles"),
    ],
)
def test_bad_settings_are_refused(changes, message):
    check_muscle_learning(*configs())
    with pytest.raises(ValueError, match=message):
        check_muscle_learning(*configs(**changes))


def test_the_muscles_are_added_to_the_arguments_of_train(monkeypatch, tmp_path):
    import sys

    monkeypatch.setattr(sys, "argv", ["x"])
    network = tmp_path / "net.safetensors"
    argv = ["--task", "Tracking-Flat-G1-Demo-v0", "presets=end_drift", "agent.actor.hidden_dims=[64]"]
    assert parse_alternation(argv, network).task == "Tracking-Flat-G1-Demo-v0"
    given = dict(token.split("=", 1) for token in sys.argv[1:])
    assert given["presets"] == "end_drift,muscles"
    assert given["agent.actor.hidden_dims"] == "[64]"
    assert given["agent.critic.hidden_dims"] == "[256,256]"
    assert given[NETWORK] == str(network)
    with pytest.raises(ValueError, match="is chosen by train_muscle.py; leave it out"):
        parse_alternation([*argv, f"{NETWORK}=other"], network)
