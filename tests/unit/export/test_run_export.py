"""Where an exported policy says that it comes from."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from whole_body_tracking.export.run_export import run_path_of

pytestmark = pytest.mark.unit

CHECKPOINT = Path("logs/rsl_rl/g1_flat/2026-01-01_walk/model_500.pt")


def test_a_local_run_is_named_by_experiment_and_run(monkeypatch):
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    assert run_path_of(CHECKPOINT) == "g1_flat/2026-01-01_walk"


def test_a_run_in_progress_on_wandb_is_named_by_its_path(monkeypatch):
    run = SimpleNamespace(entity="org", project="tracking", id="abc123")
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=run))
    assert run_path_of(CHECKPOINT) == "org/tracking/abc123"
