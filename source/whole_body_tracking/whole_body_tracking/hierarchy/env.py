"""``Course-G1-v0``: a selector chooses among frozen skills, on threads of native MuJoCo; rsl_rl's interface."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_rotate
from whole_body_tracking.names import require_known
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT
from whole_body_tracking.sim2sim.reference import robot_of
from whole_body_tracking.tracking.criteria import HEIGHT_THRESHOLD, TILT_THRESHOLD
from whole_body_tracking.tracking.errors import projected_gravity_z, yaw_twist

from .course import CourseSettings, Progress, draw_goals, placed, way_to
from .robot_batch import BatchSimulation, RobotBatch
from .skill_set import SkillSet, Steering
from .skills import STAND, WALK, ClipSkill, WalkSkill
from .switching import Switcher, Wish

TASK = "Course-G1-v0"
START_NOISE = 0.02
"""Largest noise on the joints of the first pose [rad]."""
FAR = 4.0
"""Distances are shown up to this [m]."""


@dataclass(frozen=True)
class CourseEnvSettings:
    """Settings of the environment.

    Raises:
        ValueError: If the number of robots or the time of a decision is not positive.
    """

    num_envs: int = 128
    course: CourseSettings = CourseSettings()
    decision_steps: int = 20
    """Control steps that a decision holds."""
    goal_reward: float = 1.0
    """For a point reached."""
    clip_reward: float = 2.0
    """For the whole clip, spread over it, and as much again at its end."""
    fall_penalty: float = 3.0
    time_penalty: float = 0.01
    """Per decision."""
    physics_dt: float = PHYSICS_DT
    """Physics step [s]; training takes twice sim2sim's."""
    num_threads: int | None = None
    """None takes one for each available core."""
    seed: int = 0

    def __post_init__(self):
        for name in ("num_envs", "decision_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least 1.")


