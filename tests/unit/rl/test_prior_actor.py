"""The encoder of a motion prior in a policy: features, freezing and release, checkpoint, export."""

import io

import pytest
import torch
from rsl_rl.algorithms import PPO
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from whole_body_tracking.priors.checkpoint import save_model
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.state import StateLayout
from whole_body_tracking.priors.vae import MotionVAE
from whole_body_tracking.rl.learning.precision import train_in
from whole_body_tracking.rl.prior.actor import PriorActor, load_encoder, require_prior_of
from whole_body_tracking.rl.prior.release import end_update, separate_encoders
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

HISTORY, NUM_OTHERS, NUM_ENVS, RATE = 3, 5, 4, 1e-6
JOINTS = G1.joint_names[::-1]
"""Order in which the environment observes joints, which is not the prior's."""
NOISE = {"class_name": "GaussianDistribution", "init_std": 1.0}


@pytest.fixture(scope="module")
def layout():
    return StateLayout.of_robot(G1, 50.0)


@pytest.fixture(scope="module", params=["mlp", "transformer"])
def prior_file(request, layout, tmp_path_factory):
    torch.manual_seed(0)
    model = MotionModel(layout, NetworkSettings.default(request.param, 8, hidden=16, layers=1))
    model.normalizer.mean.normal_()
    path = tmp_path_factory.mktemp("prior") / f"{request.param}.safetensors"
    save_model(path, model, {"data": "x"})
    return path


def observations(layout, seed: int = 0) -> TensorDict:
    random = torch.Generator().manual_seed(seed)
    return TensorDict(
        {"policy": torch.randn(NUM_ENVS, NUM_OTHERS + HISTORY * layout.dim, generator=random)}, [NUM_ENVS]
    )


def network(path, layout, obs_set: str = "actor", **changes) -> PriorActor:
    torch.manual_seed(1)
    is_actor = obs_set == "actor"
    settings = {"hidden_dims": [8], "unfreeze_after": 1, "encoder_learning_rate": RATE, "obs_normalization": True}
    settings["distribution_cfg"] = dict(NOISE) if is_actor else None
    groups = {"actor": ["policy"], "critic": ["policy"]}
    return PriorActor(
        observations(layout), groups, obs_set, 2 if is_actor else 1, str(path), HISTORY, JOINTS, **settings | changes
    )


def test_the_encoder_sees_the_states_part_by_part_with_joints_by_name(prior_file, layout):
    actor, states = network(prior_file, layout), torch.randn(NUM_ENVS, HISTORY, layout.dim)
    order = [layout.joint_names.index(name) for name in JOINTS]
    parts = [states[..., place] for place in layout.slices.values()]
    parts = [part[..., order] if part.shape[-1] == layout.num_joints else part for part in parts]
    observed = torch.cat([part.flatten(1) for part in parts], dim=-1)
    torch.testing.assert_close(actor.encoder(observed), load_encoder(str(prior_file)).features(states))


def test_while_training_the_encoder_computes_in_bfloat16_too(prior_file, layout):
    actor, obs = network(prior_file, layout, unfreeze_after=0), observations(layout)
    exact = actor.get_latent(obs)
    train_in("bfloat16", "cpu", actor)
    rounded = actor.train().get_latent(obs)
    assert rounded.dtype == torch.float32
    assert 1e-5 < (rounded - exact).norm() / exact.norm() < 0.02
    actor(obs).square().sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in actor.encoder.parameters() if p.grad is not None)
    torch.testing.assert_close(actor.eval().get_latent(obs), exact, rtol=0.0, atol=0.0)


def test_frozen_then_released_at_its_own_rate(prior_file, layout):
    actor, critic = network(prior_file, layout), network(prior_file, layout, "critic")
    obs = observations(layout)
    storage = RolloutStorage("rl", NUM_ENVS, 2, obs, [2], "cpu")
    algorithm = PPO(
        actor, critic, storage, num_learning_epochs=1, num_mini_batches=1, learning_rate=1e-2, schedule="adaptive"
    )
    separate_encoders(algorithm)
    trunk = next(p for p in actor.encoder.parameters() if p.ndim > 1)
    before, moved = trunk.detach().clone(), []
    for update in range(2):
        assert actor.is_frozen == (update < 1)
        for seed in range(2):
            algorithm.act(observations(layout, seed))
            algorithm.process_env_step(obs, torch.randn(NUM_ENVS), torch.zeros(NUM_ENVS, dtype=torch.bool), {})
        algorithm.compute_returns(obs)
        head = actor.mlp[0].weight.detach().clone()
        algorithm.update()
        end_update(algorithm)
        assert not torch.equal(actor.mlp[0].weight, head)
        moved.append(float((trunk.detach() - before).abs().max()))
    assert moved[0] == 0.0
    assert 0.0 < moved[1] <= 1.5 * RATE  # Adam's first step is the rate


def test_a_checkpoint_remembers_the_release(prior_file, layout):
    actor = network(prior_file, layout, unfreeze_after=2)
    for _ in range(2):
        actor.end_update()
    other = network(prior_file, layout, unfreeze_after=2)
    assert other.is_frozen
    other.load_state_dict(actor.state_dict())
    assert not other.is_frozen
    assert network(prior_file, layout, unfreeze_after=None).is_frozen


def test_a_random_encoder_has_other_weights_and_the_same_statistics(prior_file):
    prior, control = load_encoder(str(prior_file)), load_encoder(str(prior_file), is_random=True)
    torch.testing.assert_close(prior.normalizer.mean, control.normalizer.mean)
    assert not torch.equal(*(next(p for p in m.parameters() if p.ndim > 1) for m in (prior, control)))


def test_exported_with_its_history(prior_file, layout):
    import onnxruntime

    actor = network(prior_file, layout)
    actor.update_normalization(observations(layout, 7))
    actor.eval()
    obs, buffer = observations(layout, 3), io.BytesIO()
    module = actor.as_onnx(verbose=False).eval()
    torch.onnx.export(module, (obs["policy"][:1],), buffer, input_names=["obs"], opset_version=17, dynamo=False)
    session = onnxruntime.InferenceSession(buffer.getvalue())
    for row in range(NUM_ENVS):
        found = session.run(None, {"obs": obs["policy"][row : row + 1].numpy()})[0]
        torch.testing.assert_close(torch.from_numpy(found)[0], actor(obs)[row].detach(), atol=1e-5, rtol=1e-4)


def test_what_does_not_fit_is_refused(prior_file, layout, tmp_path):
    assert require_prior_of(str(prior_file), "g1", 0.02) == layout
    with pytest.raises(ValueError, match=r"trained at 50 fps, but the policy acts at 25 Hz.*--output_fps 25"):
        require_prior_of(str(prior_file), "g1", 0.04)
    with pytest.raises(ValueError, match="of the robot g1, this task's is h1"):
        require_prior_of(str(prior_file), "h1", 0.02)
    with pytest.raises(ValueError, match="too few to end with the 2040 values"):
        PriorActor(observations(layout), {"actor": ["policy"]}, "actor", 2, str(prior_file), 30, JOINTS)
    vae = MotionVAE(layout, NetworkSettings.default("vae", 8, hidden=8, layers=1))
    save_model(tmp_path / "vae.safetensors", vae, {"data": "x"})
    with pytest.raises(ValueError, match="is a vae, which predicts no states"):
        load_encoder(str(tmp_path / "vae.safetensors"))
