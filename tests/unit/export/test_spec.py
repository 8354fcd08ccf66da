"""The spec loses no bit as text and refuses another layout by the name of the term."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from policies import OBSERVATIONS, make_spec

from whole_body_tracking.export import ObservationTerm, PolicySpec
from whole_body_tracking.export.env_spec import _numbers
from whole_body_tracking.export.spec_metadata import SPEC_KEY, spec_from_metadata, spec_to_metadata

pytestmark = pytest.mark.unit


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=3, max_size=3))
def test_numbers_survive_metadata_bit_for_bit(values):
    exact = np.array(values, dtype=np.float32)
    spec = make_spec(joint_stiffness=_numbers(torch.from_numpy(exact)))
    metadata = spec_to_metadata(spec)
    read_by_a_controller = np.array([float(text) for text in metadata["joint_stiffness"].split(",")], dtype=np.float32)
    np.testing.assert_array_equal(read_by_a_controller.view(np.int32), exact.view(np.int32))
    assert spec_from_metadata(metadata, "file") == spec


def test_json_restores_every_field():
    terms = (*OBSERVATIONS, ObservationTerm("history", 8, history_length=4, scale=(0.25, 1.0), clip=(-1.0, 1.0)))
    spec = make_spec(observations=terms, action_clip=12.5, commit="a" * 40)
    assert PolicySpec.from_json(spec.to_json(indent=2)) == spec


def test_wrist_scale_keeps_its_digits():
    """A file with three decimals would say 0.075, which is off by 0.7 %."""
    assert spec_to_metadata(make_spec())["action_scale"].split(",")[2] == "0.07450087"


def test_metadata_has_the_keys_of_the_ros_2_controller():
    metadata = spec_to_metadata(make_spec())
    assert {
        "run_path", "joint_names", "joint_stiffness", "joint_damping", "default_joint_pos", "command_names",
        "observation_names", "observation_history_lengths", "action_scale", "anchor_body_name", "body_names",
    } <= set(metadata)  # fmt: skip
    assert metadata["observation_names"] == "command,motion_anchor_ori_b,base_ang_vel,joint_pos,joint_vel,actions"
    assert metadata["observation_history_lengths"] == "1,1,1,1,1,1"
    assert metadata["command_names"] == "motion"
    assert metadata["quat_order"] == "wxyz"


def test_edited_metadata_are_refused():
    metadata = spec_to_metadata(make_spec()) | {"action_scale": "0.548,0.351,0.075"}
    with pytest.raises(ValueError, match=r"policy\.onnx: metadata \['action_scale'\] contradict"):
        spec_from_metadata(metadata, "policy.onnx")


def test_missing_metadata_are_refused():
    with pytest.raises(ValueError, match=f"no '{SPEC_KEY}' among its metadata \\['task'\\]"):
        spec_from_metadata({"task": "x"}, "policy.onnx")


def test_another_format_version_is_refused():
    text = make_spec().to_json().replace('"format_version": 1', '"format_version": 2')
    with pytest.raises(ValueError, match="format version 1, found 2"):
        PolicySpec.from_json(text)


def test_a_missing_term_is_named_with_both_layouts():
    without = tuple(term for term in OBSERVATIONS if term.name != "base_ang_vel")
    with pytest.raises(ValueError) as error:
        make_spec(observations=without).require_compatible(make_spec(), "policy.onnx")
    message = str(error.value)
    assert "observation term 3 is joint_pos[3], expected base_ang_vel[3]" in message
    assert "actions[3] = 21" in message and "actions[3] = 24" in message


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"name": "base_lin_vel"}, "base_lin_vel"),
        ({"dim": 4}, "dim=4|base_ang_vel\\[4\\]"),
        ({"history_length": 3}, "base_ang_vel\\[3\\]x3"),
        ({"scale": (0.2,)}, "base_ang_vel"),
    ],
)
def test_any_difference_in_a_term_is_refused(change, found):
    terms = list(OBSERVATIONS)
    terms[2] = dataclasses.replace(terms[2], **change)
    with pytest.raises(ValueError, match=f"observation term 3 is .*({found})"):
        make_spec(observations=tuple(terms)).require_compatible(make_spec(), "policy.onnx")


def test_swapped_terms_are_refused():
    terms = (*OBSERVATIONS[:3], OBSERVATIONS[4], OBSERVATIONS[3], OBSERVATIONS[5])
    with pytest.raises(ValueError, match=r"term 4 is joint_vel\[3\], expected joint_pos\[3\]"):
        make_spec(observations=terms).require_compatible(make_spec(), "policy.onnx")


@pytest.mark.parametrize("change", [{"joint_names": ("knee", "hip", "ankle")}, {"control_dt": 0.04}])
def test_other_joints_or_rates_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        make_spec(**change).require_compatible(make_spec(), "policy.onnx")


def test_per_joint_values_are_counted_and_finite():
    with pytest.raises(ValueError, match="`joint_damping` has 2 values, expected 3"):
        make_spec(joint_damping=(1.0, 2.0))
    with pytest.raises(ValueError, match=r"`joint_effort_limit` is not finite for \['knee'\]"):
        make_spec(joint_effort_limit=(1.0, float("inf"), 1.0))
