"""A policy with modes in plain MuJoCo: what it observes in each, and which commands are refused."""

import numpy as np
import pytest
from g1_policies import export_zero_policy

from whole_body_tracking.export import ObservationTerm
from whole_body_tracking.export.clip_reference import TrainedClip
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.locomotion.command import CommandRanges, VelocityCommand
from whole_body_tracking.locomotion.modes import Mode, ModeCommand, clip_mode, phase_features
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE, DEFAULT_WALK_FILE
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.live_walk import LiveWalk, Steering
from whole_body_tracking.sim2sim.walking import Conditions, Walker, clip_of_mode, walk_by_command

pytestmark = pytest.mark.unit

MODES = (Mode("stand"), Mode("walk"), Mode("turn"), clip_mode("squat", 251, 0.588, 0.3))
RANGES = CommandRanges((-0.3, 1.0), (-0.3, 0.3), (-1.0, 1.0), (-3.0, 3.0), 1.0)
OBSERVATIONS = (ObservationTerm("velocity_commands", 3), ObservationTerm("mode", 4), ObservationTerm("mode_phase", 8))


@pytest.fixture(scope="module")
def policy_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("modes") / "policy.onnx"
    export_zero_policy(
        path,
        task="Velocity-Flat-G1-Modes-v0",
        observations=OBSERVATIONS,
        reference_in_graph=False,
        command_names=("base_velocity",),
        clips=(),
        velocity_ranges=RANGES,
        modes=MODES,
        trained_on=(TrainedClip("squat", MotionClip.load(DEFAULT_MOTION_FILE).digest),),
    )
    return path


def test_the_file_carries_the_modes(policy_path):
    import onnx

    assert load_policy(policy_path).spec.modes == MODES
    properties = {entry.key: entry.value for entry in onnx.load(policy_path).metadata_props}
    assert properties["modes"] == "stand,walk,turn,squat"


def test_a_policy_sees_its_mode_and_where_in_the_clip_it_is(policy_path, monkeypatch):
    walker, seen = Walker(load_policy(policy_path), G1), []
    build = walker._builder.build
    monkeypatch.setattr(walker._builder, "build", lambda now: seen.append(build(now)) or seen[-1])
    walker.start()
    squat = ModeCommand(mode="squat")
    for command in (squat, squat, ModeCommand(0.5, mode="walk"), squat, ModeCommand(heading=9.0, mode="stand")):
        walker.step(command)
    told, modes, phases = (np.array(seen)[:, part] for part in (slice(3), slice(3, 7), slice(7, 15)))
    assert modes.argmax(1).tolist() == [3, 3, 1, 3, 0] and (modes.sum(1) == 1.0).all()
    assert told[:, 0].tolist() == pytest.approx([0, 0, 0.5, 0, 0]) and not told[4].any()
    expected = [phase_features(frame, 251) for frame in (1, 2)]  # and again from the start after another mode
    np.testing.assert_allclose(phases, [*expected, np.zeros(8), expected[0], np.zeros(8)], atol=1e-6)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (ModeCommand(mode="dance"), "Unknown mode of policy.onnx: 'dance'. Known: stand, walk, turn, squat"),
        (VelocityCommand(0.5), "policy.onnx has modes: name one"),
        (ModeCommand(2.0, mode="walk"), "vx=2 m/s is outside of the range"),
    ],
)
def test_a_command_that_the_policy_does_not_know_is_refused(policy_path, tmp_path, command, said):
    with pytest.raises(ValueError, match=said):
        walk_by_command(policy_path, command, Conditions(), tmp_path)


def test_the_clip_to_measure_against_is_that_of_the_training(policy_path):
    spec, squat = load_policy(policy_path).spec, ModeCommand(mode="squat")
    assert clip_of_mode(DEFAULT_MOTION_FILE, squat, spec).num_frames == 251
    with pytest.raises(ValueError, match=r"walk.npz is not a clip that the policy was trained with: squat"):
        clip_of_mode(DEFAULT_WALK_FILE, squat, spec)
    for command in (ModeCommand(mode="walk"), VelocityCommand()):
        with pytest.raises(ValueError, match=r"is for a mode that performs a clip.*The policy has squat"):
            clip_of_mode(DEFAULT_MOTION_FILE, command, spec)


def test_a_page_changes_modes_and_judges_falls_by_them(policy_path):
    policy = load_policy(policy_path)
    steering = Steering(ModeCommand(0.4, mode="walk"), RANGES)
    walk = LiveWalk(Walker(policy, G1), steering)
    steering.set_mode("squat")
    assert steering.command == ModeCommand(0.4, mode="squat") and walk._fall_height() == pytest.approx(0.338)
    steering.set_mode("walk")
    assert steering.command.vx == 0.4 and walk._fall_height() == 0.5
