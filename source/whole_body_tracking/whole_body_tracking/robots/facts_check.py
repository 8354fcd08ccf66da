"""Check that a robot's facts are complete and fit together, before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from whole_body_tracking.names import require_known

REQUIRED = (
    *("name", "anchor_body", "default_root_height", "natural_frequency_hz", "damping_ratio", "action_scale_factor"),
    *("soft_joint_pos_limit_factor", "joint_order_csv", "body_order_depth_first", "tracked_bodies", "end_effectors"),
    *("self_collision_excludes", "foot", "motors", "joints", "bodies"),
)
"""Entries of a facts file. ``joint_order_breadth_first`` and ``body_order_breadth_first`` are optional."""
ROOT_ENTRIES = ("mass", "com", "inertia_about_com", "visuals", "colliders")
BODY_ENTRIES = (
    *("parent", "joint", "joint_origin_xyz", "joint_origin_rpy", "joint_axis", "joint_limits"),
    *ROOT_ENTRIES,
)
JOINT_ENTRIES = ("motor", "motors_in_parallel", "default_pos")
MOTOR_ENTRIES = ("armature", "effort_limit", "velocity_limit")
FOOT_ENTRIES = ("bodies", "sole_height")


def check_facts(facts: Mapping) -> None:
    """Check a facts file such as ``robots/data/g1.json``; docs/other_robots.md says what each entry means.

    Raises:
        ValueError: If an entry is missing, a name does not exist, bodies and joints are not in depth-first order, or a
            number is out of range.
    """
    _require_entries(facts, REQUIRED, "The facts")
    _require_entries(facts["foot"], FOOT_ENTRIES, f"{facts['name']}: `foot`")
    bodies, joints = list(facts["body_order_depth_first"]), list(facts["joint_order_csv"])
    if len(bodies) != len(joints) + 1 or len(set(bodies)) != len(bodies) or len(set(joints)) != len(joints):
        raise ValueError(
            f"{facts['name']}: `body_order_depth_first` has {len(bodies)} names and `joint_order_csv` {len(joints)},"
            " expected a body for each joint after the root's, every name once."
        )
    require_known(bodies, facts["bodies"], f"body of {facts['name']} in body_order_depth_first")
    require_known(joints, facts["joints"], f"joint of {facts['name']} in joint_order_csv")
    _check_names(facts, bodies)
    _check_tree(facts, bodies, joints)
    for name in joints:
        _check_joint(facts, name)


def _check_names(facts: Mapping, bodies: list[str]) -> None:
    name = facts["name"]
    require_known(facts["tracked_bodies"], bodies, f"body of {name} in tracked_bodies")
    require_known(facts["foot"]["bodies"], bodies, f"body of {name} in foot.bodies")
    require_known(facts["anchor_body"], facts["tracked_bodies"], f"tracked body of {name} in anchor_body")
    require_known(facts["end_effectors"], facts["tracked_bodies"], f"tracked body of {name} in end_effectors")
    excluded = [body for pair in facts["self_collision_excludes"] for body in pair]
    require_known(excluded, bodies, f"body of {name} in self_collision_excludes")
    for foot in facts["foot"]["bodies"]:
        if not facts["bodies"][foot].get("colliders"):
            raise ValueError(f"{name}: the foot {foot} does not have `colliders`, so nothing can stand on it.")


def _check_tree(facts: Mapping, bodies: list[str], joints: list[str]) -> None:
    for index, name in enumerate(bodies):
        body, where = facts["bodies"][name], f"{facts['name']}: body {name}"
        _require_entries(body, BODY_ENTRIES if index else ROOT_ENTRIES, where)
        if not body["mass"] > 0.0:
            raise ValueError(f"{where} has mass {body['mass']} kg, expected a positive number.")
        if index == 0:
            continue
        require_known(body["parent"], bodies[:index], f"parent of {where}, listed before it (depth-first order)")
        if body["joint"] != joints[index - 1]:
            raise ValueError(
                f"{where} hangs on {body['joint']}, but number {index} of `joint_order_csv` is {joints[index - 1]}."
                " Joints and bodies are in the same order."
            )
        lower, upper = body["joint_limits"]
        if not lower < upper:
            raise ValueError(f"{where}: the lower joint limit {lower} rad is not below the upper one, {upper} rad.")


def _check_joint(facts: Mapping, name: str) -> None:
    joint, where = facts["joints"][name], f"{facts['name']}: joint {name}"
    _require_entries(joint, JOINT_ENTRIES, where)
    require_known(joint["motor"], facts["motors"], f"motor of {where}")
    motor = facts["motors"][joint["motor"]]
    _require_entries(motor, MOTOR_ENTRIES, f"{facts['name']}: motor {joint['motor']}")
    for key in MOTOR_ENTRIES:
        if not motor[key] > 0.0:
            raise ValueError(f"{facts['name']}: {key} of motor {joint['motor']} is {motor[key]}, expected > 0.")


def _require_entries(entries: Mapping, required: Iterable[str], where: str) -> None:
    missing = [key for key in required if key not in entries]
    if missing:
        raise ValueError(f"{where} of the robot lack {missing}. Found: {sorted(entries)}. See docs/other_robots.md.")
