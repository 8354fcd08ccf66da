"""Tracking-MyoFullBody-v0 on a small body: clock, resets, rewards, and a PPO run that stops and goes on."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_human import small_human

from whole_body_tracking.human.motions.arm_raise import arm_raise
from whole_body_tracking.human.training.env import HumanEnvSettings, HumanTrackingEnv
from whole_body_tracking.human.training.job import HumanTrainingJob, newest, reference_of, train_human
from whole_body_tracking.human.training.runner import PpoSettings, evaluate
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint

pytestmark = pytest.mark.integration

SETTINGS = HumanEnvSettings(num_envs=4, num_threads=1)


@pytest.fixture(scope="module")
def body():
    return small_human()


@pytest.fixture(scope="module")
def reference(body):
    return reference_of(body, arm_raise(body, 50.0), SETTINGS)


@pytest.fixture
def env(body, reference):
    env = HumanTrackingEnv(body, reference, SETTINGS)
    yield env
    env.close()


def test_bodies_start_on_the_reference_and_are_rewarded_for_staying(env, reference):
    columns = slice(1, 1 + env.model.nq)
    torch.testing.assert_close(
        env._states[:, columns], torch.from_numpy(reference.states[env.frame.numpy()][:, columns])
    )
    before = env.frame.clone()
    observations, reward, done, _ = env.step(torch.zeros(4, env.num_actions))
    going = ~done
    assert torch.equal(env.frame[going], before[going] + 1)
    assert observations["policy"].shape == (4, observations["policy"].shape[1]) and reward.shape == (4,)
    assert reward[going].min() > 0.8  # one step from the reference, all kernels are near 1


def test_a_fallen_body_fails_and_starts_anew_alone(env):
    env._states[1, 3] -= 0.5  # the root's height
    frames = env.frame.clone()
    env.frame = torch.full_like(frames, 5)
    _, reward, done, extras = env.step(torch.zeros(4, env.num_actions))
    assert done[1] and not extras["time_outs"][1] and reward[1] <= 0.0
    assert not done[0] and env.frame[0] == 6 and env.episode_length_buf[1] == 0


@pytest.mark.parametrize(("shifted", "fails"), [(5, False), (6, True), (7, False)])
def test_a_step_is_compared_with_the_frame_that_it_was_to_reach(env, shifted, fails):
    bodies = env.reference.bodies
    pos_w = bodies.pos_w.clone()
    pos_w[shifted, :, 2] += 1.0
    env.reference = replace(env.reference, bodies=replace(bodies, pos_w=pos_w))
    env.frame = torch.full((4,), 5)
    env._states = env._reference_states[env.frame].clone()
    _, _, done, _ = env.step(torch.zeros(4, env.num_actions))
    assert bool(done.all()) is fails and bool(done.any()) is fails


def test_the_end_of_the_motion_is_no_failure(env, reference):
    env.frame = torch.full((4,), reference.num_frames - 2)
    env._states = env._reference_states[env.frame].clone()
    _, reward, done, extras = env.step(torch.zeros(4, env.num_actions))
    assert done.all() and extras["time_outs"].all() and reward.min() > 0.5
    assert env.frame.max() < reference.num_frames - 1


def test_actions_of_excitation_are_added_to_the_activations_and_stay_in_their_range(body, reference):
    env = HumanTrackingEnv(body, reference, replace(SETTINGS, action="excitations"))
    assert env.num_actions == body.model.nu
    assert env.excitation(torch.full((4, env.num_actions), 1e3)).max() == 1.0
    assert env.excitation(torch.full((4, env.num_actions), -1e3)).min() == 0.0
    wanted = env.reference.activation[env.frame + 1]
    assert torch.equal(env.excitation(torch.zeros(4, env.num_actions)), wanted.clamp(0, 1))
    env.close()


def test_actions_of_torque_move_their_joint(env, body):
    """The knee's muscles, which are strong, turn it the way that the action says; arms have no muscles."""
    assert env.num_actions == len(body.moved_names)
    knee = body.moved_names.index("left_knee")
    env.frame = torch.full((4,), 3)
    env._states = env._reference_states[env.frame].clone()
    env._states[:, 3] += 0.2  # in the air
    actions = torch.zeros(4, env.num_actions)
    actions[:, knee] = torch.tensor([-2.0, 0.0, 1.0, 2.0])
    before = env._states[:, env._joint_columns][:, knee].clone()
    env._simulate(env.excitation(actions))
    moved = (env._states[:, env._joint_columns][:, knee] - before).tolist()
    assert moved[0] < moved[1] < moved[2] < moved[3] and moved[3] - moved[1] > 0.005


