"""A CUDA device that is not there: torch's fake tensors, plus a record of what would make the host wait.

Fake tensors know shape, dtype and device but no values. Mixing devices raises, and so does whatever needs a value on
the host (``item``, ``nonzero``, a mask as an index, ``if tensor``). Copies between host and device work on them, and
are recorded here, because each would stall a GPU's queue.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

import whole_body_tracking
from whole_body_tracking.benchmark.measuring.launches import runs_kernel

DEVICE = torch.device("cuda", 0)
FAKE = FakeTensorMode()
"""One for all tests, because caches outlive a test."""
COPIES = {"aten._to_copy.default", "aten.copy_.default"}
INDEXING = {"aten.index.Tensor", "aten.index_put_.default", "aten.index_put.default"}
NEW_CONSTANTS = {"aten.lift_fresh.default", "aten.lift_fresh_copy.default"}


class HostTraffic(TorchDispatchMode):
    """Counts kernel launches and names the lines of this package that copy between host and device."""

    def __init__(self):
        super().__init__()
        self.num_launches = 0
        self.stalls: list[str] = []
        """``file:line operation`` of each copy."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.num_launches += runs_kernel(func)
        result = func(*args, **(kwargs or {}))
        if self._stalls(str(func), args, result):
            frames = [
                f
                for f in traceback.extract_stack()
                if "/whole_body_tracking/" in f.filename and "/tests/" not in f.filename
            ]
            where = f"{frames[-1].filename.split('/whole_body_tracking/')[-1]}:{frames[-1].name}" if frames else "?"
            self.stalls.append(f"{where} {func}")
        return result

    def clear(self) -> None:
        """Forget what happened so far."""
        self.num_launches = 0
        self.stalls.clear()

    @staticmethod
    def _stalls(name: str, args: tuple, result: Any) -> bool:
        given = {t.device.type for t in tree_flatten(args)[0] if isinstance(t, torch.Tensor) and t.dim() > 0}
        made = {t.device.type for t in tree_flatten(result)[0] if isinstance(t, torch.Tensor)}
        if name in COPIES:
            return len(given | made) > 1 or len(given) > 1
        if name in INDEXING:
            return "cuda" in made and "cpu" in given
        return name in NEW_CONSTANTS and "cuda" in made


def _place() -> str:
    """File and function of this package that the operation in progress comes from."""
    package = str(Path(whole_body_tracking.__file__).parent)
    frames = [frame for frame in traceback.extract_stack() if frame.filename.startswith(package)]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].name}" if frames else "elsewhere"


@contextmanager
def fake_cuda() -> Iterator[HostTraffic]:
    """Run a block with fake tensors; yields the record of host traffic, without what :func:`on_cuda` makes."""
    # Scripted functions of Isaac Lab would be compiled for the device.
    with torch.jit.optimized_execution(False), FAKE, HostTraffic() as traffic:
        yield traffic


def on_cuda(value: Any, seen: dict[int, Any] | None = None) -> Any:
    """Replace every tensor that an object of this package holds by a fake one on the CUDA device, in place.

    Call it inside :func:`fake_cuda`. Containers and objects of this package are walked, anything else stays.
    """
    seen = {} if seen is None else seen
    if isinstance(value, torch.Tensor):
        if id(value) not in seen:
            fake = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device=DEVICE)
            seen[id(value)] = (fake, value)
        return seen[id(value)][0]
    if id(value) in seen:
        return value
    if isinstance(value, torch.device):
        return DEVICE
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(on_cuda(item, seen) for item in value)
    seen[id(value)] = (value, value)
    if isinstance(value, list):
        value[:] = [on_cuda(item, seen) for item in value]
    elif isinstance(value, dict):
        value.update({key: on_cuda(item, seen) for key, item in value.items()})
    if type(value).__module__.split(".")[0] == "whole_body_tracking" or getattr(value, "walked", False):
        for name, item in vars(value).items():
            object.__setattr__(value, name, on_cuda(item, seen))
    return value
