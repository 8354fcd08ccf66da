"""Put the G1 into one engine and write the engine's constants, poses and contacts.

An engine needs a process of its own, so the test runs this file as a program: ``robot_engine_probe.py ENGINE OUT.npz``.
"""

from __future__ import annotations

import sys

import isaaclab.sim as sim_utils
import numpy as np
import torch
from isaaclab.scene import InteractiveScene, InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg
from isaaclab.utils import configclass
from scipy.spatial.transform import Rotation

from whole_body_tracking.physics.ovphysx_cpu import prepare_ovphysx
from whole_body_tracking.robots.g1 import G1
from whole_body_tracking.robots.g1_cfg import G1_CFG
from whole_body_tracking.robots.ground_cfg import GROUND_CFG

NUM_ENVS = 16
NUM_FK_BATCHES = 8
DT = 0.005
"""Physics step [s]."""
HOLD_TIME = 3.0
"""How long the default pose is held [s]."""
FALLEN_HEIGHT = 0.5
"""Pelvis height below which the robot counts as fallen [m]."""


@configclass
class SceneCfg(InteractiveSceneCfg):
    ground = GROUND_CFG.copy()
    robot = G1_CFG.replace(prim_path="{ENV_REGEX_NS}/Robot")
    contacts = ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/.*")


def physics_cfg(engine: str):
    if engine == "ovphysx":
        from isaaclab_ov.physics import OvPhysxCfg

        prepare_ovphysx()
        return OvPhysxCfg()
    from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg

    return NewtonCfg(
        solver_cfg=MJWarpSolverCfg(
            njmax=300, nconmax=100, cone="pyramidal", integrator="implicitfast", iterations=20, ls_iterations=50
        )
    )


class Probe:
    """One scene with the robot in :data:`NUM_ENVS` envs."""

    def __init__(self, engine: str):
        self.sim = sim_utils.SimulationContext(
            sim_utils.SimulationCfg(dt=DT, device="cpu", physics=physics_cfg(engine))
        )
        self.scene = InteractiveScene(SceneCfg(num_envs=NUM_ENVS, env_spacing=3.0))
        self.sim.reset()
        self.robot = self.scene["robot"]
        self.rng = np.random.default_rng(0)

    def write_state(self, root_pose: np.ndarray, joint_pos: np.ndarray) -> None:
        """Place every env at rest and hold it there.

        Root pose: world-frame position [m] and quaternion (x, y, z, w), shape [num_envs, 7]. Joint positions [rad],
        shape [num_envs, num_joints].
        """
        pose, position = (torch.as_tensor(array, dtype=torch.float32) for array in (root_pose, joint_pos))
        self.robot.write_root_link_pose_to_sim_index(root_pose=pose)
        self.robot.write_root_link_velocity_to_sim_index(root_velocity=torch.zeros(NUM_ENVS, 6))
        self.robot.write_joint_position_to_sim_index(position=position)
        self.robot.write_joint_velocity_to_sim_index(velocity=torch.zeros_like(position))
        self.robot.actuators.target_command.set_position_index(value=position)

    def step(self) -> None:
        self.scene.write_data_to_sim()
        self.sim.step(render=False)
        self.scene.update(DT)

    def standing_pose(self, height: float) -> np.ndarray:
        pose = np.zeros((NUM_ENVS, 7))
        pose[:, :3] = self.scene.env_origins.numpy() + [0.0, 0.0, height]
        pose[:, 6] = 1.0
        return pose

    def forward_kinematics(self) -> dict[str, np.ndarray]:
        """Body poses that the engine reports for random states, several batches of envs."""
        states, body_poses = [], []
        for _ in range(NUM_FK_BATCHES):
            pose = self.standing_pose(2.0)
            pose[:, :3] += self.rng.uniform(-1.0, 1.0, (NUM_ENVS, 3))
            pose[:, 3:] = self.rng.normal(size=(NUM_ENVS, 4))
            pose[:, 3:] /= np.linalg.norm(pose[:, 3:], axis=-1, keepdims=True)
            joint_pos = self.rng.uniform(*G1.joint_pos_limits.T, (NUM_ENVS, G1.num_joints))
            self.write_state(pose, joint_pos)
            self.scene.update(DT)
            states.append(np.concatenate([pose, joint_pos], -1))
            body_poses.append(self.robot.data.body_link_pose_w.torch.numpy().copy())
        return {"fk_states": np.concatenate(states), "fk_body_poses": np.concatenate(body_poses)}

    def contact_forces(self, joint_pos: np.ndarray) -> np.ndarray:
        """Largest net force on each body over the envs [N] in two steps of free fall, shape [num_bodies]."""
        self.write_state(self.standing_pose(5.0), np.tile(joint_pos, (NUM_ENVS, 1)))
        sensor, force = self.scene["contacts"], np.zeros(G1.num_bodies)
        order = sensor.find_sensors(list(G1.body_names), preserve_order=True)[0]
        for _ in range(2):
            self.step()
            net_force = sensor.data.net_forces_w.torch.norm(dim=-1).amax(0)
            force = np.maximum(force, net_force[order].numpy())
        return force

    def hold(self) -> dict[str, np.ndarray]:
        """Hold the default pose on the ground and record when the pelvis has dropped, and the speeds on the way."""
        joint_pos = G1.default_joint_pos + self.rng.uniform(-0.02, 0.02, (NUM_ENVS, G1.num_joints))
        self.write_state(self.standing_pose(G1.default_root_height), joint_pos)
        fall_time, max_speed, max_joint_speed = np.full(NUM_ENVS, np.inf), 0.0, 0.0
        data = self.robot.data
        for step in range(round(HOLD_TIME / DT)):
            self.step()
            height = data.root_link_pos_w.torch[:, 2].numpy()
            fall_time[(height < FALLEN_HEIGHT) & np.isinf(fall_time)] = (step + 1) * DT
            max_speed = max(max_speed, float(data.body_link_lin_vel_w.torch.norm(dim=-1).max()))
            max_joint_speed = max(max_joint_speed, float(data.joint_vel.torch.abs().max()))
        return {
            "fall_time": fall_time,
            "max_speed": max_speed,
            "max_joint_speed": max_joint_speed,
            "final_height": data.root_link_pos_w.torch[:, 2].numpy().copy(),
        }


