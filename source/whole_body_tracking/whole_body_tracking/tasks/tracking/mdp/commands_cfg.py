"""Configuration of the motion command."""

from __future__ import annotations

from dataclasses import MISSING
from typing import TYPE_CHECKING, Literal

from isaaclab.utils import configclass

from whole_body_tracking.motion.library import MotionStorage

from .reference.clip_clock import ClipEnd
from .reference.reference_command_cfg import ReferenceCommandCfg
from .start_sampling.sampler import StartStrategy

if TYPE_CHECKING:
    from .commands import MotionCommand

ClipSampling = Literal["joint", "uniform", "duration", "weight", "curriculum"]


@configclass
class MotionCommandCfg(ReferenceCommandCfg):
    """Configuration of the motion to track and of where episodes start."""

    class_type: type[MotionCommand] | str = "{DIR}.commands:MotionCommand"

    motion_files: list[str] = MISSING
    """Clips to track: NPZ files, folders, globs, manifests or W&B registry names. Their rate must equal the control
    rate."""

    motion_split: str | None = None
    """Split of the manifests to track, such as ``train``; None takes all."""

    motion_storage: MotionStorage = "full"
    """``full`` keeps the states of all tracked bodies; ``compact`` keeps root pose and joint positions, a seventh, and
    computes the rest at every step. Take it if the memory estimate at the start exceeds the device."""

    channels: list[str] = []
    """Channels of the clips, such as ``joint_target``, that terms look up with ``MotionCommand.channel``."""

    speeds: list[float] = [1.0]
    """How many times faster the clips are played in training: a copy of every clip for each, and every episode draws
    one (``presets=rand_time``). Sampler and ``clips.csv`` treat copies as clips of their own; play has none."""

    clip_end: ClipEnd = "truncate"
    """What happens after a clip's last frame: ``truncate`` ends the episode as a time-out, so that the value is
    bootstrapped; ``resample`` moves the robot to a new start without ending the episode, as BeyondMimic does;
    ``hold`` keeps the last pose, at rest; ``loop`` goes on with the clip's beginning, turned and shifted so that its
    first frame lies where the last one was."""

    start_sampling: StartStrategy = "adaptive"
    """Where episodes start: see :class:`~.start_sampling.sampler.StartSampler`."""

    adaptive_bin_duration: float = 1.0
    """Length of a sampling bin [s]."""

    adaptive_uniform_ratio: float = 0.1
    """Share of starts drawn uniformly over bins, in [0, 1]. Raise it if early frames stop being visited."""

    adaptive_alpha: float = 0.001
    """Weight of the newest step in the averages of what is counted. Raise it to forget old failures sooner."""

    adaptive_kernel_size: int = 1
    """Number of bins, counted forward, whose failures or lost rewards a start answers for."""

    adaptive_lambda: float = 0.8
    """Decay of the kernel from one bin to the next."""

    clip_sampling: ClipSampling = "joint"
    """How clips are chosen: ``joint`` leaves it to ``start_sampling``, over the bins of all clips; ``uniform``: each
    clip alike; ``duration``: by length; ``weight``: by the manifest's weights; ``curriculum``: from easy to hard. But
    for the first, ``start_sampling`` chooses within the clip."""

    max_clip_probability: float = 1.0
    """Largest probability of one clip, not for ``curriculum``. Lower it if one clip that cannot be tracked takes most
    starts."""

    curriculum_steps: int = 20_000
    """Environment steps in which the curriculum opens all clips if it never has to wait."""

    curriculum_max_failure: float = 0.5
    """Share of failed episodes, over the open clips, above which the curriculum waits."""

    freeze_sampling: bool = False
    """Whether sampling statistics stay as they are, as in play and evaluation."""

    transfer: bool = False
    """Whether a checkpoint of other clips may be continued: it keeps the policy and starts the statistics anew."""

    preview_steps: list[int] = []
    """Steps into the future that the preview observations show, beyond the frame aimed at."""
