"""The training of one expert, in as many sessions as it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from whole_body_tracking.files import write_atomically
from whole_body_tracking.motion.sources.motion_entries import MotionEntry

from ..run.checkpoints import newest_checkpoint
from ..run.launching import Command, LoggedProcess, Training
from .table import Expert

MANIFEST_FILE = "motion.yaml"
"""In the working folder of an expert: its entry alone."""


@dataclass(frozen=True)
class ExpertJob:
    """The training of one expert."""

    entry: MotionEntry
    """The clip and the frames of it that the expert tracks."""
    sha256: str
    """Digest of these frames."""
    task: str
    training: Training

    @property
    def name(self) -> str:
        """Name of the motion."""
        return self.entry.name

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to train.

        Raises:
            ValueError: If the folder holds a finished training with other arguments, or one on another clip.
        """
        self._require_same_clip()
        return self.training.is_finished or self.training.minutes_left == 0.0

    def start(self, device: str) -> LoggedProcess:
        """Start the next session on a device."""
        return self.command(device).start()

    def steps(self, device: str) -> Iterator[Command]:
        """Steps that are left to do, by the files that exist."""
        if not self.is_finished:
            yield self.command(device)

    def command(self, device: str) -> Command:
        """Write the manifest of the expert's entry; the command of the next session on a device."""
        self.training.folder.mkdir(parents=True, exist_ok=True)
        item = {"file": str(self.entry.path.resolve()), "tags": list(self.entry.tags)}
        item |= {"frame_range": list(self.entry.frame_range)} if self.entry.frame_range else {}
        manifest = yaml.safe_dump({"motions": [item]}, sort_keys=False, width=1000)
        write_atomically(self.training.folder / MANIFEST_FILE, manifest)
        return self.training.command("--device", device)

    def finish(self) -> Expert:
        """Record the end of the training and return the expert.

        Raises:
            FileNotFoundError: If the training left no checkpoint.
        """
        run = self.training.finish()
        checkpoint, clip = newest_checkpoint(run).name, self.entry.path.resolve()
        return Expert(self.name, self.sha256, self.task, run, checkpoint, clip, self.entry.frame_range)

    def _require_same_clip(self) -> None:
        run = self.training.run
        if run is None:
            return
        found = json.loads((run / "provenance.json").read_text())["clips"][0]["sha256"]
        if found != self.sha256:
            raise ValueError(
                f"{run} was trained on another '{self.name}': its clip has the digest {found[:12]}, this one"
                f" {self.sha256[:12]}. Rename the clip, move {self.training.folder} away, or choose another"
                " --output_dir."
            )


def make_job(
    entry: MotionEntry, sha256: str, arguments: tuple[str, ...], task: str, folder: Path, max_minutes
) -> ExpertJob:
    """Job of an expert that is trained in a folder of its name.

    Args:
        entry: What to track.
        sha256: Digest of the clip.
        arguments: Command line of ``train.py`` that all experts share.
        task: Task among the arguments.
        folder: Folder of all experts.
        max_minutes: Training time of each expert [min], or None.
    """
    # The manifest is named by its place in the working folder, so that the folder may be moved.
    own = ("--motion_file", MANIFEST_FILE, "--run_name", entry.name)
    return ExpertJob(entry, sha256, task, Training(folder / entry.name, (*arguments, *own), max_minutes))
