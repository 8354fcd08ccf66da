"""Named per-frame arrays of a clip: through file, library, cut, resampling, time scaling and placement."""

import dataclasses
import json
import logging

import numpy as np
import pytest
import torch
from motion_samples import standing

from whole_body_tracking.motion import MotionClip, MotionLibrary, convert
from whole_body_tracking.motion.channels import Channel, declared_channels, register_channel
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.motion.conversion.resample import resample
from whole_body_tracking.motion.conversion.time_scaling import time_scaled
from whole_body_tracking.motion.sources.motion_entries import cut
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

NUM_FRAMES = 5
CHANNELS = {
    "joint_target": 100.0 * np.arange(NUM_FRAMES)[:, None] + np.arange(29),
    "root_residual": np.array([0.0, 0.1, 0.4, 0.9, 1.6]),
    "contact_forces": np.arange(NUM_FRAMES * 6.0).reshape(NUM_FRAMES, 2, 3),
    "contact_flags": np.array([[1, 1], [1, 0], [0, 0], [0, 1], [1, 1]]),
}


def clip_with(channels=CHANNELS, num_frames=NUM_FRAMES, fps=50.0, **fields) -> MotionClip:
    clip = convert(standing(num_frames, fps), output_fps=fps, robot=G1)
    return dataclasses.replace(clip, channels=channels, **fields)


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.WARNING)
    return caplog


# -- clip and file ---------------------------------------------------------------------------------------------------


def test_channels_are_plain_arrays_under_their_own_names(tmp_path):
    path = clip_with().save(tmp_path / "stand.npz")
    content = dict(np.load(path, allow_pickle=False))
    np.testing.assert_array_equal(content["joint_target"], CHANNELS["joint_target"])
    assert content["joint_target"].dtype == content["contact_flags"].dtype == np.float32
    assert json.loads(str(content["channels"]))["contact_flags"]["interpolation"] == "nearest"
    read = MotionClip.load(path)
    assert read.channels.keys() == CHANNELS.keys() and not read.extras
    for name, values in CHANNELS.items():
        np.testing.assert_array_equal(read.channels[name], values.astype(np.float32))
    assert read.digest == clip_with(channels={}).digest  # the motion is the same


def test_known_channels_need_no_declaration_in_the_file(tmp_path):
    path = clip_with(channels={}).save(tmp_path / "stand.npz")
    np.savez(path, **np.load(path), root_residual=CHANNELS["root_residual"])
    read = MotionClip.load(path)
    assert read.channel_declarations == {"root_residual": declared_channels()["root_residual"]}


def test_a_file_declares_channels_that_nobody_registered(tmp_path):
    declared = {"foot_phase": Channel("nearest")}
    clip = clip_with({"foot_phase": np.arange(5.0)}, channel_declarations=declared)
    read = MotionClip.load(clip.save(tmp_path / "stand.npz"))
    assert read.channel_declarations == declared and "foot_phase" not in declared_channels()


