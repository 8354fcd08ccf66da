"""The simulated robot's page."""

import time

import pytest

from whole_body_tracking.deploy.robot_view import RobotView
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def test_the_view_follows_a_robot_that_walks_away():
    robot = SimulatedRobot(RobotOptions(gantry=False))
    view = RobotView(robot, 0)
    try:
        robot.data.xpos[:, 0] += 5.0
        for _ in range(view._every):
            view.show()
        deadline = time.monotonic() + 20.0
        while view._stage._world.position[0] > -4.0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert view._stage._world.position[0] == pytest.approx(-5.0, abs=0.1)
    finally:
        view.close()
