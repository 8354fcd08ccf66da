"""Play a course: live on a page, or at once into a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.tracks import Track

from ..env import CourseEnv
from .live_course import LiveCourse
from .marks import StandingMarks

FARTHEST = 50.0
"""A goal may be so far from the origin [m]."""


def parse_goals(texts: Sequence[str]) -> list[tuple[float, float]]:
    """Read points such as ``2.0,-0.5`` [m].

    Raises:
        ValueError: If one is not two finite numbers, or too far away.
    """
    goals = []
    for text in texts:
        try:
            x, y = (float(part) for part in text.split(","))
        except ValueError:
            raise ValueError(f"--goals has '{text}', expected X,Y in metres such as 2.0,-0.5.") from None
        if not max(abs(x), abs(y)) <= FARTHEST:  # NaN, too
            raise ValueError(f"--goals has '{text}', expected numbers within {FARTHEST:g} m of the start.")
        goals.append((x, y))
    return goals


@torch.inference_mode()
def play_to_end(course: LiveCourse, seconds: float) -> Track:
    """Run a course until it is finished, the robot fell, or the time is over; a picture for every control step."""
    env, pictures = course.env, []
    for _ in range(round(seconds / env.spec.control_dt)):
        if not course.is_on:
            break
        pictures.append(env.simulation.body_poses())
        course.advance()
    pos, quat = (torch.cat(values).numpy() for values in zip(*pictures, strict=True))
    return Track("robot", env.robot_model, env.robot_model.body_names, pos, quat)


def write_course_page(path: Path, course: LiveCourse, seconds: float) -> Path:
    """Run a course and write it as an offline page, with its goals on the ground.

    Args:
        path: The file.
        course: With its goals.
        seconds: Longest time [s].
    """
    fps, goals = 1.0 / course.env.spec.control_dt, list(course.points)
    track = play_to_end(course, seconds)
    radius = course.env.cfg.course.radius
    marks = [lambda scene: StandingMarks(scene, goals, radius)]
    return write_page(path, [track], fps, f"Course, then {course.clip}", marks)


def make_course(env: CourseEnv, selector, goals: Sequence[tuple[float, float]], clip: str | None) -> LiveCourse:
    """A live course with its first goals."""
    course = LiveCourse(env, selector, clip)
    for goal in goals:
        course.add_goal(*goal)
    return course
