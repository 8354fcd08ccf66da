"""A walk that tests of this folder share."""

import pytest
from mocap_samples import walking_person

from whole_body_tracking.mocap import read_mocap, retarget, robot_figure, write_bvh
from whole_body_tracking.robots import G1


@pytest.fixture(scope="session")
def walk_bvh(tmp_path_factory):
    """A walk of two seconds as a BVH file; do not change it."""
    return write_bvh(walking_person(), tmp_path_factory.mktemp("mocap") / "walk.bvh")


@pytest.fixture(scope="session")
def g1_figure():
    return robot_figure(G1)


@pytest.fixture(scope="session")
def walk(walk_bvh, g1_figure):
    """The walk retargeted to the G1."""
    return retarget(read_mocap(walk_bvh), g1_figure)
