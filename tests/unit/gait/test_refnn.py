"""RefNN and its data set: continuity, weights, files, streaming, and refusals."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from whole_body_tracking.gait.network import making
from whole_body_tracking.gait.network.dataset import DESCRIPTION, DataSet, GaitSample
from whole_body_tracking.gait.network.layout import NUM_ROOT, output_names
from whole_body_tracking.gait.network.making import DataSetJob, make_data_set
from whole_body_tracking.gait.network.measuring import relative_errors
from whole_body_tracking.gait.network.prediction import predict_motion
from whole_body_tracking.gait.network.refnn import METADATA_KEY, RefNN, RefNNFacts, load_refnn, save_refnn
from whole_body_tracking.gait.network.training import (
    PRESETS,
    TrainingJob,
    output_weights,
    train_refnn,
    weighted_error,
)
from whole_body_tracking.gait.planning import GaitParameters, ParameterSchedule
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.motion.npz import read_arrays, write_arrays
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit
RANGES = {name: [item.low, item.high] for name, item in PARAMETERS.items()}


def facts(**changes) -> RefNNFacts:
    return RefNNFacts(**({"robot": "g1", "outputs": output_names(G1), "parameters": RANGES} | changes))


@pytest.fixture
def data_dir(tmp_path):
    """40 made-up gaits: outputs that are smooth functions of phase and parameters."""
    rng, folder = np.random.default_rng(0), tmp_path / "gaits"
    folder.mkdir()
    low, high = np.array(list(RANGES.values())).T
    params = rng.uniform(low, high, (40, len(RANGES)))
    phase = (np.arange(60) / 40.0) % 1.0 * np.ones((40, 1))
    wave = np.sin(2.0 * np.pi * phase)[..., None] * ((params - low) / (high - low)).mean(-1)[:, None, None]
    motions = 0.5 + wave * np.linspace(0.1, 1.0, len(output_names(G1)))
    for number in range(2):
        part = slice(20 * number, 20 * number + 20)
        arrays = {"motions": motions[part], "params": params[part], "phase": phase[part]}
        write_arrays(folder / f"gaits_{number}.npz", {k: v.astype(np.float32) for k, v in arrays.items()})
    names = {name: {"range": bounds} for name, bounds in RANGES.items()}
    content = {"robot": "g1", "outputs": output_names(G1), "parameters": names, "num_gaits": 40, "num_frames": 60}
    (folder / DESCRIPTION).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("harmonics", [1, 2])
def test_the_motion_is_continuous_where_the_phase_wraps(harmonics):
    torch.manual_seed(0)
    model = RefNN(facts(harmonics=harmonics))
    params = torch.tensor([[0.5 * (low + high) for low, high in RANGES.values()]] * 2)
    before, after = model(params, torch.tensor([1.0 - 1e-6, 1e-6]))
    assert torch.allclose(before, after, atol=1e-4)
    middle, _ = model(params, torch.tensor([0.5, 0.0]))
    assert (middle - after).abs().max() > 1e-2  # the phase does count


def test_the_loss_weighs_root_twice_and_arms_half():
    weights = output_weights(G1, root=2.0, arms=0.5)
    assert weights[:NUM_ROOT].eq(2.0).all() and len(weights) == NUM_ROOT + 29
    assert weights[NUM_ROOT:].eq(0.5).sum() == 14 and weights[NUM_ROOT:].eq(1.0).sum() == 15  # 2 x 7 arm joints
    found, wanted = torch.tensor([[1.0, 0.0, 3.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    # (2 * 1 + 1 * 0 + 0.5 * 4) / 3
    assert weighted_error(found, wanted, torch.tensor([2.0, 1.0, 0.5])).item() == pytest.approx(4.0 / 3.0)


@pytest.mark.integration
def test_training_lowers_the_error_and_writes_what_it_promises(data_dir, tmp_path):
    job = TrainingJob(data_dir, tmp_path / "run", save_every=40).with_preset(epochs=8, batch_size=256)
    rows = []
    summary = train_refnn(job, rows.append)
    assert rows[-1]["joint_rmse"] < 0.4 * rows[0]["joint_rmse"] and summary["joint_rmse"] == rows[-1]["joint_rmse"]
    assert rows[-1]["iteration"] == 8 * 9  # 38 gaits of 60 frames are 2280: nine batches of at most 256
    model = load_refnn(tmp_path / "run" / "refnn.npz", G1)
    assert model.facts.training["preset"] == "ours" and model.facts.parameters == RANGES
    assert load_refnn(tmp_path / "run" / "refnn_40.npz", G1).facts.training["iteration"] == 40
    assert (tmp_path / "run" / "progress.csv").read_text().count("\n") == 9
    assert list((tmp_path / "run").glob("events.out.tfevents.*"))


@pytest.mark.integration
def test_training_goes_on_from_another_networks_weights(data_dir, tmp_path):
    """One epoch from there, with a loss that holds feet, is better than one from random weights."""
    first = train_refnn(TrainingJob(data_dir, tmp_path / "first").with_preset(epochs=4, batch_size=256))
    start = tmp_path / "first" / "refnn.npz"
    job = TrainingJob(data_dir, tmp_path / "second", start=start, slip_weight=1e-3)
    second = train_refnn(job.with_preset(epochs=1, batch_size=256, learning_rate=1e-4))
    assert second["joint_rmse"] < 1.2 * first["joint_rmse"]
    with pytest.raises(ValueError, match="has the harmonics 1, and the new network 2"):
        train_refnn(TrainingJob(data_dir, tmp_path / "third", start=start, harmonics=2))


def test_gaitnet_preset_is_the_published_one():
    preset = PRESETS["gaitnet"]
    assert (preset.learning_rate, preset.epochs, preset.batch_size, preset.set_size) == (1e-5, 5, 128, 65_536)
    assert (preset.loss_factor, preset.clamp, preset.clip_norm, preset.cosine) == (5.0, 0.1, None, False)


def saved(tmp_path, **changes):
    path = tmp_path / "refnn.npz"
    model = RefNN(facts(**({"num_examples": 40} | changes)))
    with torch.no_grad():
        model.examples.copy_(model.low + torch.rand(40, len(RANGES)) * (model.high - model.low))
    save_refnn(path, model, {})
    return path


def test_a_network_of_another_robot_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"RefNN of h1 .* the robot is g1"):
        load_refnn(saved(tmp_path, robot="h1"), G1)


def test_a_damaged_network_is_refused(tmp_path):
    path = saved(tmp_path)
    arrays = read_arrays(path)
    write_arrays(path, {name: values for name, values in arrays.items() if name != "layers.0.bias"})
    with pytest.raises(ValueError, match=r"layers\.0\.bias"):
        load_refnn(path, G1)
    write_arrays(path, {name: values for name, values in arrays.items() if name != METADATA_KEY})
    with pytest.raises(ValueError, match="is no RefNN"):
        load_refnn(path, G1)


def test_prediction_stays_within_what_was_trained(tmp_path):
    narrow = RANGES | {"speed": [0.2, 0.4]}
    model = load_refnn(saved(tmp_path, parameters=narrow), G1)
    slow, fast = (ParameterSchedule.constant(GaitParameters.of({"speed": v})) for v in (0.3, 0.6))
    assert predict_motion(model, G1, slow, 3.0, 50.0, False).num_frames == 151
    with pytest.raises(ValueError, match=r"speed is 0\.6 to 0\.6, and the network was trained on 0\.2 to 0\.4 m/s"):
        predict_motion(model, G1, fast, 3.0, 50.0, False)
    with pytest.raises(ValueError, match="leave --standing out"):
        predict_motion(model, G1, slow, 3.0, 50.0, True)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: {k: v for k, v in a.items() if k != "phase"}, r"lacks the arrays \['phase'\]"),
        (lambda a: a | {"params": a["params"][:, :3]}, "have the shapes"),
        (lambda a: a | {"motions": np.full_like(a["motions"], np.nan)}, "not finite"),
    ],
)
def test_bad_data_set_files_are_refused(data_dir, spoil, message):
    path = data_dir / "gaits_0.npz"
    write_arrays(path, spoil(read_arrays(path)))
    with pytest.raises(ValueError, match=message):
        DataSet.open(data_dir, G1).read(path)


def test_a_folder_without_a_data_set_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"augment\.py"):
        DataSet.open(tmp_path, G1)


@pytest.mark.parametrize(
    ("content", "message"),
    [('{"robot": ', r"dataset\.json is no JSON"), ('{"robot": "g1"}', r"lacks \['num_frames', 'num")],
)
def test_a_damaged_description_is_refused(data_dir, content, message):
    (data_dir / DESCRIPTION).write_text(content)
    with pytest.raises(ValueError, match=message):
        DataSet.open(data_dir, G1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"save_every": 0}, "--save_every is 0"), ({"slip_weight": float("nan")}, "--slip_weight is nan")],
)
def test_training_that_could_not_work_is_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        TrainingJob(tmp_path, tmp_path, **changes)


def test_a_range_beyond_the_parameters_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"range of speed is 0 to 5.*within -0\.3 to 0\.9"):
        DataSetJob(tmp_path / "gaits", 3, ranges={"speed": (0.0, 5.0)})


@pytest.mark.parametrize(
    ("bounds", "lowest", "highest"),
    [((0.60, 0.76), 0.68, 0.74), ((0.65, 0.67), 0.65, 0.67), ((0.72, 0.76), 0.72, 0.74), ((0.75, 0.76), None, None)],
)
def test_the_pelvis_stays_within_its_range(tmp_path, monkeypatch, bounds, lowest, highest):
    """The legs allow 0.74 m: heights are within 0.06 m below, or below the range's end, and never out of it."""
    planned = []

    def plan(given, robot):
        planned.append(given.get("pelvis_height", 0.74))
        return SimpleNamespace(values={"pelvis_height": np.array([0.74])})

    monkeypatch.setattr(making, "plan_sample", plan)
    monkeypatch.setattr(making, "residual_of", lambda plan: np.full(60, 9.0))  # what follows is not of interest
    job, heights = DataSetJob(tmp_path / "gaits", 1, ranges={"pelvis_height": bounds}), []
    for number in range(40):
        reason = making._draw(job, number)
        assert reason == ("pelvis_height out of range" if lowest is None else "root residual")
        heights.append(planned[-1])
    if lowest is not None:
        assert lowest - 1e-9 <= min(heights) < lowest + 0.01 and highest - 0.01 < max(heights) <= highest + 1e-9


