"""docs/troubleshooting.md: its overrides are accepted and change the configs."""

import ast
from collections.abc import Mapping
from functools import lru_cache

import pytest
import yaml
from doc_pages import DOCS, override_spans, section, table_rows
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.rl.overrides import CONFIG_PATH, require_known_paths, split_overrides

pytestmark = pytest.mark.unit

PAGE = (DOCS / "troubleshooting.md").read_text()
SPANS = override_spans(PAGE)
REMEDIES = ("It does not start to learn", "Training diverges", "The policy tracks poorly", "The simulator crashes")
OTHER_TASK = {"presets=residual_actions": "Tracking-Flat-G1-Multi-v0"}
"""Selectors that only another task than the default one knows."""


@lru_cache
def resolve(*tokens):
    """Configs of the task that knows the selectors, by the names that overrides give them. Half a second each."""
    task = next((OTHER_TASK[token] for token in tokens if token in OTHER_TASK), "Tracking-Flat-G1-v0")
    overrides = split_overrides(tokens)[1]
    return dict(
        zip(("env", "agent"), resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides), strict=True)
    )


def selectors_of(tokens):
    return tuple(token for token in tokens if not CONFIG_PATH.match(token))


def values_of(tokens):
    return [token for token in tokens if CONFIG_PATH.match(token)]


def collide(first, second):
    """Whether two lists of overrides set the same value, or one a value within what the other sets."""
    paths = [[token.partition("=")[0] + "." for token in tokens] for tokens in (first, second)]
    return any(a.startswith(b) or b.startswith(a) for a in paths[0] for b in paths[1])


def batches():
    """Selectors and the values to set beside them: spans with the same selectors together, unless they collide."""
    found = []
    for span in SPANS:
        selectors, values = selectors_of(span), values_of(span)
        for other, taken in found:
            if other == selectors and not collide(taken, values):
                taken += values
                break
        else:
            found.append((selectors, values))
    return found


def value_at(configs, path):
    value = configs
    for name in path.split("."):
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    return value


def parsed(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return yaml.safe_load(text)


@pytest.mark.parametrize(("selectors", "values"), batches(), ids=lambda tokens: " ".join(tokens)[:40] or "none")
def test_what_to_type_is_understood_and_arrives(selectors, values):
    require_known_paths(values, *resolve(*selectors).values())  # Isaac Lab itself would add a value that is new
    configs = resolve(*selectors, *values)
    for token in values:
        path, _, value = token.partition("=")
        assert value_at(configs, path) == parsed(value), token


def test_every_remedy_of_a_learning_problem_can_be_typed():
    rows = [row for title in REMEDIES for row in table_rows(section("troubleshooting.md", title))]
    assert len(rows) > 25 and all(len(row) == 3 for row in rows)
    elsewhere = ("the residual task", "play with", "see ", "nothing")
    assert [row for row in rows if "`" not in row[2] and not row[2].startswith(elsewhere)] == []
    assert len(SPANS) > 25, "the overrides were not found"


def test_the_estimate_of_gpu_memory_follows_from_its_parts():
    """(0.33 + 0.05 + 0.13) MB per environment and 1.5 GB; the second part is observations, actions and five scalars."""
    environments, memory = (row[1:] for row in table_cells(section("troubleshooting.md", "GPU memory")))
    for count, gigabytes in zip(environments, memory, strict=True):
        assert float(gigabytes) == pytest.approx(1.5 + 0.51e-3 * int(count.replace(",", "")), abs=0.06)
    floats = (160 + 286) + 3 * 29 + 5  # actions, and mean and standard deviation of their distribution
    storage, activations = 24 * floats * 4e-6, 24 / 4 * 2 * (512 + 256 + 128) * 3 * 4e-6
    assert (storage, activations) == (pytest.approx(0.05, abs=0.005), pytest.approx(0.13, abs=0.005))


@pytest.mark.parametrize("name", ["njmax", "nconmax", "gpu_max_rigid_patch_count", "gpu_found_lost_pairs_capacity"])
def test_buffers_are_made_larger_than_they_are(name):
    for span in (span for span in SPANS if any(f".{name}=" in token for token in span)):
        path, _, value = next(token for token in span if f".{name}=" in token).partition("=")
        assert int(value) > value_at(resolve(*selectors_of(span)), path)


def test_the_constraint_rows_that_the_estimate_adds():
    solver = resolve("physics=newton_mjwarp")["env"].sim.physics.solver_cfg
    assert (solver.njmax - 400, "for the 120 constraint rows more" in PAGE) == (120, True)
    # A row of the Jacobian has 35 numbers, one per degree of freedom, and about 10 more belong to it.
    megabytes = 120 * (35 + 10) * 4e-6
    assert megabytes == pytest.approx(0.02, abs=0.005)


def table_cells(text):
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
