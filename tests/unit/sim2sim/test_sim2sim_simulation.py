"""States in and out of MuJoCo: frames of velocities, link frames, the instant that is read."""

import numpy as np
import pytest
from g1_policies import g1_spec
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation
from whole_body_tracking.sim2sim.reference import reference_of_file
from whole_body_tracking.sim2sim.rollout import start_state

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def simulation():
    return Simulation(G1, g1_spec())


def random_state(seed=0) -> RobotState:
    rng = np.random.default_rng(seed)
    quat = Rotation.random(random_state=seed).as_quat()
    draw = lambda count: rng.uniform(-1.0, 1.0, count)  # noqa: E731
    return RobotState(draw(3) + [0, 0, 5], quat, draw(3), draw(3), 0.1 * draw(29), draw(29))


def test_a_state_comes_back_as_it_was_written(simulation):
    state = random_state()
    simulation.reset(state)
    for name, value in vars(state).items():
        np.testing.assert_allclose(getattr(simulation.state, name), value, atol=1e-12, err_msg=name)


def test_the_first_body_is_the_root(simulation):
    state = random_state(1)
    simulation.reset(state)
    pos, quat, lin_vel, ang_vel = (value[0] for value in simulation.bodies(simulation.body_ids(["pelvis"])))
    np.testing.assert_allclose(pos, state.root_pos_w)
    np.testing.assert_allclose(abs(quat @ state.root_quat_w), 1.0)
    np.testing.assert_allclose(lin_vel, state.root_lin_vel_w, atol=1e-12)
    np.testing.assert_allclose(ang_vel, state.root_ang_vel_w, atol=1e-12)


def test_body_velocities_are_those_of_the_link_frames():
    """In free flight of 1 ms with strong joint motion, positions move by velocity times time."""
    simulation = Simulation(G1, g1_spec())
    simulation.model.opt.timestep = 1e-5
    simulation.substeps = 2
    ids = simulation.body_ids(G1.body_names)
    simulation.reset(random_state(2))
    before, _, velocity, _ = (value.copy() for value in simulation.bodies(ids))
    simulation.step(simulation.state.joint_pos)
    after, _, velocity_after, _ = simulation.bodies(ids)
    np.testing.assert_allclose((after - before) / 2e-5, 0.5 * (velocity + velocity_after), atol=1e-4)


def test_a_control_period_is_four_physics_steps(simulation):
    simulation.reset(random_state())
    simulation.step(np.zeros(29))
    assert simulation.data.time == pytest.approx(0.02)
    with pytest.raises(ValueError, match=r"0.013 s, which is not a multiple of the physics step of 0.005 s"):
        Simulation(G1, g1_spec(control_dt=0.013))


def test_a_blown_up_state_is_not_reset(simulation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = random_state()
    state.joint_vel[3] = np.nan
    simulation.reset(state)
    simulation.step(np.zeros(29))
    assert np.isnan(simulation.state.joint_pos).any()
    assert not list(tmp_path.iterdir())


def test_start_states_depend_on_seed_and_rollout_only():
    spec = g1_spec()
    reference = reference_of_file(DEFAULT_MOTION_FILE, spec)
    exact, first, again, other = (
        start_state(reference, spec, G1, rng)
        for rng in (None, *(np.random.default_rng([7, index]) for index in (0, 0, 1)))
    )
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    np.testing.assert_allclose(exact.root_pos_w, clip.body_pos_w[0, 0])
    np.testing.assert_allclose(exact.joint_pos, clip.joint_pos[0], atol=1e-6)
    np.testing.assert_array_equal(first.joint_pos, again.joint_pos)
    assert np.abs(first.joint_pos - exact.joint_pos).max() <= 0.02 + 1e-9
    assert np.abs(first.joint_pos - other.joint_pos).max() > 1e-4
