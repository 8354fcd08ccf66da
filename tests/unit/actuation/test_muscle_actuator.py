"""The Isaac Lab actuator of the muscles without a simulator: stable PD -> torque -> activations -> torque."""

import pytest
import torch
from isaaclab.utils.types import ArticulationActions

from whole_body_tracking.actuation.learning.visited import VisitedStates
from whole_body_tracking.actuation.muscle_actuator import MuscleActuator
from whole_body_tracking.actuation.muscle_cfg import muscle_group
from whole_body_tracking.actuation.muscle_curves import next_activation
from whole_body_tracking.actuation.muscle_nn import new_muscle_nn, save_muscle_nn
from whole_body_tracking.actuation.muscle_pairs import MusclePairs, reciprocal_activation
from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

STEP, NUM_ENVS = 0.005, 3
LIMIT = torch.tensor(G1.effort_limit.copy(), dtype=torch.float32)


class Dynamics:
    """A robot on the ground whose joints have an inertia of 0.5 kg m^2 each and nothing that pulls."""

    num_base_dofs = 0

    def mass_matrix(self):
        return 0.5 * torch.eye(29).expand(NUM_ENVS, 29, 29)

    def bias(self, mass_matrix):
        return torch.full((NUM_ENVS, 29), 2.0)


def muscles(**settings) -> MuscleActuator:
    settings = {"activation_dynamics": False} | settings
    cfg = muscle_group(G1, settings.pop("muscle_nn", None), **settings)
    actuator = MuscleActuator(
        cfg, list(G1.joint_names), slice(None), NUM_ENVS, "cpu", actuator_effort_limit=LIMIT.expand(NUM_ENVS, 29)
    )
    actuator._dynamics, actuator._timestep, actuator._step = Dynamics(), STEP, STEP
    return actuator


@pytest.fixture(scope="module")
def state():
    random = torch.Generator().manual_seed(0)
    position, velocity = torch.randn(2, NUM_ENVS, 29, generator=random)
    return torch.tensor(G1.default_joint_pos, dtype=torch.float32) + 0.1 * position, 0.5 * velocity


def asked(state) -> torch.Tensor:
    """Torque of stable PD control within the limits; the target is 0.2 rad ahead."""
    position, velocity = state
    gains = (torch.tensor(values.copy(), dtype=torch.float32) for values in (G1.stiffness, G1.damping))
    dynamics = Dynamics()
    system = (dynamics.mass_matrix(), dynamics.bias(None))
    return stable_pd_torque(*system, position, velocity, position + 0.2, *gains, STEP, LIMIT)


def applied(actuator: MuscleActuator, state) -> torch.Tensor:
    position, velocity = state
    zero = torch.zeros_like(position)
    action = ArticulationActions(joint_positions=position + 0.2, joint_velocities=zero, joint_efforts=zero)
    actuator.compute(action, position, velocity)
    return actuator.applied_effort.clone()


def test_muscles_give_the_torque_that_is_asked_for(state):
    pairs = MusclePairs.of_robot(G1)
    gains, passive = pairs.torque_per_activation(*state), pairs.passive_torque(state[0])
    possible = torch.maximum(torch.minimum(asked(state), gains[..., 0] + passive), gains[..., 1] + passive)
    expected = possible.clamp(-LIMIT, LIMIT)
    torch.testing.assert_close(applied(muscles(), state), expected, rtol=1e-4, atol=1e-3)
    assert passive.abs().max() > 1.0, "passive forces count here"


def test_activations_lag_as_mujocos_do(state):
    actuator, pairs = muscles(activation_dynamics=True), MusclePairs.of_robot(G1)
    gains, passive = pairs.torque_per_activation(*state), pairs.passive_torque(state[0])
    wanted = reciprocal_activation(gains, asked(state) - passive)
    for _ in range(2):
        before = actuator.activation.clone()
        applied(actuator, state)
        torch.testing.assert_close(actuator.activation, next_activation(wanted, before, STEP))
    falling = muscles(activation_dynamics=True)
    falling.activation = torch.ones_like(falling.activation)
    applied(falling, state)
    # From full activation a muscle that should rest is at 1 - 0.005 (0.5 + 1.5) / 0.04 = 0.75.
    assert float(falling.activation[wanted == 0.0].unique()) == pytest.approx(0.75)
    falling.reset([1])
    assert falling.activation[1].abs().max() == 0.0
    assert falling.activation[0].abs().max() > 0.0


def test_the_network_is_asked_and_its_states_are_kept(tmp_path, state):
    network = new_muscle_nn(G1, (58,)).eval()
    save_muscle_nn(tmp_path / "nn.safetensors", network, {})
    actuator = muscles(muscle_nn=str(tmp_path / "nn.safetensors"))
    actuator.visited = VisitedStates(8, 29)
    applied(actuator, state)
    pairs = MusclePairs.of_robot(G1)
    gains, passive = pairs.torque_per_activation(*state), pairs.passive_torque(state[0])
    with torch.no_grad():
        torch.testing.assert_close(actuator.activation, network(gains, asked(state) - passive))
    assert len(actuator.visited) == NUM_ENVS
    assert actuator.drive.network_sha256 and not actuator.drive.activation_dynamics


def test_excitations_replace_the_targets(state):
    actuator, pairs = muscles(), MusclePairs.of_robot(G1)
    excitation = torch.rand(NUM_ENVS, 29, 2, generator=torch.Generator().manual_seed(1))
    actuator.excite(excitation)
    expected = pairs.torque(excitation, *state).clamp(-LIMIT, LIMIT)
    torch.testing.assert_close(applied(actuator, state), expected)
    actuator.excite(None)
    assert not torch.allclose(applied(actuator, state), expected)
    with pytest.raises(ValueError, match=r"expected numbers in \[0, 1\]"):
        actuator.excite(2.0 * torch.ones(NUM_ENVS, 29, 2))


def test_an_actuator_that_has_not_seen_its_engine_says_so(state):
    actuator = muscles()
    actuator._dynamics = None
    with pytest.raises(RuntimeError, match="has not seen its engine. Call .*bind_actuators"):
        applied(actuator, state)
