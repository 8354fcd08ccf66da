"""One native MuJoCo model per env, following the per-env parameters that Newton keeps in MuJoCo Warp's model."""

from __future__ import annotations

import copy
from typing import Any

import mujoco
import numpy as np

FOLLOWED_FIELDS = (
    *("qpos0", "qpos_spring", "body_pos", "body_quat", "body_ipos", "body_iquat", "body_mass", "body_inertia"),
    *("jnt_pos", "jnt_axis", "jnt_stiffness", "jnt_range", "jnt_margin", "jnt_actfrcrange", "jnt_solref", "jnt_solimp"),
    *("dof_armature", "dof_damping", "dof_frictionloss", "dof_solref", "dof_solimp"),
    *("geom_pos", "geom_quat", "geom_friction", "geom_margin", "geom_gap"),
    *("geom_solref", "geom_solimp", "geom_solmix", "pair_friction", "pair_margin", "pair_gap"),
    *("pair_solref", "pair_solreffriction", "pair_solimp", "eq_data", "eq_solref", "eq_solimp"),
    *("actuator_gainprm", "actuator_biasprm", "actuator_dynprm", "actuator_gear"),
    *("actuator_ctrlrange", "actuator_forcerange", "actuator_actrange"),
    *("tendon_range", "tendon_margin", "tendon_stiffness", "tendon_damping", "tendon_armature"),
    *("tendon_frictionloss", "tendon_actfrcrange", "tendon_lengthspring"),
    *("tendon_solref_lim", "tendon_solimp_lim", "tendon_solref_fri", "tendon_solimp_fri"),
)
"""Per-env fields copied into the env's model when they change."""

UNSUPPORTED_FIELDS = ("geom_size", "body_gravcomp")
"""Per-env fields whose change needs data that only MuJoCo's compiler makes (bounding boxes, counts)."""

INERTIAL_FRAME_FIELDS = ("body_inertia", "body_iquat")
"""Principal moments and their axes: a body's pair is meaningless unless both come from the same decomposition."""


DERIVED_FIELDS = ("body_subtreemass", "body_invweight0", "dof_invweight0", "actuator_acc0", "actuator_lengthrange")
"""Fields that MuJoCo Warp computes from others at each env's own place on the ground, in float32: they differ between
equal envs in the last digits."""

DERIVED_TOLERANCE = 1e-4
"""Relative difference from which a derived field counts as changed."""


class EnvModels:
    """Native models of all envs: one shared model until an env's parameters differ, then a copy for that env.

    MuJoCo Warp's model holds every randomisable field as float32 of shape [num_envs, ...]. Env 0 at construction is
    what MuJoCo compiled the shared model from, so fields are copied only where they differ from what was last seen.
    """

    def __init__(self, compiled: mujoco.MjModel, warp_model: Any, num_envs: int):
        """Start with every env on one copy of the compiled model.

        Args:
            compiled: Model that MuJoCo compiled from the Newton model's first env; it is not modified.
            warp_model: MuJoCo Warp's model with per-env fields, on the CPU.
            num_envs: Number of envs.
        """
        self._warp_model = warp_model
        self._shared = copy.copy(compiled)
        _prepare_options(self._shared)
        self.models: list[mujoco.MjModel] = [self._shared] * num_envs
        self.addresses = np.full(num_envs, self._shared._address, dtype=np.uint64)
        fields = per_env_fields(warp_model, num_envs)
        self._seen = {name: np.repeat(view[:1], num_envs, axis=0) for name, view in fields.items()}
        self._free_joint_coordinates = _free_joint_coordinates(self._shared)
        self._seen_gravity = np.tile(self._shared.opt.gravity.astype(np.float32), (num_envs, 1))
        self.update()

    def update(self) -> None:
        """Copy the fields that changed since the last call into the models of the envs where they changed.

        Raises:
            ValueError: If an env changed a field that a compiled model cannot follow.
        """
        for name, current in per_env_fields(self._warp_model, len(self.models)).items():
            changed = np.flatnonzero(self._differs(name, current))
            for env_id, model in self._models_to_write(changed, current):
                self._write(model, env_id, name, current[env_id])
            self._seen[name][changed] = current[changed]
        gravity = np.broadcast_to(self._warp_model.opt.gravity.numpy(), self._seen_gravity.shape)
        changed = np.flatnonzero(_any_env(gravity != self._seen_gravity))
        for env_id, model in self._models_to_write(changed, gravity):
            model.opt.gravity[:] = gravity[env_id]
        self._seen_gravity[:] = gravity

    def set_timestep(self, timestep: float) -> None:
        """Set the physics time step [s] of every env."""
        if self._shared.opt.timestep == timestep and self.models[0].opt.timestep == timestep:
            return
        for model in {id(model): model for model in [self._shared, *self.models]}.values():
            model.opt.timestep = timestep

    def _differs(self, name: str, current: np.ndarray) -> np.ndarray:
        """Return which envs differ from what was last seen, shape [num_envs]."""
        if name in DERIVED_FIELDS:
            return _any_env(~np.isclose(current, self._seen[name], rtol=DERIVED_TOLERANCE, atol=0.0))
        different = current != self._seen[name]
        if name in ("qpos0", "qpos_spring"):
            different[:, self._free_joint_coordinates] = False
        return _any_env(different)

    def _models_to_write(self, changed: np.ndarray, current: np.ndarray) -> list[tuple[int, mujoco.MjModel]]:
        """Return the models that a change concerns, each with an env that holds its new value."""
        if len(changed) == len(self.models) and (current == current[:1]).all():
            return list({id(model): (env_id, model) for env_id, model in enumerate(self.models)}.values())
        return [(int(env_id), self._own(int(env_id))) for env_id in changed]

    def _own(self, env_id: int) -> mujoco.MjModel:
        """Return the env's own model, copied from the shared one the first time."""
        if self.models[env_id] is self._shared:
            self.models[env_id] = copy.copy(self._shared)
            self.addresses[env_id] = self.models[env_id]._address
        return self.models[env_id]

    def _write(self, model: mujoco.MjModel, env_id: int, name: str, value: np.ndarray) -> None:
        if name in UNSUPPORTED_FIELDS:
            raise ValueError(
                f"Env {env_id} changed '{name}', which physics=mujoco_cpu cannot follow after start-up. "
                f"Randomise it with `physics=newton_mjwarp`, or leave it fixed. Not followed: {UNSUPPORTED_FIELDS}."
            )
        getattr(model, name)[...] = value.reshape(getattr(model, name).shape)
        if name in INERTIAL_FRAME_FIELDS:
            for coupled in INERTIAL_FRAME_FIELDS:
                getattr(model, coupled)[...] = getattr(self._warp_model, coupled).numpy()[env_id]
        _invalidate_frame_shortcuts(model, name)


