"""Clips in the registry, against a stand-in for the client; no network."""

import shutil
import sys
from types import ModuleType, SimpleNamespace

import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.registry import download_clip, upload_clip

pytestmark = pytest.mark.unit

NAME = "ORG/wandb-registry-motions/squat"


class FakeRegistry(ModuleType):
    """The few names of ``wandb`` that the package uses, over one stored file."""

    class Error(Exception):
        pass

    def __init__(self):
        super().__init__("wandb")
        self.file, self.digest, self.error = DEFAULT_MOTION_FILE, "0123abcd", None
        self.asked, self.linked, self.downloads = [], [], 0

    def Api(self, timeout):  # noqa: N802
        return self

    def artifact(self, name):
        self.asked.append(name)
        if self.error:
            raise self.error
        return SimpleNamespace(digest=self.digest, download=self.download)

    def download(self, root):
        self.downloads += 1
        shutil.copyfile(self.file, f"{root}/motion.npz")
        return root

    def init(self, **_):
        if self.error:
            raise self.error
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def Artifact(self, name, type):  # noqa: N802
        return SimpleNamespace(name=name, type=type, add_file=lambda path, name: self.linked.append((path, name)))

    def log_artifact(self, artifact):
        return SimpleNamespace(artifact=artifact, wait=lambda: None)

    def link_artifact(self, artifact, target_path):
        self.linked.append(target_path)


@pytest.fixture
def registry(monkeypatch, tmp_path):
    fake = FakeRegistry()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setenv("WBT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    for name in ("WANDB_X_GRAPHQL_RETRY_MAX", "WANDB_INIT_TIMEOUT"):
        monkeypatch.setenv(name, "1")
    return fake


def test_a_clip_is_downloaded_once_per_version(registry):
    path = download_clip(NAME)
    assert MotionClip.load(path).name == "squat"
    assert download_clip(NAME) == path and registry.downloads == 1
    registry.digest = "ffff"
    assert download_clip(NAME) != path and registry.downloads == 2


@pytest.mark.parametrize(("name", "asked"), [(NAME, f"{NAME}:latest"), (f"{NAME}:v3", f"{NAME}:v3")])
def test_latest_version_unless_one_is_named(registry, name, asked):
    download_clip(name)
    assert registry.asked == [asked]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("artifact membership 'walk:v9' not found", "not found"),
        ("No API key configured.", "WANDB_API_KEY"),
        ("Failed to verify credentials with URL:\n service busy", "no network"),
    ],
)
def test_failures_say_how_to_use_a_local_file(registry, text, message):
    registry.error = registry.Error(text)
    with pytest.raises(OSError, match=rf"Downloading {NAME}:latest failed: .*{message}.*--motion_file PATH"):
        download_clip(NAME)


def test_upload_links_the_clip_under_its_name(registry):
    assert upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "squat") == NAME
    assert registry.linked == [(str(DEFAULT_MOTION_FILE), "motion.npz"), NAME]


def test_failed_upload_says_where_the_clip_is(registry):
    registry.error = registry.Error("timed out")
    with pytest.raises(OSError, match=r"Uploading squat.npz failed: timed out\. The clip stays at .*squat\.npz"):
        upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "squat")


def test_offline_mode_cannot_upload(registry, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    with pytest.raises(OSError, match="needs the network, but WANDB_MODE is 'offline'. The clip stays at"):
        upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "squat")


def test_damaged_download_is_not_kept(registry, tmp_path):
    registry.file = tmp_path / "cut.npz"
    registry.file.write_bytes(DEFAULT_MOTION_FILE.read_bytes()[:1000])
    with pytest.raises(ValueError, match="is truncated"):
        download_clip(NAME)
    registry.file = DEFAULT_MOTION_FILE
    assert MotionClip.load(download_clip(NAME)).num_frames == 251


def test_what_is_no_clip_is_not_uploaded(registry, tmp_path):
    (tmp_path / "walk.npz").write_text("text")
    with pytest.raises(ValueError, match="not an NPZ file"):
        upload_clip(tmp_path / "walk.npz", "ORG", "wandb-registry-motions", "walk")
    assert registry.linked == []
