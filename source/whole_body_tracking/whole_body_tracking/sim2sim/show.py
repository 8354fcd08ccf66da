"""Playback of a rollout and its reference, a translucent ghost, in MuJoCo's viewer; nothing is simulated."""

from __future__ import annotations

import time

import mujoco
import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import add_bodies, add_shape
from whole_body_tracking.robots.usd_shapes import visual_shapes
from whole_body_tracking.viewer.colors_and_camera import GHOST_COLORS, GHOST_OPACITY, ROBOT_COLORS

GHOST = "ghost_"


class Stage:
    """Scene with the robot and its ghost, posed frame by frame from two clips."""

    def __init__(self, robot: RobotModel, played: MotionClip, reference: MotionClip):
        """Build the scene.

        Args:
            robot: The facts.
            played: Motion of the robot.
            reference: Motion of the ghost; its frame t + 1 is shown with the played frame t.
        """
        self.model = _scene(robot)
        self.data = mujoco.MjData(self.model)
        self.num_frames, self.fps = played.num_frames, played.fps
        self._poses = {"": _poses(robot, played, 0), GHOST: _poses(robot, reference, 1)}
        self._address = {prefix: _addresses(self.model, robot, prefix) for prefix in self._poses}

    def show(self, frame: int) -> None:
        """Pose robot and ghost as in a frame."""
        for prefix, poses in self._poses.items():
            self.data.qpos[self._address[prefix]] = poses[min(frame, len(poses) - 1)]
        mujoco.mj_kinematics(self.model, self.data)


def show_in_viewer(robot: RobotModel, played: MotionClip, reference: MotionClip) -> None:
    """Play in MuJoCo's viewer, in a loop and in real time, until its window is closed."""
    import mujoco.viewer

    stage = Stage(robot, played, reference)
    with mujoco.viewer.launch_passive(stage.model, stage.data) as viewer:
        frame = 0
        while viewer.is_running():
            started = time.monotonic()
            with viewer.lock():
                stage.show(frame)
            viewer.sync()
            frame = (frame + 1) % stage.num_frames
            time.sleep(max(0.0, 1.0 / stage.fps - (time.monotonic() - started)))


def _scene(robot: RobotModel) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.5, 0.5, 0.5]
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0.0, 0.0, 1.0],
        material=_ground_material(spec),
        contype=0,
        conaffinity=0,
    )
    for prefix, colors, opacity in (("", ROBOT_COLORS, 1.0), (GHOST, GHOST_COLORS, GHOST_OPACITY)):
        bodies = add_bodies(spec, robot, prefix)
        for name, body in zip(robot.body_names, bodies, strict=True):
            for shape in visual_shapes(robot, name):
                rgba = [*np.array(colors[shape.tone]) / 255.0, opacity]
                add_shape(body, shape, rgba=rgba, contype=0, conaffinity=0)
    spec.body(robot.body_names[0]).add_light(
        pos=[0.5, -0.5, 3.0],
        dir=[-0.15, 0.15, -1.0],
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
        diffuse=[0.5, 0.5, 0.5],
    )
    return spec.compile()


def _ground_material(spec: mujoco.MjSpec) -> str:
    spec.add_texture(
        name="ground",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.80, 0.82, 0.85],
        rgb2=[0.74, 0.76, 0.80],
        width=256,
        height=256,
    )
    material = spec.add_material(name="ground", texrepeat=[1.0, 1.0], texuniform=True)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "ground"
    return "ground"


def _poses(robot: RobotModel, clip: MotionClip, first_frame: int) -> np.ndarray:
    """Root position, root quaternion (w, x, y, z) and joints, shape [num_frames, 7 + num_joints]."""
    root = clip.body_indices(robot.body_names[:1])[0]
    quat_wxyz = np.roll(clip.body_quat_w[:, root], 1, axis=-1)
    joints = clip.joint_pos[:, clip.joint_indices(robot.joint_names)]
    return np.concatenate((clip.body_pos_w[:, root], quat_wxyz, joints), axis=-1)[first_frame:]


def _addresses(model: mujoco.MjModel, robot: RobotModel, prefix: str) -> np.ndarray:
    """Indices in ``qpos`` of the columns of :func:`_poses`, shape [7 + num_joints]."""
    root = model.joint(f"{prefix}root").qposadr[0]
    joints = [model.joint(prefix + name).qposadr[0] for name in robot.joint_names]
    return np.array([*range(root, root + 7), *joints])
