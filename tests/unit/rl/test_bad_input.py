"""What train, play and evaluate refuse, and that they do so before any simulator starts or any folder appears."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from isaaclab.utils import modifiers
from isaaclab.utils.modifiers import ModifierCfg

from whole_body_tracking.evaluation.evaluate import evaluate
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, DEFAULT_MOTION_FILE_25HZ, MotionClip
from whole_body_tracking.rl.experts.distilling import distil
from whole_body_tracking.rl.playing import play
from whole_body_tracking.rl.training import train

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("no_simulator")]

TASK = "Tracking-Flat-G1-v0"
OBSERVED = [
    "command", "motion_anchor_pos_b", "motion_anchor_ori_b", "base_lin_vel", "base_ang_vel", "joint_pos", "joint_vel",
    "actions",
]  # fmt: skip
"""What the policy of :data:`TASK` sees."""
COMMANDS = {"train": train, "play": play, "evaluate": evaluate}


@pytest.fixture(params=list(COMMANDS))
def command(request):
    return lambda *argv: run(COMMANDS[request.param], *argv)


@pytest.fixture
def train_with():
    """For what one function checks for all three, so that asking once is enough."""
    return lambda *argv: run(train, *argv)


def run(function, *argv: object) -> None:
    function(["--task", TASK, "--headless", *map(str, argv)])


def rewritten(path: Path, **changes) -> Path:
    with np.load(DEFAULT_MOTION_FILE) as file:
        arrays = {key: file[key] for key in file.files} | changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def checkpoint(path: Path, **changes) -> Path:
    networks = network(160, 512, 256, 128, 29)
    torch.save({"actor_state_dict": networks, "critic_state_dict": networks, "iter": 6} | changes, path)
    return path


def network(*widths: int) -> dict[str, torch.Tensor]:
    return {f"mlp.{2 * i}.weight": torch.zeros(n, m) for i, (m, n) in enumerate(itertools.pairwise(widths))}


# -- motions ---------------------------------------------------------------------------------------------------------


def test_missing_file(command):
    with pytest.raises(FileNotFoundError, match=r"walk\.npz does not exist\. Make clips .*csv_to_npz\.py"):
        command("--motion_file", "walk.npz")


def test_wrong_rate(train_with):
    with pytest.raises(ValueError, match=r"squat_25hz.*25.*50"):
        train_with("--motion_file", DEFAULT_MOTION_FILE_25HZ)


def test_rate_of_the_low_frequency_task(train_with):
    with pytest.raises(ValueError, match=r"squat.*50.*25"):
        train_with("--task", "Tracking-Flat-G1-Low-Freq-v0", "--motion_file", DEFAULT_MOTION_FILE)


def test_no_names(train_with, tmp_path):
    path = rewritten(tmp_path / "walk.npz", joint_names=None, body_names=None)
    with pytest.raises(ValueError, match=r"has no joint_names and body_names.*--layout"):
        train_with("--motion_file", path)


def test_another_robot(command, tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    joints = tuple(name.replace("wrist_yaw", "gripper") for name in clip.joint_names)
    dataclasses.replace(clip, joint_names=joints).save(tmp_path / "h1.npz")
    with pytest.raises(ValueError, match=r"h1.*left_wrist_yaw_joint"):
        command("--motion_file", tmp_path / "h1.npz")


def test_truncated(train_with, tmp_path):
    path = tmp_path / "walk.npz"
    path.write_bytes(DEFAULT_MOTION_FILE.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"walk\.npz is truncated"):
        train_with("--motion_file", path)


def test_pickled(train_with, tmp_path):
    path = rewritten(tmp_path / "walk.npz", joint_names=np.array(["a", None], dtype=object))
    with pytest.raises(ValueError, match=r"holds pickled Python objects.*refused"):
        train_with("--motion_file", path)


def test_registry_without_a_network(train_with, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    with pytest.raises(OSError, match=r"Downloading org/wandb-registry-motions/walk:latest needs.*--motion_file PATH"):
        train_with("--registry_name", "org/wandb-registry-motions/walk")


def test_file_and_registry_at_once(command):
    with pytest.raises(ValueError, match=r"either as --motion_file or as --registry_name"):
        command("--motion_file", "walk.npz", "--registry_name", "org/motions/walk")


# -- configs ---------------------------------------------------------------------------------------------------------


def test_misspelt_body(train_with):
    with pytest.raises(ValueError, match=r"body_names`: 'torso_lnk'\. Known: .*torso_link"):
        train_with("env.commands.motion.body_names=[pelvis,torso_lnk]")


def test_misspelt_anchor(train_with):
    with pytest.raises(ValueError, match=r"anchor_body_name`: 'torso'\. Known: .*torso_link"):
        train_with("env.commands.motion.anchor_body_name=torso")


def test_text_instead_of_a_list(train_with):
    with pytest.raises(ValueError, match=r"body_names` is the text 'pelvis', expected a list"):
        train_with("env.commands.motion.body_names=pelvis")


def test_misspelt_override(command):
    with pytest.raises(ValueError, match=r"below `env.commands.motion`: 'clipend'\..* Did you mean 'clip_end'\?"):
        command("env.commands.motion.clipend=hold")


def test_unknown_engine(train_with):
    with pytest.raises(ValueError, match=r"(?s)Unknown preset\(s\): bullet.*mujoco_cpu"):
        train_with("physics=bullet")


def test_unknown_task(command):
    with pytest.raises(ValueError, match=r"Unknown task: 'Tracking-Flat-G1-v9'.*Tracking-Flat-G1-Residual-v0.*-G1-v0"):
        command("--task", "Tracking-Flat-G1-v9")


def test_unknown_flag(command):
    with pytest.raises(ValueError, match=r"Unknown arguments: --motion_flie"):
        command("--motion_flie", "walk.npz")


def test_no_envs(command):
    with pytest.raises(ValueError, match=r"--num_envs is 0, expected at least 1"):
        command("--num_envs", 0)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--until", "0"], "--until is 0, expected more than 0 and at most 1"),
        (["--until", "1.5"], "at most 1"),
        (["--score_every", "5"], "--score_every is how often --until scores"),
        (["--until", "0.9", "--score_every", "0"], "--score_every is 0, expected at least 1 iteration"),
        (["--json", "scores.json"], "give --until SHARE, too"),
        (["--until", "0.9", "--json", "nowhere/scores.json"], "nowhere, the folder of scores.json, does not exist"),
    ],
)
def test_scores_that_cannot_be_had(train_with, flags, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train_with("--motion_file", DEFAULT_MOTION_FILE, *flags)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_device(command):
    with pytest.raises(ValueError, match=r"no CUDA device here for --device cuda:0\. Pass --device cpu"):
        command("--device", "cuda:0")


# -- checkpoints -----------------------------------------------------------------------------------------------------


def test_missing_checkpoint(command):
    with pytest.raises(FileNotFoundError, match=r"model_9\.pt does not exist"):
        command("--checkpoint", "model_9.pt")


def test_no_run_to_continue(command):
    with pytest.raises(FileNotFoundError, match=r"No run of Tracking-Flat-G1-v0 with a checkpoint in .*g1_flat"):
        command("--checkpoint", "latest")


def test_no_checkpoint_given():
    with pytest.raises(FileNotFoundError, match=r"contains no run with a checkpoint"):
        run(play)


def test_empty_run_folder(command, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(FileNotFoundError, match=r"contains no checkpoint named model_"):
        command("--checkpoint", tmp_path / "run")


def test_checkpoint_that_is_no_checkpoint(command, tmp_path):
    (tmp_path / "model_1.pt").write_text("hello")
    with pytest.raises(ValueError, match=r"model_1\.pt is not a readable checkpoint"):
        command("--checkpoint", tmp_path / "model_1.pt")


def test_truncated_checkpoint(command, tmp_path):
    path = checkpoint(tmp_path / "model_1.pt")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"model_1\.pt is not a readable checkpoint"):
        command("--checkpoint", path)


def test_checkpoint_without_a_policy(command, tmp_path):
    torch.save({"weights": torch.zeros(3)}, tmp_path / "model_1.pt")
    with pytest.raises(ValueError, match=r"model_1\.pt contains no policy"):
        command("--checkpoint", tmp_path / "model_1.pt")


class _Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_checkpoint_that_would_run_code(command, tmp_path):
    path, trace = checkpoint(tmp_path / "model_1.pt", infos=_Touch(tmp_path / "trace")), tmp_path / "trace"
    torch.load(path, weights_only=False)
    assert trace.exists()  # it does run code where that is allowed
    trace.rmdir()
    with pytest.raises(ValueError, match=r"model_1\.pt is not a readable checkpoint"):
        command("--checkpoint", path)
    assert not trace.exists()


def test_resuming_another_network(train_with, tmp_path):
    path = checkpoint(tmp_path / "model_1.pt", actor_state_dict=network(160, 64, 29))
    with pytest.raises(ValueError, match=r"actor layers of \[64\].*\[512, 256, 128\].*actor\.hidden_dims=\[64\]"):
        train_with("--checkpoint", path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action_kind": "residual"}, r"actions residual, here default_relative\. Use the task and the presets"),
        ({"control_dt": 0.04}, r"control period \[s\] 0\.04, here 0\.02"),
        ({"observations": ["command", "height_scan"]}, r"only there: height_scan; observed only here: .*base_lin_vel"),
        ({"observations": OBSERVED[::-1]}, r"observations in the order actions, joint_vel.*, here command"),
    ],
)
def test_checkpoint_of_another_task(command, tmp_path, changes, message):
    policy = {"task": "Some-Task-v0", "action_kind": "default_relative", "control_dt": 0.02, "observations": OBSERVED}
    policy |= changes
    policy["observations"] = [{"name": name} for name in policy["observations"]]
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "policy.json").write_text(json.dumps(policy))
    with pytest.raises(ValueError, match=rf"was trained on Some-Task-v0, .*{message}"):
        command("--checkpoint", checkpoint(tmp_path / "model_1.pt"))


def test_checkpoint_with_actions_about_something_else(tmp_path):
    """Told from the export beside it, and without that from the checkpoint itself."""
    from isaaclab_tasks.utils import resolve_task_config

    from whole_body_tracking.rl.checkpoint_fit import require_policy_of_task
    from whole_body_tracking.rl.runner import TrackingRunner

    env_cfg, _ = resolve_task_config("Tracking-Flat-G1-Residual-v0", "rsl_rl_cfg_entry_point", overrides=[])
    policy = {"task": "Some-Task-v0", "action_kind": "residual", "control_dt": 0.02}
    policy["observations"] = [{"name": name} for name in OBSERVED]
    (tmp_path / "exported").mkdir()
    described = tmp_path / "exported" / "policy.json"
    described.write_text(json.dumps(policy))
    require_policy_of_task(env_cfg, tmp_path / "model_1.pt")  # written before there was a choice: about the reference
    described.write_text(json.dumps(policy | {"action_center": "joint_target"}))
    with pytest.raises(ValueError, match="actions about joint_target, here reference"):
        require_policy_of_task(env_cfg, tmp_path / "model_1.pt")
    env_cfg.actions.joint_pos.center = "joint_target"
    require_policy_of_task(env_cfg, tmp_path / "model_1.pt")

    runner = SimpleNamespace(env=SimpleNamespace(unwrapped=SimpleNamespace(cfg=env_cfg)), _networks={})
    TrackingRunner._require_fit(runner, "model_1.pt", {"action_center": "joint_target"})
    for other in ({}, {"action_center": "reference"}):  # version 0.1 stored none and had no choice
        with pytest.raises(ValueError, match=r"about 'reference', this task .*joint_pos\.center=reference"):
            TrackingRunner._require_fit(runner, "model_1.pt", other)


def test_run_that_is_not_named_in_full(command):
    with pytest.raises(ValueError, match=r"'wandb:RUN_ID' is not the name of a W&B run\. Expected ORG/PROJECT/RUN_ID"):
        command("--wandb_path", "RUN_ID")


@pytest.mark.integration
def test_unreachable_wandb_run(train_with, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    with pytest.raises(OSError, match=r"checkpoint of wandb:org/project/abc failed.*--checkpoint PATH"):
        train_with("--wandb_path", "org/project/abc")


# -- videos ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "flags", "message"),
    [
        (train, [], r"Isaac Lab's recorder.*moviepy|films what a viewer.*--viz newton_gl"),
        (play, ["--video_env", 2], r"--video_env 2 is not one of the 2 envs"),
        (play, ["--video_length", 0], r"--video_length is 0 steps, expected at least 1"),
        (evaluate, ["--scenarios", "payload"], r"which --scenarios does not keep"),
    ],
)
def test_what_cannot_be_shown(tmp_path, function, flags, message):
    with pytest.raises(ValueError, match=message):
        run(function, "--checkpoint", checkpoint(tmp_path / "model_1.pt"), "--video", *flags)


# -- experts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [play, evaluate])
def test_experts_beside_a_checkpoint_are_refused(tmp_path, function):
    with pytest.raises(ValueError, match="either --experts or a checkpoint"):
        run(function, "--experts", tmp_path, "--checkpoint", checkpoint(tmp_path / "model_6.pt"))


@pytest.mark.parametrize("function", [play, evaluate, distil])
def test_a_missing_table_of_experts_is_refused(tmp_path, function):
    with pytest.raises(FileNotFoundError, match=r"gone/experts.yaml does not exist"):
        run(function, "--experts", tmp_path / "gone" / "experts.yaml")


def test_a_student_with_other_layers_is_not_trained_on(train_with, tmp_path):
    student = tmp_path / "model_6.pt"
    torch.save({"actor_state_dict": network(160, 64, 29), "iter": 6}, student)
    with pytest.raises(ValueError, match=r"actor layers of \[64\] units.*agent.actor.hidden_dims=\[64\]"):
        train_with("--checkpoint", student)


def test_play_flags_for_an_export_without_one():
    for flag in ("--clamp_targets", "--no_clips"):
        with pytest.raises(ValueError, match=rf"{flag}: only for exported files. Add --export DIR"):
            run(play, f"--task={TASK}", "--checkpoint", "latest", flag)


def test_experts_are_not_exported():
    with pytest.raises(ValueError, match=r"--export writes one policy.*distil.py"):
        run(play, f"--task={TASK}", "--experts", "experts.yaml", "--export", "out")


def test_an_observation_that_an_export_would_get_wrong(monkeypatch):
    """Modifiers are filters within Isaac Lab's manager; the exported graph would be fed unfiltered values."""
    from whole_body_tracking.rl import training

    real = training.resolve_configs

    def with_modifier(args):
        env_cfg, agent_cfg = real(args)
        env_cfg.observations.policy.joint_vel.modifiers = [ModifierCfg(func=modifiers.scale, params={"multiplier": 2})]
        return env_cfg, agent_cfg

    monkeypatch.setattr(training, "resolve_configs", with_modifier)
    with pytest.raises(ValueError, match=r"'joint_vel' has modifiers \(scale\).*joint_vel.modifiers"):
        run(train, f"--task={TASK}", "--max_iterations", 1)


def test_an_evaluation_on_ray_says_how_it_is_divided():
    pytest.importorskip("ray")
    for flags, message in (
        ([], r"--num_workers N"),
        (["--num_workers", 2, "--scenarios", "standard"], r"not --scenarios"),
        (["--num_workers", 2, "--device", "cpu"], r"--gpu_per_worker 0 for the CPU"),
    ):
        with pytest.raises(ValueError, match=message):
            run(evaluate, f"--task={TASK}", "--ray", "local", *flags)
