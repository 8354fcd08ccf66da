"""Tasks of other installed packages are found by their id."""

import gymnasium as gym
import pytest

from whole_body_tracking.rl.cli import require_known_task

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-Of-Another-Package-v0"


def test_a_task_of_another_package_is_imported_when_asked_for(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=f"Unknown task: '{TASK}'. Known: .*Tracking-Flat-G1-v0"):
        require_known_task(TASK)
    info = tmp_path / "other_tasks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-tasks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[isaaclab.tasks]\nother = other_tasks\n")
    (tmp_path / "other_tasks.py").write_text(
        f"import gymnasium as gym\ngym.register('{TASK}', entry_point='none:None')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        require_known_task(TASK)
        assert TASK in gym.registry
    finally:
        gym.registry.pop(TASK, None)


def test_tasks_without_clips_are_named_too():
    with pytest.raises(ValueError, match=r"Known: .*Gait-Flat-G1-v0.*Velocity-Flat-G1-v0"):
        require_known_task("Velocity-Flat-G2-v0")
