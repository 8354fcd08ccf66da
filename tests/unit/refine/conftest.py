"""Physics that the tests of refinement share."""

import pytest
import torch

from whole_body_tracking.refine.native_physics import NativePhysics
from whole_body_tracking.robots import G1


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Small tensors on busy cores: threads would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def physics():
    with NativePhysics(G1, 0.02) as physics:
        yield physics
