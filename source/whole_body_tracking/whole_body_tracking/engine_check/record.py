"""Record of what an engine did with the robot, the clip and the task; the packaged one is OvPhysX's."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

RECORD_FILE = Path(__file__).parents[1] / "robots" / "data" / "g1_on_ovphysx.json"
"""The packaged record, made by ``scripts/check_isaacsim.py physics=ovphysx --record``."""


@dataclass(frozen=True)
class EngineRecord:
    """Numbers of one engine. States are those of the first env, in its own frame, one step after the start."""

    engine: str
    """Name of the engine's config."""
    task: str
    clip_digest: str
    versions: dict[str, str | None]
    joint_names: list[str]
    body_names: list[str]
    mass: float
    """Sum over bodies [kg]."""
    observation_widths: dict[str, int]
    """Columns of each observation group."""
    replay_pos_difference: float
    """Largest distance between a body and the clip's, over all frames replayed [m]."""
    replay_ori_difference: float
    """Largest angle between a body and the clip's [rad]."""
    root_pose: list[float]
    """Position of the root link [m] and quaternion (x, y, z, w)."""
    joint_pos: list[float]
    """Joint positions [rad], in the order of ``joint_names``."""
    observation: list[float]
    """The policy's observations."""
    observation_terms: dict[str, int]
    """Columns of each of their terms, in order."""
    spread: float
    """Largest difference of joint positions between envs [rad]: all do the same."""
    foot_force: float
    """Mean vertical contact force on the feet while the robot stands, over its weight."""
    first_failure: float
    """Time after which the first env failed [s]; the joints hold the default pose. The time stepped if none did."""
    is_finite: bool
    """Whether every observation and reward was a finite number."""
    environment_steps_per_s: float

    def save(self, path: Path) -> None:
        """Write the record as JSON, floats rounded to 7 digits."""
        content = json.loads(json.dumps(asdict(self)), parse_float=lambda text: float(f"{float(text):.7g}"))
        path.write_text(json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path = RECORD_FILE) -> EngineRecord:
        """Read a record."""
        return cls(**json.loads(path.read_text()))
