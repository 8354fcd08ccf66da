"""The cloud scripts on a machine without Docker: their commands and the files that they pack."""

import os
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.unit

REPOSITORY = Path(__file__).parents[3]
CLOUD = REPOSITORY / "scripts" / "cloud"


def make_run(folder, *checkpoints):
    for name in checkpoints:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_newest_run_is_packed_with_its_last_checkpoint(tmp_path):
    runs = tmp_path / "logs" / "rsl_rl" / "walk"
    make_run(runs / "2026-01-01_00-00-00", "model_9000.pt")
    make_run(runs / "2026-01-02_00-00-00", "model_500.pt", "model_1000.pt", "exported/policy.onnx", "progress.csv")
    make_run(runs / "2026-01-03_00-00-00", "run.json")  # died before its first checkpoint
    script = CLOUD / "collect_run.sh"
    done = subprocess.run([script, "walk", "out/walk.tar.gz"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "out" / "walk.tar.gz") as archive:
        names = {member.name for member in archive if member.isfile()}
    assert names == {"walk/model_1000.pt", "walk/exported/policy.onnx", "walk/progress.csv"}
    assert os.listdir(tmp_path / "out") == ["walk.tar.gz"]


def test_nothing_to_pack(tmp_path):
    make_run(tmp_path / "logs" / "rsl_rl" / "walk" / "2026-01-01_00-00-00", "run.json")
    script = CLOUD / "collect_run.sh"
    done = subprocess.run([script, "walk", "walk.tar.gz"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "no checkpoint below" in done.stderr and "Known experiments: walk" in done.stderr


DOCKER = """#!/bin/bash
echo "$HOST_UID $WBT_LOGS $*" >>calls
case "$*" in
  "ps "*) cat running 2>/dev/null ;;
  "stop "*) touch stop ;;
  *evaluate.py*) exit "${EVALUATION_STATUS:-0}" ;;
  *"run --rm -T --name"*)
    [ -n "${SLOW:-}" ] || exit 0
    touch started
    while [ ! -e stop ]; do sleep 0.05; done
    exit 143
    ;;
esac
"""
"""Docker's stand-in: notes its calls; with SLOW its training lasts until `docker stop`."""


@pytest.fixture
def machine(tmp_path):
    """The scripts in a folder of their own, with a recorder in place of Docker; the user's id is 77."""
    for script in ("train_and_report.sh", "collect_run.sh"):
        copy = tmp_path / "scripts" / "cloud" / script
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((CLOUD / script).read_bytes())
        copy.chmod(0o755)
    (tmp_path / "bin").mkdir()
    tools = {"docker": DOCKER, "id": "#!/bin/bash\necho ${ID:-77}\n", "chown": '#!/bin/bash\necho chown "$@" >>calls\n'}
    for name, text in tools.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    make_run(tmp_path / "logs" / "rsl_rl" / "walk" / "2026-01-01_00-00-00", "model_0.pt")
    return tmp_path


def command_on(machine, *arguments, **variables):
    environment = os.environ | {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}"} | variables
    return {"args": [machine / "scripts" / "cloud" / "train_and_report.sh", *arguments], "env": environment}


def run_on(machine, *arguments, **variables):
    return subprocess.run(**command_on(machine, *arguments, **variables), capture_output=True, text=True)


def calls_on(machine):
    return (machine / "calls").read_text().splitlines()


def evaluation_on(machine):
    (call,) = [call for call in calls_on(machine) if "evaluate.py" in call]
    return call.partition("--checkpoint latest ")[2]


def test_training_is_followed_by_its_evaluation(machine):
    done = run_on(machine, "walk", "--task", "T", "--motion_file", "a.npz", "b.npz", "--num_envs", "8")
    assert done.returncode == 0, done.stderr
    user = f"77 {machine}/logs"
    run = f"{user} compose --file docker/compose.yaml run --rm -T"
    assert calls_on(machine) == [
        f"{user} ps --quiet --filter name=^wbt-walk$",
        f"{user} rm wbt-walk",
        f"{user} compose --file docker/compose.yaml build train-resume",
        f"{run} --name wbt-walk train-resume walk --task T --motion_file a.npz b.npz --num_envs 8",
        f"{run} --entrypoint python train scripts/rsl_rl/evaluate.py --task T --experiment_name walk"
        " --checkpoint latest --motion_file a.npz b.npz",
    ]
    assert (machine / "walk.tar.gz").exists()


PLAYED = ["env.observations.policy.actions.scale=2", "env.decimation=2", "env.sim.dt=0.01", "physics=ovphysx"] + [
    "env.commands.motion.preview_steps=[1, 2]",
    "agent.actor.hidden_dims=[256, 128]",
]
TRAINED = [
    "env.events.push_robot=null",
    "env.rewards.joint_limit.weight=-1",
    "agent.max_iterations=5",
    "presets=rand_mass",
]


def test_the_policy_is_evaluated_as_it_was_trained(machine):
    """Evaluation knows no events: an override of them would end it. But it must build the same network."""
    presets = ["presets=reward_style,motion_preview,rand_time,four_point_feet"]
    done = run_on(machine, "walk", "--task=T", "--device", "cuda:1", "--headless", *PLAYED, *TRAINED, *presets)
    assert done.returncode == 0, done.stderr
    played = [*PLAYED, "presets=motion_preview,four_point_feet"]
    assert evaluation_on(machine) == " ".join(["--device", "cuda:1", *played])


def test_ablations_play_by_the_same_rule():
    """scripts/ablate.py chooses the overrides of its evaluations in Python."""
    from whole_body_tracking.ablation.variants import Variant

    # There the evaluation has one engine for all variants; the control rate is the variant's.
    expected = [token for token in PLAYED if token != "physics=ovphysx"]
    assert Variant("", (*PLAYED, *TRAINED)).played_overrides == expected


@pytest.mark.parametrize(("sudo", "owner"), [({}, "1000"), ({"SUDO_UID": "501", "SUDO_GID": "501"}, "501")])
def test_root_trains_as_another_user_who_owns_the_runs(machine, sudo, owner):
    """The image refuses root, and the usual login of a cloud machine is root."""
    done = run_on(machine, "walk", "--task", "T", ID="0", **sudo)
    assert done.returncode == 0, done.stderr
    first, *others = calls_on(machine)
    assert first == f"chown -R {owner}:{owner} logs"
    assert all(call.startswith(f"{owner} ") for call in others)


def test_a_failed_evaluation_still_packs_the_policy(machine):
    done = run_on(machine, "walk", "--task", "T", EVALUATION_STATUS="7")
    assert done.returncode == 7 and "packing without a new report" in done.stderr
    assert (machine / "walk.tar.gz").exists()


def test_sigterm_stops_the_container_and_leaves_the_rest(machine):
    """`docker compose run` does not pass the signal on, so that the container would train for ever."""
    process = subprocess.Popen(**command_on(machine, "walk", "--task", "T", SLOW="1"))
    deadline = time.monotonic() + 20
    while not (machine / "started").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.terminate()
    assert process.wait(timeout=20) == 143
    assert calls_on(machine)[-1].endswith(" stop --time 120 wbt-walk"), "nothing is evaluated"
    assert not (machine / "walk.tar.gz").exists()


def test_a_second_call_does_not_train_beside_the_first(machine):
    (machine / "running").write_text("0123456789ab\n")
    done = run_on(machine, "walk", "--task", "T")
    assert done.returncode == 1 and "docker stop --time 120 wbt-walk" in done.stderr
    assert len(calls_on(machine)) == 1


def test_task_is_required(machine):
    done = run_on(machine, "walk")
    assert done.returncode == 2 and "--task is missing" in done.stderr and not (machine / "calls").exists()


def test_skypilot_task():
    """Fields are those of SkyPilot's task file; set-up and base are the kit-less image's."""
    task = yaml.safe_load((CLOUD / "skypilot.yaml").read_text())
    assert set(task) == {"name", "workdir", "resources", "envs", "secrets", "file_mounts", "setup", "run"}
    env = (REPOSITORY / "docker" / ".env").read_text()
    assert f"PYTHON_IMAGE={task['resources']['image_id'].removeprefix('docker:')}\n" in env
    assert task["secrets"] == {"WANDB_API_KEY": None}, "a secret has no value in the file"
    assert task["file_mounts"]["/logs"] == {"source": "${LOGS_BUCKET}", "mode": "MOUNT_CACHED"}
    for key in ("setup", "run"):
        subprocess.run(["bash", "-n"], input=task[key], text=True, check=True)
        scripts = [word for word in task[key].split() if word.endswith(".sh")]
        assert scripts and all((REPOSITORY / script).exists() for script in scripts)
