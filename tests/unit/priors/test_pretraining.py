"""Training: it learns, one seed gives one result, a resumed run goes on as it would have."""

import dataclasses
import math

import pytest
import torch

from whole_body_tracking.priors.baselines import baseline_rollout
from whole_body_tracking.priors.checkpoint import BEST_FILE, LAST_FILE, load_model, read_model_file, save_model
from whole_body_tracking.priors.evaluate import EvaluationJob, run_evaluation
from whole_body_tracking.priors.job import PretrainJob, run_pretraining
from whole_body_tracking.priors.losses import (
    LossSettings,
    energy_loss,
    multi_step_loss,
    single_step_loss,
    smoothness_loss,
    state_loss,
    velocity_weight,
)
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.report import write_report
from whole_body_tracking.priors.training import TrainingSettings
from whole_body_tracking.priors.vae import MotionVAE, vae_loss
from whole_body_tracking.robots import G1

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def small_job(split, folder, mode="mlp", resume=False, epochs=3, **changes) -> PretrainJob:
    network = dataclasses.replace(NetworkSettings.default(mode, 12, hidden=32, layers=1), history=4, latent=4)
    loss = LossSettings(multi_step_share=0.5, multi_step_length=3, multi_step_gradients="through", noise=0.1)
    training = TrainingSettings(epochs=epochs, seq_len=12, batch_size=8, learning_rate=3e-3, loss=loss, **changes)
    return PretrainJob(split, G1, folder, network, training, resume=resume)


@pytest.fixture(scope="module")
def trained(split, tmp_path_factory):
    """A small MLP, its folder and its epochs."""
    job = small_job(split, tmp_path_factory.mktemp("mlp"))
    return job, list(run_pretraining(job))


def test_training_lowers_the_loss_and_writes_what_it_promises(trained):
    job, epochs = trained
    assert epochs[-1].validation_loss < epochs[0].validation_loss
    names = {path.name for path in job.output_dir.iterdir()}
    assert {BEST_FILE, LAST_FILE, "split_info.json", "progress.csv"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)


