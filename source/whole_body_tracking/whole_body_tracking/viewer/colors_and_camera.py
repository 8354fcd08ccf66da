"""Colours and camera that pages and videos share."""

from __future__ import annotations

import numpy as np

ROBOT_COLORS = {"light": (198, 202, 209), "dark": (62, 66, 75)}
"""sRGB colours of the two tones of a solid robot."""

GHOST_COLORS = {"light": (0, 105, 255), "dark": (0, 50, 150)}
"""sRGB colours of the two tones of a translucent robot."""

GHOST_OPACITY = 0.4

FIELD_OF_VIEW = np.deg2rad(40.0)
"""Vertical field of view of the camera [rad]."""

VIEW_DIRECTION = np.array([0.75, -0.6, 0.2])
"""From what the camera looks at to the camera; robots that start along +X are seen from the front and their right."""

CLEARANCE = 2.8
"""Distance from the camera at which a standing robot fills the window with some room [m]."""
