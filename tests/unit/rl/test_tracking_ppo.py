"""What our PPO does beyond rsl_rl's, on a network of a few numbers and without a simulator."""

from types import SimpleNamespace

import pytest
import torch
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from whole_body_tracking.health import RunLog, RunSettings
from whole_body_tracking.health.checks import MIN_ITERATIONS, check_kl
from whole_body_tracking.health.run_log import curves_of_rows
from whole_body_tracking.rl.ppo import CRITIC_WARMUP, TrackingPPO

pytestmark = pytest.mark.unit

NUM_ENVS, NUM_STEPS, WIDTH, NUM_ACTIONS = 16, 8, 5, 2
GAUSSIAN = {"class_name": "GaussianDistribution", "init_std": 0.5}
GROUPS = {"actor": ["policy"], "critic": ["policy"]}


def observe() -> TensorDict:
    return TensorDict({"policy": 3.0 + torch.randn(NUM_ENVS, WIDTH)}, batch_size=NUM_ENVS)


def make_algorithm(terminated: torch.Tensor | None = None, **settings) -> TrackingPPO:
    """PPO that has met an environment in which the given envs fail at every step."""
    torch.manual_seed(0)
    obs = observe()
    actor = MLPModel(
        obs, GROUPS, "actor", NUM_ACTIONS, hidden_dims=[8], obs_normalization=True, distribution_cfg=dict(GAUSSIAN)
    )
    critic = MLPModel(obs, GROUPS, "critic", 1, hidden_dims=[8], obs_normalization=True)
    storage = RolloutStorage("rl", NUM_ENVS, NUM_STEPS, obs, [NUM_ACTIONS], "cpu")
    settings = {"num_learning_epochs": 2, "num_mini_batches": 2, "learning_rate": 1e-2} | settings
    algorithm = TrackingPPO(actor, critic, storage, **settings)
    motion = SimpleNamespace(sampler=None, cfg=SimpleNamespace(transfer=False))
    terminated = torch.zeros(NUM_ENVS, dtype=torch.bool) if terminated is None else terminated
    env = SimpleNamespace(
        command_manager=SimpleNamespace(get_term=lambda name: motion, active_terms=["motion"]),
        termination_manager=SimpleNamespace(terminated=terminated),
    )
    algorithm.take_sampler(SimpleNamespace(unwrapped=env))
    return algorithm


def collect(algorithm: TrackingPPO) -> None:
    obs = observe()
    with torch.inference_mode():
        for _ in range(NUM_STEPS):
            actions = algorithm.act(obs)
            obs = observe()
            dones = torch.zeros(NUM_ENVS, dtype=torch.long)
            extras = {"time_outs": torch.zeros(NUM_ENVS, dtype=torch.bool)}
            algorithm.process_env_step(obs, actions.sum(-1), dones, extras)
        algorithm.compute_returns(obs)


def state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_warming_up_the_critic_leaves_the_whole_policy_as_it_is():
    """Its normaliser too: it decides what the weights see."""
    algorithm = make_algorithm()
    algorithm._critic_only = CRITIC_WARMUP
    actor, critic = state(algorithm.actor), state(algorithm.critic)
    collect(algorithm)
    algorithm.update()
    for name, value in algorithm.actor.state_dict().items():
        assert torch.equal(value, actor[name]), name
    changed = [name for name, value in algorithm.critic.state_dict().items() if not torch.equal(value, critic[name])]
    assert "obs_normalizer._mean" in changed and "mlp.0.weight" in changed


def test_after_the_warm_up_the_policy_learns_again():
    algorithm = make_algorithm()
    algorithm._critic_only = 1
    for _ in range(2):
        actor = state(algorithm.actor)
        collect(algorithm)
        algorithm.update()
    changed = [name for name, value in algorithm.actor.state_dict().items() if not torch.equal(value, actor[name])]
    assert "obs_normalizer._mean" in changed and "mlp.0.weight" in changed


def test_a_failure_at_the_time_limit_is_a_failure_and_not_bootstrapped():
    """Envs 0 and 1 run out of time, and env 1 falls in the same step.

    The time-out's reward is 1 + gamma * value = 1 + 0.5 * 4 = 3, the failure's stays 1.
    """
    failed = torch.arange(NUM_ENVS) == 1
    algorithm = make_algorithm(terminated=failed, gamma=0.5)
    with torch.inference_mode():
        algorithm.act(observe())
        algorithm.transition.values = torch.full((NUM_ENVS, 1), 4.0)
        ended = torch.arange(NUM_ENVS) < 2
        extras = {"time_outs": ended.clone()}
        algorithm.process_env_step(observe(), torch.ones(NUM_ENVS), ended.long(), extras)
    assert algorithm.storage.rewards[0, :3, 0].tolist() == [3.0, 1.0, 1.0]
    assert extras["time_outs"][:3].tolist() == [True, False, False]  # what the log counts failures from


