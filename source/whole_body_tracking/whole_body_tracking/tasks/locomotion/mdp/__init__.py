"""MDP terms of the locomotion tasks, together with those of Isaac Lab."""

from isaaclab.utils.module import lazy_export

lazy_export()
