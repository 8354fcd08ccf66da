"""Debug markers: where the tracked bodies should be and where they are."""

from __future__ import annotations

import isaaclab.sim as sim_utils
import torch
from isaaclab.markers import VisualizationMarkers, VisualizationMarkersCfg
from torch import Tensor


class TrackingMarkers:
    """Green spheres at the reference's bodies, red ones at the robot's."""

    def __init__(self, radius: float = 0.03):
        """Create the markers.

        Args:
            radius: Radius of a sphere [m].
        """
        colors = {"reference": (0.1, 0.8, 0.2), "robot": (0.9, 0.2, 0.1)}
        spheres = {
            name: sim_utils.SphereCfg(radius=radius, visual_material=sim_utils.PreviewSurfaceCfg(diffuse_color=color))
            for name, color in colors.items()
        }
        self._markers = VisualizationMarkers(VisualizationMarkersCfg("/Visuals/Tracking", markers=spheres))

    def set_visible(self, visible: bool) -> None:
        """Show or hide all markers."""
        self._markers.set_visibility(visible)

    def draw(self, reference_pos_w: Tensor, robot_pos_w: Tensor) -> None:
        """Move the markers.

        Args:
            reference_pos_w: Reference bodies [m], shape [num_envs, num_bodies, 3].
            robot_pos_w: Robot bodies [m], same shape.
        """
        positions = torch.cat((reference_pos_w.reshape(-1, 3), robot_pos_w.reshape(-1, 3)))
        kind = torch.zeros(len(positions), dtype=torch.int32, device=positions.device)
        kind[len(kind) // 2 :] = 1
        self._markers.visualize(translations=positions, marker_indices=kind)
