"""What the RUN steps of the images call, run with recorders in place of the system's tools."""

import os
import stat
import subprocess

import pytest
from docker_files import DOCKER

pytestmark = pytest.mark.unit


@pytest.fixture
def fake_tools(tmp_path):
    """Put recorders first in PATH; returns their names' calls, one line each."""
    folder, calls = tmp_path / "bin", tmp_path / "calls"
    folder.mkdir()
    for name in ("apt-get", "groupadd", "useradd", "chown", "rm", "uv"):
        (folder / name).write_text(f'#!/bin/bash\necho {name} "$@" >>{calls}\n')
        (folder / name).chmod(0o755)

    def run(script, *arguments, **environment):
        path = {"PATH": f"{folder}:{os.environ['PATH']}"}
        done = subprocess.run([script, *arguments], capture_output=True, text=True, env=os.environ | path | environment)
        return done, calls.read_text().splitlines() if calls.exists() else []

    return run


def test_packages_are_the_lists_without_comments(fake_tools, tmp_path):
    (tmp_path / "a.txt").write_text("# why\ncurl\n\ngit  # because\n")
    (tmp_path / "b.txt").write_text("make")
    done, calls = fake_tools(DOCKER / "install-system-packages.sh", tmp_path / "a.txt", tmp_path / "b.txt")
    assert done.returncode == 0
    assert calls[1] == "apt-get install --yes --no-install-recommends curl git make"


def test_empty_list_is_refused(fake_tools, tmp_path):
    (tmp_path / "a.txt").write_text("# nothing\n")
    done, calls = fake_tools(DOCKER / "install-system-packages.sh", tmp_path / "a.txt")
    assert (done.returncode, calls) == (1, []) and "no package named" in done.stderr


def test_user_gets_the_ids_and_folders_that_are_open_to_other_ids(fake_tools, tmp_path):
    done, calls = fake_tools(DOCKER / "create-user.sh", "1234", "56", tmp_path / "logs")
    assert done.returncode == 0 and (tmp_path / "logs").is_dir()
    assert calls[1] == "useradd --non-unique --uid 1234 --gid 56 --create-home --shell /bin/bash wbt"
    assert calls[2] == f"chown 1234:56 {tmp_path / 'logs'}"
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o777


def test_root_is_refused(fake_tools):
    done, calls = fake_tools(DOCKER / "create-user.sh", "0", "0")
    assert (done.returncode, calls) == (1, []) and "must not be root" in done.stderr


def test_isaac_sim_needs_an_index(fake_tools):
    done, _ = fake_tools(DOCKER / "install-isaacsim.sh", ISAACSIM_INDEX_URL="")
    assert done.returncode == 1 and done.stderr.startswith("error: ISAACSIM_INDEX_URL is empty")


def test_isaac_sim_is_installed_with_the_overrides(fake_tools, tmp_path):
    """In a copy of the repository's layout, so that the real .venv/ stays what it is."""
    (tmp_path / "docker").mkdir()
    script = tmp_path / "docker" / "install-isaacsim.sh"
    script.write_bytes((DOCKER / script.name).read_bytes())
    script.chmod(0o755)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/bash\n")
    python.chmod(0o755)
    done, calls = fake_tools(script, ISAACSIM_INDEX_URL="index")
    assert done.returncode == 0, done.stderr
    assert calls[-1].startswith("uv pip install --python .venv/bin/python --extra-index-url index")
    assert "--requirements docker/isaacsim-requirements.txt --overrides docker/isaacsim-overrides.txt" in calls[-1]
