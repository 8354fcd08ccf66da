"""Rewards and starts from frozen priors, without a simulator, and what is refused before one starts."""

import dataclasses
import importlib
import json
import math
import shutil
from types import SimpleNamespace

import pytest
import torch
from fake_cuda import DEVICE, fake_cuda

from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.motion.geometry.ground import lowest_height
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.priors import MotionModel, StateLayout, clip_states
from whole_body_tracking.priors.checkpoint import save_model
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.state import clip_poses
from whole_body_tracking.priors.style.rewards import score_reward
from whole_body_tracking.priors.style.score_prior import ScorePrior
from whole_body_tracking.rl.prior.reward import adopt_reward_priors, keep_reward_priors, use_reward_priors
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.locomotion.config.g1.velocity_g1_env_cfg import G1VelocityEnvCfg
from whole_body_tracking.tasks.locomotion.prior_terms import (
    check_priors,
    motion_prior_reward,
    prior_starts,
    score_prior_reward,
)

pytestmark = pytest.mark.unit

NUM_ENVS, FRAMES = 3, 4
ORIGINS = torch.arange(3.0 * NUM_ENVS).view(NUM_ENVS, 3)
terms = importlib.import_module("whole_body_tracking.tasks.locomotion.mdp.prior_rewards")
starts = importlib.import_module("whole_body_tracking.tasks.locomotion.mdp.prior_starts")


@pytest.fixture(scope="module")
def walk():
    return resolve_entries([str(DEFAULT_WALK_FILE)])[0].load()


@pytest.fixture(scope="module")
def files(walk, tmp_path_factory):
    """Untrained priors of the right and of wrong kinds, by name."""
    folder, layout = tmp_path_factory.mktemp("priors"), StateLayout.of_robot(G1, 50.0)
    torch.manual_seed(0)
    states = clip_states(walk, layout)
    made = {}
    for name, change in (
        ("score", {}),
        ("slow", {"fps": 30.0}),
        ("half", {"fps": 25.0}),
        ("other_robot", {"robot_name": "h1"}),
        ("other_joints", {"joint_names": ("tail_joint", *layout.joint_names[1:])}),
    ):
        made[name] = ScorePrior(dataclasses.replace(layout, **change), NetworkSettings.score(FRAMES, 16, 1))
        made[name].normalizer.fit([states])
    made["predictor"] = MotionModel(layout, NetworkSettings.default("mlp", hidden=8, layers=1))
    made["predictor"].normalizer.fit([states])
    made["unmeasured"] = MotionModel(layout, NetworkSettings.default("mlp", hidden=8, layers=1))
    made["predictor"].residual_std.fill_(1.0)
    for name, model in made.items():
        save_model(folder / f"{name}.safetensors", model, {"data": "x"})
    return {name: str(folder / f"{name}.safetensors") for name in made}


class Player:
    """A robot that plays the walk; its joints are in another order than the prior's."""

    def __init__(self, walk):
        self.joint_names = list(reversed(G1.joint_names))
        self._poses = [value.float() for value in clip_poses(walk, StateLayout.of_robot(G1, 50.0))]
        self.data, self.written = SimpleNamespace(), {}
        limits = torch.tensor(G1.soft_joint_pos_limits).float().flip(0)
        self.data.soft_joint_pos_limits = SimpleNamespace(torch=limits.repeat(NUM_ENVS, 1, 1))

    def go_to(self, frame: int) -> None:
        pos, quat, joints = (value[frame].repeat(NUM_ENVS, 1) for value in self._poses)
        self.data.root_link_pose_w = SimpleNamespace(torch=torch.cat((pos, quat), -1))
        self.data.joint_pos = SimpleNamespace(torch=joints.flip(-1))

    def write_root_link_pose_to_sim_index(self, **written):
        self.written |= written

    write_root_link_velocity_to_sim_index = write_joint_state_to_sim_index = write_root_link_pose_to_sim_index


@pytest.fixture
def env(walk):
    return SimpleNamespace(
        scene=SimpleNamespace(env_origins=ORIGINS),
        num_envs=NUM_ENVS,
        device="cpu",
        step_dt=0.02,
        common_step_counter=0,
        cfg=SimpleNamespace(robot_name="g1"),
    )


class Scene(dict):
    env_origins = ORIGINS


@pytest.fixture
def player(env, walk):
    robot = Player(walk)
    env.scene = Scene(robot=robot)
    return robot


def step(env, player, term, cfg, frame: int) -> list[float]:
    env.common_step_counter += 1
    player.go_to(frame)
    return term(env, **cfg.params)


