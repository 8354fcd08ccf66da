"""PPO with AMP: ``agent.algorithm.class_name=whole_body_tracking.rl.amp.ppo:AmpPPO``.

The environment needs nothing for it. Both sides are seen as windows of the same states, put together from poses, so
that the discriminator cannot tell them by how velocities were computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from rsl_rl.utils import reduce_gradients_in_buckets
from torch import Tensor

from whole_body_tracking.priors.style.live_window import LiveWindow
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.amp_cfg import AmpCfg

from ..ppo import TrackingPPO
from .discriminator import Discriminator, discriminator_loss, style_reward
from .expert import ExpertWindows
from .settings import expert_entries, expert_layout

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict

AMP_KEY = "amp"
"""In checkpoints: discriminator, its optimizer, and the clips."""


class AmpPPO(TrackingPPO):
    """PPO whose reward is the task's plus what a discriminator of clips and policy says of the motion."""

    amp: AmpCfg
    expert: ExpertWindows
    discriminator: Discriminator

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> AmpPPO:
        """Build the algorithm and read the clips."""
        amp = AmpCfg(**(cfg["algorithm"].get("amp") or {}))
        algorithm: AmpPPO = TrackingPPO.construct_algorithm(obs, env, cfg, device)
        algorithm.take_expert(env, amp, cfg["num_steps_per_env"])
        return algorithm

    def take_expert(self, env: VecEnv, amp: AmpCfg, num_steps: int) -> None:
        """Make the discriminator, and the memory of a rollout's windows.

        Args:
            env: The environment; its robot is watched.
            amp: Settings.
            num_steps: Steps of a rollout.
        """
        plain = env.unwrapped
        entries = expert_entries(amp.motion_files, plain.cfg)
        robot, headers = get_robot(plain.cfg.robot_name), [entry.header() for entry in entries]
        layout, steps = expert_layout(headers, robot, 1.0 / plain.step_dt, amp.num_frames)
        self.amp, self._step_dt = amp, plain.step_dt
        self.expert = ExpertWindows(entries, layout, amp.num_frames, self.device)
        self.discriminator = Discriminator(amp.num_frames, self.expert.normalizer, amp.hidden_dims).to(self.device)
        self._discriminator_optimizer = torch.optim.AdamW(
            self.discriminator.network.parameters(), lr=amp.learning_rate, weight_decay=amp.weight_decay
        )
        self._robot: Articulation = plain.scene["robot"]
        joints = [self._robot.joint_names.index(name) for name in layout.joint_names]
        self._joints = torch.tensor(joints, device=plain.device)
        self._window = LiveWindow(layout, amp.num_frames, steps, env.num_envs, plain.device)
        shape = (num_steps, env.num_envs)
        self._windows = torch.zeros(*shape, amp.num_frames, layout.dim, device=self.device)
        self._counted = torch.zeros(shape, device=self.device)
        self._style = torch.zeros(shape, device=self.device)
        self._step = 0
        print(f"[INFO] AMP: {len(self.expert)} windows of {len(headers)} clips at {layout.fps:g} fps.")

    def process_env_step(self, obs: TensorDict, rewards: Tensor, dones: Tensor, extras: dict) -> None:
        """Record a step with the task's reward times its weight, plus the style reward.

        The state of an env that ended is that of its new episode, so its last step has no style reward, nor have the
        first ones, which are no whole window.
        """
        style = self._observe(dones)
        total = self.amp.task_weight * rewards + self.amp.style_weight * self._step_dt * style
        super().process_env_step(obs, total, dones, extras)

    def _observe(self, dones: Tensor) -> Tensor:
        """Style rewards of the windows that end now, shape [num_envs]; they are kept for the update."""
        data = self._robot.data
        self._window.forget_where(dones.bool())
        self._window.add(data.root_link_pose_w.torch, data.joint_pos.torch.index_select(1, self._joints))
        step = self._step % len(self._windows)
        self._windows[step].copy_(self._window.states())
        self._counted[step].copy_(self._window.is_full)
        self._style[step].copy_(style_reward(self.discriminator(self._windows[step])) * self._counted[step])
        self._step += 1
        return self._style[step]

    def continue_from(self, obs: TensorDict) -> None:
        """Act on these observations next, with no window that reaches back beyond them."""
        super().continue_from(obs)
        self._window.forget_where(torch.ones_like(self._window.is_full))

    def update(self) -> dict[str, float]:
        """Update the networks, and the discriminator on the same rollout.

        Returns:
            Losses to log; ``amp_accuracy_expert`` and ``amp_accuracy_policy`` are the shares of windows that the
            discriminator tells right, 0.5 for one that guesses. Both near 1 mean that the policy earns no style.
        """
        losses = super().update()
        style = self._style.sum() / self._counted.sum().clamp(min=1.0)
        logged = [self._update_discriminator() for _ in range(self.amp.num_updates)]
        means = {name: torch.stack([values[name] for values in logged]).mean() for name in logged[0]}
        means["amp_style_reward"] = style
        values = torch.stack(list(means.values()))
        if self.is_multi_gpu:
            torch.distributed.all_reduce(values)
            values /= self.gpu_world_size
        return losses | dict(zip(means, values.tolist(), strict=True))

    def _update_discriminator(self) -> dict[str, Tensor]:
        windows, counted = self._windows.flatten(0, 1), self._counted.flatten()
        chosen = torch.randint(len(windows), (self.amp.batch_size,), device=self.device)
        loss, logged = discriminator_loss(
            self.discriminator,
            self.expert.sample(self.amp.batch_size),
            windows[chosen],
            counted[chosen],
            self.amp.gradient_penalty,
        )
        self._discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.is_multi_gpu:
            reduce_gradients_in_buckets(
                self.discriminator.network.parameters(), self.gpu_world_size, self.grad_reduce_bucket_mb
            )
        self._discriminator_optimizer.step()
        return logged

    def broadcast_parameters(self) -> None:
        """Give all processes the first one's networks, the discriminator among them."""
        super().broadcast_parameters()
        for tensor in self.discriminator.state_dict().values():
            torch.distributed.broadcast(tensor, src=0)

    def save(self) -> dict:
        """Return everything a checkpoint stores, the discriminator among it."""
        return super().save() | {
            AMP_KEY: {
                "discriminator": self.discriminator.state_dict(),
                "optimizer": self._discriminator_optimizer.state_dict(),
                "clips": dict(self.expert.digests),
            }
        }

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore a checkpoint; one without a discriminator, or not to be continued, begins with a fresh one.

        Raises:
            ValueError: If the discriminator was trained on other clips or is of another size.
        """
        resumes = super().load(loaded_dict, load_cfg, strict)
        if not resumes or AMP_KEY not in loaded_dict:
            return resumes
        state = loaded_dict[AMP_KEY]
        self._require_fit(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self._discriminator_optimizer.load_state_dict(state["optimizer"])
        return resumes

    def _require_fit(self, state: dict) -> None:
        if state["clips"] != self.expert.digests:
            raise ValueError(
                f"The checkpoint's discriminator knows the clips {sorted(state['clips'])}, this training gives it"
                f" {sorted(self.expert.digests)}, or others of these names. Continue with those of its run:"
                " agent.algorithm.amp.motion_files."
            )
        shapes = {name: tuple(value.shape) for name, value in self.discriminator.state_dict().items()}
        found = {name: tuple(value.shape) for name, value in state["discriminator"].items()}
        if shapes != found:
            raise ValueError(
                "The checkpoint's discriminator is of another size. Continue with agent.algorithm.amp.hidden_dims and"
                " num_frames of its run."
            )
