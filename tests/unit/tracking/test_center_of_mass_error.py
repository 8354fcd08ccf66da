"""Centre of mass of a body pair, with numbers worked out by hand."""

import math

import pytest
import torch

from whole_body_tracking.tracking.center_of_mass import center_of_mass, center_of_mass_velocity

pytestmark = pytest.mark.unit

UP = [0.0, 0.0, 0.0, 1.0]
QUARTER_TURN = [0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)]  # about z: x becomes y

POS = torch.tensor([[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]])
QUAT = torch.tensor([[UP, QUARTER_TURN]])
COM_B = torch.tensor([[[0.0, 0.0, 0.2], [0.4, 0.0, 0.0]]])
MASS = torch.tensor([[3.0, 1.0]])


def test_position_is_the_mean_by_mass_of_the_bodies_own_centres():
    # (0, 0, 1.2) with 3 kg and (1, 0.4, 0) with 1 kg: (0.25, 0.1, 0.9)
    assert center_of_mass(POS, QUAT, COM_B, MASS)[0].tolist() == pytest.approx([0.25, 0.1, 0.9], abs=1e-6)


def test_velocity_counts_what_a_turning_body_adds():
    # Body 1 turns with 2 rad/s about z and has its centre 0.4 m along y: 2 x 0.4 = 0.8 m/s along -x.
    lin_vel = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 4.0]]])
    ang_vel = torch.tensor([[[0.0, 0.0, 5.0], [0.0, 0.0, 2.0]]])  # body 0 turns about its own centre
    found = center_of_mass_velocity(lin_vel, ang_vel, QUAT, COM_B, MASS)[0]
    assert found.tolist() == pytest.approx([(3.0 - 0.8) / 4.0, 0.0, 1.0], abs=1e-6)


def test_each_env_has_masses_of_its_own():
    mass = torch.tensor([[3.0, 1.0], [1.0, 3.0]])
    found = center_of_mass(*(v.repeat(2, 1, 1) for v in (POS, QUAT, COM_B)), mass)
    assert found[:, 2].tolist() == pytest.approx([0.9, 0.3])  # 1.2 x 3 / 4 and 1.2 / 4
