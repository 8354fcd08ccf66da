"""One native MuJoCo model per world, following the per-world parameters that Newton keeps in MuJoCo Warp's model."""

from __future__ import annotations

import copy
from typing import Any

import mujoco
import numpy as np

UNSUPPORTED_FIELDS = ("geom_size", "body_gravcomp")
"""Per-world fields whose change needs data that only MuJoCo's compiler makes (bounding boxes, counts)."""

INERTIAL_FRAME_FIELDS = ("body_inertia", "body_iquat")
"""Principal moments and their axes: a body's pair is meaningless unless both come from the same decomposition."""


class WorldModels:
    """Native models of all worlds: one shared model until a world's parameters differ, then a copy for that world.

    MuJoCo Warp's model holds every randomisable field as float32 of shape [num_worlds, ...]. World 0 at construction is
    what MuJoCo compiled the shared model from, so fields are copied only where they differ from what was last seen.
    """

    def __init__(self, compiled: mujoco.MjModel, warp_model: Any, num_worlds: int):
        """Start with every world on one copy of the compiled model.

        Args:
            compiled: Model that MuJoCo compiled from the Newton model's first world; it is not modified.
            warp_model: MuJoCo Warp's model with per-world fields, on the CPU.
            num_worlds: Number of worlds.
        """
        self._warp_model = warp_model
        self._shared = copy.copy(compiled)
        _prepare_options(self._shared)
        self.models: list[mujoco.MjModel] = [self._shared] * num_worlds
        self.addresses = np.full(num_worlds, self._shared._address, dtype=np.uint64)
        fields = per_world_fields(warp_model, num_worlds)
        self._seen = {name: np.repeat(view[:1], num_worlds, axis=0) for name, view in fields.items()}
        self._seen_gravity = np.tile(self._shared.opt.gravity.astype(np.float32), (num_worlds, 1))
        self.update()

    def update(self) -> None:
        """Copy the fields that changed since the last call into the models of the worlds where they changed.

        Raises:
            ValueError: If a world changed a field that a compiled model cannot follow.
        """
        for name, current in per_world_fields(self._warp_model, len(self.models)).items():
            for world in np.flatnonzero(_differs(current, self._seen[name])):
                self._write(int(world), name, current[world])
            self._seen[name][:] = current
        gravity = np.broadcast_to(self._warp_model.opt.gravity.numpy(), self._seen_gravity.shape)
        for world in np.flatnonzero(_differs(gravity, self._seen_gravity)):
            self._own(int(world)).opt.gravity[:] = gravity[world]
        self._seen_gravity[:] = gravity

    def set_timestep(self, timestep: float) -> None:
        """Set the physics time step [s] of every world."""
        if self._shared.opt.timestep == timestep and self.models[0].opt.timestep == timestep:
            return
        for model in {id(model): model for model in [self._shared, *self.models]}.values():
            model.opt.timestep = timestep

    def _own(self, world: int) -> mujoco.MjModel:
        """Return the world's own model, copied from the shared one the first time."""
        if self.models[world] is self._shared:
            self.models[world] = copy.copy(self._shared)
            self.addresses[world] = self.models[world]._address
        return self.models[world]

    def _write(self, world: int, name: str, value: np.ndarray) -> None:
        if name in UNSUPPORTED_FIELDS:
            raise ValueError(
                f"World {world} changed '{name}', which physics=mujoco_cpu cannot follow after start-up. "
                f"Randomise it with `physics=newton_mjwarp`, or leave it fixed. Not followed: {UNSUPPORTED_FIELDS}."
            )
        model = self._own(world)
        getattr(model, name)[...] = value.reshape(getattr(model, name).shape)
        if name in INERTIAL_FRAME_FIELDS:
            for coupled in INERTIAL_FRAME_FIELDS:
                getattr(model, coupled)[...] = getattr(self._warp_model, coupled).numpy()[world]
        _invalidate_frame_shortcuts(model, name)


def per_world_fields(warp_model: Any, num_worlds: int) -> dict[str, np.ndarray]:
    """Return views of the fields that hold one value per world, by MuJoCo name, shape [num_worlds, ...]."""
    views = {}
    for name in warp_model.__dataclass_fields__:
        array = getattr(warp_model, name)
        per_world = hasattr(array, "numpy") and array.ndim > 0 and array.strides[0] > 0 and array.size > 0
        if per_world and array.shape[0] == num_worlds and hasattr(mujoco.MjModel, name):
            view = array.numpy()
            views[name] = view.reshape(num_worlds, -1) if view.ndim == 1 else view
    return views


def _differs(current: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return which worlds differ in any value, shape [num_worlds]."""
    return (current != seen).reshape(len(current), -1).any(axis=1)


def _prepare_options(model: mujoco.MjModel) -> None:
    # A diverged world must come back as NaN for the environment to see, not silently at MuJoCo's default pose; and
    # the bounding boxes behind the mid-phase sit in inertial frames, which randomised centres of mass move.
    disabled = mujoco.mjtDisableBit
    model.opt.disableflags |= int(disabled.mjDSBL_AUTORESET) | int(disabled.mjDSBL_MIDPHASE)
    model.opt.disableflags |= int(disabled.mjDSBL_SENSOR)


def _invalidate_frame_shortcuts(model: mujoco.MjModel, name: str) -> None:
    """Drop compiled assumptions on coinciding frames that a changed field may have broken."""
    if name.startswith("body_i") and name != "body_invweight0":
        model.body_sameframe[1:] = int(mujoco.mjtSameFrame.mjSAMEFRAME_NONE)
        model.body_simple[:] = 0
        model.dof_simplenum[:] = 0
    if name in ("geom_pos", "geom_quat"):
        model.geom_sameframe[:] = int(mujoco.mjtSameFrame.mjSAMEFRAME_NONE)
