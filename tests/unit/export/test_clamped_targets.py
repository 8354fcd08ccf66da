"""Targets clamped in the exported graph: as torch clamps them, off by default, refused where the target is unknown."""

import json

import numpy as np
import pytest
import torch
from policies import NUM_FRAMES, NUM_OBSERVATIONS, make_actor, make_library, make_spec, torch_actions

from whole_body_tracking.export import PolicySpec, check_parity, export_onnx, load_policy
from whole_body_tracking.export.graph import action_bounds
from whole_body_tracking.export.spec_metadata import SPEC_KEY, spec_from_metadata, spec_to_metadata

pytestmark = pytest.mark.unit

TIGHT = {
    "clamp_targets": True,
    "soft_joint_pos_lower": (-0.4, 0.6, -0.37),
    "soft_joint_pos_upper": (-0.3, 0.7, -0.36),
}
"""Limits so close to the default pose that many targets leave them."""


def observations(count: int) -> torch.Tensor:
    return 2.0 * torch.randn(count, NUM_OBSERVATIONS, generator=torch.Generator().manual_seed(5))


def targets(spec: PolicySpec, actions: np.ndarray) -> np.ndarray:
    return np.array(spec.default_joint_pos) + np.array(spec.action_scale) * actions


def test_bounds_are_those_of_the_soft_limits():
    """Hip: default -0.312, scale 0.54755, soft limits (-2.2, 2.5): actions from -3.448 to 5.136."""
    low, high = action_bounds(make_spec())
    assert low[0].item() == pytest.approx((-2.2 + 0.312) / 0.5475464463233948)
    assert high[0].item() == pytest.approx((2.5 + 0.312) / 0.5475464463233948)
    assert (low < high).all()


def test_a_negative_scale_swaps_the_bounds():
    scale = (-0.5, 0.35, 0.07)
    low, high = action_bounds(make_spec(action_scale=scale))
    assert (low[0].item(), high[0].item()) == pytest.approx(((2.5 + 0.312) / -0.5, (-2.2 + 0.312) / -0.5))


@pytest.mark.parametrize("in_graph", [True, False])
def test_targets_stay_within_the_limits_and_are_torchs_inside(tmp_path, in_graph):
    spec = make_spec(**TIGHT, reference_in_graph=in_graph)
    actor = make_actor()
    policy = load_policy(export_onnx(actor, spec, make_library(), tmp_path / "policy.onnx"))
    clipped = 0
    for obs in observations(200).numpy():
        found = targets(spec, policy.run(obs, 3)["actions"][0])
        free = targets(spec, torch_actions(actor, obs))
        wanted = np.clip(free, spec.soft_joint_pos_lower, spec.soft_joint_pos_upper)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        clipped += (free != wanted).sum()
    assert 100 < clipped < 500


@pytest.mark.parametrize("kind", ["default_relative", "residual"])
def test_parity_holds_on_a_thousand_observations(tmp_path, kind):
    spec, library, actor = make_spec(action_kind=kind, **TIGHT), make_library(), make_actor()
    policy = load_policy(export_onnx(actor, spec, library, tmp_path / "policy.onnx"))
    obs, frames = observations(1000), torch.arange(1000) % NUM_FRAMES
    state = library.state_at(torch.zeros_like(frames), frames)
    obs[:, :6] = torch.cat((state.joint_pos, state.joint_vel), dim=-1)
    assert check_parity(policy, actor, obs, library, frames) < 1e-5


def test_parity_notices_a_graph_that_does_not_clamp(tmp_path):
    library, actor = make_library(), make_actor()
    policy = load_policy(export_onnx(actor, make_spec(), library, tmp_path / "policy.onnx"))
    policy.spec = make_spec(**TIGHT)
    with pytest.raises(ValueError, match="differs from torch: actions of"):
        check_parity(policy, actor, observations(20), library, torch.zeros(20))


def test_it_is_off_by_default_and_stated_in_the_file(tmp_path):
    assert make_spec().clamp_targets is False
    spec = make_spec(clamp_targets=True)
    assert load_policy(export_onnx(make_actor(), spec, make_library(), tmp_path / "policy.onnx")).spec == spec


def test_files_from_before_the_flag_still_load():
    metadata = spec_to_metadata(make_spec())
    content = json.loads(metadata[SPEC_KEY])
    del content["clamp_targets"]
    assert spec_from_metadata(metadata | {SPEC_KEY: json.dumps(content)}, "old.onnx") == make_spec()
    with pytest.raises(ValueError, match=r"differ from those known: \['joint_damping'\]"):
        PolicySpec.from_json(json.dumps({key: value for key, value in content.items() if key != "joint_damping"}))


def test_actions_about_a_reference_that_the_file_lacks_are_refused():
    with pytest.raises(ValueError, match="Targets cannot be clamped in a file that does not know them"):
        make_spec(action_kind="residual", reference_in_graph=False, clamp_targets=True)