def test_the_reward_is_that_of_the_last_states_at_the_priors_rate(env, player, files, walk, monkeypatch):
    cfg = score_prior_reward(files["score"])
    term = terms.score_prior(cfg, env)
    term._precision = "fp32"
    noise = torch.randn(len(cfg.params["levels"]), NUM_ENVS, FRAMES, 68)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise)
    found = [step(env, player, term, cfg, frame) for frame in range(20, 27)]
    assert [value.tolist() for value in found[:FRAMES]] == [[0.0] * NUM_ENVS] * FRAMES
    states = clip_states(walk, term.model.layout)[22:26].repeat(NUM_ENVS, 1, 1)  # frames 23 to 26
    expected = score_reward(term.model.normalized_losses(states, cfg.params["levels"], noise), 6.0)
    torch.testing.assert_close(found[-1], expected, atol=1e-3, rtol=1e-3)


def test_a_reset_begins_anew_and_a_second_look_changes_nothing(env, player, files):
    cfg = score_prior_reward(files["score"])
    term = terms.score_prior(cfg, env)
    for frame in range(FRAMES + 1):
        value = step(env, player, term, cfg, frame)
    assert (value > 0.0).all()
    before = term.seen.window.states()
    term(env, **cfg.params)  # a log that asks again within the step
    assert torch.equal(term.seen.window.states(), before)
    term.reset([1])
    value = step(env, player, term, cfg, 9)
    assert value[1] == 0.0 and value[0] > 0.0 and value[2] > 0.0


def test_a_state_that_is_not_finite_earns_nothing(env, player, files):
    cfg = motion_prior_reward(files["predictor"])
    term = terms.motion_prior(cfg, env)
    for frame in range(term.model.context + 1):
        value = step(env, player, term, cfg, frame)
    assert (value >= 0.0).all()
    env.common_step_counter += 1
    player.data.joint_pos.torch[0, 3] = math.nan
    value = term(env, **cfg.params)
    assert value[0] == 0.0 and value.isfinite().all()


def test_a_prior_of_half_the_rate_looks_at_every_other_step(env, player, files):
    term = terms.score_prior(score_prior_reward(files["half"]), env)
    assert (term.seen.window.steps_per_frame, len(term.seen.window._poses)) == (2, 2 * FRAMES + 1)


@pytest.mark.parametrize(("make", "kind"), [(score_prior_reward, "score"), (motion_prior_reward, "predictor")])
def test_a_step_keeps_to_the_device(env, player, files, make, kind):
    """On a CUDA device that is not there: no copy from or to the host, nothing that needs a value."""
    cfg = make(files[kind])
    term = getattr(terms, f"{'score' if kind == 'score' else 'motion'}_prior")(cfg, env)
    term._precision = "fp32"
    player.go_to(0)
    with fake_cuda() as traffic:
        move_to_fake_device(term, player)
        env.device = str(DEVICE)
        for _ in range(2):
            traffic.clear()  # the first step may copy constants
            env.common_step_counter += 1
            value = term(env, **cfg.params)
            term.reset(torch.empty(2, dtype=torch.long, device=DEVICE))
        assert value.device == DEVICE
    assert traffic.stalls == []


def move_to_fake_device(term, player) -> None:
    def fake(value):
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device=DEVICE)

    for module in term.model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, value in tensors.items():
                tensors[name] = None if value is None else fake(value)
    window = term.seen.window
    window._poses, window._num_seen = fake(window._poses), fake(window._num_seen)
    term.seen._joints = fake(term.seen._joints)
    for proxy in vars(player.data).values():
        proxy.torch = fake(proxy.torch)


def test_the_tilt_of_a_start_is_that_of_the_state():
    up = torch.nn.functional.normalize(torch.tensor([[0.0, 0.0, 1.0], [0.3, -0.2, 0.9], [0.0, 0.0, -1.0]]), dim=-1)
    risen = quat_rotate(starts.upright_quat(up), up)
    torch.testing.assert_close(risen, torch.tensor([0.0, 0.0, 1.0]).repeat(3, 1), atol=1e-6, rtol=0.0)


def test_starts_are_drawn_states_above_the_ground(env, player, files):
    cfg = prior_starts(files["score"])
    cfg.params |= {"num_states": 50, "share": 0.67}
    torch.manual_seed(0)
    term = starts.start_from_prior(cfg, env)
    player.go_to(0)
    term(env, slice(None), **cfg.params)  # as in the environment's first reset
    written = player.written
    assert len(written["env_ids"]) == 2 and written["root_velocity"].shape == (2, 6)
    pose, joints = written["root_pose"], written["position"]
    place = pose[:, :2] - env.scene.env_origins[written["env_ids"].long()][:, :2]
    assert place.abs().max() == 0.0
    limits = torch.tensor(G1.soft_joint_pos_limits).float().flip(0)
    assert (joints >= limits[:, 0] - 1e-6).all() and (joints <= limits[:, 1] + 1e-6).all()
    layout = StateLayout.of_robot(G1, 50.0)
    state = term._states
    at_height = torch.cat((torch.zeros(50, 2), state[:, :1]), -1)
    quat = starts.upright_quat(torch.nn.functional.normalize(state[:, layout.slices["up_b"]], dim=-1))
    bodies = forward_kinematics(G1, at_height, quat, state[:, layout.slices["joint_pos"]])
    assert lowest_height(G1, *bodies).min() > -1e-5


