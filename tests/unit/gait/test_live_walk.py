"""The walk of the studio: continuous where the phase wraps and where the gait changes."""

from types import SimpleNamespace

import numpy as np
import pytest
from gait_samples import planned

from whole_body_tracking.gait.generating import GaitRequest, read_generator
from whole_body_tracking.gait.live_walk import CycleTable, LiveWalk
from whole_body_tracking.gait.network.layout import RootMotion, decode, encode
from whole_body_tracking.gait.planning import GaitParameters
from whole_body_tracking.gait.studio import GaitStudio, _table
from whole_body_tracking.motion import MotionClip

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def table(**given: float) -> CycleTable:
    return CycleTable.of(planned(4.0, **given).motion(), GaitParameters.of(given))


def test_a_walk_goes_on_at_its_speed_without_a_jump():
    walk = LiveWalk(table(speed=0.6, cadence=100.0))
    frames = [walk.step(0.02) for _ in range(300)]
    pos = np.concatenate([frame.pos for frame in frames])
    joints = np.concatenate([frame.joint_pos for frame in frames])
    assert (pos[-1, 0] - pos[0, 0]) / (299 * 0.02) == pytest.approx(0.6, rel=0.02)
    assert np.abs(np.diff(joints, axis=0)).max() < 0.25


def test_a_change_of_gait_does_not_jump():
    walk = LiveWalk(table(speed=0.6, cadence=100.0))
    before = [walk.step(0.02) for _ in range(40)][-1]
    walk.change(table(speed=0.25, cadence=85.0))
    after = walk.step(0.02)
    assert np.abs(after.joint_pos - before.joint_pos).max() < 0.25
    for _ in range(400):
        last = walk.step(0.02)
    assert np.abs(walk._left).max() < 1e-6 and np.isfinite(last.pos).all()


def test_decode_undoes_encode():
    plan = planned(4.0, speed=0.3, turn_rate=0.3)
    motion = RootMotion(plan.root_pos, plan.root_quat, plan.joint_pos)
    found = decode(encode(motion, plan.heading - plan.heading[0], plan.fps), plan.fps)
    assert found.joint_pos == pytest.approx(plan.joint_pos)
    assert found.pos[:, 2] == pytest.approx(plan.root_pos[:, 2])
    assert np.abs(found.pos[:, :2] - (plan.root_pos - plan.root_pos[:1])[:, :2]).max() < 2e-3
    assert np.abs(np.abs((found.quat * plan.root_quat).sum(-1)) - 1.0).max() < 1e-6


def test_studio_tells_what_is_not_possible_and_walks_on(tmp_path):
    studio = GaitStudio(GaitRequest({"speed": 0.4}, seconds=3.0), read_generator())
    assert studio.measured["speed"] == pytest.approx(0.4, rel=0.02)
    assert not studio.change({"speed": 0.9, "cadence": 70.0})
    assert "stride" in studio.message and np.isfinite(studio.body_poses(0.03)[0]).all()
    assert studio.change({"speed": 0.2, "cadence": 90.0}) and studio.message == ""
    clip = MotionClip.load(studio.save(tmp_path / "walk.npz"))
    assert clip.source["gait"]["parameters"][0]["speed"] == 0.2


def test_the_table_has_no_minus_zero():
    studio = SimpleNamespace(wanted={"turn_rate": -0.0}, measured={"turn_rate": -0.004}, message="")
    assert "| turn_rate | 0.00 | 0.00 |" in _table(studio)
