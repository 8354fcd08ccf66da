"""One file that computes what torch computes, carries the clip, and is refused where it does not fit."""

import json

import numpy as np
import pytest
import torch
from policies import (
    BODIES,
    NUM_FRAMES,
    NUM_OBSERVATIONS,
    OBSERVATIONS,
    make_actor,
    make_clip,
    make_library,
    make_spec,
    torch_actions,
)

from whole_body_tracking.export import PolicySpec, check_parity, export_onnx, load_policy
from whole_body_tracking.export.graph import build_graph
from whole_body_tracking.export.torchscript import to_torchscript_bytes

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def actor():
    return make_actor()


@pytest.fixture(scope="module")
def path(actor, tmp_path_factory):
    return export_onnx(actor, make_spec(), make_library(), tmp_path_factory.mktemp("export") / "policy.onnx")


@pytest.fixture(scope="module")
def policy(path):
    return load_policy(path)


def random_observations(count: int) -> torch.Tensor:
    return torch.randn(count, NUM_OBSERVATIONS, generator=torch.Generator().manual_seed(3)) * 2.0


def test_the_only_file_written_loads_from_an_empty_folder(path, tmp_path):
    assert [file.name for file in path.parent.iterdir()] == ["policy.onnx"]
    copy = tmp_path / "alone.onnx"
    copy.write_bytes(path.read_bytes())
    assert load_policy(copy).run(np.zeros(NUM_OBSERVATIONS))["actions"].shape == (1, 3)
    import onnx

    onnx.checker.check_model(onnx.load(copy), full_check=True)


def test_names_and_shapes_are_beyondmimics(policy):
    shapes = {value.name: value.shape for value in policy.session.get_inputs()}
    assert shapes == {"obs": [1, NUM_OBSERVATIONS], "time_step": [1, 1]}
    outputs = policy.run(np.zeros(NUM_OBSERVATIONS))
    assert {name: value.shape for name, value in outputs.items()} == {
        "actions": (1, 3),
        "joint_pos": (1, 3),
        "joint_vel": (1, 3),
        "body_pos_w": (1, 2, 3),
        "body_quat_w": (1, 2, 4),
        "body_lin_vel_w": (1, 2, 3),
        "body_ang_vel_w": (1, 2, 3),
    }
    assert {value.dtype for value in outputs.values()} == {np.dtype(np.float32)}


def test_actions_are_torchs(policy, actor):
    for obs in random_observations(20).numpy():
        np.testing.assert_allclose(policy.run(obs, 7)["actions"][0], torch_actions(actor, obs), atol=1e-5)


@pytest.mark.parametrize(("time_step", "frame"), [(-3, 0), (0, 0), (17, 17), (59, 59), (60, 59), (100000, 59)])
def test_reference_is_the_clips_and_clamped(policy, time_step, frame):
    clip, reference = make_clip(), policy.reference(time_step)
    tracked = clip.body_indices(BODIES)
    for name in ("joint_pos", "joint_vel"):
        np.testing.assert_array_equal(reference[name], getattr(clip, name)[frame])
    for name in ("body_pos_w", "body_lin_vel_w", "body_ang_vel_w"):
        np.testing.assert_array_equal(reference[name], getattr(clip, name)[frame][tracked])


def test_quaternions_come_out_w_first(policy):
    xyzw = make_clip().body_quat_w[5][make_clip().body_indices(BODIES)]
    wxyz = policy.reference(5)["body_quat_w"]
    np.testing.assert_array_equal(wxyz[:, 0], xyzw[:, 3])
    np.testing.assert_array_equal(wxyz[:, 1:], xyzw[:, :3])


def test_spec_comes_back_from_the_file(policy):
    assert policy.spec == make_spec()


def test_policy_only_export_for_libraries(actor, tmp_path):
    spec = make_spec(reference_in_graph=False)
    policy = load_policy(export_onnx(actor, spec, make_library(2), tmp_path / "policy.onnx"))
    assert policy.input_names == ["obs"] and policy.output_names == ["actions"]
    with pytest.raises(ValueError, match="exported without a clip"):
        policy.reference(0)


def test_two_clips_do_not_go_into_one_graph(actor):
    with pytest.raises(ValueError, match="exactly one clip"):
        build_graph(actor, make_spec(), make_library(2))


