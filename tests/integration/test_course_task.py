"""Course-G1-v0 on two policies that stand stiffly: skills, clock, rewards, training, play and what is refused."""

import base64
import math
import re
import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import viser
import zstandard
from course_policies import exported, small_skills

from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.hierarchy.course import CourseSettings, way_to
from whole_body_tracking.hierarchy.env import CourseEnv, CourseEnvSettings
from whole_body_tracking.hierarchy.exported import require_same_robot
from whole_body_tracking.hierarchy.play.live_course import LiveCourse
from whole_body_tracking.hierarchy.play.page import CoursePage, open_page
from whole_body_tracking.hierarchy.play.playing import write_course_page
from whole_body_tracking.hierarchy.scripted import ScriptedSelector
from whole_body_tracking.hierarchy.skill_set import read_skills, require_steered
from whole_body_tracking.hierarchy.skills import SETTLE, WalkSkill
from whole_body_tracking.hierarchy.training import (
    SelectorJob,
    SelectorPpoSettings,
    make_selector,
    train_selector,
    trained_goals,
)
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.sim2sim.gait_walker import WalkingPolicy
from whole_body_tracking.viewer.scene import Stage

pytestmark = pytest.mark.integration

SCRIPTS = Path(__file__).parents[2] / "scripts" / "course"
WALK, STAND, SQUAT = 0, 1, 2
SHORT = CourseSettings(num_goals=2, seconds=5.0)
SETTINGS = CourseEnvSettings(num_envs=3, course=SHORT, num_threads=1, decision_steps=5)


@pytest.fixture(scope="module")
def shared_env():
    env = CourseEnv(small_skills(), SETTINGS)
    yield env
    env.close()


@pytest.fixture
def env(shared_env):
    shared_env.reset_all()
    return shared_env


def choose(env: CourseEnv, *skills: int) -> torch.Tensor:
    half = torch.full((env.num_envs,), 0.5)
    return env.actions_of(torch.tensor(skills), half, 0.0 * half)


def put_goals(env: CourseEnv, *points: tuple[float, float]) -> None:
    """Give all robots the same points, in the world."""
    everyone = torch.ones(env.num_envs, dtype=torch.bool)
    goals = torch.tensor(points).expand(env.num_envs, len(points), 2)
    env.course.reset(everyone, goals, torch.full((env.num_envs,), SQUAT))


def test_a_walk_of_many_robots_is_that_of_one(env):
    walk, single = env.skills[WALK], WalkingPolicy(small_skills().walk.onnx)
    assert isinstance(walk, WalkSkill)
    walk.start(torch.ones(3, dtype=torch.bool), env.robot)
    begun = single.start(walk.slowest.numpy())
    gait = env.steering.gait(torch.zeros(3, 2))
    for _ in range(3):
        np.testing.assert_allclose(walk.aim.joint_pos[1], single.frame.joint_pos, atol=1e-5)
        np.testing.assert_allclose(walk.aim.anchor_pos[1], single.frame.body_pos_w[single.anchor], atol=1e-5)
        assert float(walk.phase[1]) == pytest.approx(single.phase, abs=1e-6)
        targets = walk.act(env.robot, gait)  # the network is zero: targets are the pose aimed at, wherever the robot is
        np.testing.assert_allclose(targets[1], single.frame.joint_pos, atol=1e-5)
        single.advance()
    assert np.abs(begun.joint_pos - single.frame.joint_pos).max() > 1e-4


def test_a_walk_is_left_at_a_slow_touchdown_alone(env):
    walk = env.skills[WALK]
    walk.start(torch.ones(3, dtype=torch.bool), env.robot)
    names, places = list(PARAMETERS), {"phase": len(PARAMETERS) + 1 + 8 + 29}
    state = walk._state.clone()
    state[:, places["phase"]] = 0.001
    walk._state, walk.slows_down = state, torch.tensor([True, False, True])
    walk._state[2, names.index("speed")] = 0.3
    assert walk.can_end.tolist() == [True, False, False]  # told to and slow; not told to; too fast
    walk._state[:, places["phase"]] = 0.2
    assert not walk.can_end.any()


