"""Settings that ``physics=mujoco_cpu`` cannot honour are refused before anything is built."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from whole_body_tracking.physics.mujoco_cpu_cfg import MujocoCpuSolverCfg, mujoco_cpu_cfg
from whole_body_tracking.physics.mujoco_cpu_solver import SolverMujocoCpu

pytestmark = pytest.mark.unit

ON_CPU = SimpleNamespace(device=SimpleNamespace(is_cpu=True))


class Cuda:
    is_cpu = False

    def __str__(self) -> str:
        return "cuda:0"


def test_a_gpu_simulation_is_refused():
    with pytest.raises(ValueError, match=r"device is 'cuda:0'.*--device cpu.*physics=newton_mjwarp"):
        SolverMujocoCpu(SimpleNamespace(device=Cuda()))


@pytest.mark.parametrize("setting", ["use_mujoco_cpu", "enable_sleeping"])
def test_settings_of_other_engines_are_refused(setting):
    with pytest.raises(ValueError, match=f"{setting}=True; remove it"):
        SolverMujocoCpu(ON_CPU, **{setting: True})


def test_newton_collisions_are_refused():
    with pytest.raises(ValueError, match="use_mujoco_contacts=True"):
        SolverMujocoCpu(ON_CPU, use_mujoco_contacts=False)


def test_settings_name_the_manager_and_the_number_of_threads():
    cfg = mujoco_cpu_cfg(num_threads=3)
    assert isinstance(cfg.solver_cfg, MujocoCpuSolverCfg)
    assert cfg.solver_cfg.num_threads == 3
    assert str(cfg.class_type).endswith("mujoco_cpu:NewtonMujocoCpuManager")
