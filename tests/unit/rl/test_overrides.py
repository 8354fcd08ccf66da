"""key=value tokens of a command line."""

from dataclasses import dataclass, field

import pytest

from whole_body_tracking.rl.overrides import joined_modes, require_known_paths, split_overrides

pytestmark = pytest.mark.unit


@dataclass
class Motion:
    body_names: list = field(default_factory=lambda: ["pelvis"])
    pose_range: dict = field(default_factory=dict)


@dataclass
class Env:
    motion: Motion = field(default_factory=Motion)


def test_overrides_are_taken_from_among_paths():
    argv = ["--motion_file", "a.npz", "physics=mujoco_cpu", "b.npz", "env.decimation=2", "--headless", "+env.x=1"]
    others, overrides = split_overrides(argv)
    assert others == ["--motion_file", "a.npz", "b.npz", "--headless"]
    assert overrides == ["physics=mujoco_cpu", "env.decimation=2", "+env.x=1"]


@pytest.mark.parametrize(
    ("token", "read_as"),
    [
        ("env.motion.body_names=[pelvis,torso_link]", "env.motion.body_names=['pelvis', 'torso_link']"),
        ("env.motion.body_names=[]", "env.motion.body_names=[]"),
        ("env.motion.body_names=['pelvis']", "env.motion.body_names=['pelvis']"),
        ("agent.actor.hidden_dims=[256,128]", "agent.actor.hidden_dims=[256,128]"),
        ("env.motion.motion_files=[/tmp/a b.npz]", "env.motion.motion_files=['/tmp/a b.npz']"),
        ("env.name=walk", "env.name=walk"),
    ],
)
def test_lists_need_no_quotes(token, read_as):
    assert split_overrides([token])[1] == [read_as]


@pytest.mark.parametrize("token", ["decimation=2", "physic=ovphysx"])
def test_an_override_of_nothing_is_refused(token):
    with pytest.raises(ValueError, match=rf"`{token}`.*env\.PATH=VALUE"):
        split_overrides([token])


@pytest.mark.parametrize("path", ["env.motion.body_names", "env.motion.pose_range.x", "+env.new", "physics"])
def test_values_that_exist_may_be_set(path):
    require_known_paths([f"{path}=1"], Env(), None)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "env.motion.bodynames",
            r"below `env.motion`: 'bodynames'\. Known: body_n.*Did you mean 'body_names'\?",
        ),
        ("env.moton.body_names", r"below `env`: 'moton'\..* Did you mean 'motion'\?"),
        ("env.motion.pose_range.x.low", r"below `env.motion.pose_range`: 'x'"),
    ],
)
def test_a_misspelt_path_is_refused(path, message):
    with pytest.raises(ValueError, match=message):
        require_known_paths([f"{path}=1"], Env(), None)


def test_modes_with_clips_are_no_overrides():
    argv = ["--modes", "stand", "dance=a.npz", "physics=mujoco_cpu", "--task", "T", "env.decimation=2"]
    joined = ["--modes=stand,dance=a.npz", "physics=mujoco_cpu", "--task", "T", "env.decimation=2"]
    assert joined_modes(argv) == joined
    assert joined_modes(["--modes", "dance=a.npz", "walk", "--headless"]) == ["--modes=dance=a.npz,walk", "--headless"]
    assert joined_modes(["x=1", "--modes"]) == ["x=1", "--modes"]
    assert split_overrides(joined) == ([joined[0], "--task", "T"], ["physics=mujoco_cpu", "env.decimation=2"])
