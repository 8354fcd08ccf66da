"""Description of a policy for controllers, at full precision. Imports neither a simulator nor torch."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal, get_args

from whole_body_tracking.actuation.muscle_drive import MuscleDrive
from whole_body_tracking.locomotion.command import CommandRanges
from whole_body_tracking.locomotion.modes import Mode

from .clip_reference import ClipReference, TrainedClip, require_folder_name

FORMAT_VERSION = 1

ADDED_FIELDS = {
    "clamp_targets",
    "clips_folder",
    "preview_steps",
    "clip_end",
    "trained_on",
    "action_center",
    "actuation",
    "muscles",
    "velocity_ranges",
    "modes",
}
"""Fields that files of this format version may lack; they have defaults."""

ActionKind = Literal["default_relative", "residual"]
"""``default_relative``: joint target = default + scale * action. ``residual``: reference + scale * action."""

ActionCenter = Literal["reference", "joint_target"]
"""Joint target of a zero residual action: the reference's joint positions, or the clip's channel ``joint_target``."""

Actuation = Literal["implicit", "stable_pd", "stable_pd_contacts", "muscles"]
"""How joints were driven in training: by the engine's own PD drives, by stable PD control, the same with the contact
forces in its prediction, or by muscles. See docs/actuation.md."""

PER_JOINT_FIELDS = (
    "joint_stiffness",
    "joint_damping",
    "joint_armature",
    "joint_effort_limit",
    "joint_velocity_limit",
    "joint_pos_lower",
    "joint_pos_upper",
    "soft_joint_pos_lower",
    "soft_joint_pos_upper",
    "default_joint_pos",
    "action_scale",
)

ADDED_FIELDS |= {"gait_inputs", "gait_low", "gait_high", "gait_state_size"}


@dataclass(frozen=True)
class ObservationTerm:
    """One term of the observation vector."""

    name: str
    dim: int
    """Values in the vector, history included."""
    history_length: int = 1
    """Steps in the vector, oldest first; 1 means the present one only."""
    scale: tuple[float, ...] | None = None
    """Factors on one step's values, one for all or one each; None means 1."""
    clip: tuple[float, float] | None = None
    """Bounds before scaling; None means none."""

    def __str__(self) -> str:
        return f"{self.name}[{self.dim}]" + (f"x{self.history_length}" if self.history_length > 1 else "")


