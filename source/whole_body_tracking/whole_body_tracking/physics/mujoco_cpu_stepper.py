"""Step all envs on a pool of threads, straight from and into the solver's arrays."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mujoco
import numpy as np
import warp as wp

from .mujoco_cpu_contacts import ContactRecords
from .mujoco_cpu_layout import check_layout, function_address, struct_type
from .mujoco_cpu_models import EnvModels
from .mujoco_cpu_native import StepArgs, stable_pd_kernel, step_envs_kernel
from .mujoco_cpu_stable_pd import NativeStablePD

INPUT_FIELDS = (
    "qpos",
    "qvel",
    "act",
    "ctrl",
    "qacc_warmstart",
    "qfrc_applied",
    "xfrc_applied",
    "mocap_pos",
    "mocap_quat",
)
"""Fields of ``mjData`` loaded before a control step; the solver's arrays have the same names."""

OUTPUT_FIELDS = ("qpos", "qvel", "act", "qacc_warmstart", "qfrc_actuator")
"""Fields stored after a control step. ``qpos`` and ``qvel`` come first: they become NaN in an env that diverged."""

ACCELERATION_FIELDS = ("xipos", "subtree_com", "cacc", "cvel", "cfrc_int")
"""Fields stored as well when body accelerations or joint wrenches are asked for."""

SILENCED_WARNINGS = ("mjWARN_BADQPOS", "mjWARN_BADQVEL", "mjWARN_BADQACC", "mjWARN_BADCTRL")
"""Divergence is reported through NaN in the state, so MuJoCo need not also write a log file about it."""


class EnvStepper:
    """Threads, each with its own ``mjData``, that step every env through native MuJoCo.

    State, controls, applied forces and the solver's warm start are read from ``warp_data`` (float32, shape
    [num_envs, ...]) and written back after the last substep.
    """

    def __init__(
        self,
        models: EnvModels,
        warp_data: Any,
        contacts: ContactRecords,
        num_threads: int | None,
        stable_pd: NativeStablePD | None = None,
    ):
        """Start the threads.

        Args:
            models: Native models of all envs.
            warp_data: MuJoCo Warp's data, on the CPU.
            contacts: Where contacts are recorded.
            num_threads: Number of threads, or None for one per available CPU core.
            stable_pd: What makes torques at every substep, or None to step with the given controls alone.
        """
        num_envs = len(models.models)
        self.num_threads = min(resolve_num_threads(num_threads), num_envs)
        self._models, self._stable_pd = models, stable_pd
        self._progress = np.zeros(4, dtype=np.int32)
        self._data = [_make_data(models.models[0]) for _ in range(self.num_threads)]
        check_layout(self._data[0])
        self._args = [self._bind(data, warp_data, contacts) for data in self._data]
        self._launches = self._record(step_envs_kernel)
        self._pd_launches = [] if stable_pd is None else self._record(stable_pd_kernel)
        self._pool = ThreadPoolExecutor(max(1, self.num_threads - 1), thread_name_prefix="mujoco_cpu")

    @property
    def contact_args(self) -> StepArgs:
        """Arguments that name the contact records."""
        return self._args[0]

    def step(self, num_substeps: int, timestep: float, *, contacts: bool, accelerations: bool) -> None:
        """Advance every env by a number of substeps with constant controls and applied forces.

        Args:
            num_substeps: Substeps to run.
            timestep: Length of a substep [s].
            contacts: Whether to record contacts.
            accelerations: Whether to compute body accelerations and joint wrenches of the last substep.
        """
        self._models.set_timestep(timestep)
        if self._stable_pd is not None:
            self._stable_pd.timestep[0] = timestep
        self._progress[:] = (0, num_substeps, contacts, accelerations)
        self._run(self._launches)

    def compute_stable_pd(self, timestep: float) -> None:
        """Compute the torques of stable PD control of every env at its present state, for a step of this length [s]."""
        self._models.set_timestep(timestep)
        self._stable_pd.timestep[0] = timestep
        self._progress[:] = 0
        self._run(self._pd_launches)

    def _run(self, launches: list[wp.Launch]) -> None:
        others = [self._pool.submit(launch.launch) for launch in launches[1:]]
        launches[0].launch()
        for other in others:
            other.result()

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()

    def _record(self, kernel: wp.Kernel) -> list[wp.Launch]:
        return [wp.launch(kernel, dim=1, inputs=[args], device="cpu", record_cmd=True) for args in self._args]

    def _bind(self, data: mujoco.MjData, warp_data: Any, contacts: ContactRecords) -> StepArgs:
        args = StepArgs()
        args.mj_step = function_address("mj_step")
        args.mj_rne_post_constraint = function_address("mj_rnePostConstraint")
        args.mj_contact_force = function_address("mj_contactForce")
        args.mj_data = data._address
        args.mj_models = wp.array(
            ptr=self._models.addresses.ctypes.data, dtype=wp.uint64, shape=len(self._models.models)
        )
        args.progress = wp.array(ptr=self._progress.ctypes.data, dtype=wp.int32, shape=4)
        args.inputs = _field_table(INPUT_FIELDS, data, warp_data)
        args.outputs = _field_table(OUTPUT_FIELDS + ACCELERATION_FIELDS, data, warp_data)
        args.body_pos = data.xpos.ctypes.data
        args.body_mat = data.xmat.ctypes.data
        args.geom_body = self._models.models[0].geom_bodyid.ctypes.data
        _set_contact_layout(args)
        contacts.bind(args)
        if self._stable_pd is not None:
            self._stable_pd.bind(args, data, warp_data)
        return args


def resolve_num_threads(num_threads: int | None) -> int:
    """Return the number of threads to use: the given one, or one per CPU core that this process may use.

    Processes that torchrun started on one machine share its cores evenly.

    Raises:
        ValueError: If the given number is not positive.
    """
    if num_threads is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    if num_threads < 1:
        raise ValueError(f"num_threads must be at least 1 or None (all CPU cores), got {num_threads}.")
    return num_threads


def _make_data(model: mujoco.MjModel) -> mujoco.MjData:
    data = mujoco.MjData(model)
    for name in SILENCED_WARNINGS:
        data.warning[int(getattr(mujoco.mjtWarning, name))].number = 1
    return data


def _field_table(names: tuple[str, ...], data: mujoco.MjData, warp_data: Any) -> wp.array:
    """Return rows of [address in ``mjData``, address in the solver's array, values per env]."""
    rows = []
    for name in names:
        native, array = getattr(data, name), getattr(warp_data, name)
        if native.size == 0:
            continue
        values = array.numpy()
        expected = (len(values), native.size)
        if values.dtype != np.float32 or values.reshape(len(values), -1).shape != expected:
            raise RuntimeError(
                f"MuJoCo Warp's '{name}' should be float32 with {expected[1]} values per env, found {values.dtype} of "
                f"shape {values.shape}: the versions of newton and mujoco do not fit together."
            )
        rows.append((native.ctypes.data, array.ptr, native.size))
    return wp.array(np.array(rows, dtype=np.uint64), dtype=wp.uint64, device="cpu")


def _set_contact_layout(args: StepArgs) -> None:
    data, contact = struct_type("mjData"), struct_type("mjContact")
    args.ncon_offset = data.ncon.offset
    args.contact_offset = data.contact.offset
    args.contact_size = np.dtype(contact).itemsize
    args.dist_offset = contact.dist.offset
    args.pos_offset = contact.pos.offset
    args.frame_offset = contact.frame.offset
    args.geom_offset = contact.geom.offset
    args.efc_offset = contact.efc_address.offset
