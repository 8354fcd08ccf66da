"""Addresses of MuJoCo's C functions and offsets of its struct fields, read from MuJoCo's own metadata.

The native loop of :mod:`.mujoco_cpu_native` calls the C API and walks ``mjData.contact`` without the Python bindings.
Nothing here is written down by hand: offsets follow from ``mujoco.introspect`` and are checked against the bindings.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import mujoco
from mujoco.introspect import ast_nodes
from mujoco.introspect.structs import STRUCTS

_SCALARS: dict[str, type] = {
    "int": ctypes.c_int,
    "unsigned int": ctypes.c_uint,
    "size_t": ctypes.c_size_t,
    "uintptr_t": ctypes.c_size_t,
    "uint64_t": ctypes.c_uint64,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "mjtNum": ctypes.c_double,
    "mjtSize": ctypes.c_int64,
    "mjtBool": ctypes.c_bool,
    "mjtByte": ctypes.c_ubyte,
}


def _ctype(declared: object) -> type:
    """Return the ctypes type of a declared C type."""
    if isinstance(declared, ast_nodes.PointerType):
        return ctypes.c_void_p
    if isinstance(declared, ast_nodes.ArrayType):
        result = _ctype(declared.inner_type)
        for extent in reversed(declared.extents):
            result = result * extent
        return result
    if declared.name in _SCALARS:
        return _SCALARS[declared.name]
    if declared.name in STRUCTS:
        return struct_type(declared.name)
    raise NotImplementedError(
        f"MuJoCo {mujoco.__version__} declares a field of type '{declared.name}', whose size is not known here. "
        f"Known: {sorted(_SCALARS)} and MuJoCo's structs. Add it to mujoco_cpu_layout.py."
    )


@cache
def struct_type(name: str) -> type[ctypes.Structure]:
    """Return a ctypes structure with the memory layout of a MuJoCo struct such as ``mjData``."""
    fields = [(field.name, _ctype(field.type)) for field in STRUCTS[name].fields]
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def check_layout(data: mujoco.MjData) -> None:
    """Compare the derived layout of ``mjData`` with what the bindings report for one instance.

    Raises:
        RuntimeError: If they differ, so that the native loop would read the wrong memory.
    """
    raw = struct_type("mjData").from_address(data._address)
    expected = {"ncon": data.ncon, "qpos": data.qpos.ctypes.data, "xfrc_applied": data.xfrc_applied.ctypes.data}
    found = {name: getattr(raw, name) for name in expected}
    if found != expected:
        raise RuntimeError(
            f"The memory layout derived for mjData does not match MuJoCo {mujoco.__version__}: expected {expected}, "
            f"found {found}. Use `physics=newton_mjwarp`, or install the MuJoCo version that isaaclab pins."
        )


@cache
def _library() -> ctypes.CDLL:
    folder = Path(mujoco.__file__).parent
    names = ("libmujoco.so*", "libmujoco*.dylib", "mujoco.dll")
    candidates = [path for name in names for path in sorted(folder.glob(name))]
    if not candidates:
        raise FileNotFoundError(f"No MuJoCo library ({', '.join(names)}) in {folder}. Reinstall the mujoco package.")
    return ctypes.CDLL(str(candidates[0]))


def function_address(name: str) -> int:
    """Return the address of a function of MuJoCo's C API, e.g. ``mj_step``."""
    return ctypes.cast(getattr(_library(), name), ctypes.c_void_p).value
