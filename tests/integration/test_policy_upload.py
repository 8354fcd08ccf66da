"""The exported policy of a training in progress is in its W&B run: what the real client uploads."""

import time
from types import SimpleNamespace

import pytest

from whole_body_tracking.files import write_atomically
from whole_body_tracking.rl.run.logger import TrackingLogger

pytestmark = pytest.mark.integration


def make_logger(folder) -> TrackingLogger:
    return TrackingLogger(
        step_dt=0.02,
        after_iteration=lambda *_: None,
        log_dir=str(folder),
        cfg={"logger": {"class_name": "WandbLogWriter", "project_name": "P"}, "algorithm": {}},
        env_cfg=SimpleNamespace(to_dict=dict),
        num_envs=1,
        is_distributed=False,
        gpu_world_size=1,
        gpu_global_rank=0,
        device="cpu",
    )


def uploaded(store, name: str, content: bytes, seconds: float) -> bool:
    """Whether a file of the only run has this content, after waiting for it."""
    (run,) = store.runs.values()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if store.blobs.get(f"/storage/run/{run.path}/{name}") == content:
            return name in run.files
        time.sleep(0.05)
    return False


def test_each_save_uploads_the_policy_and_the_run_ends_with_the_last(wandb_store, tmp_path):
    policy = tmp_path / "run" / "exported" / "policy.onnx"
    policy.parent.mkdir(parents=True)
    logger = make_logger(tmp_path / "run")
    logger.init_logging_writer()
    for content in (b"first", b"second"):
        write_atomically(policy, content)
        logger.save_policy(policy)
        assert uploaded(wandb_store, "policy.onnx", content, seconds=30.0), content
    write_atomically(policy, b"third")
    logger.save_policy(policy)
    logger.stop_logging_writer()
    assert uploaded(wandb_store, "policy.onnx", b"third", seconds=1.0)


def test_without_wandb_nothing_is_uploaded(tmp_path):
    logger = make_logger(tmp_path)
    logger.save_policy(tmp_path / "policy.onnx")  # no writer
