"""Stable PD control and muscles are refused on an engine without Coriolis forces before a simulator starts."""

import pytest
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.actuation.stable_pd_cfg import check_engine

pytestmark = pytest.mark.unit


def settings(engine: str, *presets: str):
    selectors = [f"physics={engine}", *(f"presets={name}" for name in presets)]
    cfg = resolve_task_config("Tracking-Flat-G1-v0", "rsl_rl_cfg_entry_point", overrides=selectors)[0]
    return cfg.scene.robot.actuators, cfg.sim.physics


@pytest.mark.parametrize("preset", ["spd", "muscles"])
def test_isaac_sim_is_refused_by_the_config(preset):
    with pytest.raises(ValueError, match=r"no Coriolis forces with physics=isaacsim_physx. Take physics=mujoco_cpu"):
        check_engine(*settings("isaacsim_physx", preset))
    check_engine(*settings("mujoco_cpu", preset))


def test_implicit_drives_run_everywhere():
    check_engine(*settings("isaacsim_physx"))
