"""A spec as ONNX metadata: the keys that BeyondMimic's controllers read, ours, and the whole spec as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from .spec import PolicySpec

SPEC_KEY = "policy_spec"
"""Metadata key that holds the whole spec as JSON; the other keys repeat parts of it for other readers."""


def spec_to_metadata(spec: PolicySpec) -> dict[str, str]:
    """Metadata keys and texts. Lists are comma-separated; numbers read back exactly."""
    observations = spec.observations
    # Only where it says something new: files written before there was a choice stay readable.
    center = {} if spec.action_center == "reference" else {"action_center": spec.action_center}
    actuation = {} if spec.actuation == "implicit" else {"actuation": spec.actuation}
    modes = {"modes": _csv(mode.name for mode in spec.modes)} if spec.modes else {}
    return (
        center
        | actuation
        | modes
        | {
            "run_path": spec.run_path,
            "joint_names": _csv(spec.joint_names),
            "joint_stiffness": _csv(spec.joint_stiffness),
            "joint_damping": _csv(spec.joint_damping),
            "default_joint_pos": _csv(spec.default_joint_pos),
            "command_names": _csv(spec.command_names),
            "observation_names": _csv(term.name for term in observations),
            "observation_history_lengths": _csv(term.history_length for term in observations),
            "action_scale": _csv(spec.action_scale),
            "anchor_body_name": spec.anchor_body_name,
            "body_names": _csv(spec.body_names),
            "observation_dims": _csv(term.dim for term in observations),
            "joint_effort_limit": _csv(spec.joint_effort_limit),
            "quat_order": spec.quat_order,
            "task": spec.task,
            "control_dt": repr(spec.control_dt),
            "action_kind": spec.action_kind,
            "emitted_actions": spec.emitted_actions,
            "reference_in_graph": str(spec.reference_in_graph).lower(),
            "format_version": str(spec.format_version),
            SPEC_KEY: spec.to_json(),
        }
    )


def spec_from_metadata(metadata: dict[str, str], source: str) -> PolicySpec:
    """Restore a spec and check that every key agrees with it.

    Args:
        metadata: Keys and texts; further keys are ignored.
        source: What messages call the file.

    Raises:
        ValueError: If the spec is missing or a key contradicts it.
    """
    if SPEC_KEY not in metadata:
        raise ValueError(
            f"{source}: the ONNX file does not say what its observations are (no '{SPEC_KEY}' among its metadata"
            f" {sorted(metadata)}). Export it with this project."
        )
    spec = PolicySpec.from_json(metadata[SPEC_KEY])
    expected = spec_to_metadata(spec)
    edited = [key for key, text in expected.items() if key != SPEC_KEY and metadata.get(key) != text]
    if edited:
        raise ValueError(f"{source}: metadata {edited} contradict '{SPEC_KEY}'. Export the policy again.")
    return spec


def _csv(values: Iterable[str | float]) -> str:
    return ",".join(value if isinstance(value, str) else repr(value) for value in values)
