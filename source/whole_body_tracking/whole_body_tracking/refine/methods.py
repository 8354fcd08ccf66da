"""The methods that refine a clip, by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel

from .channels import CONTACT_FORCES, FEEDBACK_GAIN, JOINT_TARGET, ROOT_RESIDUAL
from .feedback import feedback_targets
from .inverse_dynamics import InverseDynamics, inverse_dynamics_targets
from .native_physics import NativePhysics, planning_step
from .planning.gauss_newton import GaussNewtonPlanner, GradientSettings
from .planning.receding_horizon import FollowedClip, follow
from .planning.sampling import SamplingPlanner, SamplingSettings
from .planning.trajectory_gains import trajectory_gains
from .reference import ReferenceStates, reference_states

METHODS = ("inverse_dynamics", "feedback", "gradient", "sampling")
ALIASES = {"invdyn": "inverse_dynamics", "mpc": "sampling"}
DEFAULT_METHOD = "gradient"
"""The one that comes closest to most clips; docs/refinement.md has the table."""


@dataclass(frozen=True)
class RefineSettings:
    """What a user may change; None leaves a method's default."""

    alpha: float | None = None
    """Step size of ``feedback``; None takes the largest safe one."""
    iterations: int | None = None
    """Corrections of ``feedback``, Gauss-Newton steps a plan of ``gradient``, rounds a plan of ``sampling``."""
    learning_rate: float | None = None
    """Factor on the steps of ``gradient``."""
    samples: int | None = None
    """Trajectories a round of ``sampling``."""
    horizon: int | None = None
    """Steps that ``gradient`` and ``sampling`` look ahead."""
    seed: int = 42
    """Of the noise of ``sampling``."""


@dataclass
class RefinementProblem:
    """A clip, what inverse dynamics says of it, and the physics that methods work on."""

    reference: ReferenceStates
    dynamics: InverseDynamics
    physics: NativePhysics
    planning_physics: NativePhysics
    seconds: float
    """Time that inverse dynamics took."""

    @property
    def feed_forward(self) -> np.ndarray:
        """Joint targets of inverse dynamics [rad] in the robot's order, shape [num_frames, num_joints]."""
        return self.reference.in_robot_order(self.dynamics.joint_target)


@dataclass
class Refined:
    """Joint targets that a method found."""

    method: str
    joint_target: np.ndarray
    """[rad] in the robot's order, shape [num_frames, num_joints]."""
    seconds: float
    """Time it took, inverse dynamics included [s]."""
    notes: list[str] = field(default_factory=list)
    """What went wrong or is worth knowing."""
    feedback_gain: np.ndarray | None = None
    """Change of the joint targets per deviation of the state, [num_frames, num_joints, 2 nv]; of ``gradient``."""

    def channels(self, problem: RefinementProblem) -> dict[str, np.ndarray]:
        """Arrays to store beside the clip, joints in the clip's order."""
        reference, dynamics = problem.reference, problem.dynamics
        found = {
            JOINT_TARGET: reference.in_clip_order(self.joint_target),
            ROOT_RESIDUAL: dynamics.root_residual,
            CONTACT_FORCES: dynamics.contact_forces,
        }
        if self.feedback_gain is not None:
            found[FEEDBACK_GAIN] = self.feedback_gain.astype(np.float32)
        return found


def method_names(names: list[str]) -> list[str]:
    """Methods by their full names, each once; ``all`` stands for every one.

    Raises:
        ValueError: If there is no such method.
    """
    found = [method for name in names for method in (METHODS if name == "all" else (ALIASES.get(name, name),))]
    unknown = [name for name in found if name not in METHODS]
    if unknown:
        raise ValueError(f"No method is called {unknown}. Methods: {[*METHODS, *ALIASES, 'all']}.")
    return list(dict.fromkeys(found))


