"""Which clip and frame each env is at."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whole_body_tracking.motion import MotionState
from whole_body_tracking.tasks.tracking.mdp.reference.clip_clock import ClipClock
from whole_body_tracking.tasks.tracking.mdp.reference.holding import at_rest
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

pytestmark = pytest.mark.unit

END_MODES = ["truncate", "resample", "hold", "loop"]


def restart(clock: ClipClock, sampler: StartSampler, env_ids: torch.Tensor) -> None:
    if len(env_ids):
        clip_ids, frames = sampler.sample(len(env_ids))
        clock.start(env_ids, clip_ids, frames)


@pytest.mark.integration
@pytest.mark.parametrize("clip_end", END_MODES)
@given(lengths=st.lists(st.integers(2, 90), min_size=1, max_size=8), seed=st.integers(0, 2**31))
@settings(max_examples=5, deadline=None)
def test_no_index_ever_leaves_its_clip(clip_end, lengths, seed):
    """Five libraries of 50 envs and 200 steps in each end mode: 5 x 10^4 steps of an env, starts at random."""
    torch.manual_seed(seed)
    num_frames = torch.tensor(lengths)
    clock, sampler = ClipClock(num_frames, 50, clip_end), StartSampler(num_frames, frames_per_bin=20)
    restart(clock, sampler, torch.arange(50))
    ahead = torch.arange(1, int(num_frames.min()))
    for _ in range(200):
        before, moving = clock.frames.clone(), torch.rand(50) < 0.9
        passed = clock.advance(moving)
        last = num_frames[clock.clip_ids] - 1
        assert ((clock.frames >= 1) & (clock.frames <= last)).all()
        stayed = ~passed
        assert torch.equal(clock.frames[stayed], (before + moving.long())[stayed])
        if len(ahead):
            frames, _ = clock.ahead(ahead)
            assert ((frames >= 1) & (frames <= last[:, None])).all()
        again = passed if clip_end == "resample" else clock.frames >= last if clip_end == "truncate" else passed & False
        restart(clock, sampler, (again | (torch.rand(50) < 0.02)).nonzero().flatten())


def walked(clip_end: str, num_steps: int) -> list[int]:
    clock = ClipClock(torch.tensor([4]), 1, clip_end)
    clock.start(torch.tensor([0]), torch.tensor([0]), torch.tensor([0]))
    frames = []
    for _ in range(num_steps):
        clock.advance(torch.tensor([True]))
        frames.append(int(clock.frames))
    return frames


def test_loop_goes_on_with_the_frame_after_the_first():
    """Frame 0 lies where the last one was, so a round of 4 frames has 3 steps."""
    assert walked("loop", 8) == [2, 3, 1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("clip_end", ["truncate", "hold"])
def test_other_modes_stay_at_the_end(clip_end):
    assert walked(clip_end, 5) == [2, 3, 3, 3, 3]


def test_preview_of_a_loop_says_what_lies_in_the_next_round():
    clock = ClipClock(torch.tensor([6]), 1, "loop")
    clock.start(torch.tensor([0]), torch.tensor([0]), torch.tensor([2]))
    frames, passed = clock.ahead(torch.tensor([1, 2, 3, 5]))
    assert frames.tolist() == [[4, 5, 1, 3]] and passed.tolist() == [[False, False, True, True]]


def test_preview_of_other_modes_holds_the_last_frame():
    clock = ClipClock(torch.tensor([6]), 1, "truncate")
    clock.start(torch.tensor([0]), torch.tensor([0]), torch.tensor([2]))
    frames, passed = clock.ahead(torch.tensor([1, 2, 3, 5]))
    assert frames.tolist() == [[4, 5, 5, 5]] and passed.tolist() == [[False, False, True, True]]


@pytest.mark.parametrize("clip_end", ["truncate", "hold"])
def test_the_last_frame_is_held_from_its_second_time_on(clip_end):
    """A clip of 4 frames started at 0 aims at 1, 2, 3 and is held from then on; a new start ends that."""
    clock, env_ids = ClipClock(torch.tensor([4]), 1, clip_end), torch.tensor([0])
    clock.start(env_ids, env_ids, env_ids)
    held = []
    for _ in range(4):
        clock.advance(torch.tensor([True]))
        held.append((int(clock.frames), bool(clock.is_held)))
    assert held == [(2, False), (3, False), (3, True), (3, True)]
    clock.advance(torch.tensor([False]))
    assert bool(clock.is_held)
    clock.start(env_ids, env_ids, env_ids)
    assert not clock.is_held


def test_a_loop_is_never_held():
    clock, env_ids = ClipClock(torch.tensor([3]), 1, "loop"), torch.tensor([0])
    clock.start(env_ids, env_ids, env_ids)
    for _ in range(6):
        clock.advance(torch.tensor([True]))
        assert not clock.is_held


def test_held_poses_have_no_velocities_and_others_keep_theirs():
    pos, quat, vel = torch.rand(2, 3, 3), torch.rand(2, 3, 4), torch.rand(2, 3, 3) + 1.0
    state = MotionState(torch.rand(2, 5), torch.rand(2, 5) + 1.0, pos, quat, vel, vel + 1.0)
    found = at_rest(state, torch.tensor([False, True]))
    for name in ("joint_vel", "body_lin_vel_w", "body_ang_vel_w"):
        assert torch.equal(getattr(found, name)[0], getattr(state, name)[0])
        assert not getattr(found, name)[1].any()
    assert torch.equal(found.joint_pos, state.joint_pos) and torch.equal(found.body_pos_w, pos)
