"""The command lines of pretraining: what they write, and how bad input ends."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "priors"))

from prior_samples import swaying_clip  # noqa: E402

pytestmark = [pytest.mark.unit, pytest.mark.integration]


@pytest.fixture
def script(monkeypatch, capsys):
    """Run a script of ``scripts/pretrain`` in this process; returns exit status, stdout and stderr."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(name, *arguments):
        path = REPOSITORY / "scripts" / "pretrain" / f"{name}_motion.py"
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(path), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    yield run
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for number in range(4):
        swaying_clip(60, number).save(folder / f"walk{number}_subject{number % 2}.npz")
    return folder


def test_train_then_evaluate(script, clips, tmp_path):
    sizes = ("--epochs", 1, "--seq_len", 10, "--hidden", 8, "--layers", 1, "--batch_size", 4)
    losses = ("--multi_step_length", 3, "--free_steps", 2)
    folder = tmp_path / "prior"
    flags = ("--motion_file", clips, "--held_out", "subject1", "--output_dir", folder, *sizes, *losses)
    status, out, _ = script("train", *flags)
    assert status == 0 and "held out by subject: subject1 (2 clips)" in out and "epoch 1/1" in out
    status, _, err = script("train", *flags)
    assert status == 1 and "Go on with --resume" in err
    model, split = folder / "motion_model_best.safetensors", folder / "split_info.json"
    numbers = tmp_path / "numbers.json"
    arguments = ("--model", model, "--split_file", split, "--use_test_set", "--num_frames", 30, "--num_windows", 2)
    status, out, _ = script("eval", *arguments, "--json", numbers)
    assert status == 0 and "joint RMSE [rad]" in out and "foot skate [m/s]" in out
    content = json.loads(numbers.read_text())
    assert {"single_step", "rollout", "constant_velocity", "hold", "collapse_share"} <= content.keys()
    assert content["rollout"].keys() == content["hold"].keys() == {"1", "5", "15", "30"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No motion given"),
        (("--mode", "mpl", "--motion_file", "CLIPS"), "Did you mean 'mlp'?"),
        (("--motion_file", "CLIPS", "--split", "sbject"), "Did you mean 'subject'?"),
        (("--motion_file", "CLIPS", "--activity_split"), "holding one out needs at least two"),
        (("--motion_file", "CLIPS", "--velocity_weight", "much"), "expected a number or auto"),
        (("--motion_file", "CLIPS", "--seq_len", "10"), "--free_steps 30) do not fit into windows"),
        (("--motion_file", "CLIPS", "--energy_weight", "0"), "or leave the comparison out with --free_steps 0"),
        (("--motion_file", "CLIPS", "--curriculum", "swim=1-"), "no training clip has the tag 'swim'"),
        (("--motion_file", "CLIPS", "--mode", "vae", "--history", "4"), "it is for mlp. Leave out --history"),
        (("--motion_file", "CLIPS", "--mode", "vae", "--noise", "0", "--seq_len=20"), "Leave out --seq_len, --noise."),
        (("--bvh_dir", "nowhere"), "The mocap folder nowhere does not exist"),
        (("--motion_file", "CLIPS", "--resume"), "Leave out --resume"),
    ],
)
def test_bad_input_ends_with_one_line_and_leaves_nothing(script, clips, tmp_path, arguments, message):
    given = [clips if argument == "CLIPS" else argument for argument in arguments]
    status, _, err = script("train", "--output_dir", tmp_path / "prior", *given)
    assert status == 1 and err.startswith("error: ") and message in err and err.count("\n") == 1
    assert not (tmp_path / "prior").exists()


def test_an_evaluation_of_a_vae_has_no_frames_to_predict(script, clips, tmp_path):
    from whole_body_tracking.priors import StateLayout
    from whole_body_tracking.priors.checkpoint import save_model
    from whole_body_tracking.priors.networks.modes import NetworkSettings
    from whole_body_tracking.priors.vae import MotionVAE
    from whole_body_tracking.robots import G1

    path = tmp_path / "vae.safetensors"
    model = MotionVAE(StateLayout.of_robot(G1, 30.0), NetworkSettings.default("vae", hidden=8, layers=1))
    save_model(path, model, {"data": "x"})
    arguments = ("--model", path, "--split_file", tmp_path / "split_info.json", "--num_frames", 30, "--temperature=0")
    status, _, err = script("eval", *arguments)
    assert status == 1 and "restores windows of one second. Leave out --num_frames, --temperature." in err


def test_a_missing_model_or_folder_is_said_before_the_work(script, tmp_path):
    arguments = ("--model", tmp_path / "none", "--split_file", tmp_path / "split_info.json")
    status, _, err = script("eval", *arguments)
    assert status == 1 and "does not exist. train_motion.py writes" in err
    status, _, err = script("eval", *arguments, "--json", tmp_path / "nowhere" / "numbers.json")
    assert status == 1 and "Cannot write" in err
