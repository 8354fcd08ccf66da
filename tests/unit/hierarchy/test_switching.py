"""Handing over from skill to skill: when, how fast, and that nothing jumps."""

import pytest
import torch
from test_course import robots_at

from whole_body_tracking.hierarchy.observing import Aim
from whole_body_tracking.hierarchy.switching import BLEND, Switcher, Wish

pytestmark = pytest.mark.unit

LIMIT, DT = 2.0, 0.02
NUM_BLEND = round(BLEND / DT)


class Spec:
    joint_names = ("a", "b")
    joint_velocity_limit = (LIMIT, LIMIT)
    control_dt = DT


class Holding:
    """A skill that wants one pose, or one that moves."""

    def __init__(self, pose: float, can_end: bool = True, speed: float = 0.0):
        self.spec, self.num_envs, self.pose, self.speed = Spec(), 2, pose, speed
        self.can_end = torch.tensor([can_end, can_end])
        self.progress = torch.zeros(2)
        self.started = torch.zeros(2)
        self.aim = Aim(*(torch.full((2, width), pose) for width in (2, 2, 3, 4)))

    def start(self, mask, robot):
        self.started = self.started + mask

    def act(self, robot, gait):
        self.pose += self.speed * DT
        return torch.full((2, 2), self.pose)


def wish(*skills: int) -> Wish:
    return Wish(torch.tensor(skills), torch.zeros(2, 1))


def run(switcher: Switcher, wanted: Wish, steps: int) -> torch.Tensor:
    robot = robots_at((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    return torch.stack([switcher.act(robot, wanted) for _ in range(steps)])


def settled(*skills: Holding) -> Switcher:
    """Drives the first skill, in its pose."""
    switcher = Switcher(list(skills))
    run(switcher, wish(0, 0), 2)
    return switcher


def test_a_blend_follows_its_curve_by_hand():
    switcher = settled(Holding(0.0), Holding(0.3))
    targets = run(switcher, wish(1, 0), NUM_BLEND + 1)
    share = torch.arange(1, NUM_BLEND + 1) / NUM_BLEND
    curve = 0.3 * share**3 * (10.0 - 15.0 * share + 6.0 * share**2)  # at most 1.875 * 0.3 / 0.3 s = 1.9 rad/s < 2
    torch.testing.assert_close(targets[:NUM_BLEND, 0, 0], curve)
    assert (targets[:, 1] == 0.0).all()  # the other robot goes on with the first skill
    assert switcher.active.tolist() == [1, 0] and not switcher.blends.any()
    assert switcher.skills[1].started.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("speed", [0.0, 0.5])
def test_no_target_moves_faster_than_its_joint_and_none_jumps_at_the_end(speed):
    switcher = settled(Holding(0.0), Holding(1.5, speed=speed))
    targets = run(switcher, wish(1, 1), 5 * NUM_BLEND)[:, 0, 0]
    steps = torch.diff(targets, prepend=torch.zeros(1))
    assert steps.max() <= LIMIT * DT + 1e-6  # also in the step in which the blend ends
    assert steps.max() == pytest.approx(LIMIT * DT, abs=1e-6)  # 1.5 rad in 0.3 s is more than the joint can
    assert float(targets[-1]) == pytest.approx(switcher.skills[1].pose) and not switcher.blends.any()


def test_a_skill_that_cannot_be_left_goes_on():
    switcher = settled(Holding(0.0, can_end=False), Holding(1.0))
    assert (run(switcher, wish(1, 1), 5) == 0.0).all() and switcher.active.tolist() == [0, 0]
    switcher.skills[0].can_end = torch.tensor([False, True])
    run(switcher, wish(1, 1), 1)
    assert switcher.active.tolist() == [0, 1]


def test_a_blend_is_not_cut_short_by_the_next_wish():
    switcher = settled(Holding(0.0), Holding(0.2), Holding(-0.2))
    run(switcher, wish(1, 1), 3)
    run(switcher, wish(2, 2), NUM_BLEND - 3)
    assert switcher.active.tolist() == [1, 1]
    run(switcher, wish(2, 2), 1)
    assert switcher.active.tolist() == [2, 2]
