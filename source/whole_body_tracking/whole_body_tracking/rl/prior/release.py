"""Encoders among the parameters of an algorithm: a rate of their own, and the count of updates that releases them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .actor import PriorActor

if TYPE_CHECKING:
    from rsl_rl.algorithms import PPO
    from rsl_rl.env import VecEnv


def set_joint_order(env: VecEnv, *models: dict) -> None:
    """Tell networks with a motion prior in which order the environment observes joints."""
    for model in models:
        if "motion_prior" in model:
            model["joint_order"] = list(env.unwrapped.scene["robot"].joint_names)


def prior_networks(algorithm: PPO) -> list[PriorActor]:
    """Networks of an algorithm that have an encoder."""
    return [network for network in (algorithm._raw_actor, algorithm._raw_critic) if isinstance(network, PriorActor)]


def separate_encoders(algorithm: PPO) -> None:
    """Put the encoders into a group of the optimizer whose rate the adaptive schedule does not change."""
    networks = prior_networks(algorithm)
    if not networks:
        return
    encoders = [parameter for network in networks for parameter in network.encoder.parameters()]
    known = {id(parameter) for parameter in encoders}
    everything = [p for group in algorithm.optimizer.param_groups for p in group["params"]]
    others = [parameter for parameter in everything if id(parameter) not in known]
    rate = networks[0].encoder_learning_rate
    groups = [{"params": others}, {"params": encoders, "lr": rate}]
    algorithm.optimizer = type(algorithm.optimizer)(groups, lr=algorithm.learning_rate)

    def keep_rate(optimizer, *_) -> None:
        optimizer.param_groups[1]["lr"] = rate

    algorithm.optimizer.register_step_pre_hook(keep_rate)


def end_update(algorithm: PPO) -> None:
    """Count an update for every encoder."""
    for network in prior_networks(algorithm):
        network.end_update()
