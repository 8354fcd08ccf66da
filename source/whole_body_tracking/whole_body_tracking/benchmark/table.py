"""Tables of the benchmark's result for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from .measuring.parts import MDP_PARTS
from .result import STABLE_KEYS, flatten


def print_result(result: Mapping, ratios: Mapping[str, float] | None = None, console: Console | None = None) -> None:
    """Print a result, and its ratios to an earlier one."""
    console = console or Console()
    machine = result["machine"]
    console.print(
        f"\n[bold]{result['task']}[/bold], {result['engine']}, {result['num_envs']} envs on {machine['device']}:"
        f" {machine['processor']}, {machine['cores']} cores, load {number(machine['load_at_start'])}"
    )
    console.print(_rates_table(result))
    if result["projected"] is not None:
        console.print(_limit_sentence(result))
    console.print(_parts_table(result["parts_ms"], result["parts_cpu_ms"]))
    if "launches_per_step" in result:  # not in results of version 0.1
        console.print(f"torch operations per control step: {result['launches_per_step']:.0f}")
    if "peer" in result:
        peer = result["peer"]
        console.print(
            f"{peer['task']} (mjlab {peer['mjlab']}): {number(peer['environment_steps_per_s'])} env-steps/s;"
            f" the environment makes {result['ratio_environment_to_peer']:.1f} times as many."
        )
    if "extras" in result:
        console.print(_extras_table(result["extras"]))
    for num_envs, other in result.get("by_num_envs", {}).items():
        line = ", ".join(f"{key.removesuffix('_steps_per_s')} {number(other[key])}" for key in STABLE_KEYS)
        console.print(f"{num_envs} envs: {line} env-steps/s")
    if ratios is not None:
        console.print(_ratios_table(result, ratios))


def number(value: float | None) -> str:
    """Three significant digits, thousands grouped; a dash for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _rates_table(result: Mapping) -> Table:
    table = Table("env-steps/s", "median", "quartiles", "samples", title="Rates")
    for name, sample in result["samples"].items():
        table.add_row(
            name, number(sample["median"]), f"{number(sample['low'])} - {number(sample['high'])}",
            str(sample["num_samples"]),
        )  # fmt: skip
    for network, training in result["training"].items():
        table.add_row(f"update's share of training {network}", f"{training['update_share']:.0%}", "", "")
    return table


def _limit_sentence(result: Mapping) -> str:
    projected = result["projected"]
    ratio, rate = projected["ratio_environment_to_native"], projected["environment_steps_per_s"]
    return (
        f"environment / native limit: [bold]{result['ratio_environment_to_native']:.0%}[/bold] with"
        f" {result['native_rollout_cores']:.1f} of {projected['threads']} cores left by other processes"
        f" (CPU time of a control step {result['environment_cpu_ms']:.1f} / {result['native_rollout_cpu_ms']:.1f} ms);"
        f" with all of them {ratio:.0%}, {number(rate)} env-steps/s, as CPU times project."
    )


def _parts_table(wall: Mapping[str, float], cpu: Mapping[str, float]) -> Table:
    table = Table("part of a control step", "wall ms", "share", "CPU ms", title="Where a control step goes")
    total = sum(wall.values())
    rows = {name: (name,) for name in wall} | {"MDP": MDP_PARTS, "all": tuple(wall)}
    for label, names in rows.items():
        wall_ms, cpu_ms = (sum(times[name] for name in names) for times in (wall, cpu))
        table.add_row(label, f"{wall_ms:.2f}", f"{wall_ms / total:.1%}", f"{cpu_ms:.2f}", end_section=label == "other")
    return table


def _extras_table(extras: Mapping) -> Table:
    table = Table("measurement", "value", title="Besides")
    for name, value in flatten(extras).items():
        table.add_row(name, number(value))
    return table


def _ratios_table(result: Mapping, ratios: Mapping[str, float]) -> Table:
    table = Table("key", "now", "now / earlier", title="Against the earlier result")
    values = flatten(result)
    for key, ratio in ratios.items():
        table.add_row(key, number(values[key]), f"{ratio:.3f}")
    return table
