"""Where robots start while samples are collected: every frame is seen about as often."""

import pytest
import torch

from whole_body_tracking.rl.sft.collection import spread_starts

pytestmark = pytest.mark.unit


def test_half_of_the_envs_start_with_the_clip_and_the_rest_along_it():
    assert spread_starts(8, 101).tolist() == [0, 0, 0, 0, 0, 25, 50, 75]
    assert spread_starts(1, 101).tolist() == [0]


def test_no_frame_is_seen_by_less_than_half_of_the_envs():
    """Every env plays from its start to the end."""
    starts = spread_starts(64, 249)
    seen = (starts[:, None] <= torch.arange(249)).float().mean(0)
    assert seen.min() >= 0.5 and seen[-1] == 1.0
