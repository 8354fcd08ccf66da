"""MyoFullBody of musclemimic-models: which of its parts are which parts of a person."""

from __future__ import annotations

import mujoco

from .body import Balance, BodyTable, HumanBody, Reflex
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

REFLEXES = (
    Reflex("flex_extension", 300.0, 9.0),
    Reflex("lat_bending", 300.0, 9.0),
    Reflex("axial_rotation", 100.0, 3.0),
    Reflex("hip_flexion", 300.0, 12.0),
    Reflex("hip_adduction", 400.0, 15.0),
    Reflex("hip_rotation", 60.0, 1.8),
    Reflex("knee_angle", 300.0, 6.0),
    Reflex("ankle_angle", 200.0, 5.0),
    Reflex("subtalar", 60.0, 0.9),
    Reflex("mtp", 30.0, 0.5),
    Reflex("shoulder", 20.0, 0.6),
    Reflex("elv_angle", 5.0, 0.15),
    Reflex("elbow", 10.0, 0.3),
    Reflex("pro_sup", 2.0, 0.03),
    Reflex("deviation", 2.0, 0.03),
    Reflex("flexion", 2.0, 0.03),
    Reflex("", 0.1, 0.001),
)
"""Found by trial on the standing body: stiffer or more damped joints start to swing, because muscles lag."""
BALANCE = Balance("ankle_angle", -1.0, 2400.0, 500.0)
"""More than the weight, which pushes a leaning body further by 830 N m per metre."""


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
        lean_joints={f"ankle_angle_{letter}": 1.0 for _, letter in SIDES},
        reflexes=REFLEXES,
        balance=BALANCE,
        calm=("elv_angle", "shoulder_rot"),
        rest_quat=(HALF, 0.0, 0.0, HALF),
    )


TRACKED = ("tibia", "calcn", "humerus", "ulna", "lunate")
"""Bodies, without their side, that the tracking task compares beside pelvis, torso and head."""
