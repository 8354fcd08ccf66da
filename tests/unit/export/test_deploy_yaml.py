"""Unitree's layout: gains by motor, everything else by the policy's joints."""

import pytest
import yaml
from policies import make_spec

from whole_body_tracking.export.deploy_yaml import to_deploy_yaml

pytestmark = pytest.mark.unit


def test_gains_follow_the_motors_and_targets_the_policy():
    spec = make_spec()
    text = to_deploy_yaml(spec, sdk_joint_names=("ankle", "hand", "hip", "knee"))
    content = yaml.safe_load(text)
    assert content["joint_ids_map"] == [2, 3, 0]
    assert content["stiffness"] == [spec.joint_stiffness[2], 0.0, spec.joint_stiffness[0], spec.joint_stiffness[1]]
    assert content["default_joint_pos"] == list(spec.default_joint_pos)
    assert content["actions"]["JointPositionAction"]["scale"] == list(spec.action_scale)
    assert content["step_dt"] == 0.02
    assert "&" not in text and "*" not in text.replace(".*", "")


def test_terms_have_unitrees_names_one_step_of_history_and_a_scale_per_value():
    terms = yaml.safe_load(to_deploy_yaml(make_spec(), make_spec().joint_names))["observations"]
    assert list(terms) == [
        "motion_command", "motion_anchor_ori_b", "base_ang_vel", "joint_pos_rel", "joint_vel_rel", "last_action",
    ]  # fmt: skip
    assert terms["base_ang_vel"] == {"params": {}, "clip": None, "scale": [1.0, 1.0, 1.0], "history_length": 1}


def test_a_joint_without_motor_is_refused():
    with pytest.raises(ValueError, match=r"no motors for \['ankle'\]"):
        to_deploy_yaml(make_spec(), ("hip", "knee"))


def test_actions_about_a_reference_are_refused():
    spec = make_spec(action_kind="residual", reference_in_graph=False)
    with pytest.raises(ValueError, match="emits residual ones"):
        to_deploy_yaml(spec, spec.joint_names)
