"""A small web page: modes, clips, and corrections of heading and upper body."""

from __future__ import annotations

import queue
from collections.abc import Callable

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
        self._add_buttons()
        self._add_corrections(controller)

    def poll(self, controller: Controller) -> bool:
        """Do what was clicked, show the mode, and say whether to quit."""
        while not self._wishes.empty():
            self._wishes.get()()
        text = f"**{controller.mode}** {controller.tracker.reference.clip.name}"
        if controller.safety.trip is not None:
            text += f"\n\n{controller.safety.trip.name}: {controller.safety.trip.message}"
        if text != self._shown:
            self._status.content = self._shown = text
        return self.person.has_quit

    def close(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _add_buttons(self) -> None:
        for name in ("stand", "track", "damp", "passive", "quit"):
            button = self._server.gui.add_button(name)
            button.on_click(lambda _, name=name: self._wishes.put(lambda: self.person.wish(name)))

    def _add_corrections(self, controller: Controller) -> None:
        gui, tracker = self._server.gui, controller.tracker
        clips = gui.add_dropdown("clip", tuple(tracker.references), initial_value=self.person.clip)
        clips.on_update(lambda _: self._wishes.put(lambda: self.person.choose(clips.value)))
        with gui.add_folder("Corrections"):
            self._add_slider("heading [rad]", HEADING_LIMIT, tracker.corrections.ask_heading)
            for name in tracker.corrections.adjustable:
                self._add_slider(name, JOINT_LIMIT, lambda value, name=name: tracker.corrections.ask_joint(name, value))

    def _add_slider(self, label: str, limit: float, ask: Callable[[float], None]) -> None:
        slider = self._server.gui.add_slider(label, min=-limit, max=limit, step=0.01, initial_value=0.0)
        slider.on_update(lambda _: self._wishes.put(lambda: ask(slider.value)))
