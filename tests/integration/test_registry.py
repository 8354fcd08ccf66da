"""Clips in the registry: the real client against a server on this machine."""

import signal
import socket
import time
import warnings

import psutil
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.sources import registry, wandb_client
from whole_body_tracking.motion.sources.motion_entries import registry_paths, resolve_entries
from whole_body_tracking.motion.sources.registry import download_clip, upload_clip
from whole_body_tracking.motion.sources.registry_cache import cache_dir
from whole_body_tracking.motion.sources.registry_patterns import expand_registry_name

pytestmark = pytest.mark.integration

REGISTRY = "ORG/wandb-registry-motions"
NAME = f"{REGISTRY}/squat"
CLIP = DEFAULT_MOTION_FILE.read_bytes()
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def forget_lookups(monkeypatch):
    registry_paths.cache_clear()
    monkeypatch.setattr(wandb_client, "_unreachable", {})


@pytest.fixture
def go_offline(monkeypatch):
    """Let the server vanish."""
    return lambda: monkeypatch.setenv("WANDB_BASE_URL", NOWHERE)


def other_clip(tmp_path, name: str = "other") -> bytes:
    """The shipped clip with another content."""
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    clip.joint_pos[0, 0] += 0.01
    clip.save(tmp_path / f"{name}.npz")
    return (tmp_path / f"{name}.npz").read_bytes()


# -- there and back ----------------------------------------------------------------------------------------------------


def test_an_uploaded_clip_comes_back(wandb_store):
    assert upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "walk") == f"{REGISTRY}/walk"
    path = download_clip(f"{REGISTRY}/walk")
    assert path.read_bytes() == CLIP and MotionClip.load(path).name == "walk"


def test_the_same_clip_makes_no_second_version(wandb_store):
    for _ in range(2):
        upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "walk")
    assert len(wandb_store.collections["wandb-registry-motions", "walk"].versions) == 1


def test_versions_by_name(wandb_store, tmp_path):
    wandb_store.add_clip("squat", CLIP)
    wandb_store.add_clip("squat", newer := other_clip(tmp_path))
    assert download_clip(NAME).read_bytes() == newer
    assert download_clip(f"{NAME}:latest").read_bytes() == newer
    assert download_clip(f"{NAME}:v1").read_bytes() == newer
    assert download_clip(f"{NAME}:v0").read_bytes() == CLIP


def test_a_file_is_fetched_once(wandb_store):
    wandb_store.add_clip("squat", CLIP)
    for name in (NAME, NAME, f"{NAME}:v0"):
        download_clip(name)
    assert len([path for path in wandb_store.gets if path.startswith("/storage/blob")]) == 1


def test_patterns_and_manifests_name_collections(wandb_store, tmp_path):
    for name in ("walk1", "walk2", "squat"):
        wandb_store.add_clip(name, other_clip(tmp_path, name))
    assert expand_registry_name(f"{REGISTRY}/walk*:v0") == [f"{REGISTRY}/walk1:v0", f"{REGISTRY}/walk2:v0"]
    (tmp_path / "motions.yaml").write_text(
        f"motions:\n  - {{registry: '{REGISTRY}/walk*'}}\n"
        f"  - {{registry: '{NAME}:v0', frame_range: [11, 60], weight: 3}}\n"
    )
    entries = resolve_entries([str(tmp_path / "motions.yaml")])
    assert [entry.load().num_frames for entry in entries] == [251, 251, 50]
    assert [entry.name for entry in entries] == ["walk1", "walk2", "squat_11-60"]
    assert [entry.weight for entry in entries] == [1.0, 1.0, 3.0]


# -- without a server --------------------------------------------------------------------------------------------------


def test_a_version_needs_no_server_afterwards(wandb_store, go_offline):
    wandb_store.add_clip("squat", CLIP)
    path = download_clip(NAME)
    go_offline()
    with warnings.catch_warnings(action="error"):
        assert download_clip(f"{NAME}:v0") == path


