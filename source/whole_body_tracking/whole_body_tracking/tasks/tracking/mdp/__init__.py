"""MDP terms of the tracking task, together with those of Isaac Lab."""

from isaaclab.utils.module import lazy_export

lazy_export()
