"""PPO in turns with MuscleNN: ``agent.algorithm.class_name=whole_body_tracking.rl.muscle.ppo:MusclePPO``.

As in MASS, the policy gives target poses, stable PD control makes desired torques of them, and the network that finds
activations goes on learning from the states in which it was asked.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from rsl_rl.utils import reduce_gradients_in_buckets
from torch import Tensor

from whole_body_tracking.actuation.binding import muscles_of
from whole_body_tracking.actuation.learning.visited import VisitedStates
from whole_body_tracking.actuation.muscle_training import MuscleStates, loss_of, sample_states, torque_errors
from whole_body_tracking.tasks.tracking.muscle_learning_cfg import MuscleLearningCfg

from ..ppo import TrackingPPO

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict

    from whole_body_tracking.actuation.muscle_nn import MuscleNN
    from whole_body_tracking.actuation.muscle_pairs import MusclePairs

MUSCLE_KEY = "muscle_nn"
"""In checkpoints: MuscleNN now and as it was given, its optimizer, and the two errors of every iteration."""
NUM_MEASURED = 1024
"""States of the newest rollout on which errors are measured, before anything is learnt from them."""
WARM_UP = 100
"""Updates in which the learning rate rises: Adam's first steps move all weights alike, and spoilt a trained network,
from 0.4 to 6 % within 20 updates at 1e-4."""
SMALL_LEAK = 0.01
"""Slope of activations outside [0, 1] while they are refined: enough to wake a muscle up."""


class MusclePPO(TrackingPPO):
    """PPO whose every update is followed by some of MuscleNN, on states that the policy visited and sampled ones."""

    muscle: MuscleLearningCfg
    network: MuscleNN
    _errors: list[list[float]]

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> MusclePPO:
        """Build the algorithm and take the robot's network."""
        muscle = MuscleLearningCfg(**(cfg["algorithm"].get("muscle") or {}))
        algorithm: MusclePPO = TrackingPPO.construct_algorithm(obs, env, cfg, device)
        algorithm.take_muscles(env, muscle)
        return algorithm

    def take_muscles(self, env: VecEnv, muscle: MuscleLearningCfg) -> None:
        """Take the network that the robot's muscles use, and let them remember the states that they see.

        Raises:
            ValueError: If the robot has no muscles with a network.
        """
        actuator = muscles_of(env.unwrapped.scene["robot"])
        if actuator is None or actuator.network is None:
            raise ValueError("MuscleNN should learn with PPO, and the robot has no muscles with one: presets=muscles.")
        self.take_network(actuator.network, actuator.pairs, muscle, env.unwrapped.device)
        actuator.visited = self._visited

    def take_network(self, network: MuscleNN, pairs: MusclePairs, muscle: MuscleLearningCfg, device: str) -> None:
        """Begin to train a network of these muscles."""
        self.muscle, self.network, self._pairs = muscle, network, pairs
        self._first, self._errors = deepcopy(network), []
        self._limit = pairs.effort_limit
        self._visited = VisitedStates(muscle.capacity, len(self._limit), device)
        self._num_learnt = self._num_updates = 0
        self._random = torch.Generator(device).manual_seed(torch.initial_seed() % 2**31)
        self._network_optimizer = torch.optim.Adam(network.parameters(), lr=muscle.learning_rate)

    def update(self) -> dict[str, float]:
        """Update the policy, then MuscleNN.

        Returns:
            Losses to log. ``muscle_nn_error`` is the torque error over the effort limits on states of this rollout, of
            which the network has not learnt yet; ``muscle_nn_error_of_first`` that of the network as it was given.
        """
        losses = super().update()
        if self._visited.num_added == self._num_learnt:
            return losses
        newest = self._visited.num_added - self._num_learnt
        states = self._visited.sample(NUM_MEASURED, newest)
        errors = {"muscle_nn_error": self.network, "muscle_nn_error_of_first": self._first}
        logged = {name: self._error(network, states) for name, network in errors.items()}
        self._errors.append([logged["muscle_nn_error"], logged["muscle_nn_error_of_first"]])
        loss = torch.stack([self._update_network() for _ in range(self.muscle.num_updates)]).mean()
        self._num_learnt = self._visited.num_added
        return losses | logged | {"muscle_nn": loss.item()}

    @torch.no_grad()
    def _error(self, network: MuscleNN, states: MuscleStates) -> float:
        activation = network(states.torque_per_activation, states.torque)
        return torque_errors(activation, states, self._limit)["torque_error"]

    def _update_network(self) -> Tensor:
        states = self._batch()
        self.network.train()
        self.network.leak = SMALL_LEAK
        activation = self.network(states.torque_per_activation, states.torque)
        loss = loss_of(activation, states, self._limit)
        for group in self._network_optimizer.param_groups:
            group["lr"] = self.muscle.learning_rate * min(1.0, (1 + self._num_updates) / WARM_UP)
        self._num_updates += 1
        self._network_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.is_multi_gpu:
            reduce_gradients_in_buckets(self.network.parameters(), self.gpu_world_size, self.grad_reduce_bucket_mb)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._network_optimizer.step()
        self.network.eval()
        return loss.detach()

    def _batch(self) -> MuscleStates:
        num_visited = round(self.muscle.visited_share * self.muscle.batch_size)
        parts = [self._visited.sample(num_visited)] if num_visited else []
        if num_visited < self.muscle.batch_size:
            parts.append(sample_states(self._pairs, self.muscle.batch_size - num_visited, self._random))
        return MuscleStates(
            torch.cat([part.torque_per_activation for part in parts]), torch.cat([part.torque for part in parts])
        )

    def broadcast_parameters(self) -> None:
        """Give all processes the first one's networks, MuscleNN among them."""
        super().broadcast_parameters()
        for tensor in self.network.state_dict().values():
            torch.distributed.broadcast(tensor, src=0)

    def save(self) -> dict:
        """Return everything a checkpoint stores, MuscleNN among it."""
        state = {
            "network": self.network.state_dict(),
            "first": self._first.state_dict(),
            "optimizer": self._network_optimizer.state_dict(),
            "errors": self._errors,
            "num_updates": self._num_updates,
        }
        return super().save() | {MUSCLE_KEY: state}

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore a checkpoint; one without MuscleNN, or not to be continued, keeps the network of the actuator.

        Raises:
            ValueError: If the checkpoint's network is of another size.
        """
        resumes = super().load(loaded_dict, load_cfg, strict)
        if not resumes or MUSCLE_KEY not in loaded_dict:
            return resumes
        state = loaded_dict[MUSCLE_KEY]
        here = {name: tuple(value.shape) for name, value in self.network.state_dict().items()}
        found = {name: tuple(value.shape) for name, value in state["network"].items()}
        if here != found:
            raise ValueError(
                "The checkpoint's MuscleNN is of another size than that of muscle_nn=FILE. Continue with a file that"
                " was trained with the same --hidden."
            )
        self.network.load_state_dict(state["network"])
        self._first.load_state_dict(state["first"])
        self._num_updates = state["num_updates"]
        self._errors = [list(row) for row in state["errors"]]
        self._network_optimizer.load_state_dict(state["optimizer"])
        return resumes
