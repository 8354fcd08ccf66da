"""Parts of training on a CUDA device that is not there: look-ups, starts, experts and what runs after each step."""

from dataclasses import asdict, replace

import pytest
import torch
from fake_cuda import DEVICE, HostTraffic, fake_cuda, on_cuda
from small_refnn import small_refnn

from whole_body_tracking.actuation.muscle_pairs import MusclePairs
from whole_body_tracking.gait.network.refnn import RefNN
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.rl.experts.switcher import ExpertSwitcher
from whole_body_tracking.rl.run.clip_table import clip_values
from whole_body_tracking.rl.run.logger import TrackingLogger
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.mdp.reference.loop_placement import LoopPlacement
from whole_body_tracking.tasks.tracking.mdp.start_sampling.curriculum import ClipCurriculum
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

pytestmark = pytest.mark.unit

NUM_ENVS = 6
NUM_FRAMES = torch.tensor([40, 80, 120])
SAMPLERS = {
    "adaptive": {"kernel_size": 3},
    "beyondmimic": {"strategy": "beyondmimic", "kernel_size": 3},
    "return": {"strategy": "return", "kernel_size": 3},
    "uniform": {"strategy": "uniform"},
    "first": {"strategy": "first"},
    "shares": {"clip_shares": torch.tensor([1.0, 2.0, 3.0])},
    "cap": {"max_clip_probability": 0.5},
    "curriculum": {"curriculum": ClipCurriculum(torch.tensor([1.0, 3.0, 2.0]), 100, 0.5)},
}


class Motion:
    """What the clip table reads of the motion command."""

    def __init__(self, sampler: StartSampler):
        self.sampler = sampler


def integers() -> torch.Tensor:
    return torch.zeros(NUM_ENVS, dtype=torch.long, device=DEVICE)


def booleans() -> torch.Tensor:
    return integers().bool()


def clips() -> list[MotionClip]:
    return [MotionClip.load(DEFAULT_MOTION_FILE)]


@pytest.mark.parametrize("options", SAMPLERS.values(), ids=SAMPLERS)
def test_starts_are_drawn_and_counted_on_the_device(options):
    sampler = StartSampler(NUM_FRAMES, 25, **options)
    with fake_cuda() as traffic:
        on_cuda(sampler)
        clip_ids, frames = sampler.sample(NUM_ENVS)
        bins = sampler.bin_of(clip_ids, frames)
        sampler.record_visits(bins, booleans())
        sampler.record_failures(bins, booleans())
        sampler.clips.record(clip_ids, integers(), booleans(), booleans())
        if sampler.earnings is not None:
            left = sampler.frames_left(clip_ids, frames)
            sampler.earnings.record(bins, integers().float(), booleans(), left)
        sampler.update()
        metrics = sampler.metrics()
        table = clip_values(Motion(sampler), 0.02)
    assert table.shape == (3, 3)
    assert {value.device for value in (clip_ids, frames, bins, table, *metrics.values())} == {DEVICE}
    assert traffic.stalls == []


def look_up(library: MotionLibrary) -> HostTraffic:
    with fake_cuda() as traffic:
        on_cuda(library)
        state = library.state_at(integers(), integers())
    assert {value.device for value in vars(state).values()} == {DEVICE}
    assert state.body_quat_w.shape == (NUM_ENVS, len(library.body_names), 4)
    assert traffic.stalls == []
    return traffic


def test_a_look_up_is_a_gather():
    assert look_up(MotionLibrary.from_clips(clips())).num_launches <= 8


def test_a_compact_look_up_is_one_kernel():
    library = CompactMotionLibrary.from_clips(clips(), None, G1.tracked_body_names, robot=G1)
    assert look_up(library).num_launches <= 3


def test_a_looped_clip_is_placed_on_the_device():
    placement = LoopPlacement(MotionLibrary.from_clips(clips()), 0, NUM_ENVS)
    with fake_cuda() as traffic:
        on_cuda(placement)
        placement.advance(integers(), booleans())
        placement.next_round(integers(), booleans()[:, None].expand(-1, 3))
        placement.reset(integers()[:2])
    assert placement.quat.device == DEVICE
    assert traffic.stalls == []


def test_experts_take_turns_without_asking_the_device():
    experts = [torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ELU(), torch.nn.Linear(8, 3)) for _ in range(3)]
    switcher = ExpertSwitcher(experts, [2, 0, 1, 0])
    with fake_cuda() as traffic:
        for name, value in switcher.named_buffers():
            setattr(switcher, name, on_cuda(value))
        obs = {"expert": torch.empty(64, 5, device=DEVICE), "expert_clip": torch.empty(64, 1, device=DEVICE)}
        actions = switcher(obs)
    assert actions.device == DEVICE and actions.shape == (64, 3)
    assert traffic.stalls == []


def test_failures_are_counted_on_the_device():
    """Without a writer: with one, rsl_rl itself copies the rewards of ended episodes to the host at each step."""
    alone = {"is_distributed": False, "gpu_world_size": 1, "gpu_global_rank": 0, "device": "cpu"}
    args = {"log_dir": None, "cfg": {"algorithm": {}}, "env_cfg": None, "num_envs": NUM_ENVS}
    logger = TrackingLogger(0.02, lambda *_: None, **args, **alone)
    with fake_cuda() as traffic:
        logger._failures = on_cuda(logger._failures)
        rewards, dones = torch.empty(NUM_ENVS, device=DEVICE), integers()
        logger.process_env_step(rewards, dones, {"time_outs": booleans()})
        logger.process_env_step(rewards, dones, {})
    assert logger._failures.device == DEVICE
    assert traffic.stalls == []


def test_torques_of_muscles_copy_no_constants():
    pairs = MusclePairs.of_robot(G1)
    _ = pairs.peak_force  # once
    with fake_cuda() as traffic:
        on_cuda(pairs)
        state = torch.zeros(NUM_ENVS, G1.num_joints, device=DEVICE)
        torque = pairs.torque(torch.zeros(*state.shape, 2, device=DEVICE), state, state)
    assert torque.device == DEVICE and torque.shape == state.shape
    assert traffic.stalls == []


def test_a_cascaded_refnn_copies_no_constants():
    first, facts = small_refnn(), small_refnn().facts
    model = RefNN(replace(facts, is_cascaded=True, base=asdict(facts)), first)
    with fake_cuda() as traffic:
        for module in model.modules():
            for tensors in (module._parameters, module._buffers):
                tensors.update({name: on_cuda(value) for name, value in tensors.items()})
        params = torch.zeros(NUM_ENVS, len(facts.parameters), device=DEVICE)
        outputs = model(params, params[:, 0])
        bounds = model.low, model.high
    assert {value.device for value in (outputs, *bounds)} == {DEVICE} and outputs.shape == (NUM_ENVS, 39)
    assert traffic.stalls == []
