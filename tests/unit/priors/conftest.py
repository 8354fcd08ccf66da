"""Clips that the tests of priors share."""

import pytest
from prior_samples import swaying_clip

from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.priors.data.splits import make_split
from whole_body_tracking.priors.state import StateLayout, clip_states
from whole_body_tracking.robots import G1


@pytest.fixture(scope="session")
def layout():
    return StateLayout.of_robot(G1, 30.0)


@pytest.fixture(scope="session")
def clip():
    return swaying_clip()


@pytest.fixture(scope="session")
def states(clip, layout):
    return clip_states(clip, layout)


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory):
    """Six clips of three subjects and two activities; do not change them."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(6):
        name = f"{('walk', 'run')[number % 2]}{number}_subject{number % 3 + 1}"
        swaying_clip(60 + 10 * number, seed=number).save(folder / f"{name}.npz")
    return folder


@pytest.fixture(scope="session")
def entries(clip_folder):
    return resolve_entries([str(clip_folder)])


@pytest.fixture(scope="session")
def split(entries):
    return make_split(entries, "subject", 0.3, 0, ["subject3"])
