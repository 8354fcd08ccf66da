"""Simulate a Unitree G1 that speaks its low-level protocol, in real time, for a controller in another process.

Example::

    python scripts/deploy/robot_sim.py --interface lo
    python scripts/deploy/robot_sim.py --interface lo --headless --noise --packet_loss 0.05 --motor_delay 0.01

The robot hangs from a gantry, which puts it down once a controller holds its joints. Without commands its motors damp.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        ValueError: If a number is out of its range.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interface", required=True, help="Network interface: lo for this machine alone.")
    parser.add_argument("--domain", type=int, default=0, help="DDS domain (%(default)s).")
    parser.add_argument("--seconds", type=float, metavar="N", help="Stop after so long; default: on SIGTERM or Ctrl+C.")
    parser.add_argument("--headless", action="store_true", help="Show nothing in a browser.")
    parser.add_argument("--port", type=int, default=8080, help="First port to try for the browser (%(default)s).")
    parser.add_argument("--no_gantry", action="store_true", help="Start on the feet, with nothing that holds it.")
    parser.add_argument("--motor_delay", type=float, default=0.0, metavar="S", help="From command to motor [s].")
    parser.add_argument("--noise", action="store_true", help="Sensor noise of the training's rand_imu, rand_encoder.")
    parser.add_argument("--packet_loss", type=float, default=0.0, metavar="P", help="Share of messages that get lost.")
    parser.add_argument("--seed", type=int, default=0, help="Of noise and losses (%(default)s).")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="NPZ to write what really happened to.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the counts at the end.")
    args = parser.parse_args(argv)
    if not 0.0 <= args.packet_loss < 1.0 or not 0.0 <= args.motor_delay <= 0.2:
        raise ValueError(
            f"--packet_loss {args.packet_loss} should be in [0, 1), --motor_delay {args.motor_delay} in [0, 0.2] s."
        )
    return args


def main() -> None:
    """Run until stopped, and print the counts."""
    args = parse_args()
    from whole_body_tracking.deploy.protocol.dds import require_cyclonedds
    from whole_body_tracking.files import write_json

    require_cyclonedds()
    from whole_body_tracking.deploy.robot_process import RobotProcess, run_robot
    from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions
    from whole_body_tracking.deploy.simulated_robot.sensors import SensorNoise

    noise = SensorNoise() if args.noise else None
    options = RobotOptions(args.motor_delay, noise, args.packet_loss, not args.no_gantry, args.seed)
    port = None if args.headless else args.port
    counts = run_robot(RobotProcess(args.interface, args.domain, args.seconds, port, args.truth), options)
    for name, value in counts.items():
        print(f"{name:>20}: {value}")
    if args.json:
        write_json(args.json, counts)


if __name__ == "__main__":
    run_script(main)
