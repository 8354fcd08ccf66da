"""A controller walks by speed, cadence and turn rate: from standing to standing, as sim2sim does in between."""

import math
from dataclasses import replace

import numpy as np
import pytest
from deploy_samples import QUICK, stiff_policy, through_the_wire
from gait_controllers import GAIT, gait_policy, walking_robot

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.alignment import Alignment
from whole_body_tracking.deploy.control.gait_tracker import SLOW_START, GaitTracker
from whole_body_tracking.deploy.control.pose import Body
from whole_body_tracking.deploy.lockstep import advance
from whole_body_tracking.deploy.operators.choosing import longest_run
from whole_body_tracking.deploy.operators.script import Script
from whole_body_tracking.deploy.protocol.checks import state_inbox
from whole_body_tracking.deploy.recorded import load_run
from whole_body_tracking.deploy.scoring import score_recording
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.export.spec_metadata import spec_to_metadata
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.gait_walker import GaitWalker
from whole_body_tracking.sim2sim.observations import ObservationBuilder

pytestmark = [pytest.mark.unit, pytest.mark.integration]


@pytest.fixture(scope="module")
def policy():
    """All observations of the gait task."""
    return load_policy(gait_policy(estimated=True), follows_gait=True)


@pytest.fixture
def tracker(policy):
    return GaitTracker(policy, G1, GAIT, Body(G1, policy.spec))


def standing_state(tracker):
    """The robot in the frame that a walk begins in."""
    begun = GaitWalker(tracker.policy, G1)
    begun.start(tracker._slowest)
    return begun


@pytest.mark.integration
def test_observations_are_sim2sims(policy, tracker, monkeypatch):
    """Show every state of a walk in sim2sim to a controller through a message; how to walk changes on the way."""
    walker = standing_state(tracker)
    robot, inbox = SimulatedRobot(RobotOptions(gantry=False)), state_inbox(29)
    tracker.start(walker.simulation.state)
    tracker.alignment = Alignment()  # sim2sim starts in the walk's own frame, and not at rest
    seen, build = [], ObservationBuilder.build
    monkeypatch.setattr(ObservationBuilder, "build", lambda self, now: seen.append(build(self, now)) or seen[-1])
    for index in range(80):
        state = through_the_wire(robot, inbox, walker.simulation.state, tick=index)
        step = tracker.step(state, index + 1)
        walked = walker.step(tracker.gait)
        observed, expected = seen[-2:]
        for term in policy.spec.observations:
            place = policy.spec.observation_slice(term.name)
            np.testing.assert_allclose(observed[place], expected[place], atol=3e-6, err_msg=f"{term.name} {index}")
        np.testing.assert_allclose(step.targets, walked.targets, atol=3e-6)
    assert tracker.gait[0] == pytest.approx(GAIT["speed"])  # no longer the slowest


def test_a_walk_begins_slowly_and_follows_its_operator_without_a_jump(tracker):
    """The speed of the reference goes over by 1 - exp(-0.02 / 0.5) of the difference at every step."""
    state = standing_state(tracker).simulation.state
    tracker.start(state)
    first = math.ceil(SLOW_START / 0.02)
    speeds = []
    for frame in range(1, first + 30):
        tracker.step(state, frame)
        speeds.append(tracker._walk.params["speed"])
    assert speeds[: first - 1] == pytest.approx([0.1] * (first - 1), abs=1e-6)
    share = 1.0 - math.exp(-0.02 / 0.5)
    left = np.array([0.5 - speed for speed in speeds[first - 1 :]])
    np.testing.assert_allclose(left[2:] / left[1:-1], 1.0 - share, rtol=1e-4)
    tracker.wanted.change("turn_rate", 0.3)
    tracker.wanted.ask("speed", 9.0)  # the fastest is 0.8
    assert tracker.gait == pytest.approx([0.8, 100.0, 0.3])
    for frame in range(first + 30, first + 60):
        tracker.step(state, frame)
    (clip,) = tracker.followed()
    assert np.abs(np.diff(clip.joint_pos, axis=0)).max() < 0.002 and clip.num_frames == first + 60


def test_a_late_step_goes_on_with_the_walk_and_shows_its_action_where_the_file_takes_it(tracker):
    """The network is zero, so the action before is (reference - default) / scale, of the frame before the present."""
    state, spec = standing_state(tracker).simulation.state, tracker.spec
    tracker.start(state)
    tracker.step(state, 1)
    tracker.step(state, 4)
    step = tracker.step(state, 5)
    (clip,) = tracker.followed()
    assert clip.num_frames == 6 and step.frame == 5
    late = tracker.step(state, 9)
    before = tracker.followed()[0].joint_pos[8]
    expected = (before - np.array(spec.default_joint_pos)) / np.array(spec.action_scale)
    np.testing.assert_allclose(late.observation[spec.observation_slice("actions")], expected, atol=1e-4)


