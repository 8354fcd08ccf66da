"""A continued training has the clips and settings of its run, or reports the differences."""

import json
from pathlib import Path

import pytest
import torch
from isaaclab_rl.entrypoints.common import dump_train_configs
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.rl.run.continuation import (
    changed_settings,
    clip_differences,
    has_other_clips,
    note_session,
    require_same_control,
)
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

pytestmark = pytest.mark.unit

OLD_RUN = Path(__file__).parents[2] / "fixtures" / "v0_1_0" / "residual"
WALK, OTHER_WALK, JUMP = ({"name": n, "sha256": d * 64} for n, d in (("walk", "a"), ("walk", "b"), ("jump", "c")))


def configs(task: str = "Tracking-Flat-G1-v0", *overrides: str):
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=["physics=mujoco_cpu", *overrides])


@pytest.fixture
def run_folder(tmp_path) -> Path:
    """A run of the 50 Hz task on one clip."""
    dump_train_configs(str(tmp_path), *configs())
    (tmp_path / "provenance.json").write_text(json.dumps({"seed": 1, "clips": [WALK]}))
    return tmp_path


def test_another_clip_of_the_same_name_is_refused_and_both_digests_are_named(run_folder):
    checkpoint = run_folder / "model_1.pt"
    message = r"model_1.pt belongs to a run with other clips: walk has the digest a{12}, here b{12}.*transfer=true"
    with pytest.raises(ValueError, match=message):
        has_other_clips(checkpoint, [OTHER_WALK], transfers=False)
    assert has_other_clips(checkpoint, [OTHER_WALK], transfers=True)
    assert not has_other_clips(checkpoint, [WALK], transfers=False)


def test_missing_new_and_reordered_clips_are_differences():
    """The order counts: a policy with motion ids knows the clips by their place."""
    assert clip_differences([WALK, JUMP], [WALK]) == [f"jump ({'c' * 12}) is missing here"]
    assert clip_differences([WALK], [WALK, JUMP]) == [f"jump ({'c' * 12}) is new here"]
    assert clip_differences([WALK, JUMP], [JUMP, WALK]) == ["their order is walk; jump there and jump; walk here"]
    assert clip_differences([], [WALK]) == [] == clip_differences([WALK], [WALK])


def test_a_checkpoint_without_its_run_is_not_compared(tmp_path):
    assert not has_other_clips(tmp_path / "model_1.pt", [WALK], transfers=False)
    require_same_control(tmp_path / "model_1.pt", configs()[0], transfers=False)


def test_another_control_rate_or_robot_is_refused(run_folder):
    checkpoint = run_folder / "model_1.pt"
    low_freq = configs("Tracking-Flat-G1-Low-Freq-v0")[0]
    with pytest.raises(ValueError, match=r"another control rate \[Hz\] 50, here 25\. .*transfer=true"):
        require_same_control(checkpoint, low_freq, transfers=False)
    require_same_control(checkpoint, low_freq, transfers=True)
    env_cfg = configs()[0]
    require_same_control(checkpoint, env_cfg, transfers=False)
    env_cfg.robot_name = "h1"
    with pytest.raises(ValueError, match="another robot g1, here h1"):
        require_same_control(checkpoint, env_cfg, transfers=False)


def test_what_version_0_1_wrote_can_be_compared():
    env_cfg = configs("Tracking-Flat-G1-Residual-v0")[0]
    require_same_control(OLD_RUN / "model_1.pt", env_cfg, transfers=False)
    (clip,) = json.loads((OLD_RUN / "provenance.json").read_text())["clips"]
    assert not has_other_clips(OLD_RUN / "model_1.pt", [clip], transfers=False)


def test_the_same_settings_are_no_change_and_paths_of_clips_are_not_compared(run_folder):
    env_cfg, agent_cfg = configs()
    env_cfg.commands.motion.motion_files, env_cfg.log_dir = ["elsewhere/walk.npz"], "logs/x"
    agent_cfg.max_iterations += 1
    agent_cfg.load_checkpoint, agent_cfg.resume = "latest", True  # how a session is started, not what it trains
    assert changed_settings(run_folder / "params", env_cfg, agent_cfg) == {}


def test_other_settings_are_noted_in_the_provenance_and_printed(run_folder, capsys):
    env_cfg, agent_cfg = configs()
    agent_cfg.algorithm.learning_rate, env_cfg.episode_length_s = 5e-4, 8.0
    expected = {"agent.algorithm.learning_rate": [1e-3, 5e-4], "env.episode_length_s": [10.0, 8.0]}
    for clips in ([WALK], [OTHER_WALK]):
        assert note_session(run_folder, run_folder / "model_1.pt", clips, env_cfg, agent_cfg) == expected
    assert "This session changes agent.algorithm.learning_rate from 0.001 to 0.0005" in capsys.readouterr().out
    content = json.loads((run_folder / "provenance.json").read_text())
    first, second = content["sessions"]
    assert content["seed"] == 1 and content["clips"] == [OTHER_WALK]
    assert (first["settings"], first["checkpoint"]) == (expected, "model_1.pt") and "clips_before" not in first
    assert second["clips_before"] == [WALK]


def test_the_sampler_of_other_clips_begins_anew():
    sampler, yes = StartSampler(torch.tensor([60, 60]), 20), torch.ones(4, dtype=torch.bool)
    sampler.record_visits(torch.arange(4), yes)
    sampler.record_failures(torch.arange(4), yes)
    sampler.clips.record(torch.tensor([0, 0, 1, 1]), torch.full((4,), 9), yes, yes)
    sampler.update()
    assert sampler.visits.any() and sampler.clips.has_episodes.all()
    sampler.forget()
    assert not sampler.visits.any() and not sampler.failures.any() and not sampler.clips.has_episodes.any()
