"""The command line of retargeting: what it writes, where, and how it ends."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from whole_body_tracking.motion import MotionClip

REPOSITORY = Path(__file__).parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "mocap"))

from mocap_samples import walking_person  # noqa: E402

from whole_body_tracking.mocap import write_bvh  # noqa: E402

pytestmark = [pytest.mark.unit, pytest.mark.integration]

SCRIPT = REPOSITORY / "scripts" / "retarget.py"


@pytest.fixture
def retarget(monkeypatch, capsys):
    """Run the script in this process; returns exit status, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    "words", [("--up", "-y"), ("--up=-y",), ("--json", "report.json", "--up", "-y", "--port", "81")]
)
def test_an_axis_that_points_down_is_no_option(words):
    parse = runpy.run_path(str(SCRIPT), run_name="retarget")["parse_args"]
    assert parse(["--input_file", "walk.bvh", *words]).up == "-y"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two walks and a damaged file."""
    folder = tmp_path_factory.mktemp("in")
    write_bvh(walking_person(0.5), folder / "walk_2.bvh")
    write_bvh(walking_person(0.4), folder / "walk_10.bvh")
    (folder / "broken.bvh").write_text("HIERARCHY\n")
    return folder


def test_one_file(retarget, folder, tmp_path):
    clip, report, page = tmp_path / "walk.npz", tmp_path / "reports" / "walk.json", tmp_path / "walk.html"
    status, out, err = retarget(
        *("--input_file", folder / "walk_2.bvh", "--output_file", clip, "--json", report, "--show", page),
        *("--output_fps", 25, "--smooth_hz", 6),
    )
    assert (status, err) == (0, "")
    assert "table generic); unit cm, y up, legs 0.830 m" in out and "low-pass at 6 Hz:" in out and "hands cm" in out
    loaded = MotionClip.load(clip)
    assert (loaded.fps, loaded.num_frames) == (25.0, 13) and loaded.source["table"] == "generic"
    keys = ["frames_per_s", "position_error_cm", "foot_skate", "penetration_mm", "limit_hits"]
    assert list(json.loads(report.read_text())) == keys
    assert "<html" in page.read_text()[:500].lower()


def test_folder(retarget, folder, tmp_path):
    """A damaged file is reported, the others are written, and the exit status says that one is missing."""
    status, out, err = retarget(
        "--input_file", folder, "--output_dir", tmp_path / "clips", "--json", tmp_path / "all.json"
    )
    assert status == 1 and "broken.bvh ends without a MOTION section" in err and "Traceback" not in err
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == ["walk_10.npz", "walk_2.npz"]
    assert out.index("walk_2.bvh") < out.index("walk_10.bvh")
    assert sorted(json.loads((tmp_path / "all.json").read_text())["clips"]) == ["walk_10", "walk_2"]


def test_bvh_out(retarget, folder, tmp_path):
    """Only converted: metres, z up."""
    status, _, _ = retarget("--input_file", folder / "walk_2.bvh", "--output_file", tmp_path / "metres.bvh")
    assert status == 0
    status, out, _ = retarget(
        "--input_file", tmp_path / "metres.bvh", "--output_file", tmp_path / "walk.npz", "--up", "z"
    )
    assert status == 0 and "unit m, z up, legs 0.830 m" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input_file", "none.bvh"], "none.bvh does not exist"),
        (["--input_file", "none.bvh", "--robot", "h9"], "Unknown robot: 'h9'. Known: g1"),
        (["--input_file", "none.bvh", "--output_file", "a.csv"], "should end in .npz"),
        (["--input_file", "none.bvh", "--output_file", "a.npz", "--output_dir", "b"], "not both"),
        (["--input_file", "none.amc", "--skeleton", "none.asf"], "none.asf does not exist"),
        (["--input_file", "none.bvh", "--solver", "gmr"], "Unknown solver: 'gmr'"),
        (["--input_file", "none.bvh", "--show", "none/page.html"], "the folder"),
    ],
)
def test_bad_arguments(retarget, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, _, err = retarget(*arguments)
    assert status == 1 and message in err and err.startswith("error: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
