"""Contacts of all envs: recorded by the stepping threads, then packed into Newton's contact arrays."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import warp as wp

from .mujoco_cpu_native import StepArgs, pack_contacts_kernel

if TYPE_CHECKING:
    from newton import Contacts

logger = logging.getLogger(__name__)


class ContactRecords:
    """Contacts of one control step, a fixed number of slots for each env.

    Forces are divided by the number of substeps, so that the sum over records is the mean over the control step and no
    substep's impact is missed. The point of a contact is that of the last substep in which it was active.
    """

    def __init__(self, geom_shape: wp.array, slots: int):
        """Allocate the slots.

        Args:
            geom_shape: Newton shape of each MuJoCo geom, shape [num_envs, num_geoms].
            slots: Contacts that an env can record in one control step.
        """
        num_envs = geom_shape.shape[0]
        self.slots = slots
        self._geom_shape = geom_shape
        self._count = wp.zeros(num_envs, dtype=wp.int32, device="cpu")
        self._first = wp.zeros(num_envs, dtype=wp.int32, device="cpu")
        self._shapes = wp.zeros((num_envs, slots), dtype=wp.vec2i, device="cpu")
        self._vectors = [wp.zeros((num_envs, slots), dtype=wp.vec3, device="cpu") for _ in range(3)]
        self._forces = wp.zeros((num_envs, slots), dtype=wp.spatial_vector, device="cpu")
        self._overflow_reported = False

    @property
    def capacity(self) -> int:
        """Records of all envs together."""
        return self.slots * len(self._count)

    def bind(self, args: StepArgs) -> None:
        """Name these records in the arguments of a stepping thread."""
        args.geom_shape = self._geom_shape
        args.count = self._count
        args.shapes = self._shapes
        args.normals, args.points0, args.points1 = self._vectors
        args.forces = self._forces

    def pack(self, args: StepArgs, contacts: Contacts) -> None:
        """Write the records to Newton's contacts, env after env."""
        count = self._count.numpy()
        self._report_overflow(count)
        stored = np.minimum(count, self.slots)
        self._first.numpy()[1:] = np.cumsum(stored[:-1])
        contacts.rigid_contact_count.numpy()[0] = stored.sum()
        wp.launch(
            pack_contacts_kernel,
            dim=len(count),
            inputs=[self._first, args],
            outputs=[
                contacts.rigid_contact_shape0,
                contacts.rigid_contact_shape1,
                contacts.rigid_contact_point0,
                contacts.rigid_contact_point1,
                contacts.rigid_contact_normal,
                contacts.force,
            ],
            device="cpu",
        )

    def _report_overflow(self, count: np.ndarray) -> None:
        if self._overflow_reported or count.max() <= self.slots:
            return
        self._overflow_reported = True
        env_id = int(count.argmax())
        logger.warning(
            "Env %d made %d contact records in one control step, but there is room for %d: contact sensors miss the "
            "rest (the motion does not). Raise `nconmax` of the solver.", env_id, count[env_id], self.slots,
        )  # fmt: skip
