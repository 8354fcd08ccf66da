"""A gait policy whose walk is a small sway about standing and which holds it with stiff joints, and its controllers."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import torch
from deploy_samples import QUICK, WITHOUT_ESTIMATE
from g1_policies import OBSERVATIONS, g1_spec
from rsl_rl.models import MLPModel
from small_refnn import RANGES, small_refnn
from tensordict import TensorDict

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.controller import Controller, ControllerConfig
from whole_body_tracking.deploy.control.limits import limits_of
from whole_body_tracking.deploy.control.standing import standing_gains
from whole_body_tracking.deploy.lockstep import advance, make_clock
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot
from whole_body_tracking.export import ObservationTerm
from whole_body_tracking.export.gait.graph import build_gait_graph
from whole_body_tracking.export.onnx_policy import to_onnx_bytes
from whole_body_tracking.gait.network.reference import GaitReference
from whole_body_tracking.robots import G1

STEERED = ("speed", "cadence", "turn_rate")
GAIT_TERMS = (ObservationTerm("gait_params", 11), ObservationTerm("gait_phase", 2))
GAIT = {"speed": 0.5, "cadence": 100.0, "turn_rate": 0.0}
SWAY = 0.004
"""Of joints [rad] and root [m, m/s]: a robot with stiff joints stays on its feet."""


def swaying_walk() -> GaitReference:
    """In place: its root moves by the sway alone, whatever the speed."""
    model = small_refnn()
    model.output_std.fill_(SWAY)
    model.output_mean[7] = 0.0
    return GaitReference(model, G1, 0.02)


def export_gait_policy(path: Path, estimated: bool = False) -> Path:
    """Export a policy whose targets are the walk's joint positions, at the gains of standing."""
    walk, terms = swaying_walk(), OBSERVATIONS if estimated else WITHOUT_ESTIMATE
    stiffness, damping = standing_gains(limits_of(g1_spec(), G1.joint_names))
    fields = {
        "task": "Gait-Flat-G1-v0", "action_kind": "residual", "reference_in_graph": False, "clips": (),
        "observations": (*terms, *GAIT_TERMS), "gait_inputs": STEERED, "gait_state_size": walk.state_size,
        "gait_low": tuple(RANGES[name][0] for name in STEERED),
        "gait_high": tuple(RANGES[name][1] for name in STEERED),
        "joint_stiffness": tuple(stiffness.tolist()), "joint_damping": tuple(damping.tolist()),
    }  # fmt: skip
    spec = g1_spec(**fields)
    obs = TensorDict({"policy": torch.zeros(2, spec.num_observations)}, batch_size=[2])
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0}
    actor = MLPModel(obs, {"actor": ["policy"]}, "actor", 29, [8], "elu", False, distribution)
    with torch.no_grad():
        for parameter in actor.mlp.parameters():
            parameter.zero_()
    path.write_bytes(to_onnx_bytes(build_gait_graph(actor, spec, walk), spec))
    return path


@functools.cache
def gait_policy(estimated: bool = False) -> Path:
    """The policy of :func:`export_gait_policy`, exported once."""
    return export_gait_policy(Path(tempfile.mkdtemp(prefix="gait_policy_")) / "policy.onnx", estimated)


def walking_robot(config: ControllerConfig = QUICK, is_walking: bool = True) -> tuple[Controller, SimulatedRobot]:
    """A controller and a robot on its feet that share a clock: it walks, or stands before the walk."""
    robot = SimulatedRobot(RobotOptions(gantry=False))
    controller = build_controller(gait_policy(), config=config, clock=make_clock(robot), gait=GAIT)
    advance(controller, robot, 0.02)
    controller.stand()
    advance(controller, robot, config.ramp + 0.1)
    assert controller.is_standing, controller.safety.trip
    if is_walking:
        assert controller.track()
        advance(controller, robot, 0.3)
        assert controller.mode == "track", controller.safety.trip
    return controller, robot