def test_a_clip_settles_runs_and_holds_its_last_pose(env):
    squat, everyone = env.skills[SQUAT], torch.ones(3, dtype=torch.bool)
    squat.start(everyone, env.robot)
    settle, last = round(SETTLE / 0.02), squat.clip.num_frames - 1
    for step in range(settle + last + 3):
        assert int(squat.frame[0]) == min(max(1, step - settle + 1), last)
        assert bool(squat.can_end[0]) is (step >= settle + last)
        assert float(squat.progress[0]) == pytest.approx(min(1.0, max(0.0, (step - settle) / last)))
        targets = squat.act(env.robot, torch.zeros(3, 3))
        np.testing.assert_allclose(targets[0], squat.table.joint_pos[min(max(1, step - settle + 1), last)], atol=1e-5)
    assert (squat.aim.joint_vel == 0.0).all()


def test_robots_stand_when_nothing_else_is_wanted(env):
    before = env.robot.root_pos
    _, reward, done, extras = env.step(choose(env, STAND, STAND, STAND))
    assert not done.any() and not extras["time_outs"].any()
    assert (env.robot.root_pos - before).norm(dim=-1).max() < 0.02
    assert reward.abs().max() < 0.05  # the penalty of time, and hardly a movement


def test_a_step_towards_the_point_is_paid_in_metres(env):
    put_goals(env, (2.0, 0.0), (3.0, 0.0))
    start = way_to(env.robot, env.course.goal())[0]
    total = torch.zeros(3)
    for _ in range(3):
        total += env.step(choose(env, STAND, STAND, STAND))[1]
    nearer = start - way_to(env.robot, env.course.goal())[0]
    torch.testing.assert_close(total, nearer - 3 * env.cfg.time_penalty, atol=1e-5, rtol=0.0)


def test_points_then_the_clip_finish_a_course(env):
    x, y = env.robot.root_pos[0, :2].tolist()
    put_goals(env, (x, y), (x + 0.1, y))
    rewards, finished = torch.zeros(3), torch.zeros(3, dtype=torch.bool)
    for _ in range(23):  # 1 s until the robots may stop standing, 0.5 s to settle, 29 frames: 104 steps of 115
        going = ~finished
        _, reward, done, extras = env.step(choose(env, SQUAT, SQUAT, STAND))
        rewards += going * reward
        finished = finished | extras["finished"]
        assert torch.equal(done, extras["finished"])
    assert finished.tolist() == [True, True, False]
    # Two points of 1, the clip's 2 spread over it and 2 at its end, and 0.01 for each decision.
    assert rewards[0] == pytest.approx(2.0 + 4.0 - 0.21, abs=0.15) and rewards[2] == pytest.approx(2.0 - 0.23, abs=0.15)


def test_a_fallen_robot_fails_and_starts_anew_alone(env):
    env.step(choose(env, STAND, STAND, STAND))
    env.simulation.states[1, 3] += 0.5  # the root's height
    env.robot = env.simulation.batch
    _, reward, done, extras = env.step(choose(env, STAND, STAND, STAND))
    assert done.tolist() == [False, True, False] and extras["fell"].tolist() == [False, True, False]
    assert reward[1] < -2.5 and not extras["time_outs"].any()
    assert env.episode_length_buf.tolist() == [2, 0, 2] and env.robot.root_pos[1].norm() < 0.8


def test_time_ends_a_course_without_failure(env):
    env.episode_length_buf[:] = env.max_episode_length - 1
    _, _, done, extras = env.step(choose(env, STAND, STAND, STAND))
    assert done.all() and extras["time_outs"].all() and not extras["fell"].any()


def test_actions_choose_skill_speed_and_turn(env):
    actions = torch.tensor(
        [[0.1, 0.3, 0.2, -1.0, 0.0], [3.0, 0.0, 0.0, 9.0, -9.0], [math.nan, 0.1, 0.0, math.nan, 1.0]]
    )
    wish = env.wish_of(actions)
    assert wish.skill.tolist() == [STAND, WALK, STAND]
    # Speed 0.1 to 0.8, cadence 80 to 130 of which three quarters are used, turn rate -0.4 to 0.4.
    wanted = torch.tensor([[0.1, 80.0, 0.0], [0.8, 117.5, -0.4], [0.45, 98.75, 0.4]])
    torch.testing.assert_close(wish.gait, wanted)


def test_the_scripted_selector_steers_by_hand(env):
    heading = 0.0  # robots start along x, up to the yaw of the clip's first frame
    twist = env.robot.root_quat
    heading = 2.0 * math.atan2(float(twist[0, 2]), float(twist[0, 3]))
    x, y = env.robot.root_pos[0, :2].tolist()
    put_goals(env, (x + 2.0 * math.cos(heading + 0.5), y + 2.0 * math.sin(heading + 0.5)), (9.0, 9.0))
    wish = env.wish_of(ScriptedSelector(env)(env.get_observations()))
    assert wish.skill[0] == WALK
    assert float(wish.gait[0, 2]) == pytest.approx(0.4)  # 1.5 * 0.5 rad is beyond the limit
    assert float(wish.gait[0, 0]) == pytest.approx(0.6, abs=1e-3)  # 0.8 * 0.4 * 2 / (2 sin 0.5) = 0.667: top speed
    env.course.reached[:] = 2
    assert env.wish_of(ScriptedSelector(env)(None)).skill.tolist() == [SQUAT] * 3