def test_two_runs_with_one_seed_agree(trained, split, tmp_path):
    job, epochs = trained
    again = list(run_pretraining(small_job(split, tmp_path / "again")))
    assert [e.train_loss for e in again] == [e.train_loss for e in epochs]
    one, two = (read_model_file(folder / LAST_FILE)[0] for folder in (job.output_dir, tmp_path / "again"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_resumed_run_goes_on_as_it_would_have(trained, split, tmp_path):
    job, epochs = trained
    folder = tmp_path / "resumed"
    steps = run_pretraining(small_job(split, folder))
    next(steps)
    steps.close()  # as a kill after the first epoch
    with pytest.raises(ValueError, match="Go on with --resume"):
        small_job(split, folder)
    rest = list(run_pretraining(small_job(split, folder, resume=True)))
    assert [e.number for e in rest] == [1, 2]
    assert [e.train_loss for e in rest] == [e.train_loss for e in epochs[1:]]
    other = small_job(split, folder, resume=True, seed=1)
    with pytest.raises(ValueError, match="had other settings"):
        next(run_pretraining(other))


def test_evaluation_reads_the_model_and_refuses_another_split(trained, tmp_path, entries):
    job, _ = trained
    evaluation = EvaluationJob(
        job.output_dir / BEST_FILE, job.output_dir / "split_info.json", num_frames=20, num_windows=2
    )
    result = run_evaluation(evaluation)
    assert result.content["rollout"].keys() == {"1", "5", "15"}
    assert result.content["drawn"]["rollout"]["15"] != result.content["rollout"]["15"]
    assert result.content["drawn"] == run_evaluation(evaluation).content["drawn"]  # one seed
    assert [path.name for path in write_report(tmp_path / "report", result)] == ["report.html", "rollout.html"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert "collapse_share" in page and "http" not in page.replace("http://www.w3.org", "")
    other = dataclasses.replace(job.split, train=job.split.train[:-1])
    other.save(tmp_path / "split_info.json")
    with pytest.raises(ValueError, match="was trained on other clips"):
        run_evaluation(dataclasses.replace(evaluation, split_file=tmp_path / "split_info.json"))


@pytest.mark.parametrize("mode", ["transformer", "transformer_reg"])
def test_transformers_train_and_see_only_the_past(split, tmp_path, states, mode):
    job = small_job(split, tmp_path / mode, mode)
    epochs = list(run_pretraining(job))
    assert epochs[-1].train_loss < epochs[0].train_loss
    model = load_model(job.output_dir / BEST_FILE)
    seen, changed = states[None, :12].clone(), states[None, :12].clone()
    changed[:, 8:] += 0.1
    with torch.no_grad():
        torch.testing.assert_close(model(seen)[:, :8], model(changed)[:, :8])
        assert (model(seen)[:, 8:] - model(changed)[:, 8:]).abs().max() > 1e-3


def test_the_next_state_is_the_last_of_all_predictions(layout, states):
    for mode in ("mlp", "transformer"):
        model = MotionModel(layout, NetworkSettings.default(mode, 12, hidden=16, layers=1)).eval()
        with torch.no_grad():
            torch.testing.assert_close(model.next_state(states[None, :12]), model(states[None, :12])[:, -1])


def test_multi_step_gradients(layout, states):
    """Detached, the gradient of the last step does not see how the first prediction led there."""
    model = MotionModel(layout, NetworkSettings.default("mlp", 12, hidden=16, layers=1))
    model.normalizer.fit([states])
    seen = states[None, :8]
    gradients = {}
    for kind in ("detached", "through"):
        model.zero_grad()
        model.rollout(seen, 5, detached=kind == "detached")[:, -1, 4].sum().backward()
        gradients[kind] = model.network.head.weight.grad.clone()
    assert gradients["through"].abs().sum() > 2.0 * gradients["detached"].abs().sum()
    loss = LossSettings(multi_step_length=5)
    assert multi_step_loss(model, states[None, :20], loss, torch.Generator()) > 0.0
    assert single_step_loss(model, states[None, :20], loss, torch.Generator()) > 0.0


def test_energy_is_amplitude_and_speed_over_those_of_the_truth(layout):
    """All values swing by 1 about a mean that does not count; 0.5 of it costs (0.5 / 1.1)^2 for each of both."""
    model = MotionModel(layout, NetworkSettings.default("mlp", 12, hidden=16, layers=1))
    truth = torch.tensor([1.0, -1.0]).repeat(5)[None, :, None].expand(2, -1, layout.dim)
    moved = truth.clone()
    moved[..., : layout.num_positions] += 7.0
    assert energy_loss(model, moved, truth) == pytest.approx(0.0, abs=1e-5)
    assert energy_loss(model, 0.5 * truth, truth) == pytest.approx(2.0 * (0.5 / 1.1) ** 2, rel=1e-4)
    tremble = truth.clone()
    tremble[..., : layout.num_positions] *= 0.1
    assert energy_loss(model, tremble, truth) == pytest.approx((0.9 / 1.1) ** 2, rel=1e-4)
    at_rest = torch.zeros_like(truth).requires_grad_()
    energy_loss(model, at_rest, truth).backward()
    assert at_rest.grad.isfinite().all()


@pytest.mark.parametrize(("mode", "expected"), [("mlp", 22), ("transformer", 3)])
def test_windows_that_a_transformer_goes_on_from_share_no_past(layout, monkeypatch, mode, expected):
    """16 known states and 5 predicted ones fit into 64 at 22 places two apart, and at 3 places 16 apart."""
    settings, sizes = dataclasses.replace(NetworkSettings.default(mode, 16, hidden=16, layers=1), history=16), []
    model, rollout = MotionModel(layout, settings), MotionModel.rollout

    def counted(self, seen, *args, **kwargs):
        sizes.append(len(seen))
        return rollout(self, seen, *args, **kwargs)

    monkeypatch.setattr(MotionModel, "rollout", counted)
    window = torch.randn(1, 64, layout.dim)
    multi_step_loss(model, window, LossSettings(multi_step_length=5), torch.Generator())
    assert sizes == [expected]


def test_energy_is_compared_once_more_after_steps_without_a_loss(layout, states):
    """A head of zeros predicts constant velocity, whose rollout is known."""
    model = MotionModel(layout, dataclasses.replace(NetworkSettings.default("mlp", 12, hidden=16, layers=1), history=4))
    model.normalizer.fit([states])
    torch.nn.init.zeros_(model.network.head.weight)
    settings = LossSettings(multi_step_length=4, energy_weight=0.5, free_steps=6)
    free = int(torch.randint(7, (), generator=torch.Generator().manual_seed(2)))
    assert 0 < free < 6
    window = states[None, : 4 + 4 + free + 4]
    loss = multi_step_loss(model, window, settings, torch.Generator().manual_seed(2))
    rollout, truth = baseline_rollout("constant_velocity", window[:, :4], 4 + free + 4, layout), window[:, 4:]
    expected = state_loss(model, rollout[:, :4], truth[:, :4], settings)
    expected = expected + 0.01 * smoothness_loss(model, rollout[:, :4], truth[:, :4])
    for part in (slice(0, 4), slice(4 + free, None)):
        expected = expected + 0.5 * energy_loss(model, rollout[:, part], truth[:, part])
    tail = (x[:, 4 + free :].mean(1) for x in (rollout, truth))
    expected = expected + state_loss(model, *tail, settings)
    torch.testing.assert_close(loss, expected)


def test_settings_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="--free_steps 5 compares the energy.*--energy_weight is 0"):
        LossSettings(free_steps=5)
    assert NetworkSettings.default("mlp", history=16).history == 16
    with pytest.raises(ValueError, match="history is 0, expected at least 1"):
        NetworkSettings.default("mlp", history=0)
    with pytest.raises(ValueError, match=r"45 steps \(--multi_step_length 15, --free_steps 15\).*--seq_len 45"):
        TrainingSettings(seq_len=45, loss=LossSettings(multi_step_length=15, energy_weight=0.1, free_steps=15))


def test_automatic_velocity_weight_balances_both_terms(layout, states):
    model = MotionModel(layout, NetworkSettings.default("mlp", 12, hidden=16, layers=1))
    first = layout.num_positions
    model.normalizer.change_std[:first], model.normalizer.std[:first] = 0.2, 1.0  # positions change by 0.2 sigma
    model.normalizer.change_std[first:], model.normalizer.std[first:] = 1.0, 2.0  # velocities by 0.5 sigma
    assert velocity_weight(model, LossSettings(velocity_weight="auto")) == pytest.approx(0.04 / 0.25)
    assert velocity_weight(model, LossSettings()) == 0.1


def test_damaged_and_foreign_model_files_are_refused(layout, tmp_path):
    model = MotionModel(layout, NetworkSettings.default("mlp", 12, hidden=16, layers=1))
    save_model(tmp_path / "model.safetensors", model, {"data": "x"})
    assert load_model(tmp_path / "model.safetensors").layout == layout
    content = (tmp_path / "model.safetensors").read_bytes()
    for name, bad in (("short", content[:200]), ("text", b"hello"), ("empty", b""), ("cut", content[:-100])):
        (tmp_path / name).write_bytes(bad)
        with pytest.raises(ValueError, match="not a file of safe tensors, or is damaged"):
            load_model(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"train_motion.py writes"):
        load_model(tmp_path / "none")


def test_the_loss_of_a_vae_by_hand(layout, monkeypatch):
    """Positions off by 1 and -1 in turn and velocities by 4; a code with mean 1 and variance 4."""
    model = MotionVAE(layout, NetworkSettings.default("vae", hidden=16, layers=1))
    model.normalizer.std.fill_(2.0)
    model.normalizer.change_std.fill_(0.5)
    windows = torch.randn(3, model.window, layout.dim)
    off = torch.full_like(windows, 4.0)
    off[..., : layout.num_positions] = torch.tensor([1.0, -1.0]).repeat(model.window // 2)[:, None]
    code = torch.ones(3, 32)
    monkeypatch.setattr(model, "encode", lambda _: (code, code * math.log(4.0)))
    monkeypatch.setattr(model, "decode", lambda _: windows + off)
    divergence = 0.5 * (1.0 + 4.0 - math.log(4.0) - 1.0)
    expected = (1.0 / 2.0) ** 2 + 0.1 * (4.0 / 2.0) ** 2 + 0.1 * (2.0 / 0.5) ** 2 + 0.04 * divergence
    assert float(vae_loss(model, windows, torch.Generator())) == pytest.approx(expected, rel=1e-5)


def test_vae_blends_two_clips_within_limits_and_without_a_jump(split, layout, tmp_path, entries):
    job = small_job(split, tmp_path / "vae", "vae", epochs=8)
    epochs = list(run_pretraining(job))
    assert epochs[-1].validation_loss < epochs[0].validation_loss
    model = load_model(job.output_dir / BEST_FILE)
    result = run_evaluation(
        EvaluationJob(job.output_dir / BEST_FILE, job.output_dir / "split_info.json", num_windows=4)
    )
    assert result.content["reconstruction"]["joint_pos"] > 0.0
    a, b = result.windows.truth[0], result.windows.truth[-1]
    with torch.no_grad():
        blended = model.interpolate(a, b, 5)
        drawn = model.sample(20, torch.Generator().manual_seed(0))
        torch.testing.assert_close(blended[0], model.decode(model.encode(a[None])[0])[0], atol=1e-4, rtol=0.0)
    joints, speeds = layout.slices["joint_pos"], layout.slices["joint_vel"]
    limits = torch.tensor(layout.joint_pos_limits)
    for states in (blended, drawn):
        assert (states[..., joints] >= limits[:, 0]).all() and (states[..., joints] <= limits[:, 1]).all()
        torch.testing.assert_close(states[:, 1:, speeds], states[..., joints].diff(dim=1) * 30.0)
    most = torch.stack((a, b))[..., speeds].abs().max()
    assert blended[..., speeds].abs().max() < 1.5 * most  # no jump within a window
    steps = blended[..., joints].diff(dim=0).abs().amax((1, 2))
    assert steps.max() < 3.0 * steps.mean()  # nor between neighbouring blends