def test_half_of_the_starts_are_at_the_first_frame(body, reference):
    env = HumanTrackingEnv(body, reference, replace(SETTINGS, num_envs=400))
    share = (env.frame == 0).float().mean().item()
    env.close()
    assert 0.4 < share < 0.6 and env.frame.max() > reference.num_frames // 2


def test_starts_are_pushed_by_at_most_so_much(body, reference):
    env = HumanTrackingEnv(body, reference, replace(SETTINGS, num_envs=64, push=0.3))
    columns = slice(1 + env.model.nq, 3 + env.model.nq)
    speed = (env._states - env._reference_states[env.frame])[:, columns].norm(dim=-1)
    env.close()
    assert 0.25 < speed.max() <= 0.3 and speed.min() < 0.1


def test_an_unknown_kind_of_action_is_refused():
    with pytest.raises(ValueError, match="--action is 'pose', expected one of torques, excitations"):
        HumanEnvSettings(action="pose")


def test_training_stops_goes_on_and_refuses(body, tmp_path):
    standing, folder = arm_raise(body, 50.0, 0.0), tmp_path / "run"
    motion = replace(standing, qpos=standing.qpos[:20])
    small = {"num_steps_per_env": 4, "hidden": (16,)}
    first = train_human(body, motion, HumanTrainingJob(folder, SETTINGS, PpoSettings(max_iterations=2, **small)))
    assert first["iterations"] == 2 and first["steps"] == 2 * 4 * 4
    assert newest(folder).name == "model_1.pt" and list(folder.glob("events.out.tfevents.*"))
    assert 0.0 < first["untrained"]["survived"] <= 1.0 and set(first["policy"]) == set(first["untrained"])
    with pytest.raises(ValueError, match="already holds a training"):
        HumanTrainingJob(folder, SETTINGS)
    again = HumanTrainingJob(folder, SETTINGS, PpoSettings(max_iterations=3, **small), resume=True)
    second = train_human(body, motion, again)
    assert second["iterations"] == 3 and second["steps"] == 3 * 4 * 4
    told = {"motion": "stand", "fps": 50.0, "num_frames": 20, "action": "torques"}
    assert load_checkpoint(newest(folder))["facts"] == told
    with pytest.raises(ValueError, match="was trained with motion stand, and here it is walk"):
        train_human(body, replace(motion, name="walk"), again)
    with pytest.raises(ValueError, match="was trained with action torques, and here it is excitations"):
        train_human(body, motion, replace(again, env=replace(SETTINGS, action="excitations")))
    wider = PpoSettings(max_iterations=4, num_steps_per_env=4, hidden=(8,))
    with pytest.raises(ValueError, match="does not fit the policy"):
        train_human(body, motion, HumanTrainingJob(folder, SETTINGS, wider, resume=True))


def test_an_evaluation_counts_from_the_first_frame(body, reference):
    alone = replace(SETTINGS, num_envs=1, random_starts=False)
    env = HumanTrackingEnv(body, reference, alone)
    row = evaluate(env, lambda obs: torch.zeros(1, env.num_actions))
    env.close()
    assert 0.0 < row["survived"] <= 1.0 and 0.0 < row["tracking"] <= row["survived"] + 1e-6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stand", "--num_envs", "0"], "--num_envs is 0, expected at least 1"),
        (["--stand", "--fps", "33"], "expected a whole number of physics steps of 2 ms"),
        (["--stand", "--action", "pose"], "--action is 'pose'"),
        (["--stand", "--max_minutes", "0"], "--max_minutes is 0, expected more than 0"),
        (["--stand", "--resume"], "--resume"),
    ],
)
def test_the_script_refuses_first(monkeypatch, capsys, tmp_path, arguments, message):
    package = type(sys)("musclemimic_models")
    package.get_xml_path = lambda name: Path(f"/nowhere/{name}.xml")
    monkeypatch.setitem(sys.modules, "musclemimic_models", package)
    script = Path(__file__).parents[2] / "scripts" / "muscle" / "train_human.py"
    monkeypatch.setattr(sys, "argv", [script.name, "--output_dir", str(tmp_path / "out"), *arguments])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(script), run_name="__main__")
    assert stop.value.code == 1 and not (tmp_path / "out").exists()
    assert message in capsys.readouterr().err
