"""The observation terms from which the encoder's states are put together."""

from __future__ import annotations

import copy

from isaaclab.managers import ObservationTermCfg
from isaaclab.utils.noise import UniformNoiseCfg

from whole_body_tracking.tasks.tracking import mdp
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

TERM_NAMES = (
    "prior_root_height",
    "prior_root_up",
    "prior_joint_pos",
    "prior_root_lin_vel",
    "prior_root_ang_vel",
    "prior_joint_vel",
)
"""In the order of a state's parts, last in their group."""
HEIGHT_NOISE, UP_NOISE = 0.05, 0.05
"""Uniform noise on height [m] and up axis, as on what other terms tell of them."""
NOISE_OF = {
    "prior_joint_pos": "joint_pos",
    "prior_root_lin_vel": "base_lin_vel",
    "prior_root_ang_vel": "base_ang_vel",
    "prior_joint_vel": "joint_vel",
}
"""Terms of the policy whose noise is that of a part."""


def add_prior_observations(env_cfg: TrackingEnvCfg, history: int) -> None:
    """Append the states of a prior to the observations of policy and critic, with the policy's noise.

    Raises:
        ValueError: If the policy does not observe a velocity that the states hold.
    """
    policy = env_cfg.observations.policy
    missing = [name for name in NOISE_OF.values() if getattr(policy, name, None) is None]
    if missing:
        raise ValueError(
            f"A motion prior needs {missing}, which this task's policy cannot observe. Use Tracking-Flat-G1-v0 or"
            " another task with state estimation."
        )
    noise = {name: copy.deepcopy(getattr(policy, source).noise) for name, source in NOISE_OF.items()}
    noise["prior_root_height"] = UniformNoiseCfg(n_min=-HEIGHT_NOISE, n_max=HEIGHT_NOISE)
    noise["prior_root_up"] = UniformNoiseCfg(n_min=-UP_NOISE, n_max=UP_NOISE)
    functions = (mdp.root_height, mdp.root_up_b, mdp.joint_pos, mdp.base_lin_vel, mdp.base_ang_vel, mdp.joint_vel)
    for name, function in zip(TERM_NAMES, functions, strict=True):
        term = ObservationTermCfg(func=function, history_length=history, noise=noise[name])
        setattr(policy, name, term)
        setattr(env_cfg.observations.critic, name, term.replace(noise=None))
