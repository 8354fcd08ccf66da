"""``evaluate.py`` end to end: the report's files, the page in a browser, and the table of scenarios."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS

pytestmark = pytest.mark.integration

SCRIPTS = Path(__file__).parents[2] / "scripts" / "rsl_rl"
TASK = ["--task", "Tracking-Flat-G1-Residual-v0", "--headless", "physics=mujoco_cpu"]


def run_script(name: str, *arguments, folder: Path) -> str:
    command = [sys.executable, str(SCRIPTS / name), *TASK, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder)
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    return finished.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a run of one iteration."""
    folder = tmp_path_factory.mktemp("evaluate")
    run_script("train.py", "--num_envs", 4, "--max_iterations", 1, folder=folder)
    return folder


@pytest.fixture(scope="module")
def report(folder) -> Path:
    run_script("evaluate.py", "--num_envs", 2, "--output_dir", "report", "--start_frames", "random", folder=folder)
    return folder / "report"


def test_the_report_says_what_was_measured_and_with_what(report):
    content = json.loads((report / "report.json").read_text())
    assert {"overall", "per_clip", "definitions", "engine", "versions", "clips", "seed"} <= content.keys()
    assert set(content["overall"]) - {"num_rollouts"} <= set(content["definitions"]) == set(DEFINITIONS)
    assert content["overall"]["num_rollouts"] == 2
    assert content["engine"] == "MujocoCpu"
    assert len(content["checkpoint_sha256"]) == 64 and all(len(digest) == 64 for digest in content["clips"].values())
    rows = list(csv.DictReader((report / "per_clip.csv").open()))
    assert [row["name"] for row in rows] == list(content["clips"])
    assert float(rows[0]["mpkpe"]) == content["overall"]["mpkpe"]


def test_random_starts_are_reported_beside_the_protocol(report):
    content = json.loads((report / "report.json").read_text())
    assert content["start_frames"] == "random"
    assert [row["start"] for row in content["starts"]] == ["frame 0", "random frames"]
    assert content["starts"][0]["mpkpe"] == content["overall"]["mpkpe"] != content["starts"][1]["mpkpe"]
    starts = [float(row["start_s"]) for row in csv.DictReader((report / "random_starts.csv").open())]
    assert len(starts) == 2 and 0.0 <= starts[0] < starts[1]


def test_the_page_needs_no_network_and_links_what_is_there(report):
    page = (report / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 9  # a chart of clips, and four plots of each of two rollouts
    assert not re.search(r"https?://|src=\"(?!data:)", page)
    linked = re.findall(r'href="([^"]+)"', page)
    assert linked == ["played.html", "worst.html"]
    assert all((report / name).is_file() for name in linked)


def test_a_browser_shows_every_plot(report, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium")
    page = (report / "report.html").read_text()
    check = "<script>document.title=[...document.images].filter(i=>i.complete&&i.naturalWidth>500).length</script>"
    probe = tmp_path / "probe.html"
    probe.write_text(page.replace("</body>", f"<script>onload=()=>{{{check[8:-9]}}}</script></body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom"]
    shown = subprocess.run([chromium, *flags, probe.as_uri()], capture_output=True, text=True, timeout=120).stdout
    assert "<title>9</title>" in shown


def test_scenarios_give_one_row_each_with_an_interval(folder):
    printed = run_script(
        "evaluate.py", "--num_envs", 2, "--output_dir", "stress", "--scenarios", "payload,fast_motion",
        folder=folder,
    )  # fmt: skip
    content = json.loads((folder / "stress" / "scenarios.json").read_text())
    assert [row["scenario"] for row in content["scenarios"]] == ["payload", "fast_motion"]
    for row in content["scenarios"]:
        assert row["num_rollouts"] == row["num_independent"] == 2  # one in either half of the clip
        assert 0.0 <= row["success_low"] <= row["success"] <= row["success_high"] <= 1.0
        assert row["scenario"] in printed
    assert content["scenarios"][0]["mpkpe"] != content["scenarios"][1]["mpkpe"]
    assert (folder / "stress" / "scenarios.csv").read_text().count("\n") == 3
