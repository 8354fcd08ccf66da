"""A score of a policy, of envs whose robots are where they are put; without a simulator."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from whole_body_tracking.rl.learning.scoring import Scorer
from whole_body_tracking.tracking.criteria import SMALL_PERTURBATION
from whole_body_tracking.tracking.errors import BodyState

pytestmark = pytest.mark.unit

NUM_STEPS = 3


class Motion:
    """A reference that moves forward by a metre a frame."""

    anchor_idx, device = 0, "cpu"

    def __init__(self, num_envs: int, num_clips: int):
        self.num_envs, self.library = num_envs, SimpleNamespace(num_clips=num_clips)
        self.cfg = SimpleNamespace(**dict.fromkeys(SMALL_PERTURBATION))
        self.sampler = SimpleNamespace(frozen=False, update=lambda: None)
        self.clock = SimpleNamespace(last=torch.full((num_envs,), NUM_STEPS))
        self.frame, self.fixed_start, self.robot_bodies = 1, None, None

    def bodies(self, lag: float = 0.0) -> BodyState:
        """Two bodies at a height that grows with the frame: placing the reference on the robot leaves heights alone."""
        pos = torch.zeros(self.num_envs, 2, 3)
        pos[..., 2] = self.frame - lag
        quat = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(self.num_envs, 2, 4)
        return BodyState(pos, quat, torch.zeros_like(pos), torch.zeros_like(pos))

    @property
    def reference_bodies(self) -> BodyState:
        return self.bodies()


class Env:
    """A task with one tracking reward, in whose steps robots get as far as ``lag`` below the frame aimed at."""

    device, common_step_counter = "cpu", 7

    def __init__(self, num_envs: int, num_clips: int, lag: float):
        self.num_envs, self.lag, self.unwrapped = num_envs, lag, self
        self.motion = Motion(num_envs, num_clips)
        self.command_manager = SimpleNamespace(active_terms=["motion"], get_term=lambda name: self.motion)
        self.reward_manager = SimpleNamespace(
            active_terms=["motion_body_pos"],
            get_term_cfg=lambda name: SimpleNamespace(weight=2.0),
            _step_reward=torch.full((num_envs, 1), 1.0),
        )
        self.termination_manager = SimpleNamespace(terminated=torch.zeros(num_envs, dtype=torch.bool))
        self.played: list[list[int]] = []

    def reset(self) -> None:
        self.motion.frame = 1
        if self.motion.fixed_start is not None:
            self.played.append(self.motion.fixed_start[0].tolist())

    def get_observations(self) -> None: ...

    def step(self, actions):
        self.motion.robot_bodies = self.motion.bodies(self.lag)
        dones = torch.full((self.num_envs,), int(self.motion.frame == NUM_STEPS))
        # a clip with an odd number fails in its last step
        odd = torch.tensor(self.played[-1]) % 2 == 1
        self.termination_manager.terminated = odd & (dones > 0)
        self.motion.frame += 1  # the command goes on to the next frame within the step
        return None, None, dones, {}


@pytest.mark.parametrize("lag", [0.0, 0.25])
def test_the_distance_is_to_the_frame_that_a_step_should_reach(lag):
    """A robot that is there is off by nothing; one that is 25 cm too low by 25 cm, not by 75."""
    env = Env(num_envs=2, num_clips=1, lag=lag)
    found = Scorer(env, lambda obs: None).score()
    assert found.r_mpkpe_cm == pytest.approx(100.0 * lag, abs=1e-4)
    assert (found.finished, found.rollouts, found.tracking) == (2, 2, 0.5)


def test_more_clips_than_envs_are_played_in_rounds():
    """Five clips by two envs: three rounds, clip 0 twice; clips 1 and 3 fail."""
    env = Env(num_envs=2, num_clips=5, lag=0.0)
    found = Scorer(env, lambda obs: None).score()
    assert env.played == [[0, 1], [2, 3], [4, 0]]
    assert (found.finished, found.rollouts) == (4, 6)
    assert env.common_step_counter == 7 and env.motion.fixed_start is None and not env.motion.sampler.frozen
