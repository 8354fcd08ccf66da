"""Where a looped clip lies."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from whole_body_tracking.motion import MotionLibrary, RawMotion, convert
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.mdp.reference.loop_placement import LoopPlacement, place, turn

pytestmark = pytest.mark.unit

BODIES = ("pelvis", "torso_link", "left_ankle_roll_link")
NUM_FRAMES = 51


@pytest.fixture(scope="module")
def library() -> MotionLibrary:
    """A quarter circle of radius 1 m at 50 fps, headed along its tangent, and the same turned the other way."""
    angle = np.linspace(0.0, math.pi / 2, NUM_FRAMES)
    clips = []
    for number, sign in enumerate((1.0, -1.0)):
        zero = np.zeros_like(angle)
        raw = RawMotion(
            fps=50.0,
            root_pos=np.stack((2.0 + np.sin(angle), 1.0 + sign * (1.0 - np.cos(angle)), zero + 0.8), axis=-1),
            root_quat=np.stack((zero, zero, sign * np.sin(angle / 2), np.cos(angle / 2)), axis=-1),
            joint_pos=np.tile(G1.default_joint_pos, (NUM_FRAMES, 1)),
            joint_names=G1.joint_names,
        )
        clips.append(dataclasses.replace(convert(raw, output_fps=50), name=f"arc{number}"))
    return MotionLibrary.from_clips(clips, body_names=BODIES)


def rounds(library: MotionLibrary, num_rounds: int) -> list:
    """First and last frame of each clip in consecutive rounds."""
    placement, clips = LoopPlacement(library, 0, 2), torch.arange(2)
    found = []
    for _ in range(num_rounds):
        ends = [library.state_at(clips, frame) for frame in (torch.zeros_like(clips), library.last_frames)]
        found.append([place(state, placement.quat, placement.shift) for state in ends])
        placement.advance(clips, torch.ones(2, dtype=torch.bool))
    return found


def test_each_round_begins_where_the_one_before_ended(library):
    found = rounds(library, 5)
    for before, after in zip(found, found[1:], strict=False):
        for key in ("body_pos_w", "body_quat_w"):
            end, begin = getattr(before[1], key), getattr(after[0], key)
            assert torch.allclose(end, begin, atol=2e-5) or torch.allclose(end, -begin, atol=2e-5), key


def test_four_quarter_circles_come_back(library):
    found = rounds(library, 5)
    assert torch.allclose(found[0][0].body_pos_w, found[4][0].body_pos_w, atol=5e-5)
    assert not torch.allclose(found[0][0].body_pos_w, found[2][0].body_pos_w, atol=1.0)


def test_velocities_turn_with_the_reference_and_heights_stay(library):
    first, second = rounds(library, 2)
    # After a quarter turn to the left, forward (x) is y: (vx, vy) becomes (-vy, vx).
    vel, turned = first[0].body_lin_vel_w[0, 0], second[0].body_lin_vel_w[0, 0]
    assert turned.tolist() == pytest.approx([-vel[1].item(), vel[0].item(), vel[2].item()], abs=1e-4)
    assert torch.allclose(first[0].body_pos_w[..., 2], second[0].body_pos_w[..., 2], atol=1e-5)


def test_reset_puts_an_env_back(library):
    placement = LoopPlacement(library, 0, 2)
    placement.advance(torch.arange(2), torch.ones(2, dtype=torch.bool))
    placement.reset(torch.tensor([1]))
    assert placement.shift[1].tolist() == [0.0, 0.0, 0.0] and placement.quat[1].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert placement.shift[0].norm() > 1.0


def test_next_round_of_a_preview_is_that_of_the_advance(library):
    placement, clips = LoopPlacement(library, 0, 2), torch.tensor([1, 0])
    quat, shift = placement.next_round(clips, torch.tensor([[False, True], [False, True]]))
    assert torch.equal(quat[:, 0], placement.quat)
    placement.advance(clips, torch.ones(2, dtype=torch.bool))
    assert torch.equal(quat[:, 1], placement.quat) and torch.equal(shift[:, 1], placement.shift)


def test_vectors_turn_with_the_reference():
    # A quarter turn to the left in the second row: x becomes y, y becomes -x, z stays.
    quat = torch.tensor([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)]])
    forces = torch.tensor([1.0, 2.0, 3.0]).expand(2, 2, 3)
    expected = torch.tensor([[1.0, 2.0, 3.0], [-2.0, 1.0, 3.0]])
    torch.testing.assert_close(turn(forces, quat), expected[:, None].expand(2, 2, 3))
    torch.testing.assert_close(turn(forces[:, 0], quat), expected)


def test_a_round_begun_in_inference_mode_can_be_reset_outside_of_it(library):
    placement, clips = LoopPlacement(library, 0, 2), torch.arange(2)
    with torch.inference_mode():
        placement.advance(clips, torch.ones(2, dtype=torch.bool))
    placement.reset(torch.tensor([1]))
    assert placement.shift[0].norm() > 1.0 and placement.shift[1].tolist() == [0.0, 0.0, 0.0]