def test_the_logged_kl_is_that_of_the_policy_before_and_after():
    """By the formula for Gaussians, over every state of the rollout; the data are older than the update."""
    algorithm = make_algorithm(schedule="fixed")
    collect(algorithm)
    mean, std = (values.clone() for values in algorithm.storage.distribution_params)
    obs = algorithm.storage.observations.clone()
    kl = algorithm.update()["kl"]
    with torch.no_grad():
        new_mean, new_std = algorithm.actor(obs.flatten(0, 1)), algorithm.actor.output_std[0]
    mean, std = mean.flatten(0, 1), std.flatten(0, 1)
    terms = (new_std / std).log() + (std**2 + (mean - new_mean) ** 2) / (2.0 * new_std**2) - 0.5
    assert kl == pytest.approx(terms.sum(-1).mean().item(), rel=1e-4) and kl > 1e-3


def test_a_policy_that_does_not_learn_has_no_kl():
    algorithm = make_algorithm()
    algorithm._critic_only = 1
    collect(algorithm)
    assert algorithm.update()["kl"] == pytest.approx(0.0, abs=1e-6)


def test_measuring_the_kl_draws_no_random_numbers(monkeypatch):
    """A run gives the same policy, to the bit, as before the KL was logged."""
    after = []
    for measured in (lambda *_: torch.zeros(()), None):
        if measured is not None:
            monkeypatch.setattr("whole_body_tracking.rl.ppo.mean_kl", measured)
        else:
            monkeypatch.undo()
        algorithm = make_algorithm()
        for _ in range(2):
            collect(algorithm)
            algorithm.update()
        after.append(algorithm.actor.state_dict())
    assert all(torch.equal(value, after[1][name]) for name, value in after[0].items())


def test_a_step_size_far_too_large_is_found_by_the_health_check():
    """What PPO logs, under the name that the logger gives it, is what the check reads."""
    algorithm = make_algorithm(schedule="fixed", learning_rate=0.1)
    points = []
    for _ in range(MIN_ITERATIONS):
        collect(algorithm)
        points.append({f"Loss/{name}": value for name, value in algorithm.update().items()})
    curves = curves_of_rows([row | {"_step": step} for step, row in enumerate(points)])
    finding = check_kl(RunLog(curves, RunSettings(schedule="fixed", desired_kl=0.01)))
    assert finding is not None and finding.name == "kl_above_target"


def test_the_learning_rate_falls_linearly_to_the_end_of_the_budget():
    algorithm = make_algorithm(schedule="fixed", learning_rate=1e-3, final_learning_rate=1e-4)
    found = []
    for used in (0.0, 0.5, 1.0):
        algorithm.anneal(used)
        found.append(algorithm.optimizer.param_groups[0]["lr"])
    assert found == pytest.approx([1e-3, 5.5e-4, 1e-4])
    assert algorithm.learning_rate == found[-1]


def test_without_a_final_rate_nothing_is_annealed():
    algorithm = make_algorithm(schedule="adaptive", learning_rate=1e-3)
    algorithm.anneal(0.5)
    assert algorithm.optimizer.param_groups[0]["lr"] == 1e-3


def test_two_schedules_for_one_learning_rate_are_refused():
    with pytest.raises(ValueError, match="Use schedule=fixed, or leave final_learning_rate out"):
        make_algorithm(schedule="adaptive", final_learning_rate=1e-4)


@pytest.mark.parametrize(("schedule", "expected"), [("fixed", 1e-4), ("adaptive", 1e-2)])
def test_a_fixed_learning_rate_of_a_continued_run_is_the_one_asked_for(schedule, expected):
    """An adaptive one goes on where it was."""
    saved = make_algorithm(learning_rate=1e-2, schedule=schedule).save()
    continued = make_algorithm(learning_rate=1e-4, schedule=schedule)
    continued.load(saved, None, True)
    assert continued.learning_rate == expected
    assert [group["lr"] for group in continued.optimizer.param_groups] == [expected]
