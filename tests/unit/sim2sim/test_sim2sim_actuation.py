"""Policies that were trained with stable PD control or muscles: honoured, or refused by name."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from g1_policies import g1_spec

from whole_body_tracking.actuation.muscle_drive import MUSCLE_FILE, MuscleDrive, digest_of
from whole_body_tracking.actuation.muscle_nn import new_muscle_nn, save_muscle_nn
from whole_body_tracking.actuation.muscle_pairs import MusclePairs
from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.deploy.state_mimic import require_state_mimic
from whole_body_tracking.export import PolicySpec
from whole_body_tracking.export.spec_metadata import spec_from_metadata, spec_to_metadata
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation
from whole_body_tracking.sim2sim import gait_walker, walking
from whole_body_tracking.sim2sim.gait_walker import GaitWalker
from whole_body_tracking.sim2sim.stable_pd import MuscleSimulation, StablePDSimulation, simulation_of, torque_at_end
from whole_body_tracking.sim2sim.walking import Walker

pytestmark = pytest.mark.unit


def hanging(spec: PolicySpec, folder: Path | None = None) -> Simulation:
    simulation = simulation_of(G1, spec, folder)
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


def moved_by_muscles(folder, network=None, **changes) -> MuscleSimulation:
    """The hanging robot with muscles; states as in :func:`hanging`."""
    digest = ""
    if network is not None:
        save_muscle_nn(folder / MUSCLE_FILE, network, {})
        digest = digest_of({name: value.numpy() for name, value in network.state_dict().items()})
    settings = {"activation_dynamics": False, "contact_forces": False, "network_sha256": digest} | changes
    return hanging(g1_spec(actuation="muscles", muscles=MuscleDrive(**settings)), folder)


def test_muscles_give_the_torque_that_they_can():
    # One way round: what a pair gives is what was asked for, between what each muscle gives alone, with passive forces.
    plain, muscular = hanging(g1_spec(actuation="stable_pd")), moved_by_muscles(Path())
    target = np.array(G1.default_joint_pos) + 0.3
    pairs = MusclePairs.of_robot(G1, dtype=torch.float64)
    position, velocity = torch.from_numpy(plain.data.qpos[7:].copy()), torch.ones(29, dtype=torch.float64)
    gains, passive = pairs.torque_per_activation(position, velocity), pairs.passive_torque(position)
    for simulation in (plain, muscular):
        simulation.step(target, 1)
    limit = np.array(G1.effort_limit)
    possible = np.clip(plain.data.qfrc_applied[6:], (gains[:, 1] + passive).numpy(), (gains[:, 0] + passive).numpy())
    np.testing.assert_allclose(muscular.data.qfrc_applied[6:], np.clip(possible, -limit, limit), rtol=1e-4, atol=1e-3)
    assert 0.0 <= float(muscular.activation.min()) < float(muscular.activation.max()) <= 1.0


def test_recorded_torques_are_those_that_were_applied():
    # Servos: kp (q* - q) - kd q' in the state reached; muscles: what they pulled with.
    target = np.array(G1.default_joint_pos)
    servos, muscular = hanging(g1_spec()), moved_by_muscles(Path())
    for simulation in (servos, muscular):
        simulation.step(target, 1)
    state = servos.state
    law = np.array(G1.stiffness) * (target - state.joint_pos) - np.array(G1.damping) * state.joint_vel
    limit = np.array(G1.effort_limit)
    np.testing.assert_allclose(torque_at_end(servos, g1_spec(), target), np.clip(law, -limit, limit), atol=1e-3)
    np.testing.assert_array_equal(torque_at_end(muscular, g1_spec(), target), muscular.data.qfrc_applied[6:])
    assert np.abs(muscular.data.qfrc_applied[6:]).max() > 1.0


@pytest.mark.parametrize("walker", [GaitWalker, Walker])
def test_walks_are_moved_as_in_training(walker, monkeypatch):
    for module in (gait_walker, walking):
        for name in ("WalkingPolicy", "ObservationBuilder"):
            monkeypatch.setattr(module, name, lambda *args: None, raising=False)
    spec = g1_spec(actuation="stable_pd")
    assert isinstance(walker(SimpleNamespace(spec=spec, folder=Path()), G1).simulation, StablePDSimulation)


def test_activation_dynamics_delay_a_muscle():
    # From rest a step of 5 ms reaches what is asked for, because the time constant is 0.01 * 0.5 s; in the second step
    # the target is back, and what falls does so with 40 ms and more.
    lagging, prompt = moved_by_muscles(Path(), activation_dynamics=True), moved_by_muscles(Path())
    target = np.array(G1.default_joint_pos)
    for step in range(2):
        for simulation in (lagging, prompt):
            simulation.step(target + 0.3 * (step == 0), 1)
    assert float((lagging.activation - prompt.activation).abs().max()) > 0.1


def test_the_network_beside_the_policy_moves_the_muscles(tmp_path):
    torch.manual_seed(0)
    network = new_muscle_nn(G1, (58,))
    simulation = moved_by_muscles(tmp_path, network)
    data, pairs = simulation.data, MusclePairs.of_robot(G1)
    position, velocity = (torch.from_numpy(np.array(v)).float() for v in (data.qpos[7:], data.qvel[6:]))
    gains, passive = pairs.torque_per_activation(position, velocity), pairs.passive_torque(position)
    reference = hanging(g1_spec(actuation="stable_pd"))
    reference.step(np.array(G1.default_joint_pos), 1)
    wanted = torch.from_numpy(reference.data.qfrc_applied[6:].copy()).float()
    simulation.step(np.array(G1.default_joint_pos), 1)
    with torch.no_grad():
        expected = network.eval()(gains[None], (wanted - passive)[None])[0]
    torch.testing.assert_close(simulation.activation, expected, rtol=1e-4, atol=1e-5)
    other = g1_spec(actuation="muscles", muscles=MuscleDrive(False, False, "0" * 64))
    with pytest.raises(ValueError, match="is another MuscleNN than the policy's: its digest is"):
        simulation_of(G1, other, tmp_path)
    (tmp_path / MUSCLE_FILE).unlink()
    with pytest.raises(FileNotFoundError, match="muscles through the MuscleNN .*Keep it beside the policy"):
        simulation_of(G1, other, tmp_path)


def test_a_robot_refuses_every_kind():
    muscles = MuscleDrive(False, True)
    for spec in (g1_spec(actuation="stable_pd"), g1_spec(actuation="muscles", muscles=muscles)):
        with pytest.raises(ValueError, match=f"'{spec.actuation}', and a robot, whose motors run their own PD law"):
            spec.require_actuation(("implicit",), "a robot, whose motors run their own PD law,")
        with pytest.raises(ValueError, match=f"trained with '{spec.actuation}'"):
            require_state_mimic(spec, G1)


def test_muscles_come_and_go_with_the_actuation():
    muscles = MuscleDrive(True, False, "a" * 64)
    spec = g1_spec(actuation="muscles", muscles=muscles)
    assert PolicySpec.from_json(spec.to_json()).muscles == muscles
    with pytest.raises(ValueError, match="both belong together"):
        g1_spec(actuation="muscles")
    with pytest.raises(ValueError, match="both belong together"):
        g1_spec(muscles=muscles)
    with pytest.raises(ValueError, match="expected 64 hexadecimal digits"):
        MuscleDrive(True, False, "abc")


def test_files_name_the_actuation():
    spec = g1_spec(actuation="stable_pd_contacts")
    metadata = spec_to_metadata(spec)
    assert metadata["actuation"] == "stable_pd_contacts"
    assert spec_from_metadata(metadata, "policy.onnx").actuation == "stable_pd_contacts"
    assert "actuation" not in spec_to_metadata(g1_spec())
    with pytest.raises(ValueError, match="`actuation` is 'hydraulic', expected one of"):
        g1_spec(actuation="hydraulic")
