"""A task's robot in a running engine, put into given states without simulating.

No engine needs a step for it: reading body poses after a write makes each of them run its forward kinematics (measured
with Isaac Lab 3.0 on OvPhysX, Newton and native MuJoCo; tests/integration/test_replay.py). Isaac Sim's PhysX is not
covered by that measurement.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from isaaclab.app import launch_simulation
from isaaclab.assets import Articulation
from isaaclab.scene import InteractiveScene
from isaaclab.sim import SimulationContext
from isaaclab.sim.utils import use_stage

from whole_body_tracking.motion import MotionClip

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg


class EngineRobot:
    """A robot of an engine, in the same state in every env; what is read is that of the first env."""

    def __init__(self, sim: SimulationContext, scene: InteractiveScene):
        self.sim = sim
        self.robot: Articulation = scene["robot"]
        self._origins = scene.env_origins

    @property
    def body_names(self) -> list[str]:
        """Names of the bodies, in the order of :meth:`body_poses`."""
        return self.robot.body_names

    def states_of(self, clip: MotionClip) -> torch.Tensor:
        """Return a clip's states for :meth:`set_state`: root pose and velocity, joint positions and velocities.

        Returns:
            States [m, rad, s], shape [num_frames, 13 + 2 * num_joints], joints in the robot's order.
        """
        root = clip.body_indices(self.body_names[:1])[0]
        joints = clip.joint_indices(self.robot.joint_names)
        parts = [getattr(clip, f"body_{key}_w")[:, root] for key in ("pos", "quat", "lin_vel", "ang_vel")]
        parts += [clip.joint_pos[:, joints], clip.joint_vel[:, joints]]
        return torch.from_numpy(np.concatenate(parts, axis=-1)).to(self.robot.device)

    def set_state(self, state: torch.Tensor) -> None:
        """Put the robot into a state, shape [13 + 2 * num_joints]; time does not advance."""
        states = state.expand(len(self._origins), -1)
        pose, velocity, joint_pos, joint_vel = states.split([7, 6, *[self.robot.num_joints] * 2], dim=-1)
        pose = torch.cat((pose[:, :3] + self._origins, pose[:, 3:]), dim=-1)
        self.robot.write_root_link_pose_to_sim_index(root_pose=pose)
        self.robot.write_root_link_velocity_to_sim_index(root_velocity=velocity.contiguous())
        self.robot.write_joint_position_to_sim_index(position=joint_pos.contiguous())
        self.robot.write_joint_velocity_to_sim_index(velocity=joint_vel.contiguous())

    def body_poses(self) -> torch.Tensor:
        """Return where the engine has the bodies: position [m] and quaternion (x, y, z, w), shape [num_bodies, 7]."""
        poses = self.robot.data.body_link_pose_w.torch[0].clone()
        poses[:, :3] -= self._origins[0]
        return poses


@contextlib.contextmanager
def engine_robot(env_cfg: TrackingEnvCfg, args: argparse.Namespace | dict) -> Iterator[EngineRobot]:
    """Start a task's engine with its robot and ground in one env; stop it at the end.

    Args:
        env_cfg: Config of the task, whose scene and simulation settings are used.
        args: Launcher arguments such as ``viz`` and ``device``.
    """
    env_cfg.scene.num_envs = 1
    env_cfg.scene.contact_forces = None
    with launch_simulation(env_cfg, args):
        sim = SimulationContext(env_cfg.sim)
        try:
            with use_stage(sim.stage):
                scene = InteractiveScene(env_cfg.scene)
            sim.register_interactive_scene(scene)
            with use_stage(sim.stage):
                sim.reset()
            scene.update(sim.get_physics_dt())
            yield EngineRobot(sim, scene)
        finally:
            sim.stop()
            sim.clear_instance()
