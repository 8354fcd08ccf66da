"""The gait tasks' configs: what they share with tracking, and what is refused before a simulator starts."""

from types import SimpleNamespace

import pytest
from isaaclab_tasks.utils import resolve_task_config
from small_refnn import save_small_refnn

from whole_body_tracking.rl import session
from whole_body_tracking.rl.cli import require_known_task
from whole_body_tracking.rl.learning.symmetry import require_mirror_images
from whole_body_tracking.rl.run.run_folder import keep_refnn
from whole_body_tracking.rl.session import name_refnn
from whole_body_tracking.tasks.gait.gait_env_cfg import check_gait
from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.task_reference import gait_cfg_of, motion_cfg_of

pytestmark = pytest.mark.unit
TASKS = {"Gait-Flat-G1-v0": "Tracking-Flat-G1-Residual-v0", "Gait-Flat-G1-Demo-v0": "Tracking-Flat-G1-Demo-v0"}


def resolved(task, play=False):
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=play, overrides=[])


@pytest.fixture
def env_cfg(tmp_path):
    env_cfg, _ = resolved("Gait-Flat-G1-Demo-v0")
    env_cfg.commands.motion.model_file = str(save_small_refnn(tmp_path / "refnn.npz"))
    return env_cfg


@pytest.mark.parametrize(("task", "tracking"), TASKS.items())
def test_terms_are_those_of_tracking_and_the_policy_sees_the_parameters(task, tracking):
    require_known_task(task)
    (gait, agent), (clips, _) = resolved(task), resolved(tracking)
    assert vars(gait.rewards).keys() == vars(clips.rewards).keys()
    for name, term in vars(clips.rewards).items():
        assert getattr(getattr(gait.rewards, name), "func", None) is getattr(term, "func", None), name
    ends = {name for name, term in vars(gait.terminations).items() if term is not None}
    assert ends == {"time_out", "anchor_pos", "anchor_ori", "ee_body_pos", "anchor_drift", "state_not_finite"}
    policy = [name for name, term in vars(gait.observations.policy).items() if hasattr(term, "func")]
    assert policy[-2:] == ["gait_params", "gait_phase"] and policy[0] == "command"
    assert action_center(gait) == "reference" and agent.experiment_name.startswith("g1_gait")
    assert motion_cfg_of(gait) is None and gait_cfg_of(gait) is gait.commands.motion
    assert gait_cfg_of(clips) is None and motion_cfg_of(clips) is clips.commands.motion


def test_play_starts_without_noise_at_the_touchdown():
    cfg, _ = resolved("Gait-Flat-G1-v0", play=True)
    motion = cfg.commands.motion
    assert (motion.pose_range, motion.joint_position_range, motion.random_phase) == ({}, (0.0, 0.0), False)
    assert cfg.episode_length_s == 10.0 and not hasattr(motion, "motion_files")


def test_a_good_network_is_accepted(env_cfg):
    env_cfg.commands.motion.fixed = {"speed": 0.5}
    check_gait(env_cfg)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model_file": ""}, ValueError, "--gait_model FILE"),
        ({"model_file": "nowhere.npz"}, FileNotFoundError, "RefNN nowhere.npz does not exist"),
        ({"fixed": {"pace": 1.0}}, ValueError, r"commands\.motion\.fixed.*pace"),
        ({"fixed": {"speed": 2.0}}, ValueError, r"speed 2\.0, and the RefNN was trained on 0\.1 to 0\.8 m/s"),
        ({"fixed": {"speed": float("nan")}}, ValueError, "speed nan"),
        ({"steered": ["velocity"]}, ValueError, r"commands\.motion\.steered.*velocity"),
        ({"change_interval": (3.0, 1.0)}, ValueError, "increasing positive times"),
        ({"body_names": ["left_hnad"]}, ValueError, "left_hnad"),
    ],
)
def test_a_wrong_value_is_refused(env_cfg, changes, error, message):
    for name, value in changes.items():
        setattr(env_cfg.commands.motion, name, value)
    with pytest.raises(error, match=message):
        check_gait(env_cfg)


def test_networks_of_another_robot_or_layout_are_refused(env_cfg, tmp_path):
    motion = env_cfg.commands.motion
    motion.model_file = str(save_small_refnn(tmp_path / "h1.npz", robot="h1"))
    with pytest.raises(ValueError, match=r"RefNN of h1 .* the robot is g1"):
        check_gait(env_cfg)
    motion.model_file = str(save_small_refnn(tmp_path / "bare.npz", num_examples=0))
    with pytest.raises(ValueError, match="carries no parameters"):
        check_gait(env_cfg)


def test_commands_that_need_clips_say_what_to_use_instead(env_cfg):
    with pytest.raises(ValueError, match=r"follows a RefNN and has no clips.*evaluate_expert\.py"):
        load_task_clips(env_cfg)


def test_the_network_is_the_given_one_or_that_of_the_run(env_cfg, tmp_path):
    """`refnn.npz` lies beside the checkpoint."""
    (tmp_path / "run").mkdir()
    keep_refnn(tmp_path / "run", env_cfg)
    kept = tmp_path / "run" / "refnn.npz"
    assert kept.read_bytes() == (tmp_path / "refnn.npz").read_bytes()
    (tmp_path / "run" / "model_5.pt").touch()
    _, agent_cfg = resolved("Gait-Flat-G1-v0")
    for checkpoint in (tmp_path / "run", tmp_path / "run" / "model_5.pt"):
        env_cfg.commands.motion.model_file = ""
        arguments = SimpleNamespace(task="Gait-Flat-G1-v0", gait_model=None, checkpoint=str(checkpoint))
        name_refnn(arguments, env_cfg, agent_cfg)
        assert env_cfg.commands.motion.model_file == str(kept)
    arguments.gait_model = "other.npz"
    name_refnn(arguments, env_cfg, agent_cfg)
    assert env_cfg.commands.motion.model_file.endswith("/other.npz")
    clips, agent_cfg = resolved("Tracking-Flat-G1-Residual-v0")
    with pytest.raises(ValueError, match="leave out --gait_model"):
        name_refnn(SimpleNamespace(task="Tracking-Flat-G1-Residual-v0", gait_model="other.npz"), clips, agent_cfg)


def test_latest_is_the_run_of_the_task_and_not_the_current_folder(env_cfg, tmp_path, monkeypatch):
    """It used to be looked for beside a file of the name `latest`."""
    (tmp_path / "run").mkdir()
    keep_refnn(tmp_path / "run", env_cfg)
    monkeypatch.setattr(session, "resolve_checkpoint", lambda args, agent_cfg: tmp_path / "run" / "model_5.pt")
    env_cfg.commands.motion.model_file = ""
    name_refnn(SimpleNamespace(task="Gait-Flat-G1-v0", gait_model=None, checkpoint="latest"), env_cfg, None)
    assert env_cfg.commands.motion.model_file == str(tmp_path / "run" / "refnn.npz")


def test_actions_about_joint_targets_are_refused_and_mirror_images_are_known(env_cfg):
    env_cfg.actions.joint_pos.center = "joint_target"
    with pytest.raises(ValueError, match="no joint_target"):
        check_gait(env_cfg)
    require_mirror_images(env_cfg)
