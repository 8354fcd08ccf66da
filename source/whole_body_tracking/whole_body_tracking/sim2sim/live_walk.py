"""A browser page in which a robot walks in plain MuJoCo where keys and sliders tell it to."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.locomotion.command import UNITS, CommandRanges, VelocityCommand, wrap
from whole_body_tracking.locomotion.falls import FALL_HEIGHT
from whole_body_tracking.locomotion.modes import require_mode

from .reference import robot_of
from .walking import Walker, require_walker

if TYPE_CHECKING:
    import viser

KEYS = {
    "forward": ("I", "vx", 0.1),
    "backward": ("K", "vx", -0.1),
    "left": ("U", "vy", 0.1),
    "right": ("O", "vy", -0.1),
    "turn left": ("J", "heading", 0.2),
    "turn right": ("L", "heading", -0.2),
}
"""What keys do: key, part of the command, and how much it changes at each press [m/s, rad]. W, A, S, D, Q and E move
the page's camera."""
STOP_KEY = "M"
LONGEST_WAY = 8.0
"""Distance from the origin after which the robot starts over, so that the camera keeps it in view [m]."""
FALLEN_SHOWN = 1.0
"""How long a robot that fell is shown before it starts over [s]."""


class Steering:
    """The command in force, changed by keys and sliders within the ranges of the training."""

    def __init__(self, command: VelocityCommand, ranges: CommandRanges):
        command.require_within(ranges)
        self.command, self.ranges = command, ranges

    def press(self, name: str) -> None:
        """Change the command by one press; it stays at the end of its range, a heading goes round.

        Args:
            name: One of :data:`KEYS`.
        """
        _, part, step = KEYS[name]
        value = getattr(self.command, part) + step
        self.set(part, wrap(value) if part == "heading" else value)

    def set(self, part: str, value: float) -> None:
        """Set ``vx``, ``vy`` or ``heading``, bounded by its range."""
        self.command = replace(self.command, **{part: float(np.clip(value, *self.ranges.of(part)))})

    def set_mode(self, name: str) -> None:
        """Change to another mode of the policy; velocities and heading stay for when a mode takes them again."""
        self.command = replace(self.command, mode=name)

    def stop(self) -> None:
        """Stand, facing where the command did."""
        self.command = replace(self.command, vx=0.0, vy=0.0)


class LiveWalk:
    """A walk that goes on until it is ended; a robot that fell, or went far, starts over."""

    def __init__(self, walker: Walker, steering: Steering):
        self.walker, self.steering = walker, steering
        self.num_falls = 0
        self._lying = 0.0
        walker.start()

    def advance(self) -> tuple[np.ndarray, np.ndarray]:
        """One control step: positions [m] and orientations (x, y, z, w) of the bodies after it."""
        self.walker.step(self.steering.command)
        pos, quat = self.walker.body_poses()
        if not np.isfinite(pos).all():
            return self._start_over(fell=True)
        if pos[0, 2] < self._fall_height():
            self._lying += self.walker.spec.control_dt
            return self._start_over(fell=True) if self._lying > FALLEN_SHOWN else (pos, quat)
        self._lying = 0.0
        return self._start_over(fell=False) if np.linalg.norm(pos[0, :2]) > LONGEST_WAY else (pos, quat)

    def _fall_height(self) -> float:
        name = getattr(self.steering.command, "mode", "")
        return next((mode.min_height for mode in self.walker.spec.modes if mode.name == name), FALL_HEIGHT)

    def _start_over(self, fell: bool) -> tuple[np.ndarray, np.ndarray]:
        self.num_falls += fell
        self._lying = 0.0
        self.walker.start()
        return self.walker.body_poses()


def open_live_walk(policy_path: Path, command: VelocityCommand, port: int, max_steps: int | None = None) -> LiveWalk:
    """Serve the page on this machine in real time.

    Args:
        policy_path: Exported policy that walks by command.
        command: First command.
        port: First port to try; the address is printed.
        max_steps: Control steps after which it ends; None goes on until interrupted.

    Returns:
        The walk, when it has ended.

    Raises:
        KeyboardInterrupt: On Ctrl+C, after the server has stopped.
        ValueError: If the policy does not walk by command, or was not trained for the first one.
    """
    import viser

    from whole_body_tracking.viewer.scene import RobotNode, Stage
    from whole_body_tracking.viewer.tracks import Track

    policy = load_policy(policy_path, needs_clips=False)
    require_walker(policy.spec, Path(policy_path).name)
    modes = [mode.name for mode in policy.spec.modes]
    require_mode(command, modes, Path(policy_path).name)
    steering, robot = Steering(command, policy.spec.velocity_ranges), robot_of(policy.spec)
    walk, dt = LiveWalk(Walker(policy, robot), steering), policy.spec.control_dt
    server = viser.ViserServer(host="127.0.0.1", port=port, label="Walk by command", verbose=False)
    print(f"[INFO] Page: http://127.0.0.1:{server.get_port()}", flush=True)
    try:
        pos, quat = walk.advance()
        track = Track("policy", robot, robot.body_names, pos[None], quat[None])
        stage, node = Stage(server, [track], 1.0 / dt), RobotNode(server.scene, track)
        sliders, shown = _add_controls(server, steering, modes)
        steps = 1
        while max_steps is None or steps < max_steps:
            started = time.monotonic()
            pos, quat = walk.advance()
            with server.atomic():
                node.move(pos, quat)
                stage.follow(pos[0])
            for slider in sliders:
                slider.follow()
            shown.content = f"{steering.command}\n\nfalls: {walk.num_falls}"
            steps += 1
            time.sleep(max(0.0, dt - (time.monotonic() - started)))
    finally:
        server.stop()
    return walk


def _add_controls(server, steering: Steering, modes: list[str]) -> tuple[list, viser.GuiMarkdownHandle]:
    """Keys, sliders, a choice of modes, and the line that shows the command; sliders and line are returned."""
    from whole_body_tracking.viewer.live_slider import LiveSlider

    if modes:
        choice = server.gui.add_button_group("mode", modes)
        choice.on_click(lambda _: steering.set_mode(choice.value))
    for number, name in enumerate(modes[:9], start=1):
        command = server.gui.add_command(f"mode {name}", hotkey=str(number))
        command.on_trigger(lambda _, name=name: steering.set_mode(name))
    for name, (key, part, step) in KEYS.items():
        handle = server.gui.add_command(name, description=f"{part} {step:+g} {UNITS[part]}", hotkey=key)
        handle.on_trigger(lambda _, name=name: steering.press(name))
    server.gui.add_command("stop", hotkey=STOP_KEY).on_trigger(lambda _: steering.stop())
    keys = ", ".join(f"**{key}** {name}" for name, (key, _, _) in KEYS.items())
    server.gui.add_markdown(f"{keys}, **{STOP_KEY}** stop")
    sliders = [
        LiveSlider(
            server.gui,
            f"{part} [{unit}]",
            steering.ranges.of(part),
            lambda part=part: getattr(steering.command, part),
            lambda value, part=part: steering.set(part, value),
        )
        for part, unit in UNITS.items()
    ]
    return sliders, server.gui.add_markdown(str(steering.command))
