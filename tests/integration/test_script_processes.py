"""What only a process of its own can show: exit statuses, what is imported, and starts at the same time."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path.append(str(TESTS / "unit" / "sim2sim"))

from g1_policies import export_zero_policy  # noqa: E402

pytestmark = pytest.mark.integration

SCRIPTS = TESTS.parent / "scripts"


def python(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=300)


# -- what is imported --------------------------------------------------------------------------------------------------


def test_sim2sim_runs_without_isaac_lab(tmp_path):
    """A machine with MuJoCo and onnxruntime alone can run it: every simulator is made unimportable."""
    policy = export_zero_policy(tmp_path / "policy.onnx", action_kind="residual")
    banned = ("isaaclab", "isaaclab_tasks", "isaaclab_rl", "newton", "warp", "pxr", "ovphysx", "gymnasium", "rsl_rl")
    code = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({banned!r}));"
        f"sys.argv = ['sim2sim.py', '--policy', {str(policy)!r}, '--num_rollouts', '1',"
        f" '--output_dir', {str(tmp_path / 'out')!r}];"
        f"runpy.run_path({str(SCRIPTS / 'sim2sim.py')!r}, run_name='__main__')"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "mpkpe" in done.stdout and (tmp_path / "out" / "played.html").stat().st_size > 100_000


def test_a_conversion_ends_without_traceback_or_simulator():
    code = (
        "import runpy, sys; sys.argv[0] = 'csv_to_npz.py'\n"
        f"try: runpy.run_path({str(SCRIPTS / 'csv_to_npz.py')!r}, run_name='__main__')\n"
        "finally: print([name for name in ('isaaclab', 'pxr', 'warp', 'wandb') if name in sys.modules])"
    )
    squat = TESTS.parent / "motions" / "squat.csv"
    done = python("-c", code, "--input_file", squat, "--input_fps", 30, "--frame_range", 1, 1)
    assert done.returncode == 1 and done.stdout == "[]\n"
    assert done.stderr.startswith("error: squat.csv: one frame is not a motion") and "Traceback" not in done.stderr


def test_what_scores_a_recording_and_what_holds_a_library_imports_no_engine():
    code = (
        "import sys, whole_body_tracking.motion.compact_library as library; print('warp' in sys.modules)\n"
        "import whole_body_tracking.deploy.scoring; print('isaaclab' in sys.modules)"
    )
    assert python("-c", code).stdout.split() == ["False", "False"]


# -- exit statuses -----------------------------------------------------------------------------------------------------


def test_check_run_says_what_is_wrong_and_what_to_try(tmp_path):
    """A run whose reward falls and whose learning rate is at its lower bound."""
    rows = [f"{i},{6144 * (i + 1)},{-0.1 * i},{20},{1e-5},{0.9}\n" for i in range(40)]
    header = "iteration,total_steps,mean_reward,mean_episode_length,learning_rate,action_std\n"
    (tmp_path / "progress.csv").write_text(header + "".join(rows))
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "agent.yaml").write_text("algorithm:\n  schedule: adaptive\n  desired_kl: 0.01\n")
    (tmp_path / "params" / "env.yaml").write_text("sim:\n  dt: 0.005\ndecimation: 4\nepisode_length_s: 10.0\n")
    done = python(SCRIPTS / "check_run.py", tmp_path, "--strict")
    assert done.returncode == 3, done.stderr
    for text in ("[reward_not_rising]", "[episode_length_stuck]", "[learning_rate_low]", "try: ", "40 iterations"):
        assert text in done.stdout


def test_check_run_ends_with_one_line_on_a_folder_without_logs(tmp_path):
    done = python(SCRIPTS / "check_run.py", tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ") and "contains no logs" in line


# -- robots of installed packages --------------------------------------------------------------------------------------

PROGRAM = """
import sys
from whole_body_tracking.robots import get_robot, robot_names
assert robot_names() == ["five", "g1"] and "my_robots" not in sys.modules  # read lazily
assert get_robot("g1").num_joints == 29 and "my_robots" not in sys.modules
try:
    robot = get_robot("five")
    assert robot is get_robot("five") and robot.num_joints == 5
except ValueError as error:
    print(error)
"""


def run_with_package(folder: Path, code: str) -> str:
    """Run the program where a package that offers the robot 'five' is installed."""
    info = folder / "my_robots-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-robots\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[whole_body_tracking.robots]\nfive = my_robots:ROBOT\n")
    (folder / "my_robots.py").write_text(code)
    path = [str(folder), str(TESTS), *sys.path]
    program = f"import sys\nsys.path[:0] = {path!r}\n{PROGRAM}"
    done = python("-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_package_offers_a_robot(tmp_path):
    assert run_with_package(tmp_path, "from five_joint_robot import FIVE as ROBOT\n") == ""


def test_an_entry_point_that_is_not_a_robot_is_refused(tmp_path):
    printed = run_with_package(tmp_path, "ROBOT = 'five'\n")
    assert "five = my_robots:ROBOT" in printed and "expected a RobotModel" in printed


# -- at the same time --------------------------------------------------------------------------------------------------

START_AT_ONCE = """
import sys, time
from pathlib import Path
from whole_body_tracking.files import create_new_folder
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
print(create_new_folder(Path(sys.argv[1]), "run"))
"""


def test_processes_that_start_at_once_do_not_share_a_folder(tmp_path):
    begin = str(time.time() + 2.0)
    command = [sys.executable, "-c", START_AT_ONCE, str(tmp_path / "runs"), begin]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    names = [Path(process.communicate(timeout=60)[0].strip()).name for process in started]
    assert sorted(names) == ["run", "run_2", "run_3", "run_4"]
