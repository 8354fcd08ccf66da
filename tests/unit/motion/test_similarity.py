"""How alike clips are."""

import csv
import dataclasses

import numpy as np
import pytest
import torch
import yaml
from motion_samples import standing, sway

from whole_body_tracking.motion import MotionLibrary, RawMotion, convert
from whole_body_tracking.motion.analysis.library_report import read_failure_rates, report_on, write_csv, write_manifest
from whole_body_tracking.motion.analysis.similarity import compare_clips, distance, frame_features, tag_of
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def moved(raw: RawMotion, yaw: float, x: float) -> RawMotion:
    """The same motion elsewhere and headed otherwise."""
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    qx, qy, qz, qw = raw.root_quat.T
    sin, cos = np.sin(yaw / 2), np.cos(yaw / 2)
    quat = np.stack((cos * qx - sin * qy, cos * qy + sin * qx, cos * qz + sin * qw, cos * qw - sin * qz), axis=-1)
    return dataclasses.replace(raw, root_pos=raw.root_pos @ turn.T + [x, 0.0, 0.0], root_quat=quat)


@pytest.fixture(scope="module")
def clips() -> list:
    raws = {"sway": sway(91), "sway_elsewhere": moved(sway(91), yaw=2.0, x=3.0), "stand": standing(101)}
    return [dataclasses.replace(convert(raw, output_fps=50), name=name) for name, raw in raws.items()]


@pytest.fixture(scope="module")
def library(clips) -> MotionLibrary:
    return MotionLibrary.from_clips(clips)


def test_distance_is_zero_to_itself_and_symmetric(library):
    sway_, _, stand = (frame_features(library, clip, G1) for clip in range(3))
    assert distance(sway_, sway_) == 0.0
    assert distance(sway_, stand) == pytest.approx(distance(stand, sway_)) and distance(sway_, stand) > 0.3


def test_features_do_not_change_with_place_and_heading(library):
    torch.testing.assert_close(frame_features(library, 0, G1), frame_features(library, 1, G1), atol=1e-3, rtol=0.0)


def test_same_motions_cluster_and_standing_is_easiest(library):
    found = compare_clips(library, G1, cluster_distance=0.2)
    assert found.clusters[0] == found.clusters[1] != found.clusters[2]
    assert found.order[0] == 2 and found.tags[2] == "artistic"
    assert found.features[2].airtime == 0.0 and found.features[2].root_speed < 1e-3


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({}, "artistic"),
        ({"root_speed": 0.9}, "locomotion"),
        ({"root_speed": 2.5}, "dynamic"),
        ({"airtime": 0.5}, "dynamic"),
        ({"low_root": 0.2, "airtime": 0.5}, "recovery"),
    ],
)
def test_tags(library, changes, tag):
    base = compare_clips(library, G1).features[2]
    assert tag_of(dataclasses.replace(base, **changes)) == tag


def test_a_library_without_feet_is_refused(clips):
    with pytest.raises(ValueError, match=r"needs the bodies .*ankle_roll_link.*holds \['pelvis'\]"):
        compare_clips(MotionLibrary.from_clips(clips, body_names=["pelvis"]), G1)


def test_report_writes_a_manifest_that_orders_by_what_was_measured(tmp_path, clips):
    for clip in clips:
        clip.save(tmp_path / f"{clip.name}.npz")
    entries, rows, found = report_on([str(tmp_path)])
    assert [row["clip"] for row in rows][0] == "stand" and {row["nearest"] for row in rows} >= {"sway"}
    write_csv(tmp_path / "out" / "motions.csv", rows)
    assert len(list(csv.DictReader((tmp_path / "out" / "motions.csv").open()))) == 3
    table = tmp_path / "clips.csv"
    table.write_text("clip,failure_rate\nstand,0.9\nsway,0.1\nsway_elsewhere,0.2\n")
    write_manifest(tmp_path / "out" / "motions.yaml", entries, found, read_failure_rates(table))
    again = resolve_entries([str(tmp_path / "out" / "motions.yaml")])
    assert [(entry.name, entry.difficulty) for entry in again] == [
        ("sway", 0.1),
        ("sway_elsewhere", 0.2),
        ("stand", 0.9),
    ]
    assert yaml.safe_load((tmp_path / "out" / "motions.yaml").read_text())["motions"][2]["tags"] == ["artistic"]


def test_failure_rates_of_another_run_are_refused(tmp_path, library):
    table = tmp_path / "clips.csv"
    table.write_text("clip,failure_rate\nrun,0.9\n")
    with pytest.raises(ValueError, match=r"lacks the clips \['sway', 'sway_elsewhere', 'stand'\]. It has: \['run'\]"):
        write_manifest(tmp_path / "m.yaml", [], compare_clips(library, G1), read_failure_rates(table))
