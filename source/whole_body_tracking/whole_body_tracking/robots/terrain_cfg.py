"""Slopes and steps under the robot, generated on this machine; every engine collides with them."""

from __future__ import annotations

from isaaclab.terrains import (
    HfDiscreteObstaclesTerrainCfg,
    HfPyramidSlopedTerrainCfg,
    HfPyramidStairsTerrainCfg,
    HfWaveTerrainCfg,
    TerrainGeneratorCfg,
    TerrainImporterCfg,
)

from .ground_cfg import GROUND_CFG

SPACING = 0.1
"""Distance of two points of the height field [m]."""

ROUGH_TERRAIN_CFG = TerrainImporterCfg(
    prim_path="/World/ground",
    terrain_type="generator",
    terrain_generator=TerrainGeneratorCfg(
        seed=0,
        size=(8.0, 8.0),
        border_width=4.0,
        border_height=0.0,
        num_rows=4,
        num_cols=4,
        horizontal_scale=SPACING,
        vertical_scale=0.002,
        slope_threshold=None,
        sub_terrains={
            "slopes": HfPyramidSlopedTerrainCfg(proportion=0.4, slope_range=(0.02, 0.1), platform_width=1.0),
            "waves": HfWaveTerrainCfg(proportion=0.2, amplitude_range=(0.01, 0.04), num_waves=3),
            "stairs": HfPyramidStairsTerrainCfg(
                proportion=0.2, step_height_range=(0.01, 0.04), step_width=0.6, platform_width=1.0
            ),
            "steps": HfDiscreteObstaclesTerrainCfg(
                proportion=0.2,
                obstacle_height_mode="fixed",
                obstacle_width_range=(0.4, 1.2),
                obstacle_height_range=(0.01, 0.03),
                num_obstacles=40,
                platform_width=0.2,
            ),
        },
    ),
    physics_material=GROUND_CFG.spawn.physics_material,
    visual_material=None,
)
"""32 m x 32 m of slopes up to 10 %, waves up to 4 cm, stairs up to 4 cm and single steps up to 3 cm, and 4 m around.

Newton turns it into a height field, PhysX into a triangle mesh.
"""
