"""Check that a checkpoint's policy fits the task, by the export beside it, before any simulator starts."""

from __future__ import annotations

import json
from pathlib import Path

from isaaclab.managers import ObservationTermCfg

from whole_body_tracking.export.spec import ActionKind
from whole_body_tracking.tasks.locomotion.mode_check import modes_of
from whole_body_tracking.tasks.tracking.mdp import ResidualJointPositionActionCfg
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg


def require_policy_of_task(env_cfg: TrackingEnvCfg, checkpoint: Path) -> None:
    """Compare observation terms, kind of action and control rate with the policy exported beside a checkpoint.

    A checkpoint that was moved away from its run is checked by its layers only, once the environment exists. The kind
    of action cannot be told from layers: a residual policy fits a network that acts about the default pose.

    Raises:
        ValueError: If they differ; the message names each difference.
    """
    described = checkpoint.parent / "exported" / "policy.json"
    if not described.is_file():
        return
    trained = json.loads(described.read_text())
    differences = _differences(env_cfg, trained)
    if differences:
        raise ValueError(
            f"{checkpoint} was trained on {trained['task']}, which differs from this task: {'; '.join(differences)}."
            " Use the task and the presets of its run."
        )


def control_differences(env_cfg: TrackingEnvCfg, trained: dict) -> list[str]:
    """Differences in kind of action and control rate between a task and an exported policy, in words."""
    pairs = [
        ("actions", trained["action_kind"], _action_kind(env_cfg)),
        ("control period [s]", f"{trained['control_dt']:g}", f"{env_cfg.sim.dt * env_cfg.decimation:g}"),
    ]
    if trained["action_kind"] == _action_kind(env_cfg):
        pairs.append(("actions about", _trained_center(trained), action_center(env_cfg)))
    return [f"{what} {there}, here {here}" for what, there, here in pairs if there != here]


def _trained_center(trained: dict) -> str:
    """Center of an exported policy's actions; files from before there was a choice do not say it."""
    return trained.get("action_center", "reference") if trained["action_kind"] == "residual" else "default"


def _differences(env_cfg: TrackingEnvCfg, trained: dict) -> list[str]:
    differences = control_differences(env_cfg, trained)
    found, expected = [term["name"] for term in trained["observations"]], _observation_names(env_cfg)
    hidden = set(getattr(motion_cfg_of(env_cfg), "hidden_terms", ()))
    if not hidden & set(found):  # exported in the last phase of a schedule, which does without
        expected = [name for name in expected if name not in hidden]
    for where, names, others in (("there", found, expected), ("here", expected, found)):
        alone = [name for name in names if name not in others]
        differences += [f"observed only {where}: {', '.join(alone)}"] if alone else []
    modes, there = modes_of(env_cfg), [mode["name"] for mode in trained.get("modes", [])]
    if modes is not None and there and there != modes:
        differences += [f"modes {' '.join(there)}, here {' '.join(modes)} (--modes)"]
    if not differences and found != expected:
        differences = [f"observations in the order {', '.join(found)}, here {', '.join(expected)}"]
    return differences


def _observation_names(env_cfg: TrackingEnvCfg) -> list[str]:
    terms = vars(env_cfg.observations.policy)
    return [name for name, term in terms.items() if isinstance(term, ObservationTermCfg)]


def _action_kind(env_cfg: TrackingEnvCfg) -> ActionKind:
    is_residual = isinstance(env_cfg.actions.joint_pos, ResidualJointPositionActionCfg)
    return "residual" if is_residual else "default_relative"
