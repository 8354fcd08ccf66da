"""``experts.yaml``: what is written is read again, and what is not a table is refused."""

import dataclasses
import shutil
from pathlib import Path

import pytest
import yaml

from whole_body_tracking.rl.experts.table import Expert, ExpertTable, read_experts

pytestmark = pytest.mark.unit


def make(folder: Path, *motions: str) -> ExpertTable:
    experts = [
        Expert(
            name, name[0] * 64, "Task-v0", folder / name / "logs" / "run", "model_7.pt", Path("/clips") / f"{name}.npz"
        )
        for name in motions
    ]
    return ExpertTable(folder / "experts.yaml", ("--task", "Task-v0", "agent.seed=3"), tuple(experts))


def test_a_table_survives_a_round_trip(tmp_path):
    table = make(tmp_path, "walk", "run")
    cut = dataclasses.replace(table.experts[0], motion="walk_1-60", frame_range=(1, 60))
    table = table.with_expert(cut)
    table.save()
    assert read_experts(table.path) == table
    assert read_experts(tmp_path) == table
    assert [path.name for path in tmp_path.iterdir()] == ["experts.yaml"]


def test_a_table_may_move_together_with_its_runs(tmp_path):
    table = make(tmp_path / "here", "walk")
    table.path.parent.mkdir()
    table.save()
    shutil.move(tmp_path / "here", tmp_path / "there")
    (expert,) = read_experts(tmp_path / "there").experts
    assert expert.path == tmp_path / "there" / "walk" / "logs" / "run" / "model_7.pt"
    assert expert.file == Path("/clips/walk.npz")


def test_an_expert_that_was_trained_anew_replaces_the_old_one(tmp_path):
    table = make(tmp_path, "walk", "run")
    newer = dataclasses.replace(table.experts[0], checkpoint="model_9.pt")
    table = table.with_expert(newer)
    assert sorted(table.motions) == ["run", "walk"] and table.find("walk") == newer


def test_a_motion_without_an_expert_is_not_found(tmp_path):
    assert make(tmp_path, "walk").find("run") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("motions:\n  - file: walk.npz\n", "not a table of experts"),
        ("format_version: 2\narguments: []\nexperts: []\n", "format_version 1"),
        ("a: [", "not valid YAML"),
        ("format_version: 1\narguments: []\nexperts: [{motion: walk}]\n", "run_folder"),
        ("format_version: 1\narguments: []\nexperts: {walk: x}\n", "should be lists"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, message):
    (tmp_path / "experts.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_experts(tmp_path / "experts.yaml")


def test_two_experts_of_one_motion_are_refused(tmp_path):
    table = make(tmp_path, "walk")
    table.save()
    content = yaml.safe_load(table.path.read_text())
    content["experts"] *= 2
    table.path.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match="two experts of walk"):
        read_experts(table.path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.yaml"):
        read_experts(tmp_path / "none.yaml")
