"""Mass matrix and bias of a robot from its engine, root first and joints in the articulation's order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.assets import Articulation


class EngineDynamics:
    """M(q) with armature and C(q, q') q' + g(q) of every env, at the state that the engine holds."""

    def __init__(self, articulation: Articulation):
        """Look at a robot whose simulation has been reset.

        Raises:
            NotImplementedError: If its engine gives no mass matrix or no bias.
        """
        self._data = articulation.data
        self.num_base_dofs: int = articulation.num_base_dofs
        engine = type(articulation).__module__.split(".")[0]
        sources = {"isaaclab_newton": _NewtonBias, "isaaclab_ov": _OvPhysxBias}
        if engine not in sources:
            raise NotImplementedError(
                f"The engine of '{engine}' gives no Coriolis forces through Isaac Lab, which stable PD control needs."
                " Take physics=mujoco_cpu, physics=newton_mjwarp or physics=ovphysx."
            )
        self._bias = sources[engine](articulation)
        self._adds_armature = sources[engine].mass_matrix_lacks_armature

    def mass_matrix(self) -> Tensor:
        """M(q), shape [num_envs, num_base_dofs + num_joints, same] [kg, kg m, kg m^2]."""
        mass_matrix = self._data.mass_matrix.torch
        if not self._adds_armature:
            return mass_matrix
        armature = torch.nn.functional.pad(self._data.joint_armature.torch, (self.num_base_dofs, 0))
        return mass_matrix + torch.diag_embed(armature)

    def bias(self, mass_matrix: Tensor) -> Tensor:
        """C(q, q') q' + g(q), shape [num_envs, num_base_dofs + num_joints] [N, N m].

        Args:
            mass_matrix: Of :meth:`mass_matrix`, at the same state.
        """
        return self._bias.compute(mass_matrix)


class _NewtonBias:
    """Newton's inverse dynamics; Isaac Lab's data offer its gravity alone.

    Newton 1.6.1 solves at a root that keeps its *spatial* acceleration at zero, whose centre of mass therefore
    accelerates by ``a = w x v``. It takes ``m a`` away again (``convert_free_distance_joint_f_internal_to_public`` in
    ``newton/_src/solvers/featherstone/kernels.py``), with the mass of the root body alone; what hangs on it, and the
    joints' own rows, keep theirs. So the three columns of the root's linear velocity times ``a`` are taken away here,
    and ``m a`` given back. v is the velocity of the root's centre of mass, w its angular velocity, in the world frame.
    """

    mass_matrix_lacks_armature = True

    def __init__(self, articulation: Articulation):
        import warp as wp

        self._articulation, model = articulation, articulation.root_view.model
        shape = (articulation.num_instances, articulation.num_base_dofs + articulation.num_joints)
        self._flat = [wp.zeros(model.joint_dof_count, dtype=wp.float32, device=model.device) for _ in range(2)]
        self._rows = [wp.zeros(shape, dtype=wp.float32, device=model.device) for _ in range(2)]
        self._parts = [wp.to_torch(rows) for rows in self._rows]

    def compute(self, mass_matrix: Tensor) -> Tensor:
        import warp as wp
        from isaaclab_newton.assets.articulation.kernels import gather_dof_force_rows
        from isaaclab_newton.physics import NewtonManager

        robot, view, data = self._articulation, self._articulation.root_view, self._articulation.data
        _ = data.body_link_pose_w  # brings Newton's body poses up to date with its joints
        gravity, coriolis = self._flat
        view.eval_inverse_dynamics_passive(NewtonManager.get_state_0(), gravity_force=gravity, coriolis_force=coriolis)
        ordering = data.joint_ordering
        for flat, rows in zip(self._flat, self._rows, strict=True):
            wp.launch(
                gather_dof_force_rows,
                dim=rows.shape,
                inputs=[
                    flat,
                    view.articulation_ids.reshape((-1,)),
                    view.model.articulation_start,
                    view.model.joint_qd_start,
                    ordering.user_to_backend if ordering is not None else None,
                    robot.num_base_dofs,
                    ordering is not None,
                ],
                outputs=[rows],
                device=view.model.device,
            )
        bias = self._parts[0] + self._parts[1]
        if robot.num_base_dofs == 0:
            return bias
        spurious = torch.linalg.cross(data.root_com_ang_vel_w.torch, data.root_com_lin_vel_w.torch)
        bias -= (mass_matrix[..., :3] @ spurious[..., None])[..., 0]
        bias[..., :3] += data.body_mass.torch[:, :1] * spurious
        return bias


class _OvPhysxBias:
    """PhysX's gravity and Coriolis forces; Isaac Lab's data offer the gravity alone."""

    mass_matrix_lacks_armature = True

    def __init__(self, articulation: Articulation):
        import warp as wp
        from isaaclab_ov import tensor_types

        self._data, self._view, self._type = articulation.data, articulation.root_view, tensor_types.CORIOLIS
        shape = self._view.binding_for(self._type).shape
        self._coriolis = wp.zeros(shape, dtype=wp.float32, device=articulation.device)
        self._rows = wp.to_torch(self._coriolis)
        ordering, base = self._data.joint_ordering, articulation.num_base_dofs
        joints = list(range(articulation.num_joints) if ordering is None else ordering.user_to_backend_indices)
        columns = [*range(base), *(base + joint for joint in joints)]
        self._columns = torch.tensor(columns, device=articulation.device)

    def compute(self, mass_matrix: Tensor) -> Tensor:
        self._view.read_into(self._type, self._coriolis)
        return self._data.gravity_compensation_forces.torch + self._rows[:, self._columns]