def test_unknown_arrays_survive_a_round_trip(tmp_path):
    """Also one that is called like an argument of numpy's own writer."""
    path = clip_with().save(tmp_path / "stand.npz")
    unknown = {"file": np.arange(3), "marker names": np.array(["left", "right"])}
    with np.load(path) as content:
        clip = dataclasses.replace(MotionClip.load(path), extras=unknown)
        again = MotionClip.load(clip.save(tmp_path / "again.npz"))
        assert set(np.load(tmp_path / "again.npz")) == {*content, *unknown}
    assert again.extras.keys() == unknown.keys() and again.channels.keys() == CHANNELS.keys()
    for name, values in unknown.items():
        np.testing.assert_array_equal(again.extras[name], values)
        assert again.extras[name].dtype == values.dtype


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"channels": {"joint_targets": np.zeros((5, 29))}}, "Unknown channel.*'joint_targets'.*Did you mean 'joint_t"),
        ({"channels": {"joint_target": np.zeros((5, 28))}}, r"joint_target has shape \[5, 28\].*29 joints"),
        ({"channels": {"root_residual": np.zeros(4)}}, r"root_residual has shape \[4\], expected one row.* 5 frames"),
        ({"channels": {"contact_forces": np.zeros((5, 2))}}, r"contact_forces has shape \[5, 2\], expected 3 numbers"),
        ({"channels": {"root_residual": np.full(5, np.nan)}}, "5 values that are not finite, the first in frame 0"),
        ({"extras": {"joint_pos": np.zeros(5)}}, r"cannot carry .*\['joint_pos'\]"),
        ({"extras": {"root_residual": np.zeros(5)}}, r"cannot carry .*\['root_residual'\]"),
    ],
)
def test_bad_channels_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(clip_with(), **fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "stand.npz: the text under 'channels' does not declare channels"),
        ('["root_residual"]', "does not declare channels"),
        ('{"root_residual": {"interpolation": "cubic"}}', "Unknown interpolation of a channel: 'cubic'. Known: linear"),
        ('{"gone": {"interpolation": "linear"}}', "Unknown channel declared in stand.npz: 'gone'"),
    ],
)
def test_bad_declarations_in_a_file_are_refused(tmp_path, text, message):
    path = clip_with(channels={}).save(tmp_path / "stand.npz")
    np.savez(path, **np.load(path), channels=np.array(text), root_residual=np.zeros(5))
    with pytest.raises(ValueError, match=message):
        MotionClip.load(path)


def test_a_name_is_declared_once():
    register_channel("contact_flags", Channel("nearest"))
    with pytest.raises(ValueError, match="'contact_flags' is already declared as .*nearest"):
        register_channel("contact_flags", Channel("linear"))


# -- changes of the motion -------------------------------------------------------------------------------------------


def test_cut_keeps_every_channel_of_the_range(logged):
    part = cut(clip_with(extras={"note": np.array("whole")}), 2, 4, name="part")
    assert part.channels.keys() == CHANNELS.keys() and not part.extras
    np.testing.assert_allclose(part.channels["root_residual"], [0.1, 0.4, 0.9])
    assert "unknown arrays ['note'] are dropped because it is cut" in logged.text


def test_another_rate_interpolates_as_declared_and_drops_joint_targets(logged):
    raw = dataclasses.replace(standing(NUM_FRAMES, fps=30.0), channels=CHANNELS, source={"file": "stand"})
    found = resample(raw, 60.0)
    # Frames 0, 0.5, 1, 1.5, ... of the input; halves go to the later flag.
    np.testing.assert_allclose(found.channels["root_residual"], [0, 0.05, 0.1, 0.25, 0.4, 0.65, 0.9, 1.25, 1.6])
    np.testing.assert_array_equal(found.channels["contact_flags"][:, 0], [1, 1, 1, 0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(found.channels["contact_forces"][1], np.arange(3.0, 9.0).reshape(2, 3))
    assert "joint_target" not in found.channels
    assert "stand: the channels ['joint_target'] are dropped because its frame rate or speed changes" in logged.text


def test_quaternions_between_frames_are_on_the_arc():
    turned = np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, np.sin(0.4), np.cos(0.4)]])  # 0 and 0.8 rad about z
    raw = standing(2, fps=10.0)
    declared = {"head_quat": Channel("spherical")}
    raw = dataclasses.replace(raw, channels={"head_quat": turned}, channel_declarations=declared)
    expected = [0.0, 0.0, np.sin(0.2), np.cos(0.2)]
    np.testing.assert_allclose(resample(raw, 20.0).channels["head_quat"][1], expected, atol=1e-12)


