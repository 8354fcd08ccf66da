"""The limit replays control steps as plain ``mj_step`` makes them."""

import contextlib

import mujoco
import numpy as np
import pytest

from whole_body_tracking.benchmark.measuring.native import ControlStep, NativeRollout

pytestmark = pytest.mark.unit

PENDULUM = """
<mujoco><option timestep="0.005"/>
  <worldbody><body><joint name="hinge" type="hinge" axis="0 1 0"/><geom size="0.1" pos="0 0 -{length}" mass="1"/></body>
  </worldbody>
  <actuator><position joint="hinge" kp="20" kv="1"/></actuator>
</mujoco>
"""


@pytest.mark.parametrize("num_threads", [1, 2])
def test_same_states_as_mj_step(num_threads):
    models = [mujoco.MjModel.from_xml_string(PENDULUM.format(length=length)) for length in (0.3, 0.5, 0.8)]
    random = np.random.default_rng(0)
    step = ControlStep(*(random.normal(size=(3, 1)).astype(np.float32) for _ in range(4)))
    with contextlib.closing(NativeRollout(models, num_threads, num_substeps=4)) as native:
        native.run(native.prepare([step]))
        final = native.final_state()
    for env_id, model in enumerate(models):
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:], data.ctrl[:] = step.qpos[env_id], step.qvel[env_id], step.ctrl[env_id]
        data.qacc_warmstart[:] = step.warm_start[env_id]
        mujoco.mj_step(model, data, 4)
        np.testing.assert_array_equal(final[env_id], np.concatenate([data.qpos, data.qvel]))
