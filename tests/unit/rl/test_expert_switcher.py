"""Each env gets the action that the expert of its clip alone would give."""

import pytest
import torch
from expert_samples import NUM_ACTIONS, NUM_OBS, make_model, make_run
from tensordict import TensorDict

from whole_body_tracking.rl.experts.actors import load_actor
from whole_body_tracking.rl.experts.switcher import ExpertSwitcher, ExpertTeacher

pytestmark = pytest.mark.unit

EXPERT_OF_CLIP = [2, 0, 1, 0]
"""Four clips, three experts: the second and the fourth clip share one."""


@pytest.fixture(scope="module")
def models():
    return [make_model(seed) for seed in range(3)]


@pytest.fixture
def switcher(models):
    return ExpertSwitcher([model.as_jit().eval() for model in models], EXPERT_OF_CLIP)


def observations(clips: torch.Tensor, seed: int = 7) -> TensorDict:
    torch.manual_seed(seed)
    num = len(clips)
    values = {"expert": 3.0 * torch.randn(num, NUM_OBS), "expert_clip": clips.float()[:, None]}
    return TensorDict(values, batch_size=[num])


def alone(models, obs: TensorDict) -> torch.Tensor:
    """Each row through rsl_rl's own model."""
    experts = [EXPERT_OF_CLIP[int(clip)] for clip in obs["expert_clip"][:, 0]]
    rows = [
        models[e](TensorDict({"policy": row[None]}, batch_size=[1]))
        for e, row in zip(experts, obs["expert"], strict=True)
    ]
    return torch.cat(rows)


@pytest.mark.parametrize("clips", [[0, 1, 2, 3, 0, 1], [3], [1] * 40 + [2], list(range(4)) * 16])
def test_each_env_gets_its_experts_action(models, switcher, clips):
    obs = observations(torch.tensor(clips))
    torch.testing.assert_close(switcher(obs), alone(models, obs), rtol=1e-5, atol=1e-6)


def test_experts_differ(models):
    obs = observations(torch.tensor([0, 1, 2]))
    obs["expert"] = obs["expert"][:1].expand(3, -1)
    actions = alone(models, obs)
    assert (actions[0] - actions[1]).abs().max() > 0.01 and (actions[1] - actions[2]).abs().max() > 0.01


def test_the_order_of_envs_does_not_matter(switcher):
    obs = observations(torch.arange(64) % 4)
    order = torch.randperm(64)
    assert torch.equal(switcher(obs[order]), switcher(obs)[order])


def test_what_other_envs_do_does_not_matter(switcher):
    """Groups of 16 or of 40 rows: the same numbers to the last bit."""
    few = observations(torch.arange(64) % 4)
    many = torch.cat([few, observations(torch.zeros(24, dtype=torch.long), seed=8)])
    assert torch.equal(switcher(many)[:64], switcher(few))


def test_a_switcher_has_nothing_to_train(switcher):
    assert list(switcher.parameters()) == []
    assert switcher.get_hidden_state() is None and not switcher.is_recurrent


def test_a_checkpoint_is_loaded_with_its_normaliser(tmp_path, models):
    actor = load_actor(make_run(tmp_path / "run", seed=1) / "model_3.pt", NUM_OBS, NUM_ACTIONS)
    obs = torch.randn(4, NUM_OBS)
    expected = models[1](TensorDict({"policy": obs}, batch_size=[4]))
    assert torch.equal(actor(obs), expected)


def test_the_teacher_is_made_of_checkpoints(tmp_path, models):
    paths = [str(make_run(tmp_path / str(seed), seed) / "model_3.pt") for seed in range(3)]
    obs = observations(torch.tensor([0, 1, 2, 3]))
    teacher = ExpertTeacher(obs, {}, "teacher", NUM_ACTIONS, paths, EXPERT_OF_CLIP)
    torch.testing.assert_close(teacher(obs), alone(models, obs), rtol=1e-5, atol=1e-6)


def test_an_expert_of_other_observations_is_refused(tmp_path):
    run = make_run(tmp_path / "run")
    with pytest.raises(ValueError, match="takes 5 observations, here there are 6"):
        load_actor(run / "model_3.pt", NUM_OBS + 1, NUM_ACTIONS)


def test_an_expert_away_from_its_run_is_refused(tmp_path):
    run = make_run(tmp_path / "run")
    (run / "params" / "agent.yaml").unlink()
    with pytest.raises(FileNotFoundError, match="belongs in its run folder"):
        load_actor(run / "model_3.pt", NUM_OBS, NUM_ACTIONS)
