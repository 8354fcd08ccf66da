"""``Velocity-Flat-G1-Schedule-v0`` through all its phases, and the policy that is left without a reference."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.locomotion.command import VelocityCommand
from whole_body_tracking.sim2sim.walking import Conditions, require_walker, walk_by_command

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("schedule")
    command = [sys.executable, str(Path(__file__).parent / "schedule_probe.py"), "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def phases(probed: Path) -> list[dict]:
    return json.loads((probed / "phases.json").read_text())


@pytest.fixture(scope="module")
def run_folder(probed: Path) -> Path:
    (folder,) = (probed / "logs" / "rsl_rl" / "g1_schedule").iterdir()
    return folder


def test_made_up_successes_open_every_phase_and_failures_none(phases):
    assert [phase["log"]["Curriculum/reference/phase"] for phase in phases] == [0.0, 1.0, 2.0, 3.0]
    weights = [phase["log"]["Curriculum/reference/reference_weight"] for phase in phases]
    assert weights == [1.0, 0.5, 0.1, 0.0]
    assert all(phase["opened"] and not phase["opened_by_failures"] for phase in phases[:-1])


def test_the_weight_is_the_share_of_guided_episodes_and_the_factor_on_tracking(phases):
    guided = [phase["guided"] for phase in phases]
    assert guided[0] == 1.0 and 0.2 < guided[1] < 0.8 and guided[2] < 0.35 and guided[3] == 0.0
    for phase, weight in zip(phases, [1.0, 0.5, 0.1, 0.0], strict=True):
        for tracking, guidance in zip(phase["tracking"], phase["guidance"], strict=True):
            assert guidance in (0.0, pytest.approx(weight)) and (guidance > 0.0 or tracking == 0.0)
            assert 0.9 * guidance <= tracking <= guidance  # one step after the start in the reference


def test_free_episodes_see_no_reference_and_may_start_standing(phases):
    assert all(phase["shown"] and phase["critic_guidance"] for phase in phases)
    assert phases[0]["standing"] == 0 and phases[3]["standing"] > 0
    assert phases[2]["guided_in_progress"] == 0  # opening the last phase takes the reference at once
    assert phases[0]["hidden"] == [] and len(phases[3]["hidden"]) == 3


def test_guided_episodes_are_told_the_references_own_velocity(phases):
    speeds = phases[0]["speed"]  # the clip stands, walks at 0.5 m/s, and stands
    assert max(speeds) == pytest.approx(0.5, abs=0.05) and min(speeds) == pytest.approx(0.0, abs=0.05)


def test_the_phase_is_kept_when_a_run_is_continued(probed: Path, run_folder: Path):
    first, last = (torch.load(run_folder / f"model_{i}.pt", weights_only=True) for i in (1, 3))
    assert first["phase_state"]["phase"] == last["phase_state"]["phase"] == 3
    assert (probed / "said.txt").read_text().count("Phase 4 begins") == 1


def test_the_last_phases_policy_asks_for_no_reference(run_folder: Path, tmp_path: Path):
    path = run_folder / "exported" / "policy.onnx"
    policy = load_policy(path)
    assert policy.spec.num_observations == 99 and policy.spec.clips == () and not policy.spec.reference_in_graph
    assert policy.spec.command_names == ("base_velocity",)
    checkpoint = torch.load(run_folder / "model_3.pt", weights_only=True)["actor_state_dict"]
    assert any(value.shape[-1:] == (166,) for value in checkpoint.values())
    require_walker(policy.spec, path.name)
    result = walk_by_command(path, VelocityCommand(0.3), Conditions(num_rollouts=1, seconds=0.3), tmp_path)
    assert result.overall["survived"] == 1.0
