"""The tracking task's rewards and terminations as plain numbers, shaped like its config.

Evaluation reads them off the config, which needs Isaac Lab; tests/unit/sim2sim/test_sim2sim_criteria.py compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Term:
    """One reward or termination."""

    params: dict
    weight: float = 0.0


@dataclass(frozen=True)
class TrackingRewards:
    """The six tracking kernels; ``std`` in [m], [rad], [m/s] and [rad/s]."""

    motion_global_anchor_pos: Term = Term({"std": 0.3}, 0.5)
    motion_global_anchor_ori: Term = Term({"std": 0.4}, 0.5)
    motion_body_pos: Term = Term({"std": 0.3}, 1.0)
    motion_body_ori: Term = Term({"std": 0.4}, 1.0)
    motion_body_lin_vel: Term = Term({"std": 1.0}, 1.0)
    motion_body_ang_vel: Term = Term({"std": 3.14}, 1.0)


@dataclass(frozen=True)
class TrackingTerminations:
    """What counts as a failure; thresholds in [m], and in units of gravity for ``anchor_ori``."""

    anchor_pos: Term = Term({"threshold": 0.25})
    anchor_ori: Term = Term({"threshold": 0.8})
    ee_body_pos: Term = field(
        default=Term(
            {
                "threshold": 0.25,
                "body_names": [
                    "left_ankle_roll_link",
                    "right_ankle_roll_link",
                    "left_wrist_yaw_link",
                    "right_wrist_yaw_link",
                ],
            }
        )
    )
