"""The command line of the score prior: what it writes, and how bad input ends."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "priors"))

from prior_samples import swaying_clip  # noqa: E402

pytestmark = pytest.mark.unit

SIZES = ("--hidden", 8, "--layers", 1, "--batch_size", 4, "--seq_len", 12, "--num_frames", 4, "--num_windows", 20)


@pytest.fixture
def script(monkeypatch, capsys):
    """Run the script in this process; returns exit status, stdout and stderr."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(*arguments):
        path = REPOSITORY / "scripts" / "pretrain" / "train_score_prior.py"
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(path), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    yield run
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Three clips of one subject and one of another."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(4):
        swaying_clip(60, number).save(folder / f"walk{number}_subject{number // 3}.npz")
    return folder


def test_it_trains_goes_on_and_prints_the_table(script, clips, tmp_path):
    output = tmp_path / "prior.safetensors"
    flags = ("--motion_file", clips, "--held_out", "subject1", "--output_file", output, *SIZES)
    status, out, err = script(*flags, "--epochs", 1)
    assert status == 0, err
    assert "2 clips to train on, 1 to validate; held out: subject1 (1 clips)" in out and "epoch 1/1" in out
    assert all(name in out for name in ("real is better", "reversed", "shuffled", "noisy", "frozen"))
    first, folder = output.read_bytes(), tmp_path / "prior_training"
    content = json.loads((folder / "score_table.json").read_text())
    assert content["clips"] == ["walk3_subject1"] and content["rows"][0]["kind"] == "real"
    assert any(path.name.startswith("events.out.tfevents") for path in folder.iterdir())
    status, _, err = script(*flags)
    assert status == 1 and "exists. Go on with --resume" in err and output.read_bytes() == first
    status, out, _ = script(*flags, "--epochs", 2, "--resume")
    assert status == 0 and "epoch 2/2" in out and "epoch 1/2" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--output_file", "prior.npz"), "expected a name that ends with .safetensors"),
        (("--output_file", "nowhere/prior.safetensors"), "its folder does not exist"),
        (("--num_frames", 50), "expected from 2 to --seq_len"),
        (("--num_windows", 0), "--num_windows is 0"),
        (("--held_out", "subject0"), "At least three are needed"),
        (("--held_out", "subject7"), "Unknown subject: 'subject7'"),
        (("--learning_rate", 0), "--learning_rate is 0.0"),
        (("--motion_file", "none.npz"), "none.npz"),
    ],
)
def test_bad_input_ends_with_a_message(script, clips, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, _, err = script(
        "--motion_file", clips, "--output_file", "prior.safetensors", *SIZES, "--epochs", 1, *arguments
    )
    assert status == 1 and said in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