def test_training_stops_goes_on_refuses_and_is_played(tmp_path):
    skills, folder = small_skills(), tmp_path / "run"
    small = {"num_steps_per_env": 2, "hidden": (8,)}
    settings = replace(SETTINGS, course=replace(SHORT, num_goals=1))
    job = SelectorJob(folder, settings, SelectorPpoSettings(max_iterations=1, **small), imitated=2, runs=1)
    first = train_selector(skills, job)
    assert first["iterations"] == 1 and first["decisions"] == 1 * 2 * 3 and first["imitation_error"] < 0.2
    scripted = first["scripted"]  # its walk stays where it is
    assert scripted["runs"] == scripted["out_of_time"] == 1 and scripted["finished"] == scripted["fell"] == 0
    assert scripted["seconds_median"] is None and set(first["policy"]) == set(scripted)
    with pytest.raises(ValueError, match="already holds a training"):
        SelectorJob(folder, settings)
    again = replace(job, ppo=SelectorPpoSettings(max_iterations=2, **small), resume=True, imitated=0, runs=0)
    assert train_selector(skills, again)["decisions"] == 2 * 2 * 3
    # At first the critic learns alone, and the statistics stay those of the imitation.
    before, after = (load_checkpoint(folder / f"model_{number}.pt") for number in (0, 1))
    same = {
        name: all(torch.equal(value, after[name][key]) for key, value in before[name].items())
        for name in ("actor_state_dict", "critic_state_dict")
    }
    assert same == {"actor_state_dict": True, "critic_state_dict": False}
    env = CourseEnv(skills, settings)
    actions = make_selector(str(folder), env)(env.get_observations())
    assert actions.shape == (3, 5)
    assert trained_goals(str(folder)) == 1 and trained_goals("scripted") is None
    env.cfg = replace(settings, course=SHORT)
    with pytest.raises(ValueError, match="was trained with num_goals 1, and here it is 2"):
        make_selector(str(folder), env)
    env.cfg = settings
    env.names = ["walk", "stand", "bow"]
    with pytest.raises(ValueError, match=r"trained with skills \['walk', 'stand', 'squat'\], and here it is"):
        make_selector(str(folder), env)
    env.close()


def test_a_live_course_takes_goals_performs_and_stands(tmp_path):
    alone = CourseEnv(small_skills(), replace(SETTINGS, num_envs=1))
    course = LiveCourse(alone, ScriptedSelector(alone))
    assert not course.add_goal(math.nan, 0.0) and "no place" in course.message
    x, y = alone.robot.root_pos[0, :2].tolist()
    assert course.add_goal(x, y) and course.add_goal(x + 0.1, y) and not course.add_goal(0.0, 0.0)
    with pytest.raises(ValueError, match="Unknown clip to perform: 'dance'. Known: squat"):
        course.choose("dance")
    for _ in range(110):
        course.advance()
    assert course.num_finished == 1 and not course.is_on and course.points == [] and course.num_falls == 0
    course.perform()
    while alone.names[int(alone.switcher.active)] != "squat":
        course.advance()
    course.perform()  # again while it drives: to its end in 54 steps, 50 of standing, and 54 of the clip anew
    for _ in range(160):
        course.advance()
    assert course.num_finished == 2 and not course.is_on
    assert course.add_goal(x, y)
    page = write_course_page(tmp_path / "course.html", course, seconds=0.1).read_text()
    data = base64.b64decode(re.search(r'__VISER_EMBED_DATA__="([^"]+)"', page)[1])
    assert b"/world/goal_0" in zstandard.ZstdDecompressor().decompressobj().decompress(data[8:])
    course.perform()
    open_page(course, port=8765, max_steps=4)
    assert course.is_on and "**" in course.describe()
    course.stop()
    alone.simulation.states[0, 3] += 0.5
    alone.robot = alone.simulation.batch
    course.advance()
    assert course.num_falls == 1 and alone.robot.root_pos[0].norm() < 1.0
    alone.close()


