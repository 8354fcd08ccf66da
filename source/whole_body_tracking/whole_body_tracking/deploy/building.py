"""A controller for an exported policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.sim2sim.reference import references_of, robot_of

from .control.controller import Controller, ControllerConfig
from .control.estimation.estimator import RootEstimator
from .control.estimation.legs import Legs
from .control.follower import Follower
from .control.gait_tracker import GaitTracker
from .control.limits import limits_of
from .control.pose import Body
from .control.safety import SafetyLayer
from .control.tracker import Tracker


def build_controller(
    policy_path: str | Path,
    motions: Sequence[str] = (),
    motion_file: str | Path | None = None,
    config: ControllerConfig | None = None,
    clock: Callable[[], float] = time.monotonic,
    gait: Mapping[str, float] | None = None,
) -> Controller:
    """Load a policy with what it follows, and build the controller that runs it.

    Args:
        policy_path: Exported ``policy.onnx``.
        motions: Names of its own clips to load; none means all.
        motion_file: A clip from elsewhere instead.
        config: Times and thresholds.
        clock: Of this machine [s].
        gait: How to walk at first, by name, for a policy that follows a RefNN instead of clips.

    Raises:
        FileNotFoundError: If a file is gone.
        ValueError: If policy and clips or gait do not fit together, or the policy observes what cannot be known here.
    """
    if gait is not None and (motions or motion_file is not None):
        raise ValueError("A policy that walks by --gait tracks no clips: leave --motion and --motion_file out.")
    needs_clips = gait is None and motion_file is None and not motions
    policy = load_policy(policy_path, needs_clips=needs_clips, follows_gait=gait is not None)
    policy.spec.require_actuation(("implicit",), "a robot, whose motors run their own PD law,")
    config = config or ControllerConfig()
    robot = robot_of(policy.spec)
    body = Body(robot, policy.spec)
    tracker: Follower
    if gait is None:
        tracker = Tracker(policy, robot, references_of(policy, motions, motion_file), body)
    else:
        tracker = GaitTracker(policy, robot, gait, body)
    safety = SafetyLayer(limits_of(policy.spec, robot.joint_names), config.safety)
    estimator = None
    if tracker.needs_estimate or config.compensate_delay:
        order = np.array([robot.joint_names.index(name) for name in policy.spec.joint_names])
        estimator = RootEstimator(Legs(robot, policy.spec), robot, order)
    return Controller(tracker, safety, robot, body, config, estimator, clock)
