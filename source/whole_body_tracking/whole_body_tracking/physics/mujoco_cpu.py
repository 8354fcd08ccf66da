"""Isaac Lab's Newton physics manager over native MuJoCo in threads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np
import warp as wp
from isaaclab.physics import PhysicsManager
from isaaclab_newton.physics import NewtonCfg, NewtonManager
from isaaclab_newton.physics.mjwarp_manager import NewtonMJWarpManager
from newton import Contacts, JointType, Model
from newton.solvers import SolverMuJoCo

from .mujoco_cpu_cfg import MujocoCpuSolverCfg
from .mujoco_cpu_solver import SolverMujocoCpu
from .mujoco_cpu_stable_pd import NativeStablePD

logger = logging.getLogger(__name__)


class NewtonMujocoCpuManager(NewtonMJWarpManager):
    """Steps every env with native MuJoCo, all substeps of a control step in one native call.

    With implicit actuators the targets are constant over the environment's decimation, so a control step of several
    physics steps is one call as well (see :attr:`MujocoCpuSolverCfg.fold_decimation`). Forces on bodies and joints
    that were written before the step act in all of its substeps.
    """

    _folds_decimation: bool = False

    @classmethod
    def env_models(cls) -> list:
        """Return the native model of each env, with every parameter written so far; equal envs share one.

        Raises:
            RuntimeError: If the simulation has not been reset yet.
        """
        if cls._solver is None:
            raise RuntimeError("The envs have no models yet: call sim.reset() first.")
        for change in cls._model_changes:
            cls._solver.notify_model_changed(change)
        NewtonManager._model_changes = set()
        return cls._solver.current_models()

    @classmethod
    def set_decimation(cls, decimation: int) -> None:
        """Set the physics steps of a control step and fold them into one call where that changes nothing."""
        super().set_decimation(decimation)
        cls._folds_decimation = PhysicsManager._cfg.solver_cfg.fold_decimation and cls._targets_drive_all_joints()
        if decimation > 1 and not cls._folds_decimation:
            logger.info("Each of the %d physics steps of a control step is stepped on its own.", decimation)

    @classmethod
    def use_stable_pd(
        cls, joint_names: Sequence[str], contact_forces: bool, after_step: Callable[[], None] | None
    ) -> NativeStablePD:
        """Drive joints by stable PD control, or offer its torques; see :meth:`.SolverMujocoCpu.use_stable_pd`."""
        stable_pd = cls._solver.use_stable_pd(joint_names, contact_forces, after_step)
        cls.set_decimation(cls._decimation)
        return stable_pd

    @classmethod
    def compute_stable_pd(cls) -> None:
        """Compute the torques of stable PD control for the coming physics step."""
        cls._solver.compute_stable_pd(cls.backend.state_0, cls.backend.control, cls._solver_dt)

    @classmethod
    def _targets_drive_all_joints(cls) -> bool:
        """Whether drives of the engine act on every joint, so that no torque is computed between physics steps."""
        if cls._adapter is not None:
            return False
        if cls._solver.stable_pd is not None:
            return cls._solver.stable_pd.drives
        model = cls.get_model()
        first_dof = model.joint_qd_start.numpy()
        passive = [int(JointType.FREE), int(JointType.FIXED), int(JointType.DISTANCE)]
        driven = np.repeat(~np.isin(model.joint_type.numpy(), passive), np.diff(first_dof))
        gains = model.joint_target_ke.numpy() + model.joint_target_kd.numpy()
        return bool((gains[: len(driven)][driven] > 0.0).all())

    @classmethod
    def _is_all_graphable(cls) -> bool:
        return cls._folds_decimation or super()._is_all_graphable()

    @classmethod
    def _apply_deterministic_request(cls, cfg: NewtonCfg) -> wp.DeterministicMode:
        # Native MuJoCo is bitwise reproducible, whatever the number of threads.
        return wp.DeterministicMode.NOT_GUARANTEED

    @classmethod
    def _create_solver(cls, model: Model, solver_cfg: MujocoCpuSolverCfg) -> SolverMujocoCpu:
        kwargs = cls._filter_solver_kwargs(SolverMuJoCo, solver_cfg)
        kwargs.pop("ls_parallel", None)
        return SolverMujocoCpu(model, num_threads=solver_cfg.num_threads, **kwargs)

    @classmethod
    def _substeps_per_call(cls) -> int:
        return cls._num_substeps * (cls._decimation if cls._folds_decimation else 1)

    @classmethod
    def _simulate_full(cls) -> None:
        if not cls._folds_decimation:
            super()._simulate_full()
            return
        cls._stage_body_forces()
        for callback in cls._post_actuator_callbacks:
            callback()
        cls._run_solver_substeps(None)
        for callback in cls._post_step_callbacks:
            callback()
        cls._update_sensors(None)

    @classmethod
    def _run_solver_substeps(cls, contacts: Contacts | None) -> None:
        state = cls.backend.state_0
        cls._apply_staged_body_forces(state)
        for callback in cls._state_force_callbacks:
            callback(state)
        cls._solver.step(
            state,
            state,
            cls.backend.control,
            contacts,
            cls._solver_dt,
            num_substeps=cls._substeps_per_call(),
            report_contacts=cls._report_contacts,
        )
        state.clear_forces()

    @classmethod
    def _log_solver_debug(cls) -> None:
        """Do nothing: native MuJoCo keeps its iteration counts to itself."""

    @classmethod
    def _solver_specific_clear(cls) -> None:
        super()._solver_specific_clear()
        cls._folds_decimation = False
        cls._decimation = 1
