"""OvPhysX without CUDA: the shim, and the message when system libraries are missing."""

import pytest

from whole_body_tracking.physics import ovphysx_cpu

pytestmark = pytest.mark.unit


def test_missing_libraries_name_their_packages(monkeypatch):
    monkeypatch.setattr(ovphysx_cpu, "_loads", lambda library: library != "libGL.so.1")
    assert ovphysx_cpu.missing_ovphysx_libraries() == {"libGL.so.1": "libgl1"}
    with pytest.raises(OSError, match=r"libGL\.so\.1.*apt install libgl1.*newton_mjwarp"):
        ovphysx_cpu.prepare_ovphysx()


def test_a_library_that_does_not_exist_does_not_load():
    assert not ovphysx_cpu._loads("libno-such-library.so.1")


def test_page_locked_arrays_can_be_made_after_preparing(monkeypatch):
    wp = pytest.importorskip("warp")
    monkeypatch.setattr(ovphysx_cpu, "_loads", lambda library: True)
    ovphysx_cpu.prepare_ovphysx()
    ovphysx_cpu.prepare_ovphysx()
    array = wp.full(3, 2.5, dtype=wp.float32, device="cpu", pinned=True)
    assert wp.clone(array, pinned=True).numpy().tolist() == [2.5, 2.5, 2.5]
