"""Jobs on a local Ray cluster of two workers: results, a failure, a worker that is killed, and a common stop.

The jobs are tiny programs; no simulator is started.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from whole_body_tracking.rl.run.launching import Command
from whole_body_tracking.rl.run.ray_options import RayOptions
from whole_body_tracking.rl.run.ray_queue import run_on_ray

pytestmark = pytest.mark.integration
pytest.importorskip("ray")


@dataclass
class Program:
    """A job of one Python program for each text; ``NAME.started`` counts how often it was asked for its steps."""

    name: str
    folder: Path
    texts: tuple[str, ...]

    def steps(self, device: str):
        with (self.folder / f"{self.name}.started").open("a") as file:
            file.write(f"{device}\n")
        for text in self.texts:
            yield Command((sys.executable, "-c", text), self.folder, self.folder / f"{self.name}.log")

    @property
    def num_starts(self) -> int:
        return len((self.folder / f"{self.name}.started").read_text().splitlines())


@pytest.fixture(scope="module")
def cluster():
    """Two machines with room for one job each, as processes of this one."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def run(cluster, tmp_path):
    """Run programs on the cluster; errors by name, and what was reported."""

    def run(*jobs: Program, **options):
        errors, lines = {}, []
        given = RayOptions(cluster.address, **options)
        run_on_ray(jobs, given, tmp_path, lambda job, error: errors.update({job.name: error}), lines.append)
        assert not list(tmp_path.glob(".ray-*"))
        return errors, lines

    return run


def wait_for(path: Path, seconds: float = 180.0) -> str:
    deadline = time.monotonic() + seconds
    while not (path.is_file() and path.read_text()):
        assert time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.05)
    return path.read_text()


def test_two_jobs_run_at_the_same_time_and_one_failure_stays_alone(run, tmp_path):
    """Each of the first two waits for the other's file, so they end only if they run together."""
    meet = (
        "import pathlib, time\npathlib.Path('{mine}').write_text('here')\n"
        "while not pathlib.Path('{other}').exists(): time.sleep(0.05)"
    )
    jobs = [
        Program("a", tmp_path, (meet.format(mine="a", other="b"), "open('a.second', 'w').write('done')")),
        Program("b", tmp_path, (meet.format(mine="b", other="a"),)),
        Program("c", tmp_path, ("print('the reason'); raise SystemExit(3)", "open('c.second', 'w')")),
        Program("d", tmp_path, ()),
    ]
    errors, _ = run(*jobs)
    assert set(errors) == {"a", "b", "c", "d"} and errors["a"] is errors["b"] is errors["d"] is None
    assert isinstance(errors["c"], ChildProcessError) and "the reason" in str(errors["c"])
    assert (tmp_path / "a.second").read_text() == "done" and not (tmp_path / "c.second").exists()
    assert jobs[0].num_starts == 1 and jobs[2].num_starts == 1, "an error of the program itself is not repeated"
    assert (tmp_path / "a.started").read_text() == "cpu\n"


KILLED = """
import os, pathlib, time
first = not pathlib.Path('pid').exists()
pathlib.Path('pid' if first else 'second_pid').write_text(f'{os.getpid()} {os.getppid()}')
if first:
    time.sleep(600)
pathlib.Path('result').write_text('done')
"""


def runs(pid: int) -> bool:
    """Whether a process exists and has not ended: where nobody collects orphans, one that has stays a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_job_whose_worker_is_killed_starts_again_and_its_first_process_is_gone(run, tmp_path):
    killer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, pathlib, signal, time\n"
            f"path = pathlib.Path({str(tmp_path / 'pid')!r})\n"
            "while not (path.exists() and len(path.read_text().split()) == 2): time.sleep(0.05)\n"
            "os.kill(int(path.read_text().split()[1]), signal.SIGKILL)\n",
        ]
    )
    job = Program("killed", tmp_path, (KILLED,))
    errors, lines = run(job)
    assert killer.wait() == 0
    assert errors == {"killed": None} and (tmp_path / "result").read_text() == "done"
    assert job.num_starts == 2
    assert len(lines) == 1 and "killed: its worker died" in lines[0] and "Starting it again" in lines[0]
    first, deadline = int((tmp_path / "pid").read_text().split()[0]), time.monotonic() + 30.0
    while runs(first) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not runs(first)


def test_a_job_that_is_killed_each_time_ends_with_its_retries(run, tmp_path):
    job = Program("oom", tmp_path, ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)",))
    errors, lines = run(job, max_retries=2)
    assert "after 2 retries" in str(errors["oom"]) and job.num_starts == 3 and len(lines) == 2


def test_more_than_any_machine_has_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match=r"takes 2 CPUs, 0 GPUs.*1 CPUs, 0 GPUs.*--cpu_per_worker"):
        run(Program("large", tmp_path, ()), cpu_per_worker=2)


def test_an_address_without_a_cluster_is_refused(tmp_path):
    with pytest.raises(ConnectionError, match=r"--ray 127.0.0.1:9: no Ray cluster there.*ray start"):
        run_on_ray([], RayOptions("127.0.0.1:9"), tmp_path, lambda *_: None)


SAVING = """
import pathlib, signal, sys, time
def save(*_):
    pathlib.Path('saved').write_text('yes')
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
pathlib.Path('ready').write_text('yes')
time.sleep(600)
"""
DRIVER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_ray_queue import SAVING, Program
from whole_body_tracking.rl.run.ray_options import RayOptions
from whole_body_tracking.rl.run.ray_queue import run_on_ray
folder = Path({folder!r})
run_on_ray([Program("saving", folder, (SAVING,))], RayOptions("local"), folder, lambda *_: None)
"""


@pytest.mark.slow  # with two other processes on two cores it failed once in four runs; why is not known
def test_sigterm_reaches_the_jobs_of_a_local_cluster(tmp_path):
    program = DRIVER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(tmp_path / "ready")
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=180)
    assert (tmp_path / "saved").read_text() == "yes" and "KeyboardInterrupt" in errors
    assert not list(tmp_path.glob(".ray-*"))
