"""The images' files: errors that a Docker engine would report, checked without one."""

import importlib.metadata
import os
import re
import subprocess

import pytest
import yaml
from docker_files import (
    DOCKER,
    DOCKERFILES,
    REPOSITORY,
    compose,
    copied_sources,
    enters_context,
    instructions,
    read_env,
)

import whole_body_tracking

pytestmark = pytest.mark.unit

SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
SHELL_SCRIPTS = [*DOCKER.glob("*.sh"), *(REPOSITORY / "scripts").rglob("*.sh")]


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.name)
def dockerfile(request):
    return request.param


def test_there_is_one_dockerfile_for_each_kind():
    assert [path.name for path in DOCKERFILES] == ["Dockerfile.isaacsim", "Dockerfile.kitless"]


def test_what_is_copied_exists_and_is_in_the_context(dockerfile):
    for source in copied_sources(dockerfile):
        assert (REPOSITORY / source).exists(), source
        assert source == "." or enters_context(source), f".dockerignore leaves out {source}"


def test_final_user_is_not_root(dockerfile):
    users = [argument for keyword, argument in instructions(dockerfile) if keyword == "USER"]
    assert users[-1] == "wbt"


def test_no_secret_is_in_a_layer(dockerfile):
    for keyword, argument in instructions(dockerfile):
        if keyword in ("ENV", "ARG"):
            assert not SECRET.search(argument), argument


def test_dependencies_come_from_the_set_up_script_of_make(dockerfile):
    """The set-up layer sees only what decides the dependencies, and no other tool installs Python packages."""
    runs = [argument for keyword, argument in instructions(dockerfile) if keyword == "RUN"]
    assert sum("scripts/setup.sh" in run for run in runs) == 1
    assert not any(re.search(r"\b(pip|uv|conda) install", run) for run in runs)
    assert "scripts/setup.sh" in (REPOSITORY / "Makefile").read_text()


def test_volumes_cover_folders_that_belong_to_the_user(dockerfile):
    """Docker gives a fresh volume the owner of the folder that it covers; a missing folder would make it root's."""
    created = next(arg for keyword, arg in instructions(dockerfile) if keyword == "RUN" and "create-user.sh" in arg)
    for service in compose()["services"].values():
        if service["build"]["dockerfile"] == f"docker/{dockerfile.name}":
            assert {volume.rsplit(":", 1)[1] for volume in service["volumes"]} <= set(created.split())


@pytest.mark.parametrize(
    "path",
    [".git/config", ".venv/bin/python", "logs/rsl_rl/a/b/model_0.pt", "wandb/run/x", "outputs/x", "walk.npz", ".netrc"]
    + ["motions/private.npz", "docker/.env", "source/whole_body_tracking/whole_body_tracking.egg-info/PKG-INFO"]
    + ["scripts/__pycache__/demo.pyc", "data/clips.npz", "uv.lock", ".git/HEAD"],
)
def test_context_leaves_out(path):
    assert not enters_context(path)


@pytest.mark.parametrize("path", ["robots/data/g1.usda", "robots/data/g1.json", "data/squat.npz", "motion/clip.py"])
def test_context_has_the_package_and_its_data(path):
    path = f"source/whole_body_tracking/whole_body_tracking/{path}"
    assert (REPOSITORY / path).exists() and enters_context(path)


def test_every_variable_has_the_default_of_the_env_file():
    text, env = (DOCKER / "compose.yaml").read_text(), read_env()
    used = re.findall(r"\$\{(\w+)(?::-([^}]*))?\}", text)
    assert used and not re.search(r"\$\w", text)
    for name, default in used:
        assert name in env, f"{name} is not in docker/.env"
        assert default == env[name], f"{name}: compose.yaml says '{default}', docker/.env '{env[name]}'"
    assert set(env) == {name for name, _ in used}, "docker/.env has variables that compose.yaml does not use"


def test_arguments_of_a_build_are_those_of_its_dockerfile():
    for name, service in compose()["services"].items():
        path = REPOSITORY / service["build"]["dockerfile"]
        declared = {arg.split("=")[0]: arg.split("=")[1].strip('"') for key, arg in instructions(path) if key == "ARG"}
        assert set(declared) == set(service["build"]["args"]), name
        assert all(read_env()[key] == value for key, value in declared.items()), name


def test_secrets_are_passed_from_the_environment_without_a_value():
    for service in compose()["services"].values():
        for name, value in service["environment"].items():
            assert value is None or not SECRET.search(name), name


