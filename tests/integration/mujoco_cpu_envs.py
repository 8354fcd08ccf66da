"""A few G1 on flat ground under ``physics=mujoco_cpu``, with helpers that place, step and read them."""

from __future__ import annotations

import isaaclab.sim as sim_utils
import mujoco
import numpy as np
import torch
from isaaclab.assets import ArticulationCfg
from isaaclab.scene import InteractiveScene, InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg
from isaaclab.utils import configclass
from newton.solvers import SolverMuJoCo

from whole_body_tracking.physics.mujoco_cpu_cfg import mujoco_cpu_cfg
from whole_body_tracking.robots.g1_cfg import G1_CFG
from whole_body_tracking.robots.ground_cfg import GROUND_CFG

GRAVITY = 9.81
"""Gravity of the simulation [m/s^2]."""


@configclass
class EnvsSceneCfg(InteractiveSceneCfg):
    ground = GROUND_CFG
    robot: ArticulationCfg = G1_CFG.replace(prim_path="{ENV_REGEX_NS}/Robot")
    contact = ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/.*", history_length=3)


class Envs:
    """A simulation with its robot, one control step of ``decimation * dt`` seconds at a time."""

    def __init__(
        self,
        num_envs: int = 6,
        dt: float = 0.005,
        decimation: int = 4,
        robot: ArticulationCfg = G1_CFG,
        state_attributes: tuple[str, ...] = (),
        use_newton_actuators: bool = True,
    ):
        physics = mujoco_cpu_cfg(num_threads=2)
        self.sim = sim_utils.SimulationContext(
            sim_utils.SimulationCfg(dt=dt, device="cpu", physics=physics, use_newton_actuators=use_newton_actuators)
        )
        cfg = EnvsSceneCfg(num_envs=num_envs, env_spacing=2.5)
        cfg.robot = robot.replace(prim_path="{ENV_REGEX_NS}/Robot")
        self.scene = InteractiveScene(cfg)
        for name in state_attributes:
            self.sim.physics_manager.request_extended_state_attribute(name)
        self.sim.reset()
        self.manager = self.sim.physics_manager
        self.manager.set_decimation(decimation)
        self.dt, self.decimation, self.num_envs = dt, decimation, num_envs
        self.robot, self.contact = self.scene["robot"], self.scene["contact"]
        self.default = self.robot.data.default_joint_pos.torch.clone()
        self.stiffness = self.robot.data.joint_stiffness.torch.clone()
        self.damping = self.robot.data.joint_damping.torch.clone()

    def close(self) -> None:
        self.sim.clear_instance()

    @property
    def solver(self) -> SolverMuJoCo:
        return self.manager._solver

    @property
    def data(self):
        return self.solver.mjw_data

    def place(self, height: float = 0.757, joint_pos=None, joint_vel=None, quat=(0.0, 0.0, 0.0, 1.0), twist=None):
        """Write the state of every env; whatever is not given is default or zero. The warm start is cleared."""
        pose = torch.zeros(self.num_envs, 7)
        pose[:, :3] = self.scene.env_origins
        pose[:, 2] += height
        pose[:, 3:] = torch.as_tensor(quat)
        zeros = torch.zeros_like(self.default)
        self.scene.reset()
        self.robot.write_root_link_pose_to_sim_index(root_pose=pose)
        self.robot.write_root_link_velocity_to_sim_index(
            root_velocity=torch.zeros(self.num_envs, 6) if twist is None else twist
        )
        self.robot.write_joint_position_to_sim_index(position=self.default if joint_pos is None else joint_pos)
        self.robot.write_joint_velocity_to_sim_index(velocity=zeros if joint_vel is None else joint_vel)
        self.set_target(self.default)
        self.manager.forward()
        self.data.qacc_warmstart.zero_()

    def place_at_random(self, height: float, seed: int) -> None:
        """Random orientations, joint positions inside the limits, velocities of 1 m/s and 1 rad/s."""
        random = torch.Generator().manual_seed(seed)
        normal = lambda *shape: torch.randn(*shape, generator=random)  # noqa: E731
        limits = self.robot.data.joint_pos_limits.torch
        joints = (self.default + 0.3 * normal(*self.default.shape)).clamp(limits[..., 0] + 0.01, limits[..., 1] - 0.01)
        quat = normal(self.num_envs, 4) + torch.tensor([0.0, 0.0, 0.0, 2.0])
        self.place(
            height,
            joints,
            normal(*self.default.shape),
            quat / quat.norm(dim=-1, keepdim=True),
            normal(self.num_envs, 6),
        )

    def set_target(self, target: torch.Tensor) -> None:
        self.robot.actuators.target_command.set_position_index(value=target)
        self.scene.write_data_to_sim()

    def step(self, target: torch.Tensor | None = None) -> None:
        """One control step."""
        if target is not None:
            self.robot.actuators.target_command.set_position_index(value=target)
        self.scene.write_data_to_sim()
        self.sim.step(render=False)
        self.scene.update(self.dt * self.decimation)

    def stiffen(self, factor: float) -> None:
        self.robot.write_joint_stiffness_to_sim_index(stiffness=self.stiffness * factor)
        self.robot.write_joint_damping_to_sim_index(damping=self.damping * factor)

    def state(self) -> np.ndarray:
        """MuJoCo's qpos and qvel after the last step, shape [num_envs, nq + nv]."""
        return np.concatenate([self.data.qpos.numpy(), self.data.qvel.numpy()], axis=1).copy()

    def newton_state(self) -> tuple[np.ndarray, np.ndarray]:
        state = self.manager.backend.state_0
        return state.joint_q.numpy().copy(), state.joint_qd.numpy().copy()

    def restore(self, newton_state: tuple[np.ndarray, np.ndarray], warm_start: np.ndarray | None = None) -> None:
        state = self.manager.backend.state_0
        state.joint_q.assign(newton_state[0])
        state.joint_qd.assign(newton_state[1])
        self.data.qacc_warmstart.numpy()[:] = 0.0 if warm_start is None else warm_start

    def load(self) -> None:
        """Convert Newton's state and controls into the solver's arrays, as a step does first."""
        self.manager.forward()
        backend = self.manager.backend
        self.solver._apply_mjc_control(self.solver.model, backend.state_0, backend.control, self.data)
        self.solver._update_mjc_data(self.data, self.solver.model, backend.state_0)

    def reference_steps(self, num_steps: int) -> list[mujoco.MjData]:
        """Plain ``mj_step`` of every env from the solver's present arrays."""
        self.load()
        results = []
        for env_id, model in enumerate(self.manager.env_models()):
            model.opt.timestep = self.dt
            data = mujoco.MjData(model)
            for name in ("qpos", "qvel", "ctrl", "qacc_warmstart", "qfrc_applied", "xfrc_applied"):
                getattr(data, name)[...] = getattr(self.data, name).numpy()[env_id]
            mujoco.mj_step(model, data, num_steps)
            results.append(data)
        return results

    def centre_of_mass_velocity(self) -> torch.Tensor:
        """Velocity of the whole robot's centre of mass [m/s], world frame, shape [num_envs, 3]."""
        mass = self.robot.data.body_mass.torch
        return (mass[..., None] * self.robot.data.body_com_lin_vel_w.torch).sum(1) / mass.sum(1, keepdim=True)


def assert_matches_reference(envs: Envs, references: list[mujoco.MjData]) -> None:
    expected = np.array([np.concatenate([data.qpos, data.qvel]) for data in references])
    np.testing.assert_allclose(envs.state(), expected, rtol=1e-6, atol=1e-6)