def test_another_speed_drops_forces_and_targets(logged):
    slow = time_scaled(clip_with(extras={"note": np.zeros(1)}), 0.5, "g1")
    # 5 frames at half the speed are 9; the flags hold at any speed.
    assert slow.num_frames == 9 and slow.channels.keys() == {"contact_flags"} and not slow.extras
    assert "['contact_forces', 'joint_target', 'root_residual'] are dropped because its speed changes" in logged.text
    assert "unknown arrays ['note']" in logged.text
    assert time_scaled(clip_with(), 1.0, "g1").channels.keys() == CHANNELS.keys()


def test_conversion_at_the_same_rate_reorders_joint_targets():
    order = np.arange(29)[::-1]
    raw = standing(NUM_FRAMES)
    raw = dataclasses.replace(
        raw,
        joint_pos=raw.joint_pos[:, order],
        joint_names=tuple(G1.joint_names[i] for i in order),
        channels={"joint_target": CHANNELS["joint_target"][:, order]},
    )
    found = convert(raw, output_fps=50, robot=G1).channels["joint_target"]
    np.testing.assert_array_equal(found, CHANNELS["joint_target"])


# -- library ---------------------------------------------------------------------------------------------------------


def library_of(*clips, kind=MotionLibrary, **arguments):
    if kind is CompactMotionLibrary:
        arguments["robot"] = G1
    return kind.from_clips(clips, joint_names=tuple(reversed(G1.joint_names)), body_names=["pelvis"], **arguments)


@pytest.mark.parametrize("kind", [MotionLibrary, CompactMotionLibrary])
def test_look_up_follows_clips_frames_and_joint_order(kind):
    other = {"joint_target": CHANNELS["joint_target"][:3] + 1000.0, "root_residual": np.zeros(3)}
    library = library_of(clip_with(), clip_with(other, num_frames=3), kind=kind)
    found = library.channel_at("joint_target", torch.tensor([0, 1, 1, 0]), torch.tensor([2, 1, 7, -1]))
    # Frame f of clip 0 holds 100 f + joint, clip 1 1000 more; frame 7 is clamped to 2, -1 to 0; joint 28 comes first.
    assert found[:, 0].tolist() == [228.0, 1128.0, 1228.0, 28.0] and found[:, 28].tolist() == [200.0, 1100, 1200, 0]
    assert library.channel_at("root_residual", torch.tensor([0]), torch.tensor([3])).tolist() == pytest.approx([0.9])


def test_clips_without_a_channel_are_named_or_masked():
    bare = dataclasses.replace(clip_with(channels={}), name="bare")
    library = library_of(clip_with(), bare)
    clip_ids, frames = torch.tensor([0, 1]), torch.tensor([1, 1])
    with pytest.raises(ValueError, match=r"1 of 2 clips lack the channel 'root_residual': \['bare'\]"):
        library.channel_at("root_residual", clip_ids, frames)
    values, stored = library.channel_where_stored("root_residual", clip_ids, frames)
    assert values.tolist() == pytest.approx([0.1, 0.0]) and stored.tolist() == [True, False]
    with pytest.raises(ValueError, match=r"Unknown channel of the motion library.*'torque'. Known: joint_target"):
        library.channel_at("torque", clip_ids, frames)


def test_only_the_channels_asked_for_take_memory():
    with_one, without = library_of(clip_with(), channels=["root_residual"]), library_of(clip_with(), channels=[])
    assert with_one.channels.keys() == {"root_residual"} and not without.channels
    assert with_one.num_bytes - without.num_bytes == NUM_FRAMES * 4
    with pytest.raises(
        ValueError, match=r"None of the 1 clips, \['clip'\], carries the channel 'torque'. Carried: \['jo"
    ):
        library_of(clip_with(), channels=["torque"])


def test_channels_of_one_name_have_one_shape():
    other = dataclasses.replace(clip_with({"contact_flags": np.zeros((5, 3))}), name="three_feet")
    with pytest.raises(ValueError, match=r"'contact_flags' has \[3\] numbers per frame.*three_feet, and \[2\]"):
        library_of(clip_with(), other)
