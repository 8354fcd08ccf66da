"""The numbers that sim2sim scores with are those of the task's config."""

import pytest

from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1TrackingEnvCfg
from whole_body_tracking.tracking.criteria import TrackingRewards, TrackingTerminations

pytestmark = pytest.mark.unit


def test_criteria_are_the_tasks():
    cfg = G1TrackingEnvCfg()
    for name, term in vars(TrackingRewards()).items():
        expected = getattr(cfg.rewards, name)
        assert (term.weight, term.params["std"]) == (expected.weight, expected.params["std"]), name
    for name, term in vars(TrackingTerminations()).items():
        expected = getattr(cfg.terminations, name).params
        assert term.params == {key: expected[key] for key in term.params}, name