class CourseEnv(VecEnv):
    """Robots that stand at the beginning of a course each.

    A step is one decision: which skill, and how to walk. It holds ``decision_steps`` control steps, in the order of the
    other tasks: physics, terminations, rewards, then resets and observations at the end of the decision.

    Reward: metres that a robot came nearer to its point, ``goal_reward`` for each that it reached, ``clip_reward``
    times the share of the clip performed and again at its end, minus ``time_penalty``, and ``fall_penalty`` for a fall.
    A fall is what the tracking task calls a failure, against the frame that the driving skill was to reach: the
    anchor's height off by 0.25 m or its projected gravity by 0.8. An episode ends with the clip, a fall or the time.
    """

    def __init__(self, skills: SkillSet, settings: CourseEnvSettings | None = None):
        """Build models and skills and start the threads.

        Args:
            skills: Policies and clips.
            settings: Number of robots, courses and rewards.
        """
        self.cfg = settings or CourseEnvSettings()
        num_envs = self.cfg.num_envs
        self.skills = skills.build(num_envs)
        self.names = [skill.name for skill in self.skills]
        self.walk_index = self.names.index(WALK)
        self.clip_indices = [i for i, name in enumerate(self.names) if name not in (WALK, STAND)]
        self.spec = self.skills[0].spec
        self.steering = Steering(self.skills[self.walk_index].spec)
        self.robot_model = robot_of(self.spec)
        self.simulation = BatchSimulation(
            self.robot_model, self.spec, num_envs, self.cfg.num_threads, self.cfg.physics_dt
        )
        self.switcher = Switcher(self.skills, self.names.index(STAND))
        self.course = Progress(self.cfg.course, num_envs)
        self.num_envs, self.num_actions, self.device = num_envs, len(self.skills) + 2, "cpu"
        self.step_dt = self.cfg.decision_steps * self.spec.control_dt
        self.max_episode_length = round(self.cfg.course.seconds / self.step_dt)
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.long)
        self._ends = torch.zeros(4)
        self._generator = torch.Generator().manual_seed(self.cfg.seed)
        self._stand: ClipSkill = self.skills[self.names.index(STAND)]
        self._walk: WalkSkill = self.skills[self.walk_index]
        self.reset_all()

    def reset_all(self) -> None:
        """Put every robot at the beginning of a new course."""
        self.restart(torch.ones(self.num_envs, dtype=torch.bool))

    def get_observations(self) -> TensorDict:
        """What policy and critic see; see :meth:`_observation`."""
        return TensorDict({"policy": self._observation()}, batch_size=[self.num_envs])

    def actions_of(self, skill: Tensor, speed: Tensor, turn_rate: Tensor) -> Tensor:
        """Actions that choose a skill [num_envs], a speed [m/s] and a turn rate [rad/s]."""
        scores = torch.nn.functional.one_hot(skill, len(self.skills)).float()
        return torch.cat((scores, self.steering.scaled(torch.stack((speed, turn_rate), dim=-1))), dim=-1)

    def wish_of(self, actions: Tensor) -> Wish:
        """What actions ask for: the skill of the largest score, and speed and turn rate, -1 to 1 over their ranges.

        Args:
            actions: Shape [num_envs, num_skills + 2].
        """
        actions = actions.nan_to_num(0.0)
        return Wish(actions[:, : len(self.skills)].argmax(-1), self.steering.gait(actions[:, len(self.skills) :]))

    def step(self, actions: Tensor) -> tuple[TensorDict, Tensor, Tensor, dict]:
        """Hold a decision for ``decision_steps`` control steps.

        Args:
            actions: A score of every skill, a speed and a turn rate, shape [num_envs, num_actions].
        """
        wish = self.wish_of(actions)
        reward = torch.full((self.num_envs,), -self.cfg.time_penalty)
        fell = torch.zeros(self.num_envs, dtype=torch.bool)
        finished = torch.zeros_like(fell)
        for _ in range(self.cfg.decision_steps):
            gained, falls, finishes = self.control_step(wish)
            goes_on = ~(fell | finished)
            reward = reward + torch.where(goes_on, gained, 0.0)
            fell, finished = fell | (goes_on & falls), finished | (goes_on & finishes)
        self.episode_length_buf = self.episode_length_buf + 1
        late = (self.episode_length_buf >= self.max_episode_length) & ~fell & ~finished
        done = fell | finished | late
        extras = {"time_outs": late, "fell": fell, "finished": finished, "reached": self.course.reached}
        extras["log"] = self._log(done, finished, fell)
        self.restart(done)
        return self.get_observations(), reward, done, extras

    def control_step(self, wish: Wish) -> tuple[Tensor, Tensor, Tensor]:
        """One control period: what it earned, which robots fell, and which have finished, shape [num_envs] each."""
        before, was_walking = way_to(self.robot, self.course.goal())[0], self.course.walks
        shown = self._shown()
        targets = self.switcher.act(self.robot, wish)
        height, quat = self.switcher.acted_on.anchor_pos[:, 2], self.switcher.acted_on.anchor_quat
        self.simulation.step(targets)
        self.robot = self.simulation.batch
        nearer = before - way_to(self.robot, self.course.goal())[0]
        arrived = self.course.advance(self.robot, self.switcher.active)
        performed = self._shown()
        finishes = performed >= 1.0
        falls = self._falls(height, quat)
        earned = torch.where(was_walking, nearer, 0.0) + self.cfg.goal_reward * arrived
        earned = earned + self.cfg.clip_reward * ((performed - shown).clamp(min=0.0) + finishes)
        return torch.where(falls, -self.cfg.fall_penalty, earned.nan_to_num(0.0)), falls, finishes & ~falls

    def restart(self, done: Tensor) -> None:
        """Let some robots stand at the origin before a new course, shape [num_envs]."""
        num, first = self.num_envs, self._stand.first_root
        noise = START_NOISE * (2.0 * torch.rand((num, len(self.spec.joint_names)), generator=self._generator) - 1.0)
        zeros = torch.zeros(num, 3)
        joints = self._stand.table.joint_pos[0] + noise
        pos, quat = (value.expand(num, -1) for value in first)
        start = RobotBatch(pos, quat, zeros, zeros, joints, torch.zeros_like(joints), zeros, zeros)
        self.simulation.place(done, start)
        self.robot = self.simulation.batch
        self.switcher.reset(done, self.robot)
        goals = draw_goals(self.cfg.course, num, self._generator)
        drawn = torch.randint(len(self.clip_indices), (num,), generator=self._generator)
        self.course.reset(done, placed(goals, self.robot), torch.tensor(self.clip_indices)[drawn])
        self.episode_length_buf = torch.where(done, 0, self.episode_length_buf)

    def close(self) -> None:
        """Stop the threads."""
        self.simulation.close()

    @property
    def settings_json(self) -> dict:
        """Settings as JSON holds them."""
        return asdict(self.cfg)

    def _shown(self) -> Tensor:
        """Share of the clip that was performed after the last point, shape [num_envs]."""
        counts = self.course.is_ready & (self.switcher.active == self.course.clip)
        return torch.where(counts, self.switcher.of_active("progress"), 0.0)

    def _falls(self, height: Tensor, quat: Tensor) -> Tensor:
        robot = self.robot
        is_finite = (robot.joint_vel.sum(-1) + robot.root_pos.sum(-1)).isfinite()
        tilt = (projected_gravity_z(quat) - projected_gravity_z(robot.anchor_quat)).abs()
        off = (height - robot.anchor_pos[:, 2]).abs()
        return ~is_finite | ~(off < HEIGHT_THRESHOLD) | ~(tilt < TILT_THRESHOLD)

    def _log(self, done: Tensor, finished: Tensor, fell: Tensor) -> dict[str, Tensor]:
        """Shares of the last some hundred episodes, weighing each end by its age."""
        new = torch.stack([each.float().sum() for each in (done, finished, fell, self.course.reached * done)])
        keep = 0.99 ** new[0].clamp(max=100.0)
        self._ends = keep * self._ends + new
        count = self._ends[0].clamp(min=1e-6)
        names = ("/finished", "/fell", "/goals_reached")
        return {name: value / count for name, value in zip(names, self._ends[1:], strict=True)}

    def _observation(self) -> Tensor:
        """Course, driving skill and motion, in the robot's heading frame."""
        robot, course, walk = self.robot, self.course, self._walk
        distance, bearing = way_to(robot, course.goal())
        then, turned = way_to(robot, course.goal(1))
        inverse = quat_conjugate(yaw_twist(robot.root_quat))
        velocity, spin = quat_rotate(inverse, robot.root_lin_vel), robot.root_ang_vel[:, 2:]
        clip = course.clip[:, None] == torch.tensor(self.clip_indices)
        active = torch.nn.functional.one_hot(self.switcher.active, len(self.skills))
        angle = 2.0 * torch.pi * walk.phase
        columns = (
            distance.clamp(max=FAR), bearing.cos(), bearing.sin(), then.clamp(max=FAR), turned.cos(), turned.sin(),
            course.walks, course.is_ready, course.reached / self.cfg.course.num_goals,
            self.switcher.blends, walk.slows_down, self.switcher.of_active("progress"), angle.sin(), angle.cos(),
            self.episode_length_buf / self.max_episode_length,
        )  # fmt: skip
        parts = (torch.stack([column.float() for column in columns], dim=-1), clip.float(), active.float())
        steered = self.steering.of_params(walk.params)
        return torch.cat((*parts, steered, velocity[:, :2], spin), dim=-1).nan_to_num(0.0).clamp(-20.0, 20.0)


def require_clip(names: list[str], clip: str) -> None:
    """Check that a skill performs a clip.

    Raises:
        ValueError: If there is no such skill, or it performs none.
    """
    require_known(clip, [name for name in names if name not in (WALK, STAND)], "clip to perform")
