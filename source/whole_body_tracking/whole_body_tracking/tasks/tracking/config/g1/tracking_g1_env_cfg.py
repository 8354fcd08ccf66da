"""Unitree G1: what differs from the robot-free task."""

from __future__ import annotations

from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, DEFAULT_MOTION_FILE_25HZ
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.g1_cfg import G1_ACTION_SCALE, G1_CFG, G1_FOUR_POINT_FEET_CFG

from ... import mdp
from ...actuator_presets import with_actuator_presets
from ...robot_settings import ROBOT_PRIM_PATH, set_robot
from ...tracking_env_cfg import MOTION, TrackingEnvCfg, action_delay

END_EFFECTORS = list(G1.end_effector_names)
"""Bodies that may touch the ground, and whose heights end an episode."""

END_EFFECTOR_WEIGHT = 3.0
"""Weight of the end effectors' errors with ``presets=reward_end_effectors``; other bodies have 1."""

ARM_JOINTS = r".*_(shoulder|elbow|wrist).*"
"""Joints whose swing ``presets=reward_style`` rewards."""

LIMB_LINKS = [r".*_hip_yaw_link", r".*_knee_link", r".*_shoulder_yaw_link", r".*_elbow_link"]
"""Links that are as long as thighs, shanks, upper arms and forearms; left and right have one factor."""


def link_lengths_preset():
    """Nothing, or with ``presets=rand_lengths`` limbs that are up to 2 % longer or shorter."""
    params = {"link_groups": list(LIMB_LINKS), "scale_range": (0.98, 1.02)}
    term = EventTerm(func=mdp.randomize_link_lengths, mode="startup", params=params)
    return preset(default=None, rand_lengths=term)


def residual_actions() -> mdp.ResidualJointPositionActionCfg:
    """Joint targets about the reference."""
    return mdp.ResidualJointPositionActionCfg(
        asset_name="robot",
        joint_names=[".*"],
        use_default_offset=True,
        scale=dict(G1_ACTION_SCALE),
        delay_range=action_delay(),
    )


@configclass
class G1TrackingEnvCfg(TrackingEnvCfg):
    """``Tracking-Flat-G1-v0``. ``presets=four_point_feet`` takes the robot with four contact points per foot.

    ``presets=reward_*`` and ``rand_*`` change rewards and randomisation: see docs/ablations.md.
    """

    robot_name: str = G1.name

    def __post_init__(self):
        super().__post_init__()
        articulation = preset(
            default=with_actuator_presets(G1_CFG, G1).replace(prim_path=ROBOT_PRIM_PATH),
            four_point_feet=with_actuator_presets(G1_FOUR_POINT_FEET_CFG, G1).replace(prim_path=ROBOT_PRIM_PATH),
        )
        set_robot(self, G1, articulation)
        self.commands.motion.motion_files = [str(DEFAULT_MOTION_FILE)]
        self.events.link_lengths = link_lengths_preset()
        self._add_reward_variants()

    def _add_reward_variants(self):
        for term in (self.rewards.motion_body_pos, self.rewards.motion_body_ori):
            weights = dict.fromkeys(END_EFFECTORS, END_EFFECTOR_WEIGHT)
            term.params["body_weights"] = preset(default=None, reward_end_effectors=weights)
        tilt = MOTION | {"body_name": G1.body_names[0], "std": 0.2}
        self.rewards.root_tilt = preset(
            default=None, reward_style=RewTerm(func=mdp.body_tilt_exp, weight=0.25, params=tilt)
        )
        arms = MOTION | {"asset_cfg": SceneEntityCfg("robot", joint_names=[ARM_JOINTS]), "std": 0.3}
        self.rewards.arm_joints = preset(
            default=None, reward_style=RewTerm(func=mdp.joint_pos_exp, weight=0.25, params=arms)
        )


@configclass
class G1TrackingWoStateEstimationEnvCfg(G1TrackingEnvCfg):
    """``Tracking-Flat-G1-Wo-State-Estimation-v0``: the policy sees no anchor position and no base linear velocity."""

    def __post_init__(self):
        super().__post_init__()
        self.observations.policy.motion_anchor_pos_b = None
        self.observations.policy.base_lin_vel = None


@configclass
class G1TrackingLowFreqEnvCfg(G1TrackingEnvCfg):
    """``Tracking-Flat-G1-Low-Freq-v0``: control at 25 Hz."""

    def __post_init__(self):
        super().__post_init__()
        self.decimation *= 2
        self.sim.render_interval = self.decimation
        self.rewards.action_rate_l2.weight *= 0.5
        self.commands.motion.motion_files = [str(DEFAULT_MOTION_FILE_25HZ)]


@configclass
class G1TrackingResidualEnvCfg(G1TrackingEnvCfg):
    """``Tracking-Flat-G1-Residual-v0``: actions are offsets from the reference's joint positions.

    Needs about a third of the samples; the reference must be there at deployment, and the exported policy carries it.
    """

    def __post_init__(self):
        super().__post_init__()
        self.actions.joint_pos = residual_actions()
