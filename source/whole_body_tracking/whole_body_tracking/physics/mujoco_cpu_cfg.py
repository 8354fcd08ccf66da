"""Settings of ``physics=mujoco_cpu``: Newton stepping native MuJoCo in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg

if TYPE_CHECKING:
    from isaaclab_newton.physics import NewtonManager


@configclass
class MujocoCpuSolverCfg(MJWarpSolverCfg):
    """Newton's MuJoCo solver settings, stepped by native MuJoCo on CPU threads instead of MuJoCo Warp.

    What differs from ``physics=newton_mjwarp``: arithmetic is float64 inside a control step; an env that diverges
    comes back as NaN in every coordinate; contact forces are means over a control step; collider sizes and gravity
    compensation cannot change after start-up; Newton's own collision pipeline and sleeping do not exist.
    """

    class_type: type[NewtonManager] | str = "{DIR}.mujoco_cpu:NewtonMujocoCpuManager"

    solver_type: str = "mujoco_cpu"

    num_threads: int | None = None
    """Threads that step the envs; None takes one per CPU core that the process may use. The result is bitwise the
    same for any number. Lower it when several trainings share a machine."""

    fold_decimation: bool = True
    """Run the environment's whole decimation as one native call when every joint has an implicit drive. Contact
    sensors then report once per control step, the mean over its substeps. Set False to apply actions and read sensors
    at every physics step, at several times the overhead."""

    integrator: str = "implicitfast"

    cone: str = "pyramidal"

    impratio: float = 1.0

    iterations: int = 20
    """Upper limit; native MuJoCo's Newton solver usually converges in two or three."""

    ls_iterations: int = 50

    tolerance: float = 1e-8

    njmax: int = 300
    """Constraint rows that MuJoCo Warp's arrays hold. Native MuJoCo sizes its own and does not look at it."""

    nconmax: int | None = 128
    """Contacts that an env can report in a control step; a warning names an env that exceeds it. A fallen G1 makes
    about 50. Motion does not depend on it."""


def mujoco_cpu_cfg(num_threads: int | None = None) -> NewtonCfg:
    """Return the physics settings of ``physics=mujoco_cpu``.

    One Newton substep per physics step: keep the task's own time step and decimation (200 Hz and 4, or 100 Hz and 2),
    they are run in one native call.

    Args:
        num_threads: Threads that step the envs, or None for one per CPU core.
    """
    return NewtonCfg(solver_cfg=MujocoCpuSolverCfg(num_threads=num_threads), num_substeps=1)
