"""For every test: one thread of torch, a W&B server that the real client talks to, and a guard against simulators."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from wandb_server import Store, WandbServer

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""As many workers as cores run: threads of torch would wait for each other. Scripts that tests start inherit it."""

SETTINGS = {
    "API_KEY": "0" * 40, "MODE": "online", "SILENT": "true", "CONSOLE": "off", "ERROR_REPORTING": "false",
    "DISABLE_GIT": "true", "DISABLE_CODE": "true", "X_DISABLE_STATS": "true", "X_DISABLE_META": "true",
    "X_DISABLE_MACHINE_INFO": "true", "X_SAVE_REQUIREMENTS": "false", "X_FILE_STREAM_TRANSMIT_INTERVAL": "0.1",
    "X_GRAPHQL_RETRY_WAIT_MIN_SECONDS": "0.05", "X_GRAPHQL_RETRY_WAIT_MAX_SECONDS": "0.1",
}  # fmt: skip
UNSET = ("ENTITY", "PROJECT", "ORGANIZATION", "RUN_ID", "NAME", "TAGS", "USERNAME")
FOLDERS = ("DIR", "CACHE_DIR", "DATA_DIR", "CONFIG_DIR", "ARTIFACT_DIR")


@pytest.fixture(scope="session")
def wandb_server() -> Iterator[WandbServer]:
    server = WandbServer()
    yield server
    server.stop()


@pytest.fixture
def wandb_store(wandb_server: WandbServer, tmp_path: Path, monkeypatch) -> Iterator[Store]:
    """An empty server that the client of this process, and of those that it starts, talks to."""
    import wandb

    for name, value in (SETTINGS | {"BASE_URL": wandb_server.url}).items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    for name in FOLDERS:
        monkeypatch.setenv(f"WANDB_{name}", str(tmp_path / "wandb" / name.lower()))
    for name in UNSET:
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WBT_CACHE_DIR", str(tmp_path / "cache"))
    wandb.teardown()
    store = wandb_server.reset()
    yield store
    wandb.teardown()
    assert store.unknown == []


@pytest.fixture
def no_simulator(tmp_path: Path, monkeypatch) -> Iterator[None]:
    """Run in an empty folder, and fail if a simulation is launched or a file is left behind."""
    from whole_body_tracking.rl import session

    def launched(*args):
        raise AssertionError("a simulator was started")

    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["script.py"])
    monkeypatch.setattr(session, "launch_simulation", launched)
    yield
    assert list(folder.iterdir()) == []