def test_services():
    services = compose()["services"]
    assert set(services) == {"kitless", "train", "train-resume", "cpu", "isaacsim"}
    assert services["train"]["entrypoint"] == ["python", "scripts/rsl_rl/train.py"]
    for name, service in services.items():
        assert service["user"] == "${HOST_UID:-1000}:${HOST_GID:-1000}"
        assert service["init"] is True, "without an init process, SIGTERM would not reach the training"
        assert ("deploy" in service) == (name != "cpu")
        targets = {volume.rsplit(":", 1)[1] for volume in service["volumes"]}
        assert {"/home/wbt/.cache", "/workspace/logs", "/workspace/motions"} <= targets


def test_compose_file_of_the_root_includes_it_under_the_same_name():
    """A project's volumes go by its name: runs made from one folder would be invisible from the other."""
    root = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
    assert root == {"name": compose()["name"], "include": ["docker/compose.yaml"]}


def test_a_name_without_a_slash_is_a_declared_volume():
    """Compose refuses others; docker/.env says so."""
    named = [value for key, value in read_env().items() if key in ("WBT_LOGS", "WBT_MOTIONS") and "/" not in value]
    assert named == ["logs"] and set(named) <= set(compose()["volumes"])


def environment_of(dockerfile):
    """Variables of a Dockerfile's ENV instructions."""
    pairs = [pair for keyword, argument in instructions(dockerfile) if keyword == "ENV" for pair in argument.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def targets_of(service):
    return {volume.rsplit(":", 1)[1] for volume in service["volumes"]}


def is_below(path, folders):
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def test_offline_wandb_records_into_a_volume(dockerfile):
    """By default W&B writes below the working folder, which ends with the container."""
    for service in compose()["services"].values():
        assert is_below(environment_of(dockerfile)["WANDB_DIR"], {"/workspace/logs"} & targets_of(service))


def test_no_volume_hides_what_the_image_installed(dockerfile):
    """Isaac Sim's base has no Python 3.12, so uv brings one; a volume over it would leave .venv/ without Python."""
    installed = {"/workspace/.venv", environment_of(dockerfile).get("UV_PYTHON_INSTALL_DIR", "/opt")}
    for service in compose()["services"].values():
        if service["build"]["dockerfile"] == f"docker/{dockerfile.name}":
            assert not [path for path in installed if is_below(path, targets_of(service))]
    uses_uv_of_its_own = "/uv /usr/local/bin/" in dockerfile.read_text()
    assert uses_uv_of_its_own == ("UV_PYTHON_INSTALL_DIR" in environment_of(dockerfile))


def test_the_image_knows_its_commit(dockerfile):
    """The context has no git. Last, so that a commit does not throw the layer of the dependencies away."""
    steps = instructions(dockerfile)
    assert environment_of(dockerfile)["WBT_COMMIT"] == "${WBT_COMMIT}"
    assert steps.index(("ARG", 'WBT_COMMIT=""')) > steps.index(("COPY", "--chown=wbt . ."))
    for caller in ("Makefile", "scripts/cloud/train_and_report.sh"):
        assert "git describe --always --dirty --abbrev=40 '--exclude=*'" in (REPOSITORY / caller).read_text(), caller


def test_kitless_image_runs_under_any_ids():
    """compose.yaml's `user` alone decides who owns what is written: no rebuild for another host."""
    service = compose()["services"]["train"]
    assert not {"HOST_UID", "HOST_GID"} & set(service["build"]["args"])
    (create,) = [arg for key, arg in instructions(DOCKER / "Dockerfile.kitless") if "/opt/wbt/create-user.sh 1" in arg]
    assert {"/home/wbt", "/workspace", *targets_of(service)} <= set(create.split())
    assert environment_of(DOCKER / "Dockerfile.kitless")["USER"] == "wbt", "the ids have no name in there"


def test_versions_agree_with_the_packages():
    assert read_env()["WBT_VERSION"] == whole_body_tracking.__version__
    pinned = (DOCKER / "isaacsim-requirements.txt").read_text().splitlines()[-1]
    metadata = importlib.metadata.metadata("isaaclab")
    assert pinned == f"isaaclab[isaacsim]=={metadata['Version']}"
    wanted = next(item for item in metadata.get_all("Requires-Dist") if item.startswith("isaacsim["))
    version = re.search(r"==(\d+\.\d+\.\d+)", wanted).group(1)
    assert read_env()["ISAACSIM_IMAGE"].endswith(f":{version}")


def test_overrides_are_what_isaac_lab_requires():
    required = importlib.metadata.metadata("isaaclab").get_all("Requires-Dist")
    overrides = [line for line in (DOCKER / "isaacsim-overrides.txt").read_text().splitlines() if line[0] != "#"]
    assert overrides and all(item in required for item in overrides)


def test_ovphysx_libraries_are_installed():
    from whole_body_tracking.physics.ovphysx_cpu import SYSTEM_LIBRARIES

    assert set(SYSTEM_LIBRARIES.values()) <= set((DOCKER / "system-packages.txt").read_text().splitlines())


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_are_executable_strict_and_parse(script):
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)
