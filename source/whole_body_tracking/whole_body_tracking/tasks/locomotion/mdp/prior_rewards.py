"""Rewards of motions like those of clips, by frozen priors: no clip is read and nothing is learnt during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ManagerTermBase
from torch import Tensor

from whole_body_tracking.priors import StateLayout
from whole_body_tracking.priors.precision import autocast, chosen_precision
from whole_body_tracking.priors.style.live_window import LiveWindow
from whole_body_tracking.priors.style.loading import load_predictor, load_score_prior, steps_per_frame
from whole_body_tracking.priors.style.rewards import prediction_reward, score_reward, surprise
from whole_body_tracking.robots import get_robot

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import RewardTermCfg


class RobotWindow:
    """The last states of the robot in every env at a prior's rate."""

    def __init__(
        self, env: ManagerBasedRLEnv, path: str, layout: StateLayout, num_frames: int, asset_name: str = "robot"
    ):
        """Create an empty window.

        Args:
            env: The environment.
            path: File of the prior, for messages.
            layout: Of its states.
            num_frames: States of a window.
            asset_name: Robot in the scene.

        Raises:
            ValueError: If the prior does not fit robot or control rate.
        """
        self._robot: Articulation = env.scene[asset_name]
        steps = steps_per_frame(path, layout, get_robot(env.cfg.robot_name), 1.0 / env.step_dt)
        self.window = LiveWindow(layout, num_frames, steps, env.num_envs, env.device)
        joints = [self._robot.joint_names.index(name) for name in layout.joint_names]
        self._joints = torch.tensor(joints, device=env.device)
        self._step = -1

    def update(self, step: int) -> LiveWindow:
        """The window with the pose of a control step as its newest; a step that was seen already is left out."""
        if step != self._step:
            self._step = step
            data = self._robot.data
            self.window.add(data.root_link_pose_w.torch, data.joint_pos.torch.index_select(1, self._joints))
        return self.window


class _PriorReward(ManagerTermBase):
    """A reward of the last frames. Zero until an episode has that many, and where a state is not finite."""

    def __init__(self, cfg: RewardTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self.model, num_frames = self._load(cfg.params["prior"])
        self.model.to(env.device)
        asset_name = cfg.params.get("asset_name", "robot")
        self.seen = RobotWindow(env, cfg.params["prior"], self.model.layout, num_frames, asset_name)
        self._precision = chosen_precision("auto", env.device)

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the frames of ended episodes."""
        self.seen.window.forget(env_ids)

    def _reward(self, env: ManagerBasedRLEnv, kernel) -> Tensor:
        window = self.seen.update(env.common_step_counter)
        with torch.no_grad(), autocast(self._precision, env.device):
            value = kernel(window.states())
        return torch.where(window.is_full, value.float(), 0.0).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)


class score_prior(_PriorReward):
    """Reward windows that a score prior can restore: exp(-scale * normalised loss), mean over noise levels.

    Args of the term:
        prior: File of ``train_score_prior.py``.
        levels: Noise levels of the loss, from 1 to 50; more noise looks at coarser features.
        scale: Of the kernel.
        asset_name: Robot in the scene.
    """

    def __call__(
        self, env: ManagerBasedRLEnv, prior: str, levels: Sequence[int], scale: float, asset_name: str = "robot"
    ) -> Tensor:
        return self._reward(env, lambda states: score_reward(self.model.normalized_losses(states, levels), scale))

    def _load(self, path: str):
        model = load_score_prior(path)
        return model, model.num_frames


class motion_prior(_PriorReward):
    """Reward states that MotionNN predicts as well as those of clips: exp(-(surprise - 1) / std).

    Args of the term:
        prior: File of ``train_motion.py``.
        std: Surprise beyond that of clips at which the reward is 1/e.
        asset_name: Robot in the scene.
    """

    def __call__(self, env: ManagerBasedRLEnv, prior: str, std: float, asset_name: str = "robot") -> Tensor:
        return self._reward(env, lambda states: prediction_reward(surprise(self.model, states), std))

    def _load(self, path: str):
        model = load_predictor(path)
        return model, model.context + 1
