"""MyoFullBody of musclemimic-models: which of its parts are which parts of a person."""

from __future__ import annotations

import mujoco

from .body import BodyTable, HumanBody
from .extra import human_model_path

SIDES = (("left", "l"), ("right", "r"))
HALF = 0.7071067811865476

BODIES = {
    "hip": "femur",
    "knee": "tibia",
    "ankle": "talus",
    "shoulder": "humerus",
    "elbow": "ulna",
    "wrist": "lunate",
    "hand": "3proxph",
}
"""Bodies, without their side, whose origins are landmarks."""
HEEL, BALL, TOE, SOLE_HALF_WIDTH = 0.0, 0.17, 0.04, 0.03
"""How far points of a sole are before the origin of the heel bone, toes' tips before that of the toes, and half the
sole's width [m]."""

GROUPS = (
    ("spine", ("flex_extension", "lat_bending", "axial_rotation")),
    ("shoulders", ("elv_angle", "shoulder_elv", "shoulder_rot")),
    ("elbows", ("elbow_flex", "pro_sup")),
    ("wrists", ("deviation", "flexion")),
    ("hands", ("cmc_", "mp_", "ip_", "mcp", "pm", "md")),
    ("hips", ("hip_",)),
    ("knees", ("knee_",)),
    ("ankles", ("ankle_", "subtalar_")),
    ("toes", ("mtp_",)),
)


def load_human() -> HumanBody:
    """The body, facing along x in its rest pose.

    Raises:
        OSError: If musclemimic-models is not installed; the message names the extra.
        ValueError: If another version than 1.0.6 is, and lacks a part.
    """
    return HumanBody(mujoco.MjSpec.from_file(str(human_model_path())), myofullbody_table())


def myofullbody_table() -> BodyTable:
    """Its parts."""
    points = {"pelvis": ("Full Body", (0.0, 0.0, 0.0)), "chest": ("torso", (0.0, 0.0, 0.0))}
    points["head"] = ("head", (0.0, 0.0, 0.0))
    soles = {}
    for side, letter in SIDES:
        points |= {f"{side}_{part}": (f"{body}_{letter}", (0.0, 0.0, 0.0)) for part, body in BODIES.items()}
        rows = ((f"calcn_{letter}", HEEL), (f"calcn_{letter}", BALL), (f"toes_{letter}", TOE))
        soles[side] = tuple(
            (name, (forward, width)) for name, forward in rows for width in (-SOLE_HALF_WIDTH, SOLE_HALF_WIDTH)
        )
    return BodyTable(
        points=points,
        frames={"pelvis": "pelvis", "chest": "torso", "left_foot": "calcn_l", "right_foot": "calcn_r"},
        soles=soles,
        groups=GROUPS,
        tracked=("pelvis", "torso", "head", *(f"{body}_{letter}" for _, letter in SIDES for body in TRACKED)),
        anchor="torso",
        arm_joints={f"shoulder_elv_{letter}": 1.0 for _, letter in SIDES},
        rest={
            f"{joint}_{letter}": value
            for _, letter in SIDES
            for joint, value in (("shoulder_elv", 0.15), ("elbow_flex", 0.15), ("knee_angle", 0.02))
        },
        calm=("elv_angle", "shoulder_rot"),
        rest_quat=(HALF, 0.0, 0.0, HALF),
    )


TRACKED = ("tibia", "calcn", "humerus", "ulna", "lunate")
"""Bodies, without their side, that the tracking task compares beside pelvis, torso and head."""