def test_a_data_set_of_recordings_claims_what_it_holds(tmp_path):
    rows = np.array([[item.low, item.high] for item in PARAMETERS.values()]).T
    samples = [
        GaitSample(np.zeros((60, len(output_names(G1)))), rows[0] + share * (rows[1] - rows[0]), np.zeros(60))
        for share in (0.25, 0.75, 0.5)
    ]
    make_data_set(DataSetJob(tmp_path / "gaits", 10), samples=lambda refused: iter(samples))
    found = dict(zip(PARAMETERS, DataSet.open(tmp_path / "gaits", G1).ranges.tolist(), strict=True))
    assert found["speed"] == pytest.approx([0.0, 0.6])  # -0.3 + 0.25 * 1.2 and -0.3 + 0.75 * 1.2
    assert found["cadence"] == pytest.approx([87.5, 122.5])


def test_errors_of_slow_walks_are_relative_to_a_tenth_of_a_metre_per_second():
    def errors(found, wanted):
        rows = relative_errors({"speed": found, "cadence": 110.0}, {"speed": wanted, "cadence": 100.0})
        return [rows["speed_error"], rows["cadence_error"]]

    assert errors(0.45, 0.5) == pytest.approx([0.1, 0.1])
    assert errors(-0.33, -0.3) == pytest.approx([0.1, 0.1])
    assert errors(0.01, 0.0) == pytest.approx([0.1, 0.1])  # 0.01 / 0.1
    assert errors(-0.02, 0.02) == pytest.approx([0.4, 0.1])


