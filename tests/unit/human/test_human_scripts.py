"""The scripts' command lines: what they refuse before any work, also without the extra."""

import runpy
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SCRIPTS = Path(__file__).parents[3] / "scripts" / "muscle"


@pytest.fixture
def refused(monkeypatch, capsys, tmp_path):
    """Run a script in this process; returns its one line on stderr."""

    def run(name: str, *arguments: str) -> str:
        output = tmp_path / "out"
        monkeypatch.setattr(sys, "argv", [name, "--output_dir", str(output), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        assert stop.value.code == 1 and not output.exists()
        return capsys.readouterr().err

    return run


@pytest.fixture
def pretend_installed(monkeypatch):
    """A package of the extra's name, for checks that come after it."""
    package = type(sys)("musclemimic_models")
    package.get_xml_path = lambda name: Path(f"/nowhere/{name}.xml")
    monkeypatch.setitem(sys.modules, "musclemimic_models", package)


@pytest.mark.parametrize("script", ["play_human.py", "train_human.py"])
def test_a_missing_extra_is_named(refused, monkeypatch, script):
    monkeypatch.setitem(sys.modules, "musclemimic_models", None)
    assert "pip install 'whole-body-tracking[muscles]'" in refused(script, "--arm_raise")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arm_raise", "--train_minutes", "-1"], "--train_minutes is -1, expected 0 to 600"),
        (["--arm_raise", "--muscle_model", "gone.safetensors"], "there is no file gone.safetensors"),
        (["--arm_raise", "--fps", "0"], "--fps is 0, expected 10 to 500"),
        (["--arm_raise", "--frame_range", "1", "9"], "are for --motion_file"),
        (["--arm_raise", "--unit", "cm"], "--unit and --table are for --motion_file"),
        (["--arm_raise", "--table", "cmu"], "--unit and --table are for --motion_file"),
        (["--motion_file", "gone.bvh"], "gone.bvh"),
        (["--arm_raise", "--json", "/nowhere/x.json"], "the folder /nowhere does not exist"),
    ],
)
def test_playing_refuses_first(refused, pretend_installed, arguments, message):
    assert message in refused("play_human.py", *arguments)