def test_a_start_whose_joints_are_limited_is_raised_as_it_is_written(env, player, files, monkeypatch):
    """Knees bent within their limits reach lower than beyond them."""
    layout, cfg = StateLayout.of_robot(G1, 50.0), prior_starts(files["score"])
    limits = torch.tensor(G1.soft_joint_pos_limits).float()
    state = torch.zeros(1, 1, layout.dim)
    state[..., layout.slices["up_b"]] = torch.tensor([0.0, 0.0, 1.0])
    joints = torch.tensor(G1.default_joint_pos).float()
    for name in ("left_knee_joint", "right_knee_joint"):
        joints[G1.joint_names.index(name)] = limits[G1.joint_names.index(name), 1] + 0.5
    state[..., layout.slices["joint_pos"]] = joints
    monkeypatch.setattr(ScorePrior, "sample", lambda self, num: state.repeat(num, 1, 1))
    cfg.params |= {"num_states": 1, "share": 1.0}
    term = starts.start_from_prior(cfg, env)
    term(env, slice(None), **cfg.params)
    pose, position = player.written["root_pose"], player.written["position"].flip(-1)
    assert (position <= limits[:, 1] + 1e-6).all()
    pos = pose[:, :3] - ORIGINS[player.written["env_ids"]]
    bodies = forward_kinematics(G1, pos, torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(NUM_ENVS, 1), position)
    assert lowest_height(G1, *bodies).amin(-1).tolist() == pytest.approx([0.0] * NUM_ENVS, abs=1e-5)


def test_a_share_holds_for_envs_that_are_reset_one_at_a_time(env, player, files):
    """Half of one env is an env half of the time: 200 of 400, give or take 10; rounding gave none."""
    cfg = prior_starts(files["score"])
    cfg.params["num_states"] = 4
    torch.manual_seed(0)
    term = starts.start_from_prior(cfg, env)
    counts = []
    for _ in range(400):
        term(env, torch.tensor([1]), **cfg.params)
        counts.append(len(player.written["env_ids"]))
    assert 160 < sum(counts) < 240 and set(counts) == {0, 1}


@pytest.mark.parametrize(
    ("term", "kind", "said"),
    [
        ("score", "other_robot", "is a prior of the robot h1, this task's is g1"),
        ("score", "other_joints", r"has another layout: \['left_hip_pitch_joint', 'tail_joint'\]"),
        ("score", "slow", r"trained at 30 fps, which does not divide .* 50 Hz.*--output_fps 50 or 25"),
        ("score", "predictor", "is a mlp, expected a score prior"),
        ("motion", "score", "is a score, which predicts no states"),
        ("motion", "unmeasured", "without validation clips"),
        ("score", "", r"`rewards.score_prior` has no prior. Pass --score_prior FILE"),
        ("motion", "", r"Pass --motion_prior_reward FILE, or set env.rewards.motion_prior.params.prior=FILE"),
        ("score", "none", "does not exist"),
    ],
)
def test_a_prior_that_does_not_fit_is_refused_before_the_simulator_starts(files, term, kind, said):
    cfg = G1VelocityEnvCfg()
    cfg.rewards.score_prior = cfg.rewards.motion_prior = cfg.events.prior_starts = None  # as without presets
    make = {"score": score_prior_reward, "motion": motion_prior_reward}[term]
    setattr(cfg.rewards, f"{term}_prior", make(files.get(kind, kind)))
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        check_priors(cfg)


def test_numbers_out_of_range_are_refused(files):
    cfg = G1VelocityEnvCfg()
    cfg.rewards.motion_prior, cfg.events.prior_starts = None, None
    for key, value, said in (
        ("levels", [0, 8], r"levels` is \[0, 8\]"),
        ("levels", [], "levels"),
        ("scale", 0, "scale"),
    ):
        cfg.rewards.score_prior = score_prior_reward(files["score"])
        check_priors(cfg)
        cfg.rewards.score_prior.params[key] = value
        with pytest.raises(ValueError, match=said):
            check_priors(cfg)
    cfg.rewards.score_prior, cfg.events.prior_starts = None, prior_starts(files["half"])
    check_priors(cfg)
    cfg.events.prior_starts.params["share"] = 1.5
    with pytest.raises(ValueError, match="share` is 1.5"):
        check_priors(cfg)


