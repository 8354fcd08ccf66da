"""Virtual muscles as an Isaac Lab actuator: joint target -> stable PD -> torque -> activations -> muscle torque."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from isaaclab.utils.types import ArticulationActions
from torch import Tensor

from whole_body_tracking.robots import get_robot

from .muscle_curves import next_activation
from .muscle_drive import MuscleDrive, digest_of
from .muscle_nn import load_muscle_nn
from .muscle_pairs import MusclePairs, reciprocal_activation, require_activations
from .stable_pd_actuator import StablePDActuator

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

    from .learning.visited import VisitedStates
    from .muscle_cfg import MuscleActuatorCfg


class MuscleActuator(StablePDActuator):
    """An antagonistic pair of muscles on every joint; see :mod:`.muscle_pairs`."""

    cfg: MuscleActuatorCfg
    drives_in_engine: ClassVar[bool] = False

    def __init__(
        self,
        cfg: MuscleActuatorCfg,
        joint_names: list[str],
        joint_ids: slice | Tensor,
        num_envs: int,
        device: str,
        **more,
    ):
        """Make the muscles; arguments are those of Isaac Lab's base class.

        Raises:
            FileNotFoundError: If the network's file does not exist.
            ValueError: If the joints are not the robot's, or the network is another robot's.
        """
        super().__init__(cfg, joint_names, joint_ids, num_envs, device, **more)
        robot = get_robot(cfg.robot_name)
        self.pairs = MusclePairs.of_robot(robot, device)
        if tuple(joint_names) != self.pairs.joint_names:
            raise ValueError(
                f"The muscles are made for the joints of {robot.name}, {list(self.pairs.joint_names)}, and the robot"
                f" has {joint_names}. Set `robot_name`."
            )
        self.network = None if cfg.muscle_nn is None else load_muscle_nn(Path(cfg.muscle_nn), robot)[0].to(device)
        self.activation = torch.zeros(num_envs, len(joint_names), 2, device=device)
        """Of every muscle, in [0, 1]."""
        self.excitation: Tensor | None = None
        """What activations follow instead of the targets, shape [num_envs, num_joints, 2]; see :meth:`excite`."""
        self.visited: VisitedStates | None = None
        """Where the states go in which activations are asked for; None forgets them."""
        self._step = 0.0

    def bind(self, articulation: Articulation, timestep: float) -> None:
        """Take mass matrix and bias from the engine; see :meth:`.StablePDActuator.bind`."""
        super().bind(articulation, timestep)
        self._step = timestep

    def reset(self, env_ids: Sequence[int] | None) -> None:
        """Let the muscles of some envs rest."""
        super().reset(env_ids)
        self.activation[slice(None) if env_ids is None else env_ids] = 0.0

    def excite(self, excitation: Tensor | None) -> None:
        """Excite the muscles directly from now on, or with None follow the joint targets again.

        Args:
            excitation: In [0, 1], shape [num_envs, num_joints, 2].

        Raises:
            ValueError: If one is outside [0, 1] or not a number.
        """
        if excitation is not None:
            require_activations(excitation)
        self.excitation = excitation

    @torch.no_grad()
    def compute(self, control_action: ArticulationActions, joint_pos: Tensor, joint_vel: Tensor) -> ArticulationActions:
        """Torques of the muscles for the coming physics step, within the effort limits."""
        gains = self.pairs.torque_per_activation(joint_pos, joint_vel)
        passive = self.pairs.passive_torque(joint_pos)
        wanted = self.excitation
        if wanted is None:
            desired = self._clip_effort(self.desired_torque(control_action, joint_pos, joint_vel)) - passive
            if self.visited is not None:
                self.visited.add(gains, desired)
            wanted = (reciprocal_activation if self.network is None else self.network)(gains, desired)
        self.activation = next_activation(wanted, self.activation, self._step) if self._is_slow else wanted
        self.computed_effort = (gains * self.activation).sum(-1) + passive
        self.applied_effort = self._clip_effort(self.computed_effort)
        control_action.joint_efforts = self.applied_effort
        control_action.joint_positions = control_action.joint_velocities = None
        return control_action

    @property
    def kind(self) -> str:
        """What exported policies call it."""
        return "muscles"

    @property
    def drive(self) -> MuscleDrive:
        """What exported policies say of the muscles."""
        weights = {} if self.network is None else self.network.state_dict()
        digest = digest_of({name: value.cpu().numpy() for name, value in weights.items()}) if weights else ""
        return MuscleDrive(self._is_slow, self.counts_contacts, digest)

    @property
    def _is_slow(self) -> bool:
        return self.cfg.activation_dynamics
