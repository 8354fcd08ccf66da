"""Policies that were trained with stable PD control or muscles: honoured, or refused by name."""

import numpy as np
import pytest
import torch
from g1_policies import g1_spec

from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.deploy.state_mimic import require_state_mimic
from whole_body_tracking.export import PolicySpec
from whole_body_tracking.export.spec_metadata import spec_from_metadata, spec_to_metadata
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation
from whole_body_tracking.sim2sim.stable_pd import StablePDSimulation, simulation_of

pytestmark = pytest.mark.unit


def hanging(spec: PolicySpec) -> Simulation:
    simulation = simulation_of(G1, spec)
    pose = np.array(G1.default_joint_pos) + 0.05
    simulation.reset(
        RobotState(np.array([0, 0, 5.0]), np.array([0, 0, 0, 1.0]), np.zeros(3), np.zeros(3), pose, np.ones(29))
    )
    return simulation


def test_the_first_torque_is_the_formulas():
    import mujoco

    spec = g1_spec(actuation="stable_pd")
    simulation, target = hanging(spec), np.array(G1.default_joint_pos)
    model, data = simulation.model, simulation.data
    mujoco.mj_step1(model, data)
    mass = np.zeros((35, 35))
    mujoco.mj_fullM(model, data, mass)
    values = (mass, data.qfrc_bias, data.qpos[7:], data.qvel[6:], target, G1.stiffness, G1.damping)
    tensors = [torch.from_numpy(np.array(value, dtype=np.float64)) for value in values]
    expected = stable_pd_torque(*tensors, 0.005, torch.from_numpy(np.array(G1.effort_limit))).numpy()
    simulation.step(target, 1)
    np.testing.assert_allclose(data.qfrc_applied[6:], expected, atol=1e-9)
    assert np.abs(data.qfrc_actuator).max() == 0.0


def test_contacts_count_for_policies_that_had_them():
    """Two steps with a force as of a contact: it changes the torque of the second step only where it is counted."""
    torques = []
    for actuation in ("stable_pd", "stable_pd_contacts"):
        simulation = hanging(g1_spec(actuation=actuation))
        assert isinstance(simulation, StablePDSimulation)
        simulation.data.qfrc_constraint[6:] = 5.0
        simulation.step(np.array(G1.default_joint_pos), 1)
        torques.append(simulation.data.qfrc_applied[6:].copy())
    assert np.abs(torques[1] - torques[0]).max() > 0.1


def test_muscles_are_refused_in_sim2sim_and_every_kind_on_a_robot():
    with pytest.raises(ValueError, match="'muscles', and sim2sim has only implicit, stable_pd"):
        simulation_of(G1, g1_spec(actuation="muscles"))
    with pytest.raises(ValueError, match="'stable_pd', and a robot, whose motors run their own PD law"):
        g1_spec(actuation="stable_pd").require_actuation(("implicit",), "a robot, whose motors run their own PD law,")
    with pytest.raises(ValueError, match="trained with 'stable_pd'"):
        require_state_mimic(g1_spec(actuation="stable_pd"), G1)


def test_files_name_the_actuation():
    spec = g1_spec(actuation="stable_pd_contacts")
    metadata = spec_to_metadata(spec)
    assert metadata["actuation"] == "stable_pd_contacts"
    assert spec_from_metadata(metadata, "policy.onnx").actuation == "stable_pd_contacts"
    assert "actuation" not in spec_to_metadata(g1_spec())
    with pytest.raises(ValueError, match="`actuation` is 'hydraulic', expected one of"):
        g1_spec(actuation="hydraulic")