def test_a_click_on_the_ground_is_a_goal():
    stage = SimpleNamespace(_world=SimpleNamespace(position=np.array([-1.0, 2.0, 0.0])))
    # From 2 m up, half as far sideways as down: 1 m to the right of it, in a world that was moved by (-1, 2).
    point = Stage.ground_point(stage, np.array([0.5, 0.0, 2.0]), np.array([0.5, 0.0, -1.0]))
    assert point == pytest.approx((0.5 + 1.0 + 1.0, -2.0))
    assert Stage.ground_point(stage, np.zeros(3), np.array([1.0, 0.0, 0.1])) is None
    server = viser.ViserServer(host="127.0.0.1", port=8766, verbose=False)
    alone = CourseEnv(small_skills(), replace(SETTINGS, num_envs=1))
    course = LiveCourse(alone, ScriptedSelector(alone))
    page = CoursePage(server, course)
    x, y = alone.robot.root_pos[0, :2].tolist()  # the camera follows the robot: it is at the origin of the page
    page._click(SimpleNamespace(ray_origin=(1.0, 0.0, 3.0), ray_direction=(0.0, 0.0, -1.0)))
    assert course.points == []  # clicks act when the loop asks
    page.act()
    page.show()
    assert course.points == [pytest.approx((x + 1.0, y), abs=1e-3)] and course.is_on
    assert [mark.visible for mark in page._marks] == [True, False]
    page._click(SimpleNamespace(ray_origin=(0.0, 0.0, 1.0), ray_direction=(1.0, 0.0, -0.02)))  # near the horizon
    page.act()
    assert len(course.points) == 1 and "50 m away: click within 10 m" in course.message
    server.stop()
    alone.close()


def test_policies_that_do_not_go_together_are_refused(tmp_path):
    walk, squat = exported()
    with pytest.raises(ValueError, match="is a policy of the gait task"):
        read_skills(walk, [walk])
    with pytest.raises(ValueError, match="takes no gait parameters"):
        read_skills(squat, [squat])
    with pytest.raises(ValueError, match=r"Two skills are called \['squat'\]"):
        read_skills(walk, [squat, squat])
    first = small_skills().walk
    other = SimpleNamespace(path="other.onnx", spec=replace(first.spec, joint_damping=(1.0,) * 29))
    with pytest.raises(ValueError, match="other.onnx: `joint_damping` is"):
        require_same_robot([first, other])
    straight = replace(first.spec, gait_inputs=("speed",), gait_low=(0.1,), gait_high=(0.8,))
    with pytest.raises(ValueError, match=r"takes \['speed'\], and a walk to goals needs \['turn_rate'\]"):
        require_steered(straight, "walk.onnx")
    shutil.copy(squat, tmp_path)
    with pytest.raises(FileNotFoundError, match="policy.pt does not exist"):
        read_skills(walk, [tmp_path / "policy.onnx"])
    shutil.copy(walk.with_suffix(".pt"), tmp_path)
    with pytest.raises(ValueError, match="are of different policies"):
        read_skills(walk, [tmp_path / "policy.onnx"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--goals", "nan,0"], "--goals has 'nan,0'"),
        (["--goals", "1,0", "-1,0.5", "-2,", "--seconds", "9"], "--goals has '-2,'"),
        (["--goals", "1,0", "1,1", "2,2", "3,3"], "--goals has 4 points, expected 3 at most"),
        (["--clip", "dance"], "Unknown clip to perform: 'dance'. Known: squat"),
        (["--selector", "nowhere.pt"], "There is no selector nowhere.pt"),
        (["--output", "run.html"], "--output runs the points of --goals"),
        (["--seconds", "nan"], "--seconds is nan, expected 5 to 600"),
    ],
)
def test_play_refuses_first(monkeypatch, capsys, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run_script(monkeypatch, "play_course.py", *arguments) == 1
    assert message in capsys.readouterr().err


def test_play_writes_a_page(monkeypatch, capsys, tmp_path):
    page = tmp_path / "run.html"
    run_script(monkeypatch, "play_course.py", "--goals", "0.1,0", "--output", str(page), "--seconds", "5")
    assert page.stat().st_size > 10_000 and "Course, then squat" in page.read_text()
    assert "falls: 0" in capsys.readouterr().out


def run_script(monkeypatch, name: str, *arguments: str) -> int:
    """Exit status of a script with the two policies."""
    walk, squat = exported()
    given = ["--gait_policy", str(walk), "--clip_policies", str(squat), *arguments]
    monkeypatch.setattr(sys, "argv", [name, *given])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
    return stop.value.code
