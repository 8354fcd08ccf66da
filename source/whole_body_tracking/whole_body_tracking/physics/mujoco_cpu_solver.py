"""Newton's MuJoCo solver with the step done by native MuJoCo on the CPU instead of MuJoCo Warp."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import override

from mujoco import MjModel
from newton import Contacts, Control, Model, ModelFlags, State
from newton.solvers import SolverMuJoCo

from .mujoco_cpu_contacts import ContactRecords
from .mujoco_cpu_models import EnvModels
from .mujoco_cpu_stable_pd import NativeStablePD
from .mujoco_cpu_stepper import EnvStepper


class SolverMujocoCpu(SolverMuJoCo):
    """Newton's MuJoCo solver, stepping each env with native MuJoCo in threads.

    Conversion to and from Newton's joint coordinates, model parameters and their change notices are those of the parent
    class; only the step between them and the contact report are replaced.
    """

    def __init__(self, model: Model, *, num_threads: int | None = None, nconmax: int | None = None, **kwargs):
        """Convert the Newton model and start the threads.

        Args:
            model: Newton model on the CPU.
            num_threads: Number of threads, or None for one per available CPU core.
            nconmax: Contacts that an env can report, or None for the parent's estimate; the motion needs none of it.
            **kwargs: Settings of :class:`newton.solvers.SolverMuJoCo`.

        Raises:
            ValueError: If the model lives on a GPU or settings ask for what this solver does not have.
        """
        if not model.device.is_cpu:
            raise ValueError(
                f"physics=mujoco_cpu steps on the CPU, but the simulation's device is '{model.device}'. "
                "Use `--device cpu`, or `physics=newton_mjwarp` on CUDA."
            )
        for name in ("use_mujoco_cpu", "enable_sleeping"):
            if kwargs.get(name):
                raise ValueError(f"physics=mujoco_cpu does not support the solver setting {name}=True; remove it.")
        if not kwargs.get("use_mujoco_contacts", True):
            raise ValueError("physics=mujoco_cpu uses MuJoCo's own collisions: set use_mujoco_contacts=True.")
        super().__init__(model, nconmax=nconmax, **kwargs)
        self.env_models = EnvModels(self.mj_model, self.mjw_model, self.mjw_data.nworld)
        slots = nconmax or math.ceil(self.mjw_data.naconmax / self.mjw_data.nworld)
        self._records = ContactRecords(self.mjc_geom_to_newton_shape, slots)
        self._models_changed = False
        self._stepper: EnvStepper | None = None
        self.stable_pd: NativeStablePD | None = None
        self._after_step: Callable[[], None] | None = None
        self.use_threads(num_threads)

    @property
    def num_threads(self) -> int:
        """Threads that step the envs."""
        return self._stepper.num_threads

    def current_models(self) -> list[MjModel]:
        """Return the native model of each env, up to date with every change that the solver was told of."""
        if self._models_changed:
            self.env_models.update()
            self._models_changed = False
        return self.env_models.models

    def use_threads(self, num_threads: int | None) -> None:
        """Step with this many threads from now on, or one per available CPU core for None."""
        if self._stepper is not None:
            self._stepper.close()
        self._stepper = EnvStepper(self.env_models, self.mjw_data, self._records, num_threads, self.stable_pd)

    def use_stable_pd(
        self, joint_names: Sequence[str], contact_forces: bool, after_step: Callable[[], None] | None
    ) -> NativeStablePD:
        """Drive joints by stable PD control at every substep from now on, or offer its torques.

        Args:
            joint_names: The joints, each with one degree of freedom.
            contact_forces: Whether the prediction counts the constraint forces of the last substep.
            after_step: Called after every step, when torques are known; None leaves the joints alone, and torques are
                computed when :meth:`compute_stable_pd` is called.

        Returns:
            Arrays for gains and targets; fill them before the next step.

        Raises:
            ValueError: If a joint does not exist.
        """
        models = self.current_models()
        drives = after_step is not None
        self.stable_pd = NativeStablePD(models[0], len(models), joint_names, contact_forces, drives)
        self._after_step = after_step
        self.use_threads(self.num_threads)
        return self.stable_pd

    def compute_stable_pd(self, state: State, control: Control, dt: float) -> None:
        """Compute the torques of stable PD control at a state, for a step of ``dt`` seconds."""
        self.current_models()
        self._apply_mjc_control(self.model, state, control, self.mjw_data)
        self._update_mjc_data(self.mjw_data, self.model, state)
        self._stepper.compute_stable_pd(dt)

    @override
    def step(
        self,
        state_in: State,
        state_out: State,
        control: Control,
        contacts: Contacts | None,
        dt: float,
        num_substeps: int = 1,
        report_contacts: bool = True,
    ) -> None:
        """Advance all envs by ``num_substeps`` of ``dt`` seconds with constant controls and applied forces."""
        self.current_models()
        self._apply_mjc_control(self.model, state_in, control, self.mjw_data)
        self._update_mjc_data(self.mjw_data, self.model, state_in)
        accelerations = state_out.body_qdd is not None or state_out.body_parent_f is not None
        self._stepper.step(num_substeps, dt, contacts=report_contacts, accelerations=accelerations)
        self._update_newton_state(self.model, state_out, self.mjw_data, state_prev=state_in)
        if self._after_step is not None:
            self._after_step()
        self._step += 1

    @override
    def notify_model_changed(self, flags: ModelFlags | int) -> None:
        super().notify_model_changed(flags)
        self._models_changed = True

    @override
    def get_max_contact_count(self) -> int:
        return self._records.capacity

    @override
    def update_contacts(self, contacts: Contacts, state: State | None = None) -> None:
        """Fill Newton's contacts with those of the last step; forces are means over its substeps."""
        if contacts.rigid_contact_max < self._records.capacity:
            raise ValueError(
                f"Contacts hold {contacts.rigid_contact_max} entries, {self._records.capacity} are needed. "
                "Allocate them with rigid_contact_max=solver.get_max_contact_count()."
            )
        self._records.pack(self._stepper.contact_args, contacts)
