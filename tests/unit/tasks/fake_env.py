"""An environment without a simulator: a robot of plain tensors, with the task's own command and terms."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from isaaclab.managers import ObservationTermCfg, RewardTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.robots import G1

NUM_ENVS = 4
STEP_DT = 0.02


class Walked(SimpleNamespace):
    """A namespace whose tensors :func:`fake_cuda.on_cuda` replaces."""

    walked = True


class Proxy:
    """What Isaac Lab wraps arrays in: the tensor is ``.torch``."""

    walked = True

    def __init__(self, value: torch.Tensor):
        self.torch = value


class FakeRobot:
    """The G1 at its default pose; writes go nowhere."""

    walked = True

    def __init__(self, num_envs: int):
        self.joint_names, self.body_names = list(G1.joint_names), list(G1.body_names)
        self.is_initialized, self.num_joints = True, G1.num_joints
        joints, bodies = (num_envs, G1.num_joints), (num_envs, G1.num_bodies)
        pose = torch.zeros(*bodies, 7)
        pose[..., 6] = 1.0
        limits = torch.stack((-torch.ones(joints), torch.ones(joints)), dim=-1)
        values = {
            "body_link_pose_w": pose, "body_link_vel_w": torch.zeros(*bodies, 6), "root_link_pose_w": pose[:, 0],
            "joint_pos": torch.zeros(joints), "joint_vel": torch.zeros(joints), "joint_acc": torch.zeros(joints),
            "soft_joint_pos_limits": limits, "joint_pos_limits": limits, "applied_torque": torch.zeros(joints),
            "default_joint_pos": torch.zeros(joints), "default_joint_vel": torch.zeros(joints),
            "body_mass": torch.ones(bodies), "body_com_pos_b": torch.zeros(*bodies, 3),
            "joint_stiffness": torch.ones(joints), "joint_damping": torch.ones(joints),
            "joint_effort_limits": torch.ones(joints), "joint_pos_target": torch.zeros(joints),
            "root_link_quat_w": pose[:, 0, 3:], "root_link_ang_vel_b": torch.zeros(num_envs, 3),
        }  # fmt: skip
        self.data = Walked(**{name: Proxy(value) for name, value in values.items()})

    def find_bodies(self, names: list[str], preserve_order: bool = False) -> tuple[list[int], list[str]]:
        return [self.body_names.index(name) for name in names], list(names)

    def write_root_link_pose_to_sim_index(self, **_) -> None: ...

    def write_root_link_velocity_to_sim_index(self, **_) -> None: ...

    def write_joint_state_to_sim_index(self, **_) -> None: ...


class FakeScene(dict):
    walked = True


class FakeEnv:
    """As much of ``ManagerBasedRLEnv`` as the command and the terms of the package read."""

    walked = True

    def __init__(self, *presets: str, task: str = "Tracking-Flat-G1-v0", **motion):
        selectors = ["physics=mujoco_cpu", *([f"presets={','.join(presets)}"] if presets else [])]
        self.cfg = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=selectors)[0]
        for name, value in motion.items():
            setattr(self.cfg.commands.motion, name, value)
        self.num_envs, self.device, self.step_dt = NUM_ENVS, "cpu", STEP_DT
        self.common_step_counter = 0
        self.scene = FakeScene(robot=FakeRobot(NUM_ENVS))
        self.scene.env_origins, self.scene.terrain = torch.zeros(NUM_ENVS, 3), None
        self.episode_length_buf = torch.ones(NUM_ENVS, dtype=torch.long)
        ended = {
            "terminated": torch.zeros(NUM_ENVS, dtype=torch.bool),
            "time_outs": torch.zeros(NUM_ENVS, dtype=torch.bool),
        }
        self.termination_manager = Walked(**ended)
        self.reward_buf = torch.zeros(NUM_ENVS)
        rewards = {name: term for name, term in vars(self.cfg.rewards).items() if isinstance(term, RewardTermCfg)}
        self.reward_manager = SimpleNamespace(active_terms=list(rewards), get_term_cfg=rewards.__getitem__)
        self.action_manager = Walked(action=torch.zeros(NUM_ENVS, 29), prev_action=torch.zeros(NUM_ENVS, 29))
        self.sim = SimpleNamespace(vis_marker_registry=SimpleNamespace(clear_debug_vis_callback=lambda term: None))
        self.motion = self.cfg.commands.motion.class_type(self.cfg.commands.motion, self)
        self.command_manager = SimpleNamespace(
            get_term=lambda name: self.motion, get_command=lambda name: self.motion.command, active_terms=["motion"]
        )

    def terms(self) -> dict[str, tuple]:
        """Functions of the package behind the task's rewards, terminations and observations, with their parameters."""
        observations = self.cfg.observations
        groups = (self.cfg.rewards, self.cfg.terminations, observations.policy, observations.critic)
        found = {}
        for group in groups:
            for name, term in vars(group).items():
                if isinstance(term, RewardTermCfg | TerminationTermCfg | ObservationTermCfg):
                    own = term.func.__module__.startswith("whole_body_tracking")
                    if own and not any(isinstance(value, SceneEntityCfg) for value in term.params.values()):
                        found[f"{type(group).__name__}.{name}"] = (term.func, term.params)
        return found