def per_env_fields(warp_model: Any, num_envs: int) -> dict[str, np.ndarray]:
    """Return views of the fields that may differ between envs, by MuJoCo name, shape [num_envs, ...]."""
    names = FOLLOWED_FIELDS + DERIVED_FIELDS + UNSUPPORTED_FIELDS
    views = {name: getattr(warp_model, name).numpy() for name in names}
    return {name: view for name, view in views.items() if view.shape[0] == num_envs and view.size}


def _any_env(different: np.ndarray) -> np.ndarray:
    return different.reshape(len(different), -1).any(axis=1)


def _free_joint_coordinates(model: mujoco.MjModel) -> np.ndarray:
    """Return the coordinates of free joints: their reference is where an env stands, and moves nothing."""
    first = model.jnt_qposadr[model.jnt_type == int(mujoco.mjtJoint.mjJNT_FREE)]
    return (first[:, None] + np.arange(7)).ravel()


def _prepare_options(model: mujoco.MjModel) -> None:
    # A diverged env must come back as NaN for the environment to see, not silently at MuJoCo's default pose; and
    # the bounding boxes behind the mid-phase sit in inertial frames, which randomised centres of mass move.
    disabled = mujoco.mjtDisableBit
    model.opt.disableflags |= int(disabled.mjDSBL_AUTORESET) | int(disabled.mjDSBL_MIDPHASE)
    model.opt.disableflags |= int(disabled.mjDSBL_SENSOR)


def _invalidate_frame_shortcuts(model: mujoco.MjModel, name: str) -> None:
    """Drop compiled assumptions on coinciding frames that a changed field may have broken.

    Raises:
        ValueError: If a body's compiled mass matrix has no room for its new inertia.
    """
    if name in ("body_ipos", *INERTIAL_FRAME_FIELDS):
        model.body_sameframe[1:] = int(mujoco.mjtSameFrame.mjSAMEFRAME_NONE)
        for body in np.flatnonzero(model.body_simple[1:]) + 1:
            _check_simple_body(model, int(body))
    if name in ("geom_pos", "geom_quat"):
        model.geom_sameframe[:] = int(mujoco.mjtSameFrame.mjSAMEFRAME_NONE)


def _check_simple_body(model: mujoco.MjModel, body: int) -> None:
    """Refuse an inertia with products about the body frame where MuJoCo compiled a diagonal mass matrix."""
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[body])
    rotation = rotation.reshape(3, 3)
    inertia = rotation @ np.diag(model.body_inertia[body]) @ rotation.T
    products = np.abs(inertia - np.diag(np.diag(inertia))).max()
    if products > 1e-6 * np.trace(inertia) or np.abs(model.body_ipos[body]).max() > 1e-9:
        raise ValueError(
            f"Body '{model.body(body).name}' was compiled with a diagonal mass matrix and got the centre of mass "
            f"{model.body_ipos[body]} m with products of inertia of {products:.3g} kg m^2: physics=mujoco_cpu cannot "
            "follow that. Give the body a small offset in its asset, or use `physics=newton_mjwarp`."
        )