def pose_problem(clip: MotionClip, robot: RobotModel, previous: RefinementProblem | None = None) -> RefinementProblem:
    """Prepare a clip for the methods.

    Args:
        clip: What to refine.
        robot: Who follows it.
        previous: A problem of the same robot whose physics is used again if the rates agree.

    Raises:
        ValueError: If the clip is not one of this robot, its rate does not fit the physics, or it is below the ground.
    """
    began = time.perf_counter()
    dynamics = inverse_dynamics_targets(clip, robot)
    seconds = time.perf_counter() - began
    reference = reference_states(clip, robot)
    dt = reference.control_dt
    if previous is not None and abs(previous.reference.control_dt - dt) < 1e-9:
        return RefinementProblem(reference, dynamics, previous.physics, previous.planning_physics, seconds)
    planning = NativePhysics(robot, dt, physics_dt=planning_step(dt))
    return RefinementProblem(reference, dynamics, NativePhysics(robot, dt), planning, seconds)


def refine(
    problem: RefinementProblem,
    method: str,
    settings: RefineSettings,
    report: Callable[[float], None] = lambda share: None,
) -> Refined:
    """Run one method.

    Args:
        problem: The clip.
        method: One of :data:`METHODS`.
        settings: Of the methods.
        report: Called with the share done, in [0, 1].

    Raises:
        ValueError: If a setting is out of range.
    """
    began = time.perf_counter()
    refined = _RUN[method](problem, settings, report)
    refined.seconds = problem.seconds + time.perf_counter() - began
    report(1.0)
    return refined


Report = Callable[[float], None]


def _inverse_dynamics(problem: RefinementProblem, settings: RefineSettings, report: Report) -> Refined:
    return Refined("inverse_dynamics", problem.feed_forward, 0.0)


def _feedback(problem: RefinementProblem, settings: RefineSettings, report: Report) -> Refined:
    iterations = 10 if settings.iterations is None else settings.iterations
    found = feedback_targets(
        problem.physics,
        problem.reference,
        problem.feed_forward,
        settings.alpha,
        iterations,
        lambda done: report(done / iterations),
    )
    notes = []
    if found.diverged:
        notes.append(
            f"diverged with alpha {found.alpha:.3g}: single-step error {found.errors[-1]:.3g} rad, kept iterate"
            f" {found.best_iteration} of {found.errors[found.best_iteration]:.3g} rad; {found.safe_alpha:.3g} is safe"
        )
    return Refined("feedback", found.joint_target, 0.0, notes)


def _gradient(problem: RefinementProblem, settings: RefineSettings, report: Report) -> Refined:
    chosen = _chosen(
        GradientSettings(),
        iterations=settings.iterations,
        horizon=settings.horizon,
        learning_rate=settings.learning_rate,
    )
    planner = GaussNewtonPlanner(problem.planning_physics, problem.reference, problem.feed_forward, chosen)
    found = follow(planner, lambda frame: report(0.95 * frame / problem.reference.num_frames))
    gains = trajectory_gains(problem.planning_physics, problem.reference, found.joint_target)
    return Refined("gradient", found.joint_target, 0.0, _window_notes(found), gains)


def _sampling(problem: RefinementProblem, settings: RefineSettings, report: Report) -> Refined:
    chosen = _chosen(SamplingSettings(), samples=settings.samples, horizon=settings.horizon, rounds=settings.iterations)
    planner = SamplingPlanner(problem.planning_physics, problem.reference, problem.feed_forward, chosen, settings.seed)
    found = follow(planner, lambda frame: report(frame / problem.reference.num_frames))
    return Refined("sampling", found.joint_target, 0.0, _window_notes(found))


_RUN = {"inverse_dynamics": _inverse_dynamics, "feedback": _feedback, "gradient": _gradient, "sampling": _sampling}


def _chosen(defaults, **changes):
    return replace(defaults, **{name: value for name, value in changes.items() if value is not None})


def _window_notes(found: FollowedClip) -> list[str]:
    notes = [f"lost in frames {first} to {last}, with every effort" for first, last in found.failed_windows]
    return notes + ([f"{found.num_retries} windows planned again"] if found.num_retries else [])
