"""A small web page: modes, and clips with corrections of heading and upper body, or how to walk."""

from __future__ import annotations

import queue
from collections.abc import Callable

from whole_body_tracking.sim2sim.gait_walker import WantedGait

from ..control.controller import Controller
from ..control.corrections import HEADING_LIMIT, JOINT_LIMIT
from .person import Person


class Page:
    """Serves the page on this machine alone; its buttons act when the controller polls."""

    def __init__(self, controller: Controller, port: int):
        """Start the server.

        Args:
            controller: What the page steers.
            port: First port to try; the address is printed.
        """
        import viser

        self.person = Person(controller)
        self._wishes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._server = viser.ViserServer(host="127.0.0.1", port=port, label="run_policy", verbose=False)
        print(f"[INFO] Page: http://127.0.0.1:{self._server.get_port()}", flush=True)
        self._status = self._server.gui.add_markdown("")
        self._shown = ""
        self._add_buttons(controller.tracker.is_endless)
        self.sliders: list = []
        """Those that steer a walk, or correct the reference; they follow what other devices ask for."""
        if controller.tracker.wanted is None:
            self._add_corrections(controller)
        else:
            self._add_gait(controller.tracker.wanted)

    def poll(self, controller: Controller) -> bool:
        """Do what was clicked, show the mode, and say whether to quit."""
        while not self._wishes.empty():
            self._wishes.get()()
        for slider in self.sliders:
            slider.follow()
        text = f"**{controller.mode}** {controller.tracker.name}"
        wanted = controller.tracker.wanted
        if wanted is not None:
            text += "".join(f"\n\n{name} {wanted[name]:.2f}" for name in wanted.spec.gait_inputs)
        if controller.safety.trip is not None:
            text += f"\n\n{controller.safety.trip.name}: {controller.safety.trip.message}"
        if text != self._shown:
            self._status.content = self._shown = text
        return self.person.has_quit

    def close(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _add_buttons(self, walks: bool) -> None:
        for name in ("stand", "track", *(("hold",) if walks else ()), "damp", "passive", "quit"):
            button = self._server.gui.add_button(name)
            button.on_click(lambda _, name=name: self._wishes.put(lambda: self.person.wish(name)))

    def _add_corrections(self, controller: Controller) -> None:
        gui, tracker = self._server.gui, controller.tracker
        clips = gui.add_dropdown("clip", tracker.names, initial_value=self.person.clip)
        clips.on_update(lambda _: self._wishes.put(lambda: self.person.choose(clips.value)))
        with gui.add_folder("Corrections [rad]"):
            corrections = tracker.corrections
            limits = (-HEADING_LIMIT, HEADING_LIMIT)
            self._add_slider("heading", limits, lambda: corrections.wanted_heading, corrections.ask_heading)
            for name in corrections.adjustable:
                self._add_slider(
                    name.removesuffix("_joint"),
                    (-JOINT_LIMIT, JOINT_LIMIT),
                    lambda name=name: corrections.wanted_joint(name),
                    lambda value, name=name: corrections.ask_joint(name, value),
                )

    def _add_gait(self, wanted: WantedGait) -> None:
        spec = wanted.spec
        for name, *limits in zip(spec.gait_inputs, spec.gait_low, spec.gait_high, strict=True):
            self._add_slider(
                name, limits, lambda name=name: wanted[name], lambda value, name=name: self.person.ask(name, value)
            )

    def _add_slider(self, label: str, limits, get: Callable[[], float], ask: Callable[[float], None]) -> None:
        from whole_body_tracking.viewer.live_slider import LiveSlider

        self.sliders.append(LiveSlider(self._server.gui, label, limits, get, ask, self._wishes.put))
