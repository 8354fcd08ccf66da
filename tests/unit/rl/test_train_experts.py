"""One expert per motion: planned, skipped, continued or refused before anything starts."""

import importlib.util
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
import yaml

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.rl.experts.job import MANIFEST_FILE
from whole_body_tracking.rl.experts.queue import Slot, make_slots, run_queue
from whole_body_tracking.rl.experts.training import open_table, parse_command_line, plan_jobs, train_experts
from whole_body_tracking.rl.run.launching import FINISHED_FILE, LoggedProcess
from whole_body_tracking.rl.run.ray_options import RayOptions

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-G1-Demo-v0"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train_experts.py"])


@pytest.fixture
def manifest(tmp_path) -> Path:
    MotionClip.load(DEFAULT_MOTION_FILE).save(tmp_path / "squat.npz")
    text = "motions:\n  - {file: squat.npz, frame_range: [1, 60], split: train}\n  - {file: squat.npz, tags: [slow]}\n"
    (tmp_path / "library.yaml").write_text(text)
    return tmp_path / "library.yaml"


def planned(*argv: object):
    args, arguments = parse_command_line(["--task", TASK, "--device", "cpu", *map(str, argv)])
    return args, arguments, plan_jobs(args, arguments, Path("experts").absolute())


def leave_run(job, sha256: str) -> Path:
    run = job.training.folder / "logs" / "rsl_rl" / "g1_demo" / "2026-01-01_00-00-00"
    run.mkdir(parents=True)
    (run / "model_3.pt").write_bytes(b"")
    (run / "progress.csv").write_text("iteration,total_time\n3,60.0\n")
    (run / "provenance.json").write_text(json.dumps({"clips": [{"sha256": sha256}]}))
    return run


# -- plan ------------------------------------------------------------------------------------------------------------


def test_each_entry_of_a_manifest_becomes_a_training_of_its_own(manifest):
    _, arguments, jobs = planned("--motion_file", manifest, "--num_envs", 8, "physics=mujoco_cpu", "agent.seed=3")
    assert arguments == ("--task", TASK, "--num_envs", "8", "physics=mujoco_cpu", "agent.seed=3")
    assert [job.name for job in jobs] == ["squat_1-60", "squat"]
    for job in jobs:
        assert job.training.folder == Path("experts", job.name).absolute()
        assert job.training.arguments == (*arguments, "--motion_file", MANIFEST_FILE, "--run_name", job.name)
        assert job.sha256 == job.entry.load().digest


def test_a_split_leaves_other_clips_out(manifest):
    _, _, jobs = planned("--motion_file", manifest, "env.commands.motion.motion_split=test")
    assert [job.name for job in jobs] == ["squat"]


