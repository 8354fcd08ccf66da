"""Physics that the tests of refinement share."""

import pytest

from whole_body_tracking.refine.native_physics import NativePhysics
from whole_body_tracking.robots import G1


@pytest.fixture(scope="session")
def physics():
    with NativePhysics(G1, 0.02) as physics:
        yield physics
