"""A person with twelve muscles and the landmarks of the human body: knees that slide as they bend, a waist without
muscles."""

import mujoco

from whole_body_tracking.human.model.body import BodyTable, HumanBody

SIDES = (("left", 1.0), ("right", -1.0))

TABLE = BodyTable(
    points={
        "pelvis": ("pelvis", (0.0, 0.0, 0.0)),
        "chest": ("torso", (0.0, 0.0, 0.0)),
        "head": ("torso", (0.0, 0.0, 0.6)),
        **{f"{side}_{part}": (f"{side}_{body}", (0.0, 0.0, 0.0)) for side, _ in SIDES
           for part, body in (("hip", "thigh"), ("knee", "shank"), ("ankle", "foot"), ("shoulder", "arm"),
                              ("elbow", "forearm"))},
        **{f"{side}_wrist": (f"{side}_forearm", (0.0, 0.0, -0.25)) for side, _ in SIDES},
    },
    frames={"pelvis": "pelvis", "chest": "torso", "left_foot": "left_foot", "right_foot": "right_foot"},
    soles={side: tuple((f"{side}_foot", (x, y)) for x in (-0.05, 0.15) for y in (-0.04, 0.04)) for side, _ in SIDES},
    groups=(("waist", ("waist",)), ("legs", tuple(f"{s}_{j}" for s, _ in SIDES for j in ("hip", "knee", "ankle"))),
            ("arms", tuple(f"{s}_{j}" for s, _ in SIDES for j in ("shoulder", "elbow")))),
    tracked=("pelvis", "torso", "left_foot", "right_foot", "left_forearm", "right_forearm"),
    anchor="torso",
    arm_joints={"left_shoulder": -1.0, "right_shoulder": -1.0},
    rest={"left_elbow": -0.2, "right_elbow": -0.2},
)  # fmt: skip

DRIVEN = ("hip", "knee", "ankle")


def pair(name: str) -> tuple[str, str]:
    """A tendon in front of a joint and one behind it, and a muscle on each."""
    tendons = "".join(
        f'<spatial name="{name}_{where}">'
        f'<site site="{name}_{where}_upper"/><site site="{name}_{where}_lower"/></spatial>'
        for where in ("front", "back")
    )
    muscles = "".join(
        f'<muscle name="{name}_{where}" tendon="{name}_{where}" lengthrange="0.1 0.4" force="4000"/>'
        for where in ("front", "back")
    )
    return tendons, muscles


def upper(name: str, z: float) -> str:
    return "".join(f'<site name="{name}_{w}_upper" pos="{x} 0 {z}"/>' for w, x in (("front", 0.05), ("back", -0.05)))


def lower(name: str) -> str:
    return "".join(f'<site name="{name}_{w}_lower" pos="{x} 0 -0.1"/>' for w, x in (("front", 0.05), ("back", -0.05)))


def leg(side: str, sign: float) -> str:
    return f"""
    <body name="{side}_thigh" pos="0 {0.1 * sign} -0.05">
      <joint name="{side}_hip" axis="0 1 0" range="-2 1"/>{lower(side + "_hip")}{upper(side + "_knee", -0.3)}
      <geom type="capsule" size="0.06" fromto="0 0 0 0 0 -0.4" mass="8"/>
      <body name="{side}_shank" pos="0 0 -0.4">
        <joint name="{side}_knee" axis="0 1 0" range="0 2.2"/>
        <joint name="{side}_slide" type="slide" axis="1 0 0" range="-0.1 0.1"/>
        {lower(side + "_knee")}{upper(side + "_ankle", -0.3)}
        <geom type="capsule" size="0.05" fromto="0 0 0 0 0 -0.4" mass="4"/>
        <body name="{side}_foot" pos="0 0 -0.4">
          <joint name="{side}_ankle" axis="0 1 0" range="-0.8 0.8"/>{lower(side + "_ankle")}
          <geom type="box" size="0.1 0.04 0.02" pos="0.05 0 -0.06" mass="1" contype="1"/>
        </body>
      </body>
    </body>"""


def arm(side: str, sign: float) -> str:
    return f"""
    <body name="{side}_arm" pos="0 {0.2 * sign} 0.4">
      <joint name="{side}_shoulder" axis="0 1 0" range="-3 1" damping="1"/>
      <geom type="capsule" size="0.04" fromto="0 0 0 0 0 -0.3" mass="2"/>
      <body name="{side}_forearm" pos="0 0 -0.3">
        <joint name="{side}_elbow" axis="0 1 0" range="-2.5 0" damping="1"/>
        <geom type="capsule" size="0.03" fromto="0 0 0 0 0 -0.25" mass="1"/>
      </body>
    </body>"""


def coupling(side: str) -> str:
    return (
        f'<joint joint1="{side}_slide" joint2="{side}_knee" polycoef="0 0.01 0.002 0 0" solref="0.004 1"'
        ' solimp="0.99 0.999 1e-4"/>'
    )


def small_spec() -> mujoco.MjSpec:
    """The model: 22 degrees of freedom, of which two follow the knees."""
    pairs = [pair(f"{side}_{joint}") for side, _ in SIDES for joint in DRIVEN]
    return mujoco.MjSpec.from_string(f"""<mujoco>
  <compiler angle="radian" autolimits="true"/>
  <option timestep="0.002"/>
  <default><geom contype="0" conaffinity="0"/></default>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 1" conaffinity="1"/>
    <body name="pelvis" pos="0 0 1">
      <freejoint name="root"/>
      <geom type="sphere" size="0.1" mass="12"/>
      {"".join(upper(side + "_hip", 0.05) for side, _ in SIDES)}
      {"".join(leg(side, sign) for side, sign in SIDES)}
      <body name="torso" pos="0 0 0.1">
        <joint name="waist" axis="0 0 1" range="-1 1" damping="1"/>
        <geom type="capsule" size="0.1" fromto="0 0 0 0 0 0.4" mass="25"/>
        {"".join(arm(side, sign) for side, sign in SIDES)}
      </body>
    </body>
  </worldbody>
  <equality>{"".join(coupling(side) for side, _ in SIDES)}</equality>
  <tendon>{"".join(tendons for tendons, _ in pairs)}</tendon>
  <actuator>{"".join(muscles for _, muscles in pairs)}</actuator>
</mujoco>""")


def small_human() -> HumanBody:
    """The body."""
    return HumanBody(small_spec(), TABLE)
