"""A task without a reference, ``Stand-G1-v0``, and a program that trains or plays it: ``stand_task.py train|play ...``.

It stands for tasks to come (gaits, velocity commands) that share the scripts but have no clip.
"""

from __future__ import annotations

import sys

import gymnasium as gym
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass

from whole_body_tracking.robots.g1_cfg import G1_CFG
from whole_body_tracking.tasks.tracking import mdp
from whole_body_tracking.tasks.tracking.config.g1.agents.rsl_rl_ppo_cfg import G1TrackingPPORunnerCfg
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1_ACTION_SCALE, ROBOT_PRIM_PATH
from whole_body_tracking.tasks.tracking.physics_cfg import TrackingPhysicsCfg
from whole_body_tracking.tasks.tracking.tracking_env_cfg import ActionsCfg, TrackingSceneCfg

TASK = "Stand-G1-v0"


@configclass
class StandObservationsCfg:
    @configclass
    class Group(ObsGroup):
        base_ang_vel = ObsTerm(func=mdp.base_ang_vel)
        projected_gravity = ObsTerm(func=mdp.projected_gravity)
        joint_pos = ObsTerm(func=mdp.joint_pos_rel)
        joint_vel = ObsTerm(func=mdp.joint_vel_rel)
        actions = ObsTerm(func=mdp.last_action)

    policy: Group = Group()
    critic: Group = Group()


@configclass
class StandEventsCfg:
    from isaaclab.managers import EventTermCfg

    reset = EventTermCfg(func=mdp.reset_scene_to_default, mode="reset")


@configclass
class StandRewardsCfg:
    alive = RewTerm(func=mdp.is_alive, weight=1.0)
    posture = RewTerm(func=mdp.joint_deviation_l1, weight=-0.1, params={"asset_cfg": SceneEntityCfg("robot")})


@configclass
class StandTerminationsCfg:
    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    fallen = DoneTerm(func=mdp.root_height_below_minimum, params={"minimum_height": 0.5})


@configclass
class StandEnvCfg(ManagerBasedRLEnvCfg):
    robot_name: str = "g1"
    scene: TrackingSceneCfg = TrackingSceneCfg(num_envs=4, env_spacing=2.5)
    sim: SimulationCfg = SimulationCfg(dt=0.005, physics=TrackingPhysicsCfg())
    actions: ActionsCfg = ActionsCfg()
    observations: StandObservationsCfg = StandObservationsCfg()
    events: StandEventsCfg = StandEventsCfg()
    rewards: StandRewardsCfg = StandRewardsCfg()
    terminations: StandTerminationsCfg = StandTerminationsCfg()
    decimation: int = 4
    episode_length_s: float = 2.0

    def __post_init__(self):
        self.scene.robot = G1_CFG.replace(prim_path=ROBOT_PRIM_PATH)
        self.actions.joint_pos.scale = dict(G1_ACTION_SCALE)


@configclass
class StandAgentCfg(G1TrackingPPORunnerCfg):
    experiment_name: str = "stand"

    def __post_init__(self):
        self.num_steps_per_env, self.max_iterations = 4, 2
        self.actor.hidden_dims = self.critic.hidden_dims = [8]


gym.register(
    id=TASK,
    entry_point="isaaclab.envs:ManagerBasedRLEnv",
    disable_env_checker=True,
    kwargs={"env_cfg_entry_point": StandEnvCfg, "rsl_rl_cfg_entry_point": StandAgentCfg, "default_agent": "rsl_rl"},
)


def main() -> None:
    from whole_body_tracking.rl.playing import play
    from whole_body_tracking.rl.training import train

    what, *arguments = sys.argv[1:]
    sys.argv = sys.argv[:1]
    print({"train": train, "play": play}[what](["--task", TASK, "--device", "cpu", "--num_envs", "4", *arguments]))


if __name__ == "__main__":
    main()
