"""The wheel: complete, and its motion library needs nothing but NumPy, SciPy and PyTorch."""

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import whole_body_tracking

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "source" / "whole_body_tracking"

CONVERT = """
import sys
from whole_body_tracking.motion import MotionClip, convert, read_csv
path = convert(read_csv(sys.argv[1], fps=30)).save("squat.npz")
loaded = [name for name in ("isaaclab", "pxr", "wandb", "warp", "mujoco") if name in sys.modules]
assert not loaded, loaded
assert not sys.modules["whole_body_tracking"].__file__.startswith(sys.argv[2]), "the checkout, not the wheel"
print(MotionClip.load(path).num_frames)
"""


@pytest.mark.unit
@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
def test_licence_files_of_the_package_are_those_of_the_repository(name):
    assert (PACKAGE / name).read_bytes() == (REPOSITORY / name).read_bytes()


@pytest.mark.unit
def test_the_package_under_test_is_the_installed_one():
    """scripts/release_check.sh names the environment that the package has to come from."""
    expected = Path(os.environ.get("WBT_EXPECTED_PREFIX", REPOSITORY)).resolve()
    assert expected in Path(whole_body_tracking.__file__).resolve().parents


def find_uv() -> str:
    """uv of this machine or of .venv/; a version manager may have one by name that does not run."""
    for candidate in filter(None, (shutil.which("uv"), str(REPOSITORY / ".venv" / "bin" / "uv"))):
        if subprocess.run([candidate, "--version"], capture_output=True).returncode == 0:
            return candidate
    pytest.fail("There is no uv: run scripts/setup.sh.")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Folder with a wheel and an sdist of the tracked files."""
    folder = tmp_path_factory.mktemp("build")
    listed = subprocess.run(["git", "ls-files", "."], cwd=PACKAGE, capture_output=True, text=True, check=True)
    for name in filter(lambda name: (PACKAGE / name).is_file(), listed.stdout.splitlines()):
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PACKAGE / name, folder / "source" / name)
    uv = find_uv()
    subprocess.run([uv, "build", "--quiet", "--python", sys.executable, "-o", folder, folder / "source"], check=True)
    return folder


@pytest.mark.slow
def test_wheel_and_sdist_hold_the_data_and_the_licences(distributions):
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as sdist:
        sdist_names = sdist.getnames()
    data = [path for folder in ("data", "robots/data") for path in (PACKAGE / "whole_body_tracking" / folder).iterdir()]
    for path in [*data, PACKAGE / "whole_body_tracking/tasks/tracking/mdp/__init__.pyi"]:
        name = str(path.relative_to(PACKAGE))
        assert name in names and any(item.endswith(name) for item in sdist_names), name
    for licence in ("LICENSE", "NOTICE"):
        assert any(name.endswith(f"licenses/{licence}") for name in names)


@pytest.mark.slow
def test_metadata_of_wheel_and_sdist(distributions):
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        texts = [wheel.read(name).decode()]
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as sdist:
        name = next(name for name in sdist.getnames() if name.count("/") == 1 and name.endswith("/PKG-INFO"))
        texts.append(sdist.extractfile(name).read().decode())
    for text in texts:
        fields = email.message_from_string(text)
        assert (fields["Name"], fields["Version"]) == ("whole-body-tracking", whole_body_tracking.__version__)
        assert fields["License-Expression"] == "BSD-3-Clause"
        assert fields.get_all("License-File") == ["LICENSE", "NOTICE"]
        assert fields["Requires-Python"] == "==3.12.*"
        assert fields["Description-Content-Type"] == "text/markdown"
        assert fields.get_payload().strip() == (PACKAGE / "README.md").read_text().strip()
        assert "](" not in fields.get_payload(), "a link would be relative to nothing"
        assert "Operating System :: POSIX :: Linux" in fields.get_all("Classifier")
        assert "isaaclab[ovphysx,rsl-rl,viser]==3.0.0" in fields.get_all("Requires-Dist")
        assert not any("@" in requirement for requirement in fields.get_all("Requires-Dist")), "a path or an address"


@pytest.mark.unit
def test_versions_agree():
    """What a release has to change in step; docker/.env is compared in tests/unit/docker."""
    version = whole_body_tracking.__version__
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"] == version
    assert yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())["version"] == version
    assert re.search(rf"^## .*\b{re.escape(version)}\b", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.mark.slow
def test_motion_library_works_from_the_wheel_alone(distributions, tmp_path):
    uv = find_uv()
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env"], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, "--constraints", REPOSITORY / "constraints.txt", "numpy", "scipy", "torch"], check=True)
    subprocess.run([*install, "--no-deps", next(distributions.glob("*.whl"))], check=True)
    arguments = [python, "-c", CONVERT, REPOSITORY / "motions" / "squat.csv", REPOSITORY]
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(arguments, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "251\n"