def test_a_recorded_walk_gives_samples_with_its_own_parameters():
    """A planned walk as if recorded: at its own speed the sample is that of the plan, faster it is measured faster."""
    from gait_samples import clip_of, planned

    from whole_body_tracking.gait.network.warping import warped_samples

    plan = planned(6.0, speed=0.5, cadence=105.0)
    samples = list(warped_samples(clip_of(plan), G1, Counter()))
    names, speeds = list(PARAMETERS), sorted({round(float(s.params[0]), 2) for s in samples})
    assert speeds == [0.45, 0.5, 0.55]  # 0.9, 1.0, 1.1 times 0.5
    slow = next(sample for sample in samples if sample.params[0] < 0.46)
    assert slow.params[names.index("cadence")] == pytest.approx(0.9 * 105.0, rel=0.01)
    assert slow.outputs[:, 7].mean() == pytest.approx(0.45, rel=0.03)
    assert slow.phase[0] == pytest.approx(0.0, abs=0.01) and 0.0 <= slow.phase.min() <= slow.phase.max() < 1.0
    knee = NUM_ROOT + G1.joint_names.index("left_knee_joint")
    same = next(sample for sample in samples if 0.49 < sample.params[0] < 0.51)
    expected = np.interp(same.phase, plan.phase[:57], plan.joint_pos[:57, 3], period=1.0)
    error = same.outputs[:, knee] - expected  # rad; the knee swings by about 1
    assert np.sqrt(np.mean(error**2)) < 0.03


