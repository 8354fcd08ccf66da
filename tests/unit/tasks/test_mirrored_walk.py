"""Mirrored training data of the gait task: the other foot touches down, and turns and side steps go the other way."""

from types import SimpleNamespace

import pytest
import torch
from fake_env import NUM_ENVS, FakeEnv
from small_refnn import RANGES, save_small_refnn
from tensordict import TensorDict
from test_mirror_symmetry import QUATERNION, VECTOR, observe, pose_robot

from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.rl.learning.symmetry import mirrors_of, require_mirror_images, with_mirror_images
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.symmetry import mirrored_joints

pytestmark = pytest.mark.unit
SIDED = torch.tensor([-1.0 if name in ("turn_rate", "lateral_speed") else 1.0 for name in PARAMETERS])


def mirrored_walk(state: torch.Tensor, walk) -> torch.Tensor:
    """The memory of a walk's mirror image, from the reflection of every frame of its window."""
    joints = mirrored_joints(G1, G1.joint_names)
    window = walk.window(state).clone()
    window[..., 0] = (window[..., 0] + 0.5) % 1.0
    window[..., 1:4] *= VECTOR
    window[..., 4:8] *= QUATERNION
    window[..., 8:] = window[..., 8:][..., joints.indices] * torch.tensor(joints.signs, dtype=torch.float32)
    head = torch.cat((walk.params(state) * SIDED, -state[:, walk.num_params, None]), dim=-1)
    return torch.cat((head, window.flatten(1)), dim=-1)


@pytest.fixture(scope="module")
def env(tmp_path_factory) -> FakeEnv:
    """Walk and robot of env 1 are the mirror images of those of env 0."""
    refnn = save_small_refnn(tmp_path_factory.mktemp("refnn") / "refnn.npz")
    env = FakeEnv(task="Gait-Flat-G1-v0", model_file=str(refnn))
    torch.manual_seed(0)
    walk = env.motion.walk
    params = walk.model.examples[:NUM_ENVS]
    env.motion.state.copy_(walk.start(params, torch.rand(NUM_ENVS)))
    for _ in range(5):
        env.motion.state.copy_(walk.advance(env.motion.state, params.flip(0)))
    env.motion.state[1] = mirrored_walk(env.motion.state[:1], walk)[0]
    pose_robot(env)
    groups = observe(env)
    env.observation_manager = SimpleNamespace(
        active_terms={name: list(terms) for name, terms in groups.items()},
        group_obs_term_dim={name: [(v.shape[1],) for v in terms.values()] for name, terms in groups.items()},
    )
    env.unwrapped = env
    return env


def test_the_mirrored_robot_on_the_mirrored_walk_observes_the_mirror_image_of_every_term(env):
    mirrors = mirrors_of(env)
    for name, terms in observe(env).items():
        image = mirrors[name](torch.cat(list(terms.values()), dim=-1)[0]).split([v.shape[1] for v in terms.values()])
        assert {"gait_params", "gait_phase"} <= set(terms)
        for (key, values), part in zip(terms.items(), image, strict=True):
            assert values[0].abs().max() > 0.0, key
            assert torch.allclose(part, values[1], atol=1e-4), (name, key)


def test_two_mirrors_are_none(env):
    sizes = {name: sum(size[0] for size in sizes) for name, sizes in env.observation_manager.group_obs_term_dim.items()}
    obs = TensorDict({name: torch.randn(5, size) for name, size in sizes.items()}, batch_size=[5])
    doubled, actions = with_mirror_images(env, obs, torch.randn(5, 29))
    again, actions_again = with_mirror_images(env, doubled[5:], actions[5:])
    for name in sizes:
        assert torch.equal(again[name][5:], obs[name]) and not torch.equal(doubled[name][5:], obs[name])
    assert torch.equal(actions_again[5:], actions[:5])


def test_a_walk_that_turns_further_to_one_side_is_refused(env, tmp_path):
    one_sided = RANGES | {"turn_rate": [-0.1, 0.4]}
    env.cfg.commands.motion.model_file, before = (
        str(save_small_refnn(tmp_path / "refnn.npz", parameters=one_sided)),
        env.cfg.commands.motion.model_file,
    )
    try:
        with pytest.raises(ValueError, match=r"refnn\.npz was trained on turn_rate from -0\.1 to 0\.4, whose mirror"):
            require_mirror_images(env.cfg)
    finally:
        env.cfg.commands.motion.model_file = before