@pytest.mark.integration
def test_an_expert_gets_exactly_its_entry(manifest, monkeypatch):
    """What its own manifest resolves to is the clip whose digest the table will hold."""
    _, _, jobs = planned("--motion_file", manifest)
    monkeypatch.setattr("whole_body_tracking.rl.run.launching.script_command", lambda *_: [sys.executable, "-c", ""])
    jobs[0].start("cpu").wait()
    (entry,) = resolve_entries([str(jobs[0].training.folder / MANIFEST_FILE)], split="train")
    assert entry.name == "squat_1-60" and entry.load().digest == jobs[0].sha256


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--checkpoint", "latest"], "--checkpoint: not for all experts"),
        (["--jobs", "0"], "--jobs is 0"),
        (["--devices", "cuda:97"], "cuda:97.*This machine has: cpu"),
        (["env.commands.motion.clip_edn=hold"], "clip_end"),
        (["--num_env", "3", "--frobnicate"], "--frobnicate"),
        (["--motion_file", "nothing.npz"], "nothing.npz does not exist"),
        (["--num_envs", "0"], "--num_envs is 0"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, argv, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train_experts(["--task", TASK, *argv])
    assert list(tmp_path.iterdir()) == []


def test_two_clips_of_one_name_are_refused(tmp_path, manifest):
    MotionClip.load(DEFAULT_MOTION_FILE).save(tmp_path / "other" / "squat.npz")
    with pytest.raises(ValueError, match="Two motions are called 'squat'"):
        train_experts(["--task", TASK, "--motion_file", "squat.npz", "other/squat.npz"])
    assert not Path("experts").exists()


def test_an_empty_manifest_is_refused(tmp_path):
    Path("empty.yaml").write_text("motions: []\n")
    with pytest.raises(ValueError, match="at least one motion"):
        train_experts(["--task", TASK, "--motion_file", "empty.yaml"])


# -- what an earlier call left ---------------------------------------------------------------------------------------


def test_finished_experts_are_skipped_and_listed(manifest):
    argv = ["--motion_file", manifest, "--max_minutes", "1"]
    _, _, jobs = planned(*argv)
    for job in jobs:
        leave_run(job, job.sha256)
        job.training.finish()
    lines = []
    result = train_experts(["--task", TASK, "--device", "cpu", *map(str, argv)], lines.append)
    assert result.failed == {} and result.table.motions == ("squat_1-60", "squat")
    assert result.table.find("squat").path.name == "model_3.pt"
    assert "2 of them have an expert" in lines[0]
    assert yaml.safe_load(Path("experts/experts.yaml").read_text())["experts"][1]["file"] == str(
        manifest.parent / "squat.npz"
    )


def test_a_training_with_minutes_left_is_not_finished(manifest):
    for minutes, is_finished in ((1.0, True), (2.0, False)):  # the run below took one minute
        job = planned("--motion_file", manifest, "--max_minutes", minutes)[2][0]
        if not job.training.folder.exists():
            leave_run(job, job.sha256)
            (job.training.folder / FINISHED_FILE).write_text(
                json.dumps({"arguments": list(job.training.arguments), "max_minutes": 1.0})
            )
        assert job.is_finished == is_finished
    assert job.training.minutes_left == pytest.approx(1.0)


def test_a_run_on_another_version_of_the_clip_is_not_continued(manifest):
    _, _, jobs = planned("--motion_file", manifest)
    leave_run(jobs[0], "0" * 64)
    with pytest.raises(ValueError, match=r"was trained on another 'squat_1-60'.*digest 000000000000"):
        train_experts(["--task", TASK, "--device", "cpu", "--motion_file", str(manifest)])


def test_experts_that_were_trained_otherwise_are_refused(manifest):
    args, arguments, jobs = planned("--motion_file", manifest)
    path = Path("experts.yaml").absolute()
    open_table(path, arguments, jobs).save()
    assert open_table(path, arguments, jobs).experts == ()
    with pytest.raises(ValueError, match=r"agent.seed=3.*choose another --output_dir"):
        open_table(path, (*arguments, "agent.seed=3"), jobs)


# -- several at the same time ----------------------------------------------------------------------------------------


class Sleeper:
    """A job that notes when and where it ran; a negative duration fails."""

    def __init__(self, folder: Path, name: str, seconds: float):
        self.folder, self.name, self.seconds = folder, name, seconds
        self.events: list[str] = []

    def start(self, device: str) -> LoggedProcess:
        self.events.append(f"start {self.name} on {device}")
        program = (
            f"import os, sys, time; time.sleep({abs(self.seconds)}); cores = sorted(os.sched_getaffinity(0));"
            f" open({self.name!r}, 'w').write(str(cores)); sys.exit({int(self.seconds < 0)})"
        )
        return LoggedProcess([sys.executable, "-c", program], self.folder, self.folder / f"{self.name}.log")


@pytest.mark.integration
def test_a_failed_job_does_not_stop_the_others(tmp_path):
    jobs = [Sleeper(tmp_path, name, seconds) for name, seconds in (("a", 0.1), ("b", -0.1), ("c", 0.1))]
    ended = {}
    run_queue(jobs, [Slot("cpu")], lambda job, error: ended.update({job.name: error}))
    assert list(ended) == ["a", "b", "c"]
    assert ended["a"] is None and ended["c"] is None
    assert isinstance(ended["b"], ChildProcessError)


@pytest.mark.integration
def test_every_device_works_at_the_same_time(tmp_path):
    jobs, events = [Sleeper(tmp_path, name, 0.5) for name in "abc"], []
    for job in jobs:
        job.events = events
    run_queue(jobs, [Slot("cuda:0"), Slot("cuda:1")], lambda job, error: events.append(f"end {job.name}"))
    assert events[:2] == ["start a on cuda:0", "start b on cuda:1"]
    assert len(events) == 6 and {"end a", "end b", "end c"} < set(events)


@pytest.mark.integration
def test_sigterm_ends_all_jobs(tmp_path):
    jobs, processes = [Sleeper(tmp_path, name, 60.0) for name in "ab"], []
    for job in jobs:
        start = job.start
        job.start = lambda device, start=start: processes.append(start(device)) or processes[-1]
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(KeyboardInterrupt):
        run_queue(jobs, [Slot("cpu"), Slot("cpu")], lambda job, error: None)
    assert len(processes) == 2 and all(process.has_ended() for process in processes)


@pytest.mark.integration
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_jobs_on_the_cpu_share_its_cores(tmp_path):
    slots = make_slots(["cpu"], jobs=2)
    assert not set(slots[0].cores) & set(slots[1].cores)
    assert sorted(slots[0].cores + slots[1].cores) == sorted(os.sched_getaffinity(0))
    run_queue([Sleeper(tmp_path, name, 0.3) for name in "ab"], slots, lambda job, error: None)
    assert {(tmp_path / name).read_text() for name in "ab"} == {str(sorted(slot.cores)) for slot in slots}


def test_slots_of_several_devices():
    assert make_slots(["cuda:0", "cuda:1"]) == [Slot("cuda:0"), Slot("cuda:1")]
    assert make_slots(["cuda:0"], jobs=2) == [Slot("cuda:0")] * 2
    assert make_slots(["cpu"]) == [Slot("cpu")]
    assert len(make_slots(["cpu"], jobs=1000)) == 1000  # more than there are cores: no core of their own


# -- on Ray ----------------------------------------------------------------------------------------------------------


def test_flags_of_this_machine_and_of_ray_do_not_mix(manifest):
    pytest.importorskip("ray")
    command = ["--task", TASK, "--motion_file", str(manifest)]
    with pytest.raises(ValueError, match=r"--devices and --jobs are for this machine.*--num_workers"):
        parse_command_line([*command, "--ray", "local", "--jobs", "2"])
    with pytest.raises(ValueError, match=r"--cpu_per_worker, --max_retries: only with --ray"):
        parse_command_line([*command, "--cpu_per_worker", "2", "--max_retries", "0"])
    with pytest.raises(ValueError, match=r"--cpu_per_worker -1, --num_workers 0: expected 0 or more"):
        parse_command_line([*command, "--ray", "local", "--cpu_per_worker", "-1", "--num_workers", "0"])
    args, arguments = parse_command_line([*command, "--ray", "auto", "--gpu_per_worker", "0.5", "--num_envs", "8"])
    assert args.ray_options == RayOptions("auto", gpu_per_worker=0.5)
    assert arguments == ("--task", TASK, "--num_envs", "8"), "where it runs is not part of what is trained"


def test_without_ray_the_message_names_the_extra(manifest, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'not installed.*"whole-body-tracking\[ray\]"'):
        parse_command_line(["--task", TASK, "--ray", "local"])


def test_an_expert_says_what_is_left_to_do(manifest):
    """A queue on another machine asks for it anew when the first one has died."""
    _, _, jobs = planned("--motion_file", manifest, "--max_minutes", 2)
    (command,) = jobs[0].steps("cuda:0")
    assert command.words[-4:] == ("--device", "cuda:0", "--max_minutes", "2.0")
    assert (jobs[0].training.folder / MANIFEST_FILE).is_file()
    leave_run(jobs[0], jobs[0].sha256)
    (command,) = jobs[0].steps("cuda:0")
    assert command.words[-4:] == ("--max_minutes", "1.0", "--checkpoint", "latest")  # 2 min - 60 s
    jobs[0].finish()
    assert list(jobs[0].steps("cuda:0")) == []
