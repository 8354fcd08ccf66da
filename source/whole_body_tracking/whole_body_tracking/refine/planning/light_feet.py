"""The robot with fewer contacts, for planning: a third of the physics' time goes into feet."""

from __future__ import annotations

from whole_body_tracking.robots import RobotModel


def with_light_feet(robot: RobotModel) -> RobotModel:
    """The robot with the few contact spheres of ``foot.four_point_spheres`` as feet; itself if its facts have none.

    Everything else is the same, so targets planned with it can be played on the full robot.
    """
    spheres = robot.facts["foot"].get("four_point_spheres")
    if spheres is None:
        return robot
    bodies = dict(robot.facts["bodies"])
    for name in robot.foot_body_names:
        colliders = [
            {"type": "sphere", "name": f"{name}_point{number}", "center": center, "radius": spheres["radius"]}
            for number, center in enumerate(spheres["centers"], start=1)
        ]
        bodies[name] = bodies[name] | {"colliders": colliders}
    return RobotModel(robot.facts | {"bodies": bodies})
