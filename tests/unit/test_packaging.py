"""The wheel: complete, and its motion library needs nothing but NumPy, SciPy and PyTorch."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Folder with a wheel and an sdist of the tracked files."""
    folder = tmp_path_factory.mktemp("build")
    listed = subprocess.run(["git", "ls-files", "."], cwd=PACKAGE, capture_output=True, text=True, check=True)
    for name in filter(lambda name: (PACKAGE / name).is_file(), listed.stdout.splitlines()):
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PACKAGE / name, folder / "source" / name)
    uv = shutil.which("uv") or str(REPOSITORY / ".venv" / "bin" / "uv")
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
def test_motion_library_works_from_the_wheel_alone(distributions, tmp_path):
    uv = shutil.which("uv") or str(REPOSITORY / ".venv" / "bin" / "uv")
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env"], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, "numpy", "scipy", "torch==2.11.0"], check=True)
    subprocess.run([*install, "--no-deps", next(distributions.glob("*.whl"))], check=True)
    arguments = [python, "-c", CONVERT, REPOSITORY / "motions" / "squat.csv", REPOSITORY]
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(arguments, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "251\n"