def test_latest_is_what_it_was_and_says_so(wandb_store, go_offline):
    wandb_store.add_clip("squat", CLIP)
    path = download_clip(NAME)
    go_offline()
    with pytest.warns(UserWarning, match=r"Using ORG/wandb-registry-motions/squat as it was .*cannot be reached"):
        assert download_clip(NAME) == path
    with pytest.warns(UserWarning, match="downloaded before"):
        assert expand_registry_name(f"{REGISTRY}/s*") == [NAME]


def test_offline_mode_is_respected(wandb_store, monkeypatch):
    wandb_store.add_clip("squat", CLIP)
    download_clip(NAME)
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb_store.gets.clear()
    with pytest.warns(UserWarning, match="WANDB_MODE is 'offline'"):
        download_clip(NAME)
    with pytest.raises(OSError, match="needs the network, but WANDB_MODE is 'offline'.*--motion_file PATH"):
        download_clip(f"{REGISTRY}/walk")
    with pytest.raises(OSError, match="needs the network, but WANDB_MODE is 'offline'. The clip stays at"):
        upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "squat")
    assert wandb_store.gets == []


@pytest.mark.parametrize("look_up", [download_clip, expand_registry_name])
def test_a_server_that_refuses_is_named(wandb_store, go_offline, look_up):
    go_offline()
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=rf"failed: W&B at {NOWHERE} cannot be reached .*--motion_file PATH"):
        look_up(f"{REGISTRY}/w*")
    assert time.monotonic() - started < 15.0


def test_a_server_that_is_silent_is_given_up(wandb_store, monkeypatch):
    monkeypatch.setattr(registry, "TIMEOUT", 1)
    monkeypatch.setattr(wandb_client, "STOP_LIMIT", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(ConnectionError, match=r"cannot be reached"):
            download_clip(NAME)
        assert time.monotonic() - started < 20.0


def test_a_server_that_is_gone_is_asked_once(wandb_store, tmp_path, go_offline):
    for name in ("walk1", "walk2", "squat"):
        wandb_store.add_clip(name, other_clip(tmp_path, name))
        download_clip(f"{REGISTRY}/{name}")
    go_offline()
    with pytest.warns(UserWarning):
        download_clip(NAME)
    started = time.monotonic()
    with pytest.warns(UserWarning) as caught:
        resolve_entries([f"{REGISTRY}/walk1", f"{REGISTRY}/walk2"])
    assert len(caught) == 2 and time.monotonic() - started < 1.0


def test_a_server_out_of_order_is_no_matter_of_keys(wandb_store):
    wandb_store.add_clip("squat", CLIP)
    path = download_clip(NAME)
    wandb_store.status = 503
    with pytest.raises(ConnectionError, match=r"walk:latest failed: W&B .* is out of order .*HTTP 503.*Try later"):
        download_clip(f"{REGISTRY}/walk")
    with pytest.warns(UserWarning, match="Using .*out of order"):
        assert download_clip(NAME) == path


def test_a_key_that_is_refused(wandb_store):
    wandb_store.status = 401
    with pytest.raises(PermissionError, match=r"error 401.* Set WANDB_API_KEY or run `wandb login`"):
        download_clip(NAME)
    with pytest.raises(PermissionError, match=r"refused without a reason\. Set WANDB_API_KEY"):
        upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-motions", "squat")


@pytest.mark.parametrize("part", ["/storage/manifest", "/storage/blob"])
def test_a_file_that_stalls_is_given_up(wandb_store, monkeypatch, part):
    monkeypatch.setattr(wandb_client, "TIMEOUT", 0.5)
    monkeypatch.setattr(wandb_client, "FILE_RETRIES", 0)
    wandb_store.add_clip("squat", CLIP)
    wandb_store.stalled = {path for path in wandb_store.blobs if path.startswith(part)}
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=r"squat:latest failed: .*timed out.*--motion_file PATH"):
        download_clip(NAME)
    assert time.monotonic() - started < 10.0
    assert not list(cache_dir().rglob("*.npz"))


