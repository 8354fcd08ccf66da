"""MDP terms of the gait task; the others are those of the tracking task."""

from isaaclab.utils.module import lazy_export

lazy_export()
