"""The commit that runs and exports carry."""

import subprocess
from pathlib import Path

import pytest

from whole_body_tracking import code_version

pytestmark = pytest.mark.unit


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def commit_of(tmp_path, monkeypatch):
    """The function, as if its file were this one in a new repository."""
    file = tmp_path / "code_version.py"
    file.write_text("# first\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "empty")
    monkeypatch.setattr(code_version, "__file__", str(file))
    monkeypatch.delenv("WBT_COMMIT", raising=False)
    code_version.code_commit.cache_clear()
    yield code_version.code_commit
    code_version.code_commit.cache_clear()


def test_a_clean_checkout_is_named_by_its_commit(commit_of, tmp_path):
    git(tmp_path, "add", "code_version.py")
    git(tmp_path, "commit", "-q", "-m", "code")
    assert commit_of() == git(tmp_path, "rev-parse", "HEAD")


def test_changed_code_says_so(commit_of, tmp_path):
    git(tmp_path, "add", "code_version.py")
    git(tmp_path, "commit", "-q", "-m", "code")
    (tmp_path / "code_version.py").write_text("# second\n")
    assert commit_of() == git(tmp_path, "rev-parse", "HEAD") + "-dirty"


def test_a_package_installed_below_someones_repository_has_no_commit(commit_of):
    """The file is there but not tracked, as in a virtual environment inside a project."""
    assert commit_of() is None


def test_without_git_there_is_no_commit(commit_of, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit_of() is None


def test_an_image_without_a_repository_is_told_its_commit(commit_of, monkeypatch):
    """As the Dockerfiles do; an empty value is what a build without the argument leaves."""
    monkeypatch.setenv("WBT_COMMIT", "0123abc-dirty")
    assert commit_of() == "0123abc-dirty"
    commit_of.cache_clear()
    monkeypatch.setenv("WBT_COMMIT", "")
    assert commit_of() is None


def test_a_checkout_knows_better_than_the_environment(commit_of, tmp_path, monkeypatch):
    git(tmp_path, "add", "code_version.py")
    git(tmp_path, "commit", "-q", "-m", "code")
    monkeypatch.setenv("WBT_COMMIT", "0123abc")
    assert commit_of() == git(tmp_path, "rev-parse", "HEAD")
