"""Means and deviations over seeds, by hand."""

import io

import pytest
from rich.console import Console

from whole_body_tracking.ablation.summary import render, summarise

pytestmark = pytest.mark.unit


def row(variant: str, seed: int, r_mpkpe: float, **more) -> dict:
    return {"variant": variant, "seed": seed, "run_folder": "x", "env_steps": 2.0e6, "r_mpkpe": r_mpkpe} | more


def rendered(rows: list[dict]) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(render(summarise(rows)))
    return console.file.getvalue()


def test_mean_and_sample_deviation():
    (found,) = summarise([row("a", 0, 0.03), row("a", 1, 0.05)])
    assert found["seeds"] == [0, 1]
    assert found["metrics"]["r_mpkpe"]["mean"] == pytest.approx(0.04)
    assert found["metrics"]["r_mpkpe"]["std"] == pytest.approx(0.02 / 2**0.5)  # sqrt(2 * 0.01^2 / (2 - 1))


def test_one_seed_has_no_deviation():
    (found,) = summarise([row("a", 3, 0.03)])
    assert found["metrics"]["r_mpkpe"]["std"] is None
    assert "±" not in rendered([row("a", 3, 0.03)])


def test_variants_keep_their_order_and_units():
    text = rendered([row("b", 0, 0.031), row("a", 0, 0.05), row("b", 1, 0.029)])
    assert text.index(" b ") < text.index(" a ")
    assert "3.00 ± 0.14" in text and "2.00" in text  # 3.1 and 2.9 cm: 0.2 / sqrt(2); 2 M steps


def test_a_metric_that_a_seed_lacks_is_left_out():
    found = summarise([row("a", 0, 0.03, cost_of_transport=1.0), row("a", 1, 0.03)])[0]["metrics"]
    assert "cost_of_transport" not in found
