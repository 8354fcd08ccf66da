"""The JSON: keys, comparison, and what is refused."""

import json

import pytest

from whole_body_tracking.benchmark.measuring.stepping import SteppingRates, block_steps
from whole_body_tracking.benchmark.measuring.training import TrainingRates
from whole_body_tracking.benchmark.result import STABLE_KEYS, compare, read_result, write_result
from whole_body_tracking.benchmark.summary import summarize

pytestmark = pytest.mark.unit


def stepping(with_native: bool = True) -> SteppingRates:
    rates = SteppingRates(environment=[60.0, 30.0, 60.0], physics=[80.0], environment_cpu_ms=[5.0])
    if with_native:
        rates.native_rollout, rates.native_rollout_cpu_ms = [100.0, 50.0, 100.0], [4.0]
        rates.native_rollout_cores = [2.0]
    return rates


def training() -> dict[str, TrainingRates]:
    return {
        "512x256x128": TrainingRates([20.0, 22.0, 24.0], collect=[3.0], update=[1.0]),
        "256x128x64": TrainingRates([40.0], collect=[3.0], update=[1.0]),
    }


def test_stable_keys_hold_medians():
    result = summarize(stepping(), training(), "512x256x128")
    assert {key: result[key] for key in STABLE_KEYS} == {
        "environment_steps_per_s": 60.0,
        "physics_steps_per_s": 80.0,
        "training_steps_per_s": 22.0,
        "native_rollout_steps_per_s": 100.0,
    }
    assert result["ratio_environment_to_native"] == 0.6
    assert result["training"]["256x128x64"] == {
        "steps_per_s": 40.0, "collect_s": 3.0, "update_s": 1.0, "update_share": 0.25,
    }  # fmt: skip


def test_an_engine_without_native_limit_says_null(tmp_path):
    result = summarize(stepping(with_native=False), training(), "512x256x128")
    write_result(tmp_path / "result.json", result)
    stored = read_result(tmp_path / "result.json")
    assert stored["native_rollout_steps_per_s"] is None and stored["ratio_environment_to_native"] is None
    assert json.loads(json.dumps(result)) == stored


def test_compare_divides_new_by_old_and_skips_what_is_no_speed():
    old = {"environment_steps_per_s": 50.0, "training": {"a": 2.0}, "machine": {"cores": 2}, "gone": 1.0, "null": None}
    new = {"environment_steps_per_s": 100.0, "training": {"a": 1.0}, "machine": {"cores": 4}, "null": 3.0}
    assert compare(new, old) == {"environment_steps_per_s": 2.0, "training.a": 0.5}


def test_compare_with_itself_is_one():
    result = summarize(stepping(), training(), "512x256x128")
    assert set(compare(result, result).values()) == {1.0}


def test_nothing_is_left_of_a_result_that_cannot_be_written(tmp_path):
    with pytest.raises(ValueError):
        write_result(tmp_path / "result.json", {"rate": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ("{}", "lacks"), ("[]", "lacks")])
def test_a_file_that_is_no_result_is_refused(tmp_path, text, message):
    path = tmp_path / "earlier.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_result(path)


def test_a_missing_earlier_result_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"earlier\.json.*--output"):
        read_result(tmp_path / "earlier.json")


@pytest.mark.parametrize(("step_seconds", "steps"), [(0.07, 10), (10.0, 2), (1e-4, 200)])
def test_block_length(step_seconds, steps):
    assert block_steps(step_seconds) == steps