@pytest.mark.integration
def test_a_script_walks_stops_and_is_scored(tmp_path):
    """Stand, walk, slow down, stand, and again; both walks are in the recording."""
    controller, robot = walking_robot(is_walking=False)
    controller.damp()
    controller.passive()
    script, modes = Script(None, stand_seconds=0.1, hold_seconds=0.2, walk_seconds=2.0), []
    while not script.poll(controller):
        advance(controller, robot, 0.02)
        if not modes or modes[-1] != controller.mode:
            modes.append(controller.mode)
        assert robot.time < 12.0, modes
    assert modes == ["stand", "track", "hold", "stand"], controller.safety.trip
    assert controller.finished == ["walk"] and controller.safety.trip is None
    assert controller.track()
    advance(controller, robot, 0.6)
    controller.hold()
    assert controller.mode == "hold" and controller.track() and controller.mode == "track"  # it had not stopped yet
    advance(controller, robot, 0.2)
    controller.stop()
    controller.loop.recorder.save(tmp_path / "run.npz", {"trip": None})
    run = load_run(tmp_path / "run.npz")
    assert [track.clip.name for track in run.tracks] == ["walk_1", "walk_2"]
    assert set(run.tracks[1].rows) == set(range(run.tracks[1].clip.num_frames - 1))
    with np.load(tmp_path / "run.npz") as file:
        content = dict(file)
    content["tracking"][:3] = False  # a machine that was late for the first three steps
    np.savez(tmp_path / "late.npz", **content)
    first = load_run(tmp_path / "late.npz").tracks[0].rows
    assert [first[step] for step in range(4)] == [3.0, 3.0, 3.0, 4.0]
    assert run.arrays["gait"][-1] == pytest.approx([0.1, 100.0, 0.0])
    score = score_recording(tmp_path / "run.npz", output_dir=tmp_path)
    assert score.overall["success"] == 1.0 and score.overall["r_mpkpe"] < 0.06
    assert [row["name"] for row in score.per_track] == ["walk_1", "walk_2"]
    assert abs(score.per_track[0]["realised_speed"]) < 0.05 and abs(score.per_track[0]["reference_speed"]) < 0.05


@pytest.mark.integration
def test_a_walk_that_trips_damps_and_counts_as_a_failure(tmp_path):
    controller, robot = walking_robot()
    controller.safety.config = replace(controller.safety.config, self_collision=-1.0)
    robot.data.xfrc_applied[robot.model.body("torso_link").id, 0] = 250.0
    advance(controller, robot, 2.0)
    assert controller.safety.trip.name == "tilt" and controller.mode == "damp" and controller.finished == []
    controller.loop.recorder.save(tmp_path / "run.npz", {"trip": controller.safety.trip.message})
    assert score_recording(tmp_path / "run.npz", output_dir=tmp_path).overall["success"] == 0.0


def test_what_does_not_fit_is_refused_before_anything_is_sent(tmp_path):
    with pytest.raises(ValueError, match="tracks clips and takes no gait parameters: leave --gait out"):
        build_controller(stiff_policy(), gait=GAIT)
    with pytest.raises(ValueError, match=r"is a policy of the gait task.*--gait of run_policy\.py"):
        build_controller(gait_policy())
    for options in ({"motions": ["walk"]}, {"motion_file": "walk.npz"}):
        with pytest.raises(ValueError, match="leave --motion and --motion_file out"):
            build_controller(gait_policy(), gait=GAIT, **options)
    with pytest.raises(ValueError, match=r"speed is 1\.5, and the policy was trained on 0\.1 to 0\.8"):
        build_controller(gait_policy(), gait={"speed": 1.5})
    with pytest.raises(ValueError, match="turn_rate is nan"):
        build_controller(gait_policy(), gait={"turn_rate": math.nan})
    with pytest.raises(ValueError, match=r"Unknown gait parameter.*'pace'"):
        build_controller(gait_policy(), gait={"pace": 1.0})
    import onnx

    model = onnx.load(gait_policy())
    spec = load_policy(gait_policy(), follows_gait=True).spec
    onnx.helper.set_model_props(model, spec_to_metadata(replace(spec, gait_state_size=120)))
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"wrong\.onnx: its inputs are .*'state': 123.*'state': 120"):
        build_controller(wrong, gait=GAIT)


def test_a_clip_does_not_end_by_hand_and_a_run_has_a_length():
    controller, _ = walking_robot(is_walking=False)
    controller.hold()
    assert controller.mode == "stand"
    assert longest_run(controller, 10.0, 3.0) == 43.0 and longest_run(controller, None, 3.0) is None
    for seconds in (0.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="should be a positive number"):
            longest_run(controller, seconds, 3.0)
    assert QUICK.stop > 0.0