def test_a_client_that_does_not_end_is_ended(wandb_store, monkeypatch):
    """After a silent server it now and then waits for ever."""
    import wandb

    monkeypatch.setattr(wandb_client, "STOP_LIMIT", 0.5)
    with wandb_client.wandb_client("Testing", ""):
        wandb.Api()
        (process,) = (child for child in psutil.Process().children() if child.name() == "wandb-core")
        process.send_signal(signal.SIGSTOP)
    assert not process.is_running()


def test_a_training_that_logs_keeps_the_clients_patience(wandb_store):
    """The limits of a look-up would make one lost request end the upload of checkpoints."""
    import wandb

    with wandb.init(project="before") as run:
        usual = run.settings.x_graphql_retry_max
    wandb_store.add_clip("squat", CLIP)
    download_clip(NAME)
    with wandb.init(project="after") as run:
        assert run.settings.x_graphql_retry_max == usual != 1


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_damaged_download_is_not_kept(wandb_store):
    wandb_store.add_clip("squat", CLIP)
    (blob,) = [path for path in wandb_store.blobs if path.startswith("/storage/blob")]
    wandb_store.blobs[blob] = CLIP[:5000] + bytes([CLIP[5000] ^ 1]) + CLIP[5001:]
    with pytest.raises(OSError, match=r"squat is damaged \(Digest mismatch for file: motion\.npz\)\. Try again"):
        download_clip(NAME)
    assert not list(cache_dir().rglob("*"))
    wandb_store.blobs[blob] = CLIP
    assert download_clip(NAME).read_bytes() == CLIP


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("notes.txt", b"text", r"squat:v0 holds 0 \.npz files, expected one"),
        ("motion.npz", b"text", r"motion\.npz is not an NPZ file"),
        ("motion.npz", CLIP[:1000], r"motion\.npz is .*truncated"),
    ],
)
def test_an_artifact_without_a_motion_is_refused(wandb_store, file, content, message):
    wandb_store.add_clip("squat", content, file)
    with pytest.raises(ValueError, match=message):
        download_clip(NAME)
    assert not list(cache_dir().rglob("*.npz"))


@pytest.mark.parametrize(
    "name", [f"{REGISTRY}/run", f"{NAME}:v7", "ORG/wandb-registry-nope/squat", "NOBODY/wandb-registry-motions/squat"]
)
def test_what_does_not_exist_is_named(wandb_store, name):
    wandb_store.add_clip("squat", CLIP)
    full_name = name if ":" in name else f"{name}:latest"
    with pytest.raises(OSError, match=rf"Downloading {full_name} failed: .*--motion_file PATH"):
        download_clip(name)


@pytest.mark.parametrize("name", ["walk", "ORG//walk", f"{REGISTRY}/", f"{NAME}/x", "ORG/wandb-registry-motions/.."])
def test_what_is_no_name(wandb_store, name):
    with pytest.raises(ValueError, match=rf"'{name}' does not name a motion of a registry\. Expected ORG/"):
        download_clip(name)


def test_a_pattern_that_matches_nothing_lists_what_exists(wandb_store):
    wandb_store.add_clip("squat", CLIP)
    with pytest.raises(FileNotFoundError, match=r"No motion of .* matches 'jump\*'\. Collections: squat\."):
        expand_registry_name(f"{REGISTRY}/jump*")


def test_a_pattern_over_a_missing_registry(wandb_store):
    with pytest.raises(OSError, match=r"wandb-registry-nope.*--motion_file PATH"):
        expand_registry_name("ORG/wandb-registry-nope/*")


def test_uploading_to_a_missing_registry(wandb_store):
    with pytest.raises(OSError, match=r"Uploading squat\.npz failed: .*wandb-registry-nope.* The clip stays at"):
        upload_clip(DEFAULT_MOTION_FILE, "ORG", "wandb-registry-nope", "squat")


def test_what_is_no_clip_is_not_uploaded(wandb_store, tmp_path):
    (tmp_path / "walk.npz").write_text("text")
    with pytest.raises(ValueError, match="not an NPZ file"):
        upload_clip(tmp_path / "walk.npz", "ORG", "wandb-registry-motions", "walk")
    assert wandb_store.artifacts == []
