"""What State_Mimic does with its files, restated from its published sources: the rules by which it loads and runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from scipy.spatial.transform import Rotation

REGISTERED = {
    "motion_command", "motion_joint_pos", "motion_joint_vel", "motion_anchor_ori_b", "base_ang_vel",
    "projected_gravity", "joint_pos_rel", "joint_vel_rel", "last_action", "velocity_commands", "gait_phase",
}  # fmt: skip


class Runtime:
    """The state after entering: observations, one step of the policy, targets by motor."""

    def __init__(self, policy_dir: Path, motion_file: Path, fps: float):
        cfg = yaml.safe_load((policy_dir / "params" / "deploy.yaml").read_text())
        self.step_dt, self.ids = float(cfg["step_dt"]), [int(motor) for motor in cfg["joint_ids_map"]]
        self.stiffness, self.damping = cfg["stiffness"], cfg["damping"]
        self.default = np.array(cfg["default_joint_pos"], dtype=np.float64)
        action = cfg["actions"]["JointPositionAction"]
        assert action["joint_ids"] is None and action["clip"] is None
        self.scale, self.offset = np.array(action["scale"]), np.array(action["offset"])
        assert len(self.scale) == len(self.offset) == len(self.default) == len(self.ids)
        assert "params" in next(iter(cfg["observations"].values()))  # else they would be groups of terms
        for name, term in cfg["observations"].items():
            assert name in REGISTERED, f"Observation term '{name}' is not registered."
            assert term["history_length"] == 1 and term["clip"] is None
        self.terms = cfg["observations"]
        import onnxruntime

        session = onnxruntime.InferenceSession(str(policy_dir / "exported" / "policy.onnx"))
        (self.input,) = session.get_inputs()  # every input has to be a group of observations
        assert self.input.name == "obs"
        self.session, self.output = session, session.get_outputs()[0]
        assert self.output.shape[1] == len(self.ids)
        self.rows = np.loadtxt(motion_file, delimiter=",")
        self.fps, self.episode_length, self.last_action = fps, 0, np.zeros(len(self.ids))
        self.init = Rotation.identity()

    def enter(self, root_quat_xyzw: np.ndarray, motor_pos: np.ndarray) -> None:
        """Turn the motion's first row to the robot's heading: its torso's, against the row's root."""
        self.seek(0.0)
        self.init = yaw(torso(root_quat_xyzw, motor_pos)) * yaw(Rotation.from_quat(self.row[3:7])).inv()

    def seek(self, time: float) -> None:
        duration = len(self.rows) / self.fps
        first = round(min(max(time / duration, 0.0), 1.0) * (len(self.rows) - 1))
        second, share = min(first + 1, len(self.rows) - 1), time * self.fps - first
        velocity = np.diff(self.rows[:, 7:], axis=0) * self.fps
        velocity = np.concatenate((velocity, velocity[-1:]))
        self.row = (1.0 - share) * self.rows[first] + share * self.rows[second]
        self.velocity = (1.0 - share) * velocity[first] + share * velocity[second]

    def step(self, root_quat_xyzw, gyro, motor_pos, motor_vel) -> tuple[np.ndarray, np.ndarray]:
        """Observe and act; returns observations and targets by motor."""
        self.seek(self.episode_length * self.step_dt)
        self.episode_length += 1
        values = {
            "motion_command": np.concatenate((self.row[7:][self.ids], self.velocity[self.ids])),
            "motion_anchor_ori_b": self._anchor(root_quat_xyzw, motor_pos),
            "base_ang_vel": gyro,
            "joint_pos_rel": motor_pos[self.ids] - self.default,
            "joint_vel_rel": motor_vel[self.ids],
            "last_action": self.last_action,
        }
        obs = np.concatenate([values[name] * term["scale"] for name, term in self.terms.items()]).astype(np.float32)
        assert [1, len(obs)] == list(self.input.shape)
        self.last_action = self.session.run([self.output.name], {"obs": obs[None]})[0][0].astype(np.float64)
        targets = np.empty(len(self.ids))
        targets[self.ids] = self.scale * self.last_action + self.offset
        return obs, targets

    def _anchor(self, root_quat_xyzw, motor_pos) -> np.ndarray:
        reference = self.init * torso(self.row[3:7], self.row[7:])
        return (torso(root_quat_xyzw, motor_pos).inv() * reference).as_matrix()[:, :2].reshape(-1)


def torso(root_quat_xyzw, motor_pos) -> Rotation:
    return Rotation.from_quat(root_quat_xyzw) * Rotation.from_euler("ZXY", motor_pos[12:15])


def yaw(rotation: Rotation) -> Rotation:
    ahead = rotation.as_matrix()[:, 0]
    return Rotation.from_euler("z", np.arctan2(ahead[1], ahead[0]))
