"""Conditions under which a policy is tested: small changes of the evaluation's config, and disturbances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.utils.noise import ConstantNoiseCfg

from whole_body_tracking.names import require_known
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking import mdp
from whole_body_tracking.tasks.tracking.delays import set_action_delay
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of

from .disturbances import Push
from .rollout import Disturbance

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg


def _unchanged(env_cfg: TrackingEnvCfg) -> None:
    pass


@dataclass(frozen=True)
class Scenario:
    """One condition under which a policy is tested."""

    description: str
    """What differs from the standard evaluation, with numbers."""
    configure: Callable[[TrackingEnvCfg], None] = _unchanged
    """Changes an evaluation config in place."""
    disturb: Callable[[TrackingEnvCfg], Disturbance] | None = None
    """Makes the disturbance that acts during the rollouts."""
    speed: float = 1.0
    """How many times faster the clips are played."""


def _friction(static: float, dynamic: float) -> Callable[[TrackingEnvCfg], None]:
    def configure(env_cfg: TrackingEnvCfg) -> None:
        env_cfg.events.physics_material = EventTerm(
            func=mdp.randomize_rigid_body_material,
            mode="startup",
            params={
                "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
                "static_friction_range": (static, static),
                "dynamic_friction_range": (dynamic, dynamic),
                "restitution_range": (0.0, 0.0),
                "num_buckets": 1,
            },
        )

    return configure


def _anchor(env_cfg: TrackingEnvCfg) -> str:
    """Body that the reference is anchored to; of a task without one, the body of the robot that usually is."""
    motion = motion_cfg_of(env_cfg)
    return get_robot(env_cfg.robot_name).anchor_body_name if motion is None else motion.anchor_body_name


def _payload(env_cfg: TrackingEnvCfg) -> None:
    env_cfg.events.payload = EventTerm(
        func=mdp.randomize_rigid_body_mass,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=_anchor(env_cfg)),
            "mass_distribution_params": (5.0, 5.0),
            "operation": "add",
        },
    )


def _gain_error(env_cfg: TrackingEnvCfg) -> None:
    env_cfg.events.gains = EventTerm(
        func=mdp.randomize_actuator_gains,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", joint_names=".*"),
            "stiffness_distribution_params": (0.8, 1.2),
            "damping_distribution_params": (0.8, 1.2),
            "operation": "scale",
        },
    )


def _sensor_noise(env_cfg: TrackingEnvCfg) -> None:
    env_cfg.observations.policy.enable_corruption = True


def _sensor_bias(env_cfg: TrackingEnvCfg) -> None:
    policy = env_cfg.observations.policy
    policy.enable_corruption = True
    for name in policy.to_dict():
        term = getattr(policy, name)
        if hasattr(term, "noise"):
            term.noise = ConstantNoiseCfg(bias=0.1) if name == "base_ang_vel" else None
    env_cfg.events.joint_default_pos = EventTerm(
        func=mdp.randomize_joint_default_pos, mode="startup", params={"offset_range": (-0.03, 0.03)}
    )


def _initial_offset(env_cfg: TrackingEnvCfg) -> None:
    motion = env_cfg.commands.motion
    motion.pose_range = {
        **{axis: (-0.1, 0.1) for axis in ("x", "y", "roll", "pitch")},
        "yaw": (-0.3, 0.3),
    }
    motion.joint_position_range = (-0.1, 0.1)


def _strong_push(env_cfg: TrackingEnvCfg) -> Disturbance:
    return Push(_anchor(env_cfg), force=100.0, duration=0.2, period=3.0, seed=env_cfg.seed)


DELAY = "control_delay"
"""Scenario that takes a number: ``control_delay:0.5``."""

LONGEST_DELAY = 10.0
"""[control steps]"""


def _control_delay(steps: float) -> Scenario:
    def configure(env_cfg: TrackingEnvCfg) -> None:
        set_action_delay(env_cfg, (steps, steps))

    amount = "one control step" if steps == 1.0 else f"{steps:g} control steps"
    return Scenario(f"Actions arrive {amount} late, rounded to physics steps.", configure)


SCENARIOS = {
    "standard": Scenario("Nothing but the small noise on start states."),
    "high_friction": Scenario("Static friction 1.6, dynamic 1.2, no restitution.", _friction(1.6, 1.2)),
    "low_friction": Scenario("Static and dynamic friction 0.3, no restitution.", _friction(0.3, 0.3)),
    "strong_push": Scenario(
        "100 N on the torso for 0.2 s every 3 s from 1 s on, in random horizontal directions.", disturb=_strong_push
    ),
    "fast_motion": Scenario("Clips at 1.5 times their speed.", speed=1.5),
    "slow_motion": Scenario("Clips at half their speed.", speed=0.5),
    "payload": Scenario("5 kg more in the torso.", _payload),
    DELAY: _control_delay(1.0),
    "sensor_noise": Scenario("The noise on observations that training has.", _sensor_noise),
    "sensor_bias": Scenario("Joint encoders off by up to 0.03 rad, gyroscope by 0.1 rad/s on each axis.", _sensor_bias),
    "gain_error": Scenario("Stiffness and damping of each joint scaled by 0.8 to 1.2.", _gain_error),
    "initial_offset": Scenario(
        "Start off by up to 0.1 m in x and y, 0.1 rad in roll and pitch, 0.3 rad in yaw, 0.1 rad in joints.",
        _initial_offset,
    ),
}
"""Scenarios by the names that ``--scenarios`` takes; ``control_delay:STEPS`` is another one for every number."""


def find_scenario(name: str) -> Scenario:
    """Look a scenario up.

    Raises:
        ValueError: If there is none of that name; the message lists those that exist.
    """
    base, colon, number = name.partition(":")
    if not colon or base != DELAY:
        require_known(name, SCENARIOS, "scenario in --scenarios, which also takes 'all'")
        return SCENARIOS[name]
    try:
        steps = float(number)
    except ValueError:
        steps = -1.0
    if not 0.0 <= steps <= LONGEST_DELAY:
        raise ValueError(
            f"Scenario '{name}': '{number}' should be a number of control steps from 0 to {LONGEST_DELAY:g}, as in"
            f" {DELAY}:0.5."
        )
    return _control_delay(steps)


def scenarios_of(text: str) -> list[str]:
    """Names in a comma-separated list, or all of them for ``all``.

    Raises:
        ValueError: If a name is unknown or there is none; the message lists those that exist.
    """
    names = list(SCENARIOS) if text == "all" else [name for name in text.split(",") if name]
    for name in names or [text]:
        find_scenario(name)
    return list(dict.fromkeys(names))
