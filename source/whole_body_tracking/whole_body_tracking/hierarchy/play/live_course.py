"""One robot that goes where somebody clicks and performs what they picked; no page in here."""

from __future__ import annotations

import math

import torch

from ..env import CourseEnv, require_clip
from ..evaluating import Selector
from ..skills import STAND
from ..switching import Wish


class LiveCourse:
    """A course that grows while it is run: points are added, and after the last one the picked clip is performed.

    In between the robot stands. The selector is asked as often as in training, and at once when the course changes.
    """

    def __init__(self, env: CourseEnv, selector: Selector, clip: str | None = None):
        """Stand and wait.

        Args:
            env: One robot.
            selector: Chooses while there is a course.
            clip: To perform first; None takes the first skill of a clip.

        Raises:
            ValueError: If no skill performs the clip.
        """
        self.env, self._selector = env, selector
        self.clips = [env.names[index] for index in env.clip_indices]
        self.clip = self.clips[0] if clip is None else clip
        require_clip(env.names, self.clip)
        self.points: list[tuple[float, float]] = []
        """Points to reach, in order [m]."""
        self.num_falls = self.num_finished = 0
        self.message = ""
        self._is_on = False
        self._wish: Wish | None = None
        self._steps = 0

    def add_goal(self, x: float, y: float) -> bool:
        """Reach a point after those that there are, and then perform the clip.

        Args:
            x: In the world [m].
            y: In the world [m].

        Returns:
            Whether it was taken; else :attr:`message` says why not.
        """
        most = self.env.cfg.course.num_goals
        if not (math.isfinite(x) and math.isfinite(y)):
            self.message = f"A goal at ({x:g}, {y:g}) is no place."
        elif len(self.points) == most:
            self.message = f"There are {most} goals already: wait until the next one is reached."
        else:
            self.message = ""
            self.points.append((x, y))
            self._begin()
            return True
        return False

    def choose(self, clip: str) -> None:
        """Perform another clip at the end.

        Raises:
            ValueError: If no skill performs it.
        """
        require_clip(self.env.names, clip)
        self.clip = clip
        if self._is_on:
            self._begin()

    def perform(self) -> None:
        """Perform the clip now, wherever the robot is; a robot in the middle of it ends, stands, and begins again."""
        self.points = []
        self._begin()

    def stop(self) -> None:
        """Forget the course and stand."""
        self.points, self._is_on = [], False

    def advance(self) -> None:
        """One control step."""
        wish = self._stand()
        if self._is_on and not self._ends_clip:
            if self._wish is None or self._steps >= self.env.cfg.decision_steps:
                self._wish, self._steps = self.env.wish_of(self._selector(self.env.get_observations())), 0
            wish, self._steps = self._wish, self._steps + 1
        reached = int(self.env.course.reached)
        _, falls, finishes = self.env.control_step(wish)
        if self._is_on and int(self.env.course.reached) > reached:
            self.points = self.points[1:]
            self._wish = None
        if bool(falls):
            self._fall()
        elif self._is_on and bool(finishes):
            self.num_finished += 1
            self._is_on = False

    @property
    def is_on(self) -> bool:
        """Whether there is a course that has not come to its end."""
        return self._is_on

    def describe(self) -> str:
        """What is being done, in a few lines of Markdown."""
        name = self.env.names[int(self.env.switcher.active)]
        blends = " (blending)" if bool(self.env.switcher.blends) else ""
        goals = ", ".join(f"({x:.1f}, {y:.1f})" for x, y in self.points) or "none"
        counts = f"finished {self.num_finished}, falls {self.num_falls}"
        return f"**{name}**{blends}\n\ngoals: {goals}\n\nthen: {self.clip}\n\n{counts}\n\n{self.message}"

    def _begin(self) -> None:
        """Tell the course: the points are its last ones, those before count as reached."""
        course, num = self.env.course, self.env.cfg.course.num_goals
        points = self.points or [tuple(self.env.robot.root_pos[0, :2].tolist())]
        padded = [points[0]] * (num - len(points)) + points
        everyone = torch.ones(1, dtype=torch.bool)
        course.reset(everyone, torch.tensor([padded]), torch.tensor([self.env.names.index(self.clip)]))
        course.reached = torch.tensor([num - len(self.points)])
        self._is_on, self._wish = True, None

    @property
    def _ends_clip(self) -> bool:
        """Whether the clip drives from before: only one that begins after the last point counts."""
        course = self.env.course
        return bool(~course.walks & ~course.is_ready & (self.env.switcher.active == course.clip))

    def _stand(self) -> Wish:
        index = torch.tensor([self.env.names.index(STAND)])
        return Wish(index, self.env.steering.gait(torch.zeros(1, 2)))

    def _fall(self) -> None:
        self.num_falls += 1
        self.message = "It fell, and starts over."
        self.env.restart(torch.ones(1, dtype=torch.bool))
        self.stop()