@dataclass(frozen=True)
class PolicySpec:
    """Observation layout, joints, gains, limits and clock of a policy.

    Per-joint values are in the order of :attr:`joint_names`, which is also that of the actions.

    Raises:
        ValueError: If a per-joint field has another length than ``joint_names`` or holds a value that is not finite,
            or ``clips_folder`` is more than the name of a folder.
    """

    task: str
    run_path: str
    """Where the policy comes from: a W&B run path, or the last two folders of a local run."""
    checkpoint: str
    """File name of the checkpoint."""
    control_dt: float
    """Time between two actions [s]."""
    action_kind: ActionKind
    """Kind of action of the network in training; that of the file's output is :attr:`emitted_actions`."""
    action_clip: float | None
    """Bound on the network's output, applied in the graph; None means none."""
    reference_in_graph: bool
    """Whether the file holds the clip: then it takes ``time_step`` and outputs the reference."""
    observations: tuple[ObservationTerm, ...]
    command_names: tuple[str, ...]
    anchor_body_name: str
    body_names: tuple[str, ...]
    """Tracked bodies, in the order of the body outputs."""
    joint_names: tuple[str, ...]
    joint_stiffness: tuple[float, ...]
    """[N m/rad]"""
    joint_damping: tuple[float, ...]
    """[N m s/rad]"""
    joint_armature: tuple[float, ...]
    """[kg m^2]"""
    joint_effort_limit: tuple[float, ...]
    """[N m]"""
    joint_velocity_limit: tuple[float, ...]
    """[rad/s]"""
    joint_pos_lower: tuple[float, ...]
    """[rad]"""
    joint_pos_upper: tuple[float, ...]
    """[rad]"""
    soft_joint_pos_lower: tuple[float, ...]
    """[rad]"""
    soft_joint_pos_upper: tuple[float, ...]
    """[rad]"""
    default_joint_pos: tuple[float, ...]
    """Joint positions before any randomisation [rad]."""
    action_scale: tuple[float, ...]
    """Joint target per unit of action [rad]."""
    clips: tuple[ClipReference, ...]
    """Clips that the policy can track, in the order of their one-hot id: the one in the graph, or those beside it."""
    version: str = ""
    """Version of this package."""
    commit: str | None = None
    """Git commit of this package's checkout, if it is one."""
    clamp_targets: bool = False
    """Whether the graph keeps ``default + scale * actions`` within the soft limits."""
    clips_folder: str = ""
    """Folder beside the file that holds the clips by :attr:`ClipReference.file_name`; empty if there is none."""
    preview_steps: tuple[int, ...] = ()
    """Frames that the preview terms show, in steps beyond the one aimed at; past a clip's end its last one."""
    clip_end: str = "truncate"
    """What followed a clip's last frame in training; after ``loop`` a preview there showed the next round."""
    action_center: ActionCenter = "reference"
    """What residual actions were about in training."""
    trained_on: tuple[TrainedClip, ...] = ()
    """Clips of the training, from its ``provenance.json``; empty if that file was not beside the checkpoint."""
    actuation: Actuation = "implicit"
    """How joints were driven in training."""
    muscles: MuscleDrive | None = None
    """Their muscles, for the actuation ``muscles``; None for others."""
    velocity_ranges: CommandRanges | None = None
    """Velocity commands of the training; None for a policy that is not told a velocity."""
    modes: tuple[Mode, ...] = ()
    """Modes of the policy, in the order of their one-hot observation; empty for a policy without."""
    quat_order: str = "wxyz"
    """Order of the file's ``body_quat_w`` output."""
    format_version: int = FORMAT_VERSION
    gait_inputs: tuple[str, ...] = ()
    """Parameters that the file's input ``gait`` takes, of a policy that follows a RefNN; empty for others."""
    gait_low: tuple[float, ...] = ()
    """Smallest value of each; smaller ones count as this."""
    gait_high: tuple[float, ...] = ()
    """Largest value of each."""
    gait_state_size: int = 0
    """Number of values of the file's input ``state``."""

    def __post_init__(self):
        require_folder_name(self.clips_folder)
        for name in PER_JOINT_FIELDS:
            values = getattr(self, name)
            if len(values) != len(self.joint_names):
                raise ValueError(f"`{name}` has {len(values)} values, expected {len(self.joint_names)}, one per joint.")
            bad = [joint for joint, value in zip(self.joint_names, values, strict=True) if not math.isfinite(value)]
            if bad:
                raise ValueError(f"`{name}` is not finite for {bad}. Correct the robot's config before exporting.")
        if self.action_center not in get_args(ActionCenter):
            raise ValueError(f"`action_center` is '{self.action_center}', expected one of {get_args(ActionCenter)}.")
        if self.actuation not in get_args(Actuation):
            raise ValueError(f"`actuation` is '{self.actuation}', expected one of {get_args(Actuation)}.")
        if (self.actuation == "muscles") != (self.muscles is not None):
            raise ValueError(
                f"`actuation` is '{self.actuation}' and `muscles` is {self.muscles}; both belong together. Export the"
                " policy again."
            )
        if self.clamp_targets and self.emitted_actions != "default_relative":
            raise ValueError(
                "Targets cannot be clamped in a file that does not know them: its actions are about a reference that it"
                " does not hold. Export with one clip, or clamp in the controller."
            )

    @property
    def num_observations(self) -> int:
        return sum(term.dim for term in self.observations)

    @property
    def emitted_actions(self) -> ActionKind:
        """Kind of the file's ``actions``: default-relative also for a residual policy that holds its reference."""
        return "default_relative" if self.reference_in_graph or self.holds_refnn else self.action_kind

    @property
    def holds_refnn(self) -> bool:
        """Whether the file holds a RefNN: then it takes ``gait`` and ``state`` and outputs the reference."""
        return bool(self.gait_inputs)

    @property
    def emitted_center(self) -> str:
        """Joint target of a zero action that the file emits: ``default``, ``reference`` or ``joint_target``."""
        return "default" if self.emitted_actions == "default_relative" else self.action_center

    @property
    def holds_joint_targets(self) -> bool:
        """Whether the file has a further output ``joint_target``: the center of its residual policy at a frame."""
        return self.reference_in_graph and self.action_kind == "residual" and self.action_center == "joint_target"

    def clip_index(self, name: str) -> int:
        """Index of a clip in :attr:`clips`, which is also the index of the 1 in its one-hot id.

        Raises:
            ValueError: If there is no such clip; the message lists those that exist.
        """
        names = [clip.name for clip in self.clips]
        if name not in names:
            raise ValueError(f"The policy was exported without a clip '{name}'. It has: {names}.")
        return names.index(name)

    def observation_slice(self, name: str) -> slice:
        """Slice of a term in the observation vector.

        Raises:
            ValueError: If there is no such term; the message lists those that exist.
        """
        start = 0
        for term in self.observations:
            if term.name == name:
                return slice(start, start + term.dim)
            start += term.dim
        raise ValueError(f"The policy observes no '{name}'. It observes: {self.describe_observations()}.")

    def describe_observations(self) -> str:
        """Observation terms on one line, such as ``command[58], base_ang_vel[3] = 61``."""
        return f"{', '.join(map(str, self.observations))} = {self.num_observations}"

    def require_compatible(self, expected: PolicySpec, source: str) -> None:
        """Check that a controller made for ``expected`` can run this policy.

        Args:
            expected: What the controller was made for.
            source: What messages call this policy.

        Raises:
            ValueError: If observations, joints or control rate differ; the message names the first difference.
        """
        _require_same_observations(self, expected, source)
        for field in ("joint_names", "control_dt", "emitted_actions", "emitted_center"):
            found, wanted = getattr(self, field), getattr(expected, field)
            if found != wanted:
                raise ValueError(
                    f"{source}: `{field}` is {found}, expected {wanted}. Use the matching task or controller."
                )

    def require_actuation(self, supported: tuple[str, ...], where: str) -> None:
        """Check that a place drives joints as this policy's training did.

        Args:
            supported: Kinds of :data:`Actuation` that it knows.
            where: What messages call it.

        Raises:
            ValueError: If it does not.
        """
        if self.actuation not in supported:
            raise ValueError(
                f"{self.checkpoint or 'The policy'} was trained with actuation '{self.actuation}', and {where} has only"
                f" {', '.join(supported)}. Train without presets=spd or presets=muscles, or play it in"
                " evaluate.py or sim2sim.py."
            )

    def to_json(self, indent: int | None = None) -> str:
        """JSON text from which :meth:`from_json` restores every number exactly."""
        return json.dumps(dataclasses.asdict(self), indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> PolicySpec:
        """Restore a spec.

        Raises:
            ValueError: If the text is not a spec of this format version.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
            found = content.get("format_version") if isinstance(content, dict) else None
            raise ValueError(
                f"Expected a policy spec of format version {FORMAT_VERSION}, found {found}. Export it again."
            )
        known = {field.name for field in dataclasses.fields(cls)}
        differing = (set(content) ^ known) - (ADDED_FIELDS - set(content))
        if differing:
            raise ValueError(f"Fields of the policy spec differ from those known: {sorted(differing)}.")
        try:
            content["observations"] = [ObservationTerm(**_tuples(term)) for term in content["observations"]]
            content["clips"] = [ClipReference(**clip) for clip in content["clips"]]
            ranges = content.get("velocity_ranges")
            content["velocity_ranges"] = None if ranges is None else CommandRanges(**_tuples(ranges))
            content["modes"] = [Mode(**mode) for mode in content.get("modes", [])]
            muscles = content.get("muscles")
            content["muscles"] = None if muscles is None else MuscleDrive(**muscles)
            content["trained_on"] = [TrainedClip(**clip) for clip in content.get("trained_on", [])]
            return cls(**_tuples(content))
        except (AttributeError, TypeError) as error:
            raise ValueError(f"The policy spec has values of another kind than expected: {error}.") from None


def _require_same_observations(found: PolicySpec, expected: PolicySpec, source: str) -> None:
    for place, (have, want) in enumerate(zip_longest(found.observations, expected.observations), start=1):
        if have != want:
            raise ValueError(
                f"{source}: observation term {place} is {have}, expected {want}.\n"
                f"  the policy observes: {found.describe_observations()}\n"
                f"  expected:            {expected.describe_observations()}\n"
                "Export a policy of the task that the controller was made for, or change the controller."
            )


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
