"""Per-env native models follow what changes in MuJoCo Warp's model, and only that."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from whole_body_tracking.physics.mujoco_cpu_models import (
    DERIVED_FIELDS,
    FOLLOWED_FIELDS,
    UNSUPPORTED_FIELDS,
    EnvModels,
)

pytestmark = pytest.mark.unit

TWO_LINKS = """
<mujoco>
  <worldbody>
    <body name="base">
      <freejoint/>
      <geom type="sphere" size="0.1" mass="2"/>
      <geom type="sphere" size="0.1" pos="0.5 0 0" mass="0"/>
      <body name="link">
        <joint axis="0 1 0"/>
        <geom type="capsule" size="0.05" fromto="0 0 0 0 0 -0.4" mass="1"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""

STACKED = """
<mujoco>
  <worldbody>
    <body pos="0 0 0.9">
      <freejoint/>
      <geom type="sphere" size="0.1" mass="1"/>
      <geom type="sphere" size="0.1" pos="0.5 0 0" mass="1"/>
    </body>
    <body pos="0 0 0.75">
      <freejoint/>
      <geom type="sphere" size="0.1" mass="1"/>
      <geom type="sphere" size="0.1" pos="0.5 0 0" mass="1"/>
    </body>
  </worldbody>
</mujoco>
"""


def make(num_envs: int, xml: str = TWO_LINKS):
    """Return a compiled model, MuJoCo Warp's fields as float32 arrays of shape [num_envs, ...], and its followers."""
    compiled = mujoco.MjModel.from_xml_string(xml)
    arrays = {}
    for name in FOLLOWED_FIELDS + DERIVED_FIELDS + UNSUPPORTED_FIELDS:
        arrays[name] = np.repeat(getattr(compiled, name)[None].astype(np.float32), num_envs, axis=0)
    gravity = np.repeat(compiled.opt.gravity[None].astype(np.float32), num_envs, axis=0)
    fields = {name: SimpleNamespace(numpy=lambda array=array: array) for name, array in arrays.items()}
    warp_model = SimpleNamespace(opt=SimpleNamespace(gravity=SimpleNamespace(numpy=lambda: gravity)), **fields)
    return compiled, arrays, gravity, EnvModels(compiled, warp_model, num_envs)


def num_distinct(envs: EnvModels) -> int:
    return len({id(model) for model in envs.models})


def test_equal_envs_share_one_model():
    compiled, _, _, envs = make(5)
    assert num_distinct(envs) == 1
    assert envs.models[0] is not compiled


def test_a_change_in_one_env_copies_its_model_only():
    _, arrays, _, envs = make(4)
    arrays["body_mass"][2, 1] = 3.5
    envs.update()
    assert [model.body_mass[1] for model in envs.models] == [2.0, 2.0, 3.5, 2.0]
    assert num_distinct(envs) == 2
    assert envs.addresses[2] == envs.models[2]._address != envs.addresses[0]


def test_a_change_common_to_all_envs_keeps_them_shared():
    _, arrays, _, envs = make(4)
    arrays["dof_armature"][:, 6] = 0.25
    envs.update()
    assert num_distinct(envs) == 1
    assert envs.models[3].dof_armature[6] == 0.25


def test_fields_that_did_not_change_keep_their_compiled_precision():
    compiled, arrays, _, envs = make(2)
    arrays["geom_friction"][1, :, 0] = 0.3
    envs.update()
    assert np.array_equal(envs.models[1].body_inertia, compiled.body_inertia)
    assert np.array_equal(envs.models[1].geom_friction[:, 0], np.float32([0.3] * 3))


def test_rounding_of_derived_fields_and_the_place_of_an_env_are_no_changes():
    _, arrays, _, envs = make(3)
    arrays["dof_invweight0"][1] *= 1.0 + 1e-6
    arrays["qpos0"][2, :3] += 2.5
    envs.update()
    assert num_distinct(envs) == 1


def test_a_real_change_of_a_derived_field_is_followed():
    _, arrays, _, envs = make(2)
    arrays["dof_invweight0"][1] *= 1.1
    envs.update()
    assert num_distinct(envs) == 2


def test_principal_moments_and_axes_come_from_the_same_decomposition():
    _, arrays, _, envs = make(2)
    arrays["body_inertia"][1, 2] = [0.03, 0.02, 0.01]
    arrays["body_iquat"][1, 2] = [0.5, 0.5, 0.5, 0.5]
    envs.update()
    np.testing.assert_allclose(envs.models[1].body_inertia[2], [0.03, 0.02, 0.01], rtol=1e-6)
    np.testing.assert_allclose(envs.models[1].body_iquat[2], 0.5)


def test_gravity_may_differ_between_envs():
    _, _, gravity, envs = make(2)
    gravity[1] = [0.0, 0.0, -1.6]
    envs.update()
    np.testing.assert_allclose(envs.models[1].opt.gravity, [0.0, 0.0, -1.6], rtol=1e-6)
    assert envs.models[0].opt.gravity[2] == -9.81


def test_a_moved_centre_of_mass_keeps_contacts():
    """MuJoCo's mid-phase boxes sit in inertial frames: with them, a shifted centre of mass loses contacts."""
    _, arrays, _, envs = make(2, STACKED)
    arrays["body_ipos"][1, 1, 1] += 1.0
    envs.update()
    model = envs.models[1]
    assert num_contacts(model) == num_contacts(envs.models[0]) == 2
    model.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_MIDPHASE)
    assert num_contacts(model) == 0


def num_contacts(model: mujoco.MjModel) -> int:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return data.ncon


CRATE = '<mujoco><worldbody><body name="crate"><freejoint/><geom type="box" size="1 2 3"/></body></worldbody></mujoco>'


def test_a_free_body_keeps_its_diagonal_mass_matrix():
    """MuJoCo gives such a body 6 entries instead of 21, so an inertia that needs more must not be written."""
    _, arrays, _, envs = make(2, CRATE)
    arrays["body_mass"][1] *= 2.0
    arrays["body_inertia"][1] *= 2.0
    envs.update()
    assert envs.models[1].body_simple[1] == 1
    arrays["body_ipos"][1, 1, 0] = 0.1
    with pytest.raises(ValueError, match=r"'crate' was compiled with a diagonal mass matrix.*newton_mjwarp"):
        envs.update()


def test_changed_collider_sizes_are_refused():
    _, arrays, _, envs = make(2)
    arrays["geom_size"][1, 0, 0] = 0.2
    with pytest.raises(ValueError, match=r"Env 1 changed 'geom_size'.*newton_mjwarp"):
        envs.update()


def test_time_step_is_set_in_every_model():
    _, arrays, _, envs = make(3)
    arrays["body_mass"][1, 1] = 3.0
    envs.update()
    envs.set_timestep(0.01)
    assert [model.opt.timestep for model in envs.models] == [0.01] * 3
