"""Robots of other packages: registration, and facts that do not fit together."""

import copy

import pytest
from five_joint_robot import FIVE, five_joint_facts

from whole_body_tracking.robots import G1, ROBOTS, RobotModel, get_robot, register_robot, robot_names
from whole_body_tracking.robots.facts_check import check_facts

pytestmark = pytest.mark.unit


@pytest.fixture
def registered():
    before = dict(ROBOTS)
    yield register_robot(FIVE)
    ROBOTS.clear()
    ROBOTS.update(before)


def test_a_registered_robot_is_found_by_name(registered):
    assert get_robot("five") is registered and robot_names() == ["five", "g1"]
    assert register_robot(RobotModel(five_joint_facts())) is registered  # the same facts again
    other = five_joint_facts() | {"default_root_height": 1.0}
    with pytest.raises(ValueError, match="Another robot is already called 'five'"):
        register_robot(RobotModel(other))


def test_an_unknown_robot_is_refused():
    with pytest.raises(ValueError, match=r"Unknown robot: 'g1_29dof'. Known: g1."):
        get_robot("g1_29dof")


def test_breadth_first_orders_follow_from_the_tree():
    without = {key: value for key, value in G1.facts.items() if not key.endswith("breadth_first")}
    assert RobotModel(without).body_names_breadth_first == G1.body_names_breadth_first
    assert RobotModel(without).joint_names_breadth_first == G1.joint_names_breadth_first
    assert FIVE.body_names_breadth_first == (
        "base", "left_thigh", "right_thigh", "chest", "left_shank", "right_shank",
    )  # fmt: skip


def test_the_shipped_facts_fit_together():
    check_facts(G1.facts)


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(facts):
        for key in path:
            facts = facts[key]
        facts[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda facts: facts.pop("motors"), r"The facts of the robot lack \['motors'\].*docs/other_robots.md"),
        (lambda facts: facts["foot"].pop("sole_height"), r"five: `foot` of the robot lack \['sole_height'\]"),
        (lambda facts: facts["joint_order_csv"].pop(), "has 6 names and `joint_order_csv` 4"),
        (_set("anchor_body", "head"), "Unknown tracked body of five in anchor_body: 'head'. Known: base"),
        (_set("end_effectors", ["left_foot"]), "in end_effectors: 'left_foot'"),
        (_set("bodies", "left_shank", "parent", "right_shank"), "parent of five: body left_shank, listed before it"),
        (_set("bodies", "chest", "joint", "neck"), "body chest hangs on neck, but number 5 .* is chest_joint"),
        (_set("bodies", "chest", "joint_limits", [1.0, 1.0]), "lower joint limit 1.0 rad is not below"),
        (_set("bodies", "chest", "mass", 0.0), "body chest has mass 0.0 kg"),
        (lambda facts: facts["bodies"]["chest"].pop("com"), r"body chest of the robot lack \['com'\]"),
        (_set("joints", "chest_joint", "motor", "small"), "motor of five: joint chest_joint: 'small'. Known: big"),
        (_set("motors", "big", "armature", 0.0), "armature of motor big is 0.0"),
        (_set("bodies", "left_shank", "colliders", []), "the foot left_shank does not have `colliders`"),
    ],
)
def test_facts_that_do_not_fit_are_refused(change, message):
    facts = copy.deepcopy(five_joint_facts())
    change(facts)
    with pytest.raises(ValueError, match=message):
        register_robot(RobotModel(facts))


def test_a_facts_file_that_is_not_json_is_refused(tmp_path):
    (tmp_path / "robot.json").write_text("name: five")
    with pytest.raises(ValueError, match="robot.json is not a JSON file of robot facts"):
        RobotModel.from_file(tmp_path / "robot.json")
