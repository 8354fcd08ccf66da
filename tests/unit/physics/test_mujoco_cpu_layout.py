"""The memory layout that the native loop relies on is MuJoCo's."""

from __future__ import annotations

import os

import mujoco
import numpy as np
import pytest

from whole_body_tracking.physics import mujoco_cpu_layout
from whole_body_tracking.physics.mujoco_cpu_layout import check_layout, function_address, struct_type
from whole_body_tracking.physics.mujoco_cpu_stepper import resolve_num_threads

pytestmark = pytest.mark.unit

SPHERE_ON_PLANE = """
<mujoco>
  <worldbody>
    <geom type="plane" size="1 1 1"/>
    <body pos="0.1 0.2 0.049"><freejoint/><geom name="ball" type="sphere" size="0.05" mass="1"/></body>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def data() -> mujoco.MjData:
    model = mujoco.MjModel.from_xml_string(SPHERE_ON_PLANE)
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data)
    return data


def test_a_contact_read_from_memory_equals_the_bindings(data):
    raw = struct_type("mjData").from_address(data._address)
    contact = struct_type("mjContact").from_address(raw.contact)
    assert raw.ncon == data.ncon == 1
    assert contact.dist == data.contact.dist[0]
    assert list(contact.geom) == list(data.contact.geom[0])
    assert list(contact.frame) == list(data.contact.frame[0])
    assert contact.efc_address == data.contact.efc_address[0]


def test_layout_check_passes_here(data):
    check_layout(data)


def test_a_layout_that_does_not_fit_is_refused(data, monkeypatch):
    wrong = type("mjData", (struct_type("mjContact"),), {})
    wrong = type("Shifted", (wrong,), {"ncon": 7, "qpos": 0, "xfrc_applied": 0})
    monkeypatch.setattr(mujoco_cpu_layout, "struct_type", lambda name: wrong)
    with pytest.raises(RuntimeError, match=r"does not match MuJoCo.*expected.*'ncon': 1.*found.*'ncon': 7"):
        check_layout(data)


def test_functions_of_the_c_api_are_found():
    addresses = {name: function_address(name) for name in ("mj_step", "mj_contactForce", "mj_rnePostConstraint")}
    assert len(set(addresses.values())) == 3 and all(addresses.values())


def test_structs_are_as_large_as_the_stride_of_the_bindings(data):
    assert data.contact.frame.strides[0] == np.dtype(struct_type("mjContact")).itemsize


def test_all_available_cores_are_used_unless_told_otherwise():
    assert resolve_num_threads(None) == len(os.sched_getaffinity(0))
    assert resolve_num_threads(3) == 3


def test_zero_threads_are_refused():
    with pytest.raises(ValueError, match="num_threads must be at least 1 or None .* got 0"):
        resolve_num_threads(0)
