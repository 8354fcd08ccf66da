"""The check of the image without a Docker daemon, with a recorder in place of buildah."""

import os
import re
import subprocess

import pytest
from docker_files import REPOSITORY, read_env

pytestmark = pytest.mark.unit

SCRIPT = REPOSITORY / "scripts" / "image_check.sh"
BUILDAH = """#!/bin/bash
echo "$*" >>"$CALLS"
case "$1" in
  from) echo container ;;
  images) echo 9.9 GB ;;
  build) exit "${BUILD_STATUS:-0}" ;;
esac
"""


@pytest.fixture
def check(tmp_path):
    """Run the script; returns what it printed, its status and buildah's calls."""
    (tmp_path / "bin").mkdir()
    for name, text in {"buildah": BUILDAH, "chown": "#!/bin/bash\n"}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)

    def run(*arguments, **variables):
        path = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
        environment = os.environ | path | {"TMPDIR": str(tmp_path)} | variables
        done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, env=environment)
        calls = tmp_path / "calls"
        return done, calls.read_text().splitlines() if calls.exists() else []

    return run


def test_the_image_is_that_of_the_dockerfile(check):
    _, calls = check("--base", "mine:3.12", IMAGE_CHECK_OPTIONS="--volume /certs:/certs:ro")
    (build,) = [call for call in calls if call.startswith("build ")]
    assert "--isolation chroot" in build and "--file docker/Dockerfile.kitless" in build
    assert "--volume /certs:/certs:ro" in build and "--build-arg PYTHON_IMAGE=mine:3.12" in build
    assert re.search(r"--build-arg WBT_COMMIT=[0-9a-f]{40}(-dirty)? \.$", build)


def test_the_base_is_that_of_the_env_file_by_default(check):
    _, calls = check(BUILD_STATUS="1")
    assert f"PYTHON_IMAGE={read_env()['PYTHON_IMAGE']} " in " ".join(calls)


def test_a_container_that_does_nothing_fails(check, tmp_path):
    """Every step looks at what the container left, not only at its exit status."""
    done, calls = check()
    assert done.returncode == 1
    failed = {line[6:44].strip() for line in done.stdout.splitlines() if line.startswith("FAIL")}
    assert {
        "trains on mujoco",
        "continues in its folder",
        "evaluates",
        "knows its commit",
        "saves on sigterm",
    } <= failed
    assert "trains on ovphysx with wandb offline" in failed
    assert f"{len(failed)} checks failed." in done.stdout
    runs = [call for call in calls if call.startswith("run ")]
    assert runs and all("--user 4321:4321" in call for call in runs), "under ids that the image does not know"
    assert calls[-2:] == ["rm container", "rmi --force localhost/whole-body-tracking:image-check"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "calls"], "temporary files stay"


def test_nothing_is_tried_in_an_image_that_was_not_built(check):
    done, calls = check("--keep", BUILD_STATUS="1")
    assert done.returncode == 1 and "FAIL  build" in done.stdout
    assert [call.split()[0] for call in calls] == ["build"]


def test_a_kept_image_is_tried_without_building(check):
    done, calls = check("--no-build", "--keep")
    assert "build" not in {call.split()[0] for call in calls} and "trains on mujoco" in done.stdout
    assert calls[-1] == "rm container", "the image stays"


@pytest.mark.parametrize(
    "arguments", [["--base"], ["image"], ["--base", "a", "--make-base", "/usr"], ["--base", "a", "--no-build"]]
)
def test_bad_arguments_end_with_status_2(check, arguments):
    done, calls = check(*arguments)
    assert (done.returncode, calls) == (2, []) and done.stderr.startswith("usage: scripts/image_check.sh")


def test_without_buildah_it_says_what_to_install(tmp_path):
    for name in ("bash", "dirname", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run([SCRIPT], capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert done.returncode == 1 and done.stderr.startswith("error: buildah is missing.")


def test_a_made_base_needs_a_python_of_the_right_version(check, tmp_path):
    (tmp_path / "bin" / "debootstrap").symlink_to("/usr/bin/true")
    done, calls = check("--make-base", str(tmp_path))
    assert (done.returncode, calls) == (1, []) and "prefix of a Python 3.12" in done.stderr