def test_flags_turn_rewards_on_and_a_run_keeps_their_priors(files, tmp_path):
    from isaaclab_tasks.utils import resolve_task_config

    def resolved(task="Velocity-Flat-G1-v0", *presets):
        return resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=list(presets))[0]

    cfg = resolved()
    assert cfg.rewards.score_prior is None and cfg.rewards.motion_prior is None and cfg.events.prior_starts is None
    args = SimpleNamespace(score_prior=None, motion_prior_reward=None)
    use_reward_priors(args, cfg)
    assert cfg.rewards.score_prior is None
    args.score_prior = tmp_path / files["score"]
    with pytest.raises(ValueError, match="--score_prior is for tasks that walk by command"):
        use_reward_priors(args, resolved("Tracking-Flat-G1-v0"))
    cfg = resolved("Velocity-Flat-G1-v0", "presets=rand_prior_starts")
    use_reward_priors(args, cfg)
    assert cfg.rewards.score_prior.weight == 2.0 and cfg.events.prior_starts.params["prior"] == files["score"]
    numbers = ("params.prior=x", "params.levels=[15,8]", "weight=1.0")
    changed = resolved(
        "Velocity-Flat-G1-v0", "presets=reward_score_prior", *(f"env.rewards.score_prior.{n}" for n in numbers)
    ).rewards.score_prior
    assert (changed.weight, changed.params["prior"], list(changed.params["levels"])) == (1.0, "x", [15, 8])
    keep_reward_priors(tmp_path, cfg)
    again = resolved()
    adopt_reward_priors(tmp_path / "model_3.pt", again)
    assert again.rewards.score_prior.params["prior"] == str(tmp_path / "reward_score_prior.safetensors")
    assert again.rewards.motion_prior is None and again.rewards.score_prior.weight == 2.0
    trained = {"weight": 1.0, "params": {"prior": "gone", "levels": [15, 8], "scale": 5.0}}
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "env.yaml").write_text(json.dumps({"rewards": {"score_prior": trained}}))  # JSON is YAML
    again = resolved()
    adopt_reward_priors(tmp_path / "model_3.pt", again)
    term = again.rewards.score_prior
    assert (term.weight, term.params["levels"], term.params["scale"]) == (1.0, [15, 8], 5.0)
    assert term.params["prior"] == str(tmp_path / "reward_score_prior.safetensors")
    other = resolved()
    other.rewards.score_prior = score_prior_reward(files["half"])
    with pytest.raises(ValueError, match=r"was trained with the prior .*Leave out --score_prior"):
        adopt_reward_priors(tmp_path / "model_3.pt", other)


def test_a_preset_goes_on_with_the_priors_beside_the_checkpoint(files, tmp_path, monkeypatch):
    from whole_body_tracking.rl.cli import parse_args
    from whole_body_tracking.rl.session import resolve_configs
    from whole_body_tracking.rl.training import train_parser

    (tmp_path / "model_3.pt").touch()
    kept = tmp_path / "reward_score_prior.safetensors"
    shutil.copy(files["score"], kept)
    monkeypatch.setattr("sys.argv", ["train.py"])
    words = ["--checkpoint", str(tmp_path / "model_3.pt"), "presets=reward_score_prior,rand_prior_starts"]
    args = parse_args(train_parser("Train."), ["--task", "Velocity-Flat-G1-v0", "--device", "cpu", *words])
    cfg = resolve_configs(args)[0]
    assert cfg.rewards.score_prior.params["prior"] == cfg.events.prior_starts.params["prior"] == str(kept)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--score_prior", "slow"), "trained at 30 fps"),
        (("--motion_prior_reward", "score"), "predicts no states"),
        (("presets=reward_score_prior",), "`rewards.score_prior` has no prior"),
        (("presets=rand_prior_starts",), "`events.prior_starts` has no prior. Pass --score_prior FILE"),
    ],
)
def test_a_command_line_is_refused_before_the_simulator_starts(files, monkeypatch, arguments, said):
    from whole_body_tracking.rl.cli import parse_args
    from whole_body_tracking.rl.session import resolve_configs
    from whole_body_tracking.rl.training import train_parser

    monkeypatch.setattr("sys.argv", ["train.py"])
    words = [files.get(word, word) for word in arguments]
    args = parse_args(train_parser("Train."), ["--task", "Velocity-Flat-G1-v0", "--device", "cpu", *words])
    with pytest.raises(ValueError, match=said):
        resolve_configs(args)
