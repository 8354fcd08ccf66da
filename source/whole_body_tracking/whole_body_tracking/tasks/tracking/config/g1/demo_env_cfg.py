"""Task that ``make demo`` trains on a CPU: the residual task, cheap and easy enough for ten minutes on two cores."""

from __future__ import annotations

from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from whole_body_tracking.robots import G1
from whole_body_tracking.robots.g1_cfg import G1_CFG, G1_FOUR_POINT_FEET_CFG

from ...actuator_presets import with_actuator_presets
from ...robot_settings import ROBOT_PRIM_PATH
from ...tracking_env_cfg import START_POSE_RANGE, VELOCITY_RANGE, OptionalEventsCfg, end_drift
from .tracking_g1_env_cfg import G1TrackingResidualEnvCfg, link_lengths_preset

START_NOISE = 0.2
"""Share of the task's start noise. With all of it every episode begins with a recovery step."""


def _scaled(ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {axis: (START_NOISE * low, START_NOISE * high) for axis, (low, high) in ranges.items()}


@configclass
class G1TrackingDemoEnvCfg(G1TrackingResidualEnvCfg):
    """``Tracking-Flat-G1-Demo-v0``: four contact points per foot, physics at 100 Hz, no randomisation, no pushes.

    Episodes also end where the robot has left the clip's place, so that a walk does not drift.
    ``presets=rand_imu`` or ``rand_encoder`` switch all of its observation noise on, ``rand_push`` and ``rand_friction``
    the task's pushes and contact materials, without which a policy may depend on the engine that it was trained on.
    ``presets=seven_capsule_feet`` takes the feet of the other tasks, which want ``env.sim.dt=0.005 env.decimation=4``.

    The policy plays on the full model: same observations and actions as ``Tracking-Flat-G1-Residual-v0``.
    """

    def __post_init__(self):
        super().__post_init__()
        self.scene.robot = preset(
            default=with_actuator_presets(G1_FOUR_POINT_FEET_CFG, G1).replace(prim_path=ROBOT_PRIM_PATH),
            seven_capsule_feet=with_actuator_presets(G1_CFG, G1).replace(prim_path=ROBOT_PRIM_PATH),
        )
        self.scene.num_envs = 256
        self.sim.dt = 0.01
        self.decimation = 2
        self.sim.render_interval = self.decimation
        pushes, friction = self.events.push_robot, self.events.physics_material
        self.events = OptionalEventsCfg()
        self.events.push_robot = preset(default=None, rand_push=pushes)
        self.events.physics_material = preset(default=None, rand_friction=friction)
        self.events.link_lengths = link_lengths_preset()
        self.observations.policy.enable_corruption = preset(default=False, rand_imu=True, rand_encoder=True)
        self.commands.motion.pose_range = _scaled(START_POSE_RANGE)
        self.commands.motion.velocity_range = _scaled(VELOCITY_RANGE)
        self.commands.motion.joint_position_range = (-0.1 * START_NOISE, 0.1 * START_NOISE)
        self.commands.motion.start_sampling = "uniform"
        self.terminations.anchor_drift = end_drift()
