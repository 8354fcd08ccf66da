"""Origin that an exported policy records, and the files of an export."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from policies import JOINTS, make_actor, make_library, make_spec

from whole_body_tracking.export import TrainedClip
from whole_body_tracking.export.graph import build_graph
from whole_body_tracking.export.run_export import POLICY_FILES, run_path_of, write_policy
from whole_body_tracking.export.trained_on import trained_clips
from whole_body_tracking.file_set import replace_set

pytestmark = pytest.mark.unit

CHECKPOINT = Path("logs/rsl_rl/g1_flat/2026-01-01_walk/model_500.pt")


def test_a_local_run_is_named_by_experiment_and_run(monkeypatch):
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    assert run_path_of(CHECKPOINT) == "g1_flat/2026-01-01_walk"


def test_a_run_in_progress_on_wandb_is_named_by_its_path(monkeypatch):
    run = SimpleNamespace(entity="org", project="tracking", id="abc123")
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=run))
    assert run_path_of(CHECKPOINT) == "org/tracking/abc123"


def export(folder: Path, **changes) -> set[str]:
    """Export a policy and return the names that the folder holds then."""
    spec = make_spec(**changes)
    graph = build_graph(make_actor(), spec, make_library() if spec.reference_in_graph else None)
    replace_set(folder, POLICY_FILES, lambda staged: write_policy(staged, graph, spec, JOINTS))
    return {path.name for path in folder.iterdir()}


def test_a_deploy_yaml_that_does_not_apply_any_more_is_removed(tmp_path):
    """A residual policy of several clips emits actions about a reference, which deploy.yaml cannot say."""
    without_muscles = set(POLICY_FILES) - {"muscle_nn.safetensors"}
    assert export(tmp_path) == without_muscles
    assert export(tmp_path, action_kind="residual", reference_in_graph=False) == without_muscles - {"deploy.yaml"}


def test_a_joint_without_a_motor_leaves_the_earlier_export(tmp_path):
    export(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    spec = make_spec(checkpoint="model_2.pt")
    graph = build_graph(make_actor(seed=1), spec, make_library())
    with pytest.raises(ValueError, match=r"no motors for \['ankle'\]"):
        replace_set(tmp_path, POLICY_FILES, lambda staged: write_policy(staged, graph, spec, JOINTS[:2]))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_clips_of_the_training_are_those_of_its_provenance(tmp_path):
    checkpoint = tmp_path / "model_3.pt"
    assert trained_clips(checkpoint) == ()
    clips = [{"name": "walk", "sha256": "1" * 64}, {"name": "run", "sha256": "2" * 64}]
    (tmp_path / "provenance.json").write_text(json.dumps({"clips": clips}))
    assert trained_clips(checkpoint) == (TrainedClip("walk", "1" * 64), TrainedClip("run", "2" * 64))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"clips": [{"name": "walk"}]}', '{"clips": null}'])
def test_a_provenance_without_clips_is_refused(tmp_path, text):
    (tmp_path / "provenance.json").write_text(text)
    with pytest.raises(ValueError, match=r"provenance.json does not list the clips.*move it away"):
        trained_clips(tmp_path / "model_3.pt")
