"""The native limit: plain ``mujoco.rollout`` through the control steps that the environment made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np
from mujoco.rollout import Rollout

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv


@dataclass(frozen=True)
class ControlStep:
    """State and controls at the start of one control step of all envs, in MuJoCo's coordinates."""

    qpos: np.ndarray
    """Positions, shape [num_envs, nq]."""
    qvel: np.ndarray
    """Velocities, shape [num_envs, nv]."""
    ctrl: np.ndarray
    """Joint targets, constant over the step, shape [num_envs, nu]."""
    warm_start: np.ndarray
    """Accelerations of the last step, shape [num_envs, nv]."""


class StepRecorder:
    """Notes the start of every control step that ``physics=mujoco_cpu`` makes; a context manager."""

    def __init__(self, env: ManagerBasedRLEnv):
        """Look at an environment for which :func:`has_native_limit` holds."""
        self._solver = env.sim.physics_manager._solver
        self.steps: list[ControlStep] = []

    def __enter__(self) -> StepRecorder:
        stepper, original = self._solver._stepper, self._solver._stepper.step

        def step(*args: Any, **kwargs: Any) -> None:
            self._note()
            original(*args, **kwargs)

        stepper.step = step
        return self

    def __exit__(self, *_: object) -> None:
        del self._solver._stepper.step

    def take(self) -> list[ControlStep]:
        """Return what was noted since the last call and forget it."""
        steps, self.steps = self.steps, []
        return steps

    def _note(self) -> None:
        fields = ("qpos", "qvel", "ctrl", "qacc_warmstart")
        self.steps.append(ControlStep(*(getattr(self._solver.mjw_data, name).numpy().copy() for name in fields)))


class NativeRollout:
    """Steps the envs' own models with ``mujoco.rollout``, one control step per call."""

    def __init__(self, models: Sequence[mujoco.MjModel], num_threads: int, num_substeps: int):
        """Start the threads.

        Args:
            models: Model of each env.
            num_threads: Threads; one runs on the calling thread.
            num_substeps: Physics steps of a control step.
        """
        self._models, self._num_substeps = list(models), num_substeps
        self._data = [mujoco.MjData(models[0]) for _ in range(num_threads)]
        self._pool = Rollout(nthread=num_threads if num_threads > 1 else 0)
        num_states = mujoco.mj_stateSize(models[0], mujoco.mjtState.mjSTATE_FULLPHYSICS.value)
        self._states = np.empty((len(models), num_substeps, num_states))

    def prepare(self, steps: Sequence[ControlStep]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Lay recorded control steps out as ``mujoco.rollout`` wants them: initial states, controls, warm starts."""
        return [self._inputs(step) for step in steps]

    def run(self, inputs: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
        """Make the control steps, each from its own recorded start."""
        for initial_state, control, warm_start in inputs:
            self._pool.rollout(
                self._models,
                self._data,
                initial_state,
                control,
                nstep=self._num_substeps,
                initial_warmstart=warm_start,
                state=self._states,
                skip_checks=True,
            )

    def final_state(self) -> np.ndarray:
        """Positions and velocities after the last control step, shape [num_envs, nq + nv]."""
        return self._states[:, -1, 1 : 1 + self._models[0].nq + self._models[0].nv]

    def close(self) -> None:
        """Stop the threads."""
        self._pool.close()

    def _inputs(self, step: ControlStep) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        num_envs = len(step.qpos)
        initial_state = np.zeros((num_envs, self._states.shape[-1]))
        first_velocity = 1 + step.qpos.shape[1]
        initial_state[:, 1:first_velocity] = step.qpos
        initial_state[:, first_velocity : first_velocity + step.qvel.shape[1]] = step.qvel
        control = np.repeat(step.ctrl[:, None].astype(np.float64), self._num_substeps, axis=1)
        return initial_state, control, step.warm_start.astype(np.float64)


def has_native_limit(env: ManagerBasedRLEnv) -> bool:
    """Whether the environment steps native MuJoCo models that ``mujoco.rollout`` can step as well."""
    return hasattr(env.sim.physics_manager, "env_models")


def num_engine_threads(env: ManagerBasedRLEnv) -> int:
    """Threads that step the envs of an environment for which :func:`has_native_limit` holds."""
    return env.sim.physics_manager._solver.num_threads


def native_rollout_of(env: ManagerBasedRLEnv) -> NativeRollout:
    """``mujoco.rollout`` on the environment's models, threads and substeps."""
    return NativeRollout(env.sim.physics_manager.env_models(), num_engine_threads(env), env.cfg.decimation)