@pytest.mark.integration
def test_a_cascade_learns_what_the_first_network_leaves_and_loads_as_one(data_dir, tmp_path):
    """The second network alone says nothing of the motion; both together are better than the first."""
    first = TrainingJob(data_dir, tmp_path / "first").with_preset(epochs=2, batch_size=256)
    before = train_refnn(first)
    path = tmp_path / "first" / "refnn.npz"
    second = TrainingJob(data_dir, tmp_path / "second", base=path).with_preset(epochs=4, batch_size=256)
    after = train_refnn(second)
    assert after["joint_rmse"] < 0.7 * before["joint_rmse"]
    model, base = load_refnn(tmp_path / "second" / "refnn.npz", G1), load_refnn(path, G1)
    assert model.facts.is_cascaded and model.facts.base["training"]["preset"] == "ours"
    params, phase = model.examples[:3], torch.tensor([0.1, 0.5, 0.9])
    own = model.normalized(params, phase) * model.output_std + model.output_mean
    assert torch.allclose(model(params, phase), own + base(params, phase), atol=1e-5)
    beyond = torch.full_like(params, 1000.0)  # the first one sees parameters within its own ranges
    assert torch.equal(model.base_outputs(beyond, phase), base(base.high.expand(3, -1), phase))


def test_a_cascade_without_its_first_network_is_refused(tmp_path):
    path = saved(tmp_path)
    arrays = read_arrays(path)
    content = json.loads(str(arrays[METADATA_KEY])) | {"is_cascaded": True}
    write_arrays(path, arrays | {METADATA_KEY: np.array(json.dumps(content))})
    with pytest.raises(ValueError, match=r"`is_cascaded` is True, but facts of a first network are missing"):
        load_refnn(path, G1)


def test_a_network_that_is_not_there_or_not_finite_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz does not exist.*train_forward_gaitnet"):
        load_refnn(tmp_path / "nothing.npz", G1)
    path = saved(tmp_path)
    arrays = read_arrays(path)
    arrays["layers.0.bias"] = np.full_like(arrays["layers.0.bias"], np.nan)
    write_arrays(path, arrays)
    with pytest.raises(ValueError, match="not finite"):
        load_refnn(path, G1)


def test_parameters_that_nobody_gave_come_from_the_data(tmp_path):
    """All examples have an arm swing of 1.0; the default is 0.4, and a given value stays."""
    from whole_body_tracking.gait.network.prediction import _in_ranges

    model = load_refnn(saved(tmp_path), G1)
    swing, rows = list(PARAMETERS).index("arm_swing"), np.array([[0.3, 100.0] + [0.0] * 9])
    model.examples[:, swing] = 1.0
    filled = _in_ranges(model, rows.copy(), frozenset({"speed", "cadence"}))
    assert filled[0, swing] == pytest.approx(1.0, abs=1e-4) and filled[0, :2].tolist() == [0.3, 100.0]
    rows[0, swing] = 0.2
    assert _in_ranges(model, rows, frozenset({"speed", "cadence", "arm_swing"}))[0, swing] == 0.2
