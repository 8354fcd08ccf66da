"""Courses: points, ways to them, what counts, and what is refused."""

import math

import pytest
import torch

from whole_body_tracking.hierarchy.course import CourseSettings, Progress, draw_goals, placed, way_to
from whole_body_tracking.hierarchy.play.playing import parse_goals
from whole_body_tracking.hierarchy.robot_batch import RobotBatch

pytestmark = pytest.mark.unit


def robots_at(*places: tuple[float, float, float]) -> RobotBatch:
    """Robots at x [m], y [m] and a heading [rad]."""
    x, y, heading = torch.tensor(places).unbind(-1)
    zeros = torch.zeros(len(places), 3)
    pos = torch.stack((x, y, torch.full_like(x, 0.76)), dim=-1)
    quat = torch.stack((0.0 * x, 0.0 * x, (0.5 * heading).sin(), (0.5 * heading).cos()), dim=-1)
    joints = torch.zeros(len(places), 29)
    return RobotBatch(pos, quat, zeros, zeros, joints, joints, pos, quat)


def test_distance_and_bearing_by_hand():
    robots = robots_at((1.0, 2.0, 0.0), (0.0, 0.0, math.pi / 2.0), (0.0, 0.0, math.pi - 0.1))
    distance, bearing = way_to(robots, torch.tensor([[4.0, 6.0], [0.0, 2.0], [-1.0, -0.1]]))
    assert distance.tolist() == pytest.approx([5.0, 2.0, math.hypot(1.0, 0.1)])
    # The last one: the point is at atan(0.1) beyond -x, the robot heads 0.1 short of it on the other side.
    assert bearing.tolist() == pytest.approx([math.atan2(4.0, 3.0), 0.0, 0.1 + math.atan(0.1)], abs=1e-6)


def test_legs_have_their_lengths_and_turns():
    settings = CourseSettings(num_goals=4, distance=(1.0, 2.0), turn=0.5)
    goals = draw_goals(settings, 200, torch.Generator().manual_seed(3))
    legs = torch.cat((goals[:, :1], goals[:, 1:] - goals[:, :-1]), dim=1)
    length, heading = legs.norm(dim=-1), torch.atan2(legs[..., 1], legs[..., 0])
    assert 1.0 <= length.min() < 1.1 and 1.9 < length.max() <= 2.0
    turns = torch.cat((heading[:, :1], heading[:, 1:] - heading[:, :-1]), dim=1)
    turns = torch.atan2(turns.sin(), turns.cos()).abs()
    assert 0.45 < turns.max() <= 0.5 + 1e-5


def test_points_turn_with_the_robot():
    robots = robots_at((1.0, 1.0, math.pi / 2.0))
    torch.testing.assert_close(
        placed(torch.tensor([[[2.0, 0.0], [0.0, 1.0]]]), robots), torch.tensor([[[1.0, 3.0], [0.0, 1.0]]])
    )


def test_points_count_in_their_order_alone():
    progress = Progress(CourseSettings(num_goals=2, radius=0.3), 1)
    everyone, walking = torch.ones(1, dtype=torch.bool), torch.tensor([0])
    progress.reset(everyone, torch.tensor([[[1.0, 0.0], [2.0, 0.0]]]), torch.tensor([2]))
    assert not progress.advance(robots_at((2.0, 0.0, 0.0)), walking).any()  # the second one first does not count
    assert not progress.advance(robots_at((0.69, 0.0, 0.0)), walking).any()
    assert progress.advance(robots_at((0.71, 0.0, 0.0)), walking).all() and progress.reached == 1
    assert progress.advance(robots_at((2.0, 0.1, 0.0)), walking).all() and not progress.walks.any()
    assert progress.is_ready.all()
    torch.testing.assert_close(progress.goal(), torch.tensor([[2.0, 0.0]]))  # the last one stays


def test_a_clip_that_began_too_early_does_not_count():
    progress = Progress(CourseSettings(num_goals=1), 1)
    progress.reset(torch.ones(1, dtype=torch.bool), torch.tensor([[[1.0, 0.0]]]), torch.tensor([2]))
    progress.advance(robots_at((1.0, 0.0, 0.0)), torch.tensor([2]))
    assert not progress.walks.any() and not progress.is_ready.any()
    progress.advance(robots_at((1.0, 0.0, 0.0)), torch.tensor([1]))  # left it
    assert progress.is_ready.all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_goals": 0}, "--num_goals is 0, expected 1 to 20"),
        ({"seconds": math.nan}, "--seconds is nan, expected 5 to 600"),
        ({"distance": (3.0, 1.0)}, "longest distance is 1, expected 3 to 20"),
        ({"radius": math.inf}, "radius is inf"),
        ({"turn": -0.1}, "turn is -0.1, expected 0 to 3.14"),
    ],
)
def test_impossible_courses_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CourseSettings(**settings)


@pytest.mark.parametrize("text", ["nan,0", "1", "1,2,3", "a,b", "51,0", "inf,0"])
def test_goals_that_are_no_places_are_refused(text):
    with pytest.raises(ValueError, match=f"--goals has '{text}'"):
        parse_goals(["1,1", text])


def test_goals_are_read():
    assert parse_goals(["2,-0.5", "1e0,3"]) == [(2.0, -0.5), (1.0, 3.0)]