def ovphysx_numbers(probe: Probe) -> dict[str, np.ndarray]:
    """Robot constants as PhysX holds them for the first env, with names, in the engine's own order.

    Inertia tensors are about the centre of mass along the link's axes [kg m^2], shape [num_bodies, 3, 3].
    """
    view = probe.robot.root_view

    def read(name: str) -> np.ndarray:
        return view.get_attribute(name).numpy()[0]

    return {
        "engine_joint_names": np.array(view.dof_names),
        "engine_body_names": np.array(view.body_names),
        "stiffness": read("articulation_dof_stiffness"),
        "damping": read("articulation_dof_damping"),
        "armature": read("articulation_dof_armature"),
        "effort_limit": read("articulation_dof_max_force"),
        "velocity_limit": read("articulation_dof_max_velocity"),
        "joint_pos_limits": read("articulation_dof_limit"),
        "mass": read("articulation_body_mass"),
        "com": read("articulation_body_com_pose")[:, :3],
        "inertia": read("articulation_body_inertia").reshape(-1, 3, 3),
    }


def newton_numbers(probe: Probe) -> dict[str, np.ndarray]:
    """Robot constants as the MuJoCo solver holds them for the first env; the same keys and shapes."""
    from isaaclab_newton.physics import NewtonManager

    solver = NewtonManager._solver
    model, host = solver.mjw_model, solver.mj_model
    num_joints = G1.num_joints
    principal = Rotation.from_quat(model.body_iquat.numpy()[0, 1:], scalar_first=True).as_matrix()
    moments = model.body_inertia.numpy()[0, 1:]
    return {
        "engine_joint_names": np.array([host.joint(i).name.split("_joints_")[-1] for i in range(1, num_joints + 1)]),
        "engine_body_names": np.array([host.body(i).name.split("_Robot_")[-1] for i in range(1, host.nbody)]),
        "stiffness": model.actuator_gainprm.numpy()[0, 0::2, 0],
        "damping": model.actuator_gainprm.numpy()[0, 1::2, 0],
        "armature": model.dof_armature.numpy()[0, 6:],
        "effort_limit": model.jnt_actfrcrange.numpy()[0, 1:, 1],
        "joint_pos_limits": model.jnt_range.numpy()[0, 1:],
        "joint_limit_solref": model.jnt_solref.numpy()[0, 1:],
        "contact_priority": model.geom_priority.numpy(),
        "mass": model.body_mass.numpy()[0, 1:],
        "com": model.body_ipos.numpy()[0, 1:],
        "inertia": principal @ (moments[:, :, None] * principal.transpose(0, 2, 1)),
    }


def main() -> None:
    engine, output = sys.argv[1:]
    torch.set_num_threads(1)
    probe = Probe(engine)
    numbers = ovphysx_numbers(probe) if engine == "ovphysx" else newton_numbers(probe)
    arm_in_torso = G1.default_joint_pos.copy()
    arm_in_torso[G1.joint_names.index("left_shoulder_roll_joint")] = -1.0
    np.savez(
        output,
        joint_names=np.array(probe.robot.joint_names),
        body_names=np.array(probe.robot.body_names),
        **numbers,
        **probe.forward_kinematics(),
        forces_in_default_pose=probe.contact_forces(G1.default_joint_pos),
        forces_arm_in_torso=probe.contact_forces(arm_in_torso),
        **probe.hold(),
    )


if __name__ == "__main__":
    main()