def test_a_network_of_another_width_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"takes 30 observations.*= 24"):
        export_onnx(make_actor(num_observations=30), make_spec(), make_library(), tmp_path / "policy.onnx")
    assert not list(tmp_path.iterdir())


def test_a_failed_export_keeps_the_file_before_it(actor, tmp_path, monkeypatch):
    path = export_onnx(actor, make_spec(), make_library(), tmp_path / "policy.onnx")
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        export_onnx(make_actor(seed=1), make_spec(), make_library(), path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["policy.onnx"]


def test_loading_refuses_another_layout(path):
    expected = make_spec(observations=OBSERVATIONS[1:])
    with pytest.raises(ValueError, match=r"policy\.onnx: observation term 1 is command\[6\]"):
        load_policy(path, expected)
    load_policy(path, make_spec())


def test_loading_refuses_what_is_no_policy(path, tmp_path):
    with pytest.raises(FileNotFoundError, match="exported/policy.onnx"):
        load_policy(tmp_path / "missing.onnx")
    for content in (b"", b"not a model", path.read_bytes()[:-5000]):
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(content)
        with pytest.raises(ValueError, match="broken.onnx is not a readable ONNX file"):
            load_policy(broken)


def test_loading_refuses_a_file_without_metadata(path, tmp_path):
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "nameless.onnx")
    with pytest.raises(ValueError, match="nameless.onnx: the ONNX file does not say what its observations are"):
        load_policy(tmp_path / "nameless.onnx")


@pytest.mark.parametrize("kind", ["default_relative", "residual"])
def test_parity_on_a_thousand_observations(actor, tmp_path, kind):
    spec, library = make_spec(action_kind=kind), make_library()
    policy = load_policy(export_onnx(actor, spec, library, tmp_path / "policy.onnx"))
    obs, frames = random_observations(1000), torch.arange(1000) % NUM_FRAMES
    state = library.state_at(torch.zeros_like(frames), frames)
    obs[:, :6] = torch.cat((state.joint_pos, state.joint_vel), dim=-1)
    obs[::50, -3:] = 0.0  # first steps of episodes
    assert check_parity(policy, actor, obs, library, frames) < 1e-5


@pytest.mark.parametrize("kind", ["default_relative", "residual"])
def test_parity_names_the_joint_that_differs(actor, tmp_path, kind):
    spec, library = make_spec(action_kind=kind), make_library()
    policy = load_policy(export_onnx(actor, spec, library, tmp_path / "policy.onnx"))
    changed = make_actor()
    with torch.no_grad():
        changed.mlp[-1].bias[1] += 0.01
    with pytest.raises(ValueError, match="actions of knee in sample"):
        check_parity(policy, changed, random_observations(5), library, torch.arange(5))


def test_parity_notices_another_clip(policy, actor):
    with pytest.raises(ValueError, match="differs from torch: (joint|body)"):
        other = make_library(2)
        other.table[:NUM_FRAMES] = other.table[NUM_FRAMES:].clone()
        check_parity(policy, actor, random_observations(5), other, torch.arange(5))


def test_parity_notices_nan(policy, actor):
    with pytest.raises(ValueError, match="sample 1"):
        obs = random_observations(3)
        obs[1, 4] = torch.nan
        check_parity(policy, actor, obs, make_library(), torch.zeros(3))


@pytest.mark.parametrize("kind", ["default_relative", "residual"])
def test_torchscript_computes_the_same(actor, tmp_path, kind):
    spec, library = make_spec(action_kind=kind), make_library()
    (tmp_path / "policy.pt").write_bytes(to_torchscript_bytes(build_graph(actor, spec, library), spec))
    extra = {"policy_spec": ""}
    scripted = torch.jit.load(tmp_path / "policy.pt", _extra_files=extra)
    policy = load_policy(export_onnx(actor, spec, library, tmp_path / "policy.onnx"))
    assert PolicySpec.from_json(extra["policy_spec"]) == spec
    assert json.loads(extra["policy_spec"])["task"] == "Tracking-Test-v0"
    for frame, obs in enumerate(random_observations(10)):
        found = scripted(obs[None], torch.tensor([[float(frame)]]))
        for value, expected in zip(found, policy.run(obs.numpy(), frame).values(), strict=True):
            np.testing.assert_allclose(value.numpy(), expected, atol=1e-5)
