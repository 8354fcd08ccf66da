"""Run an exported policy on a Unitree G1, or on the simulated one of robot_sim.py, over its low-level protocol.

Example::

    python scripts/deploy/run_policy.py --policy exported/policy.onnx --interface lo --seconds 30 --record run.npz
    python scripts/rsl_rl/evaluate.py --recording run.npz
    python scripts/deploy/run_policy.py --policy gait_policy.onnx --interface lo --gait speed=0.5,turn=0.0

Without --seconds a person steers: keyboard, remote control, and with --port a web page. The exit status is 0 if the
clip was tracked to its end, or the robot walked all the time (with --seconds), or if nothing tripped.
"""

import argparse
import logging
from dataclasses import asdict
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="Exported policy.onnx.")
    parser.add_argument("--interface", required=True, help="Network interface: lo for this machine alone.")
    parser.add_argument("--domain", type=int, default=0, help="DDS domain (%(default)s).")
    parser.add_argument("--motion", nargs="+", default=(), metavar="NAME", help="Clips of the policy; default: all.")
    parser.add_argument("--motion_file", type=Path, metavar="FILE", help="Clip to track instead of the policy's own.")
    parser.add_argument(
        "--gait",
        metavar="NAME=VALUE,...",
        help="How to walk, such as speed=0.5,turn=0.1, for a policy of the gait task.",
    )
    parser.add_argument(
        "--seconds", type=float, metavar="N", help="Track the first clip once, in N s at most; with --gait walk N s."
    )
    parser.add_argument(
        "--stand_seconds", type=float, default=3.0, metavar="S", help="Stand so long first (%(default)s)."
    )
    parser.add_argument(
        "--state_timeout", type=float, default=0.06, metavar="S", help="Age of a state that ends the run (%(default)s)."
    )
    parser.add_argument(
        "--compensate_delay", action="store_true", help="Show the policy where the robot will be when it acts."
    )
    parser.add_argument("--port", type=int, metavar="N", help="Serve a web page to steer from.")
    parser.add_argument("--record", type=Path, metavar="FILE", help="NPZ to write the run to, for evaluate.py.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write how the run ended.")
    return parser.parse_args(argv)


def main() -> int:
    """Run, print how it ended, and judge."""
    args = parse_args()
    logging.basicConfig(level=logging.INFO, format="[INFO] %(message)s")
    from whole_body_tracking.deploy.protocol.dds import DdsLink, require_cyclonedds, require_interface

    require_cyclonedds()
    require_interface(args.interface)
    from whole_body_tracking.deploy.building import build_controller
    from whole_body_tracking.deploy.control.controller import ControllerConfig
    from whole_body_tracking.deploy.control.safety import SafetyConfig
    from whole_body_tracking.deploy.operators.choosing import choose_operators, longest_run
    from whole_body_tracking.deploy.policy_process import run_controller
    from whole_body_tracking.files import write_json
    from whole_body_tracking.sim2sim.gait_walker import parse_gait

    config = ControllerConfig(safety=SafetyConfig(stale=args.state_timeout), compensate_delay=args.compensate_delay)
    gait = None if args.gait is None else parse_gait(args.gait)
    controller = build_controller(args.policy, args.motion, args.motion_file, config, gait=gait)
    longest = longest_run(controller, args.seconds, args.stand_seconds)
    with choose_operators(controller, args.seconds, args.stand_seconds, args.port) as operators:
        link = DdsLink("controller", args.interface, args.domain)
        outcome = run_controller(link, controller, operators, longest, record=args.record)
    print(f"[INFO] The run is over: {outcome.reason}.{' ' + outcome.trip if outcome.trip else ''}")
    for name, value in outcome.counts.items():
        print(f"{name:>20}: {value}")
    print(f"{'jitter_p99_ms':>20}: {1000.0 * outcome.jitter_p99:.2f}\n{'finished':>20}: {outcome.finished}")
    if args.json:
        write_json(args.json, asdict(outcome))
    return 0 if outcome.is_good(must_finish=args.seconds is not None) else 1


if __name__ == "__main__":
    run_script(main)
