"""A score prior that was trained for seconds on the walks of motions/ tells motion from what is none."""

from pathlib import Path

import pytest
import torch

from whole_body_tracking.motion import convert
from whole_body_tracking.motion.conversion.readers import read_csv
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.state import StateLayout, clip_states
from whole_body_tracking.priors.style.sanity import SPOILT, STILL, failures, sanity_table, table_lines
from whole_body_tracking.priors.style.score_prior import ScorePrior, score_loss
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration

FPS, FRAMES = 25.0, 10
MOTIONS = Path(__file__).parents[2] / "motions"


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """Walks at 25 fps: a slow, a fast and a part of one between to train on; its rest validates and is held out."""
    folder = tmp_path_factory.mktemp("walks")
    cuts = {"walk_slow": (1, 241), "walk_fast": (1, 241), "walk": (1, 130), "walk ": (131, 180), "walk  ": (181, 241)}
    clips = [convert(read_csv(MOTIONS / f"{name.strip()}.csv", 30, frame_range=cut), FPS) for name, cut in cuts.items()]
    paths = [clip.save(folder / f"{number}.npz") for number, clip in enumerate(clips)]
    return resolve_entries([str(path) for path in paths])


@pytest.fixture(scope="module")
def trained(walks):
    """A small prior after some steps on the first three."""
    layout, random = StateLayout.of_robot(G1, FPS), torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model = ScorePrior(layout, NetworkSettings.score(FRAMES, hidden=128, layers=2))
    states = [clip_states(entry.load(), layout) for entry in walks[:4]]
    model.normalizer.fit(states[:3])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    sequences = torch.cat([clip.unfold(0, FRAMES + 7, 1).movedim(-1, 1) for clip in states[:3]])
    for _ in range(200):
        loss = score_loss(model, sequences[torch.randint(len(sequences), (24,), generator=random)], random)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.calibrate(states[3].unfold(0, FRAMES, 1).movedim(-1, 1), random)
    return model.eval().requires_grad_(False)


def test_real_windows_of_held_out_clips_score_better_than_spoilt_ones(trained, walks):
    rows = sanity_table(trained, walks[4:], num_windows=60)
    assert [row.kind for row in rows] == ["real", *SPOILT, STILL]
    assert failures(rows) == [], table_lines(rows)
    assert rows[0].reward > max(row.reward for row in rows[1:-1])
    assert all(row.real_is_better > 0.5 for row in rows[1:-1])


def test_a_prior_that_always_restores_the_mean_fails_the_table(trained, walks):
    ignorant = ScorePrior(trained.layout, trained.settings)
    ignorant.load_state_dict(trained.state_dict())
    torch.nn.init.zeros_(ignorant.network.head.weight)
    torch.nn.init.zeros_(ignorant.network.head.bias)
    rows = {row.kind: row for row in sanity_table(ignorant, walks[4:], num_windows=60)}
    assert rows["shuffled"].loss == pytest.approx(rows["real"].loss, abs=1e-3)
    assert "shuffled" in failures(list(rows.values()))
    assert "no: " in table_lines(list(rows.values()))[-1]


def test_drawn_windows_are_like_those_of_the_clips(trained, walks):
    drawn, place = trained.sample(64, torch.Generator().manual_seed(0)), trained.layout.slices
    seen = torch.cat([clip_states(entry.load(), trained.layout) for entry in walks[:3]])
    assert drawn.shape == (64, FRAMES, trained.layout.dim)
    for part in ("root_height", "joint_pos"):
        spread = (seen[:, place[part]].amax(0) - seen[:, place[part]].amin(0)).clamp(min=0.05)
        assert (drawn[..., place[part]] > seen[:, place[part]].amin(0) - spread).all(), part
        assert (drawn[..., place[part]] < seen[:, place[part]].amax(0) + spread).all(), part
    torch.testing.assert_close(drawn[..., place["up_b"]].norm(dim=-1), torch.ones(64, FRAMES), atol=0.05, rtol=0.0)
    ahead = drawn[..., place["root_lin_vel_b"]][..., 0]
    assert float(ahead.mean()) == pytest.approx(float(seen[:, place["root_lin_vel_b"]][:, 0].mean()), abs=0.2)
