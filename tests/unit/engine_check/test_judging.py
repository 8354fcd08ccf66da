"""The check of an engine: records that pass, and the failures that it names."""

import argparse
import dataclasses

import pytest

from whole_body_tracking.engine_check import checking
from whole_body_tracking.engine_check.judging import judge, table
from whole_body_tracking.engine_check.record import EngineRecord
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots.g1 import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def recorded():
    return EngineRecord.load()


def failures(found, expected, same_engine=True):
    return [line.name for line in judge(found, expected, same_engine) if line.status == "FAIL"]


def test_the_packaged_record_is_of_this_robot_and_clip(recorded):
    assert (recorded.engine, recorded.task) == ("OvPhysxCfg", "Tracking-Flat-G1-v0")
    assert recorded.clip_digest == MotionClip.load(DEFAULT_MOTION_FILE).digest
    assert (tuple(recorded.joint_names), tuple(recorded.body_names)) == (G1.joint_names, G1.body_names)
    assert recorded.mass == pytest.approx(G1.total_mass, rel=1e-5)
    assert 0.5 < recorded.first_failure < 2.0, "the robot falls within the check"


def test_an_engine_agrees_with_itself(recorded):
    assert failures(recorded, recorded) == []


def test_a_record_goes_where_it_is_told_and_is_compared_with_nothing(recorded, tmp_path):
    wrong = dataclasses.replace(recorded, mass=1.0)
    assert checking._conclude(argparse.Namespace(record=tmp_path / "mine.json"), wrong, None) == 0
    assert EngineRecord.load(tmp_path / "mine.json") == wrong


def test_a_record_survives_its_file(recorded, tmp_path):
    recorded.save(tmp_path / "record.json")
    assert EngineRecord.load(tmp_path / "record.json") == recorded


def swapped(values):
    first, second, *rest = values
    return [second, first, *rest]


def with_added(record, term, value):
    """The record's observations with a number added to all columns of a term."""
    names = [name for name, width in record.observation_terms.items() for _ in range(width)]
    return [x + value * (name == term) for x, name in zip(record.observation, names, strict=True)]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda r: {"joint_names": swapped(r.joint_names), "joint_pos": swapped(r.joint_pos)}, ["joint order"]),
        (lambda r: {"body_names": r.body_names[:-1]}, ["body order"]),
        (lambda r: {"mass": r.mass + 0.1}, ["mass"]),
        (lambda r: {"observation_widths": {"policy": 154, "critic": 286}}, ["observation widths"]),
        (lambda r: {"observation": r.observation[:154]}, ["observations"]),
        (lambda r: {"observation": [-x for x in r.observation]}, ["observations"]),
        (lambda r: {"observation": with_added(r, "base_lin_vel", 50.0)}, ["observations"]),
        (lambda r: {"observation": with_added(r, "base_ang_vel", 0.11)}, ["observations"]),
        (lambda r: {"observation": [float("nan"), *r.observation[1:]]}, ["observations"]),
        (lambda r: {"observation": with_added(r, "base_ang_vel", 0.05)}, []),
        (lambda r: {"replay_pos_difference": 0.05}, ["replay of 2 s"]),
        (lambda r: {"root_pose": [r.root_pose[0] + 0.01, *r.root_pose[1:]]}, ["root after one step"]),
        (lambda r: {"root_pose": r.root_pose[:3] + r.root_pose[6:] + r.root_pose[3:6]}, ["root after one step"]),
        (lambda r: {"joint_pos": [q + 0.01 for q in r.joint_pos]}, ["joints after one step"]),
        (lambda r: {"spread": 0.1}, ["envs agree"]),
        (lambda r: {"foot_force": 0.0}, ["feet carry the robot"]),
        (lambda r: {"first_failure": 0.9}, ["time to fall"]),
        (lambda r: {"is_finite": False}, ["finite numbers"]),
        (lambda r: {"root_pose": r.root_pose[:3] + [-x for x in r.root_pose[3:]]}, []),  # the same rotation
    ],
)
def test_each_check_sees_what_it_is_for(recorded, change, names):
    assert failures(dataclasses.replace(recorded, **change(recorded)), recorded) == names


def test_terms_are_those_of_the_observations(recorded):
    assert sum(recorded.observation_terms.values()) == recorded.observation_widths["policy"] == 160


def test_three_wrong_columns_of_160_are_named(recorded):
    """They are less than five in a hundred, and a policy that reads them falls."""
    found = dataclasses.replace(recorded, observation=with_added(recorded, "base_lin_vel", 50.0))
    text = table(judge(found, recorded, True))
    assert "largest 50 in base_lin_vel" in text and "Other than expected: base_lin_vel." in text


def test_states_of_another_kind_of_engine_are_not_compared(recorded):
    other = dataclasses.replace(recorded, engine="NewtonCfg", joint_pos=[9.0] * 29, first_failure=0.1)
    lines = judge(other, recorded, same_engine=False)
    assert [line.status for line in lines].count("SKIP") == 4 and failures(other, recorded, same_engine=False) == []
    assert "this is NewtonCfg" in table(lines)


def test_the_table_says_what_to_do(recorded):
    text = table(judge(dataclasses.replace(recorded, body_names=swapped(recorded.body_names)), recorded, True))
    assert "FAIL  body order" in text and "0: left_hip_pitch_link, expected pelvis" in text
    assert "-> A policy would move other joints than it means" in text
