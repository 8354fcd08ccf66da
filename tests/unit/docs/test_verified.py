"""docs/verified.md: every row can be repeated, and no row claims a machine that was not used."""

import re
import shlex

import pytest
from doc_pages import DOCS, REPOSITORY, code_spans, table_rows

from whole_body_tracking.tasks.tracking.physics_cfg import TrackingPhysicsCfg

pytestmark = pytest.mark.unit

ROWS = table_rows((DOCS / "verified.md").read_text())
STATES = ("tested", "by hand", "not run")
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
PROGRAMS = {"docker", "torchrun"}


def is_test(span):
    return span.startswith("tests/") and (REPOSITORY / span).is_file()


def is_command(span):
    words = shlex.split(span)
    if words[0] == "make":
        return words[1] in MAKE_TARGETS
    script = next((word for word in words if re.fullmatch(r"scripts/[\w/]+\.(py|sh)", word)), None)
    return (script is None and words[0] in PROGRAMS) or (script is not None and (REPOSITORY / script).is_file())


def test_every_row_names_a_test_or_a_command_that_exists():
    assert len(ROWS) > 25 and all(len(row) == 4 for row in ROWS)
    for what, _, state, how in ROWS:
        assert state.startswith(STATES), what
        accepted = is_test if state.startswith("tested") else is_command
        assert code_spans(how) and all(accepted(span) for span in code_spans(how)), f"{what}: {how}"


def test_nothing_is_claimed_of_cuda_or_isaac_sim():
    claimed = [row for row in ROWS if re.search(r"CUDA|Isaac Sim|robot|NCCL", row[1]) and row[2] != "not run"]
    assert [row for row in claimed if "estimate" not in row[2]] == []


def test_every_engine_has_its_rows():
    engines = {name for name in vars(TrackingPhysicsCfg()) if name != "default"}
    text = " ".join(row[0] for row in ROWS)
    assert {"ovphysx", "newton_mjwarp", "isaacsim_physx", "mujoco_cpu"} <= engines
    assert all(f"physics={name}" in text for name in engines)
