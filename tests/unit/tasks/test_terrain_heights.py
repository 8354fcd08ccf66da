"""Look-ups of terrain heights, by hand and by properties; and what the terrain preset configures."""

import pytest
import torch
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.tasks.tracking.config_check import check_randomization
from whole_body_tracking.tasks.tracking.mdp.reference.terrain import reference_lift
from whole_body_tracking.tasks.tracking.mdp.reference.terrain_heights import TerrainHeights

pytestmark = pytest.mark.unit


def slope(gradient: float = 0.1, spacing: float = 0.5, size: int = 9) -> TerrainHeights:
    """A plane that rises along x, from (-2, -2) to (2, 2) m."""
    x = torch.arange(size) * spacing - 2.0
    return TerrainHeights((gradient * x)[:, None].expand(size, size), torch.tensor([-2.0, -2.0]), spacing)


def test_a_plane_is_met_everywhere():
    points = torch.rand(50, 2) * 4.0 - 2.0
    assert torch.allclose(slope().at(points), 0.1 * points[:, 0], atol=1e-6)


def test_between_four_points_by_hand():
    heights = TerrainHeights(torch.tensor([[0.0, 1.0], [2.0, 4.0]]), torch.zeros(2), 1.0)
    # x = 0.5, y = 0.25: (1 - .5)(.75 * 0 + .25 * 1) + .5 (.75 * 2 + .25 * 4) = 0.125 + 1.25
    assert heights.at(torch.tensor([0.5, 0.25])).item() == pytest.approx(1.375)


def test_beyond_the_border_the_edge_is_held():
    found = slope().at(torch.tensor([[5.0, 0.0], [-5.0, 9.0], [2.0, 2.0]]))
    assert torch.allclose(found, torch.tensor([0.2, -0.2, 0.2]))


def test_a_mesh_becomes_the_table_it_was_made_of():
    table = torch.rand(6, 4)
    x, y = torch.meshgrid(torch.arange(6) * 0.1 - 1.0, torch.arange(4) * 0.1 + 2.0, indexing="ij")
    vertices = torch.stack((x, y, table), dim=-1).reshape(-1, 3)
    shuffled = torch.cat((vertices, vertices - torch.tensor([0.0, 0.0, 0.5])))[torch.randperm(48)]
    heights = TerrainHeights.from_vertices(shuffled, 0.1)
    assert torch.equal(heights.table, table)  # the higher of two at one point counts
    assert torch.allclose(heights.origin, torch.tensor([-1.0, 2.0]))


def test_smoothing_keeps_a_plane_and_spreads_a_step():
    inside = torch.tensor([[0.0, 0.0], [0.7, -0.4]])
    assert torch.allclose(slope().smoothed(0.5).at(inside), 0.1 * inside[:, 0], atol=1e-6)
    step = TerrainHeights((torch.arange(11) >= 5).float()[:, None].expand(11, 11), torch.zeros(2), 0.1)
    found = step.smoothed(0.2).at(torch.stack((torch.arange(11) * 0.1, torch.full((11,), 0.5)), dim=-1))
    # a square of five points: 1/5 of them lie on the step two points before it, 5/5 two points behind its edge
    assert torch.allclose(found, torch.tensor([0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1]), atol=1e-6)


def test_a_reference_is_lifted_by_the_ground_below_its_anchor():
    origins = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.1]])
    anchors = torch.tensor([[0.5, 0.0], [1.0, 0.7]])
    assert torch.allclose(reference_lift(slope(), anchors, origins), torch.tensor([0.05, 0.0]), atol=1e-6)


def resolved(*presets: str, play: bool = False, engine: str = "mujoco_cpu"):
    overrides = [f"physics={engine}", *([f"presets={','.join(presets)}"] if presets else [])]
    return resolve_task_config("Tracking-Flat-G1-v0", None, play_mode=play, overrides=overrides)[0]


def test_the_ground_is_flat_without_the_preset_and_in_play():
    for cfg in (resolved(), resolved("rand_terrain", play=True)):
        assert cfg.scene.terrain is None and cfg.scene.ground is not None
    rough = resolved("rand_terrain")
    assert rough.scene.ground is None and rough.scene.terrain is not None and rough.events.places is not None


def test_foot_contacts_against_flat_ground_are_refused_on_terrain():
    with pytest.raises(ValueError, match="Leave one of them out"):
        check_randomization(resolved("rand_terrain", "reward_style"))


def test_an_engine_that_misses_a_height_field_is_refused():
    for engine in ("mujoco_cpu", "ovphysx"):
        check_randomization(resolved("rand_terrain", engine=engine))
    check_randomization(resolved(engine="newton_mjwarp"))
    with pytest.raises(ValueError, match=r"MuJoCo Warp.*physics=mujoco_cpu"):
        check_randomization(resolved("rand_terrain", engine="newton_mjwarp"))
