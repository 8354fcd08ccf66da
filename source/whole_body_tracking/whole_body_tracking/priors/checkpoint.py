"""Model files: safe tensors, which hold numbers and text only, with everything that is needed to use the model."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from whole_body_tracking.files import replacing

from .motion_model import MotionModel
from .networks.modes import SCORE, NetworkSettings
from .state import StateLayout
from .style.score_prior import ScorePrior
from .vae import MotionVAE

AnyModel = MotionModel | MotionVAE | ScorePrior
FORMAT = "motion_prior_1"
BEST_FILE, LAST_FILE = "motion_model_best.safetensors", "motion_model_last.safetensors"
OPTIMIZER = "optimizer."
"""Start of the names of an optimizer's tensors, in the last checkpoint only."""


def save_model(path: Path, model: AnyModel, training: dict, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Write a model; the file appears under its name only when complete.

    Args:
        path: File to write, ``*.safetensors``.
        model: Network, normaliser, layout and sizes.
        training: Plain values: settings, data digest, epoch.
        optimizer: Its moments, to resume.
    """
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    tensors |= {} if optimizer is None else _optimizer_tensors(model, optimizer)
    metadata = {
        "format": FORMAT,
        "layout": json.dumps(model.layout.as_json()),
        "network": json.dumps(model.settings.as_json()),
        "training": json.dumps(training),
    }
    with replacing(path) as partial:
        save_file(tensors, partial, metadata=metadata)


def load_model(path: str | Path) -> AnyModel:
    """Read a model, ready to predict. Nothing in the file is executed.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a model file, or is damaged.
    """
    tensors, metadata = read_model_file(Path(path))
    model = empty_model(metadata)
    _fill(model, {name: value for name, value in tensors.items() if not name.startswith(OPTIMIZER)}, Path(path))
    return model.eval()


def empty_model(metadata: dict) -> AnyModel:
    """A model of a file's layout and sizes, with fresh weights."""
    layout, settings = StateLayout.from_json(metadata["layout"]), NetworkSettings(**metadata["network"])
    kinds = {"vae": MotionVAE, SCORE: ScorePrior}
    return kinds.get(settings.mode, MotionModel)(layout, settings)


def read_model_file(path: Path) -> tuple[dict[str, Tensor], dict]:
    """Tensors of a model file, and its metadata: ``layout``, ``network`` and ``training`` as plain values.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a model file, or is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"The model {path} does not exist. train_motion.py writes {BEST_FILE}.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise ValueError(f"{path} is not a file of safe tensors, or is damaged ({error}). Train again.") from None
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a motion model: its format is {metadata.get('format')!r}, expected '{FORMAT}'. Give a file"
            " that train_motion.py wrote."
        )
    return tensors, {key: json.loads(metadata[key]) for key in ("layout", "network", "training")}


def resume_from(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict:
    """Put a last checkpoint's weights and moments into a model and its optimizer; returns the training's values.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or of a model of another size.
    """
    tensors, metadata = read_model_file(path)
    if metadata["network"] != model.settings.as_json() or metadata["layout"] != model.layout.as_json():
        raise ValueError(f"{path} is a {metadata['network']}, this training asks for a {model.settings.as_json()}.")
    _fill(model, {name: value for name, value in tensors.items() if not name.startswith(OPTIMIZER)}, path)
    parameters = dict(model.named_parameters())
    for name, value in tensors.items():
        if name.startswith(OPTIMIZER):
            moment, _, parameter = name.removeprefix(OPTIMIZER).partition(".")
            optimizer.state[parameters[parameter]][moment] = value
    return metadata["training"]


def _optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{OPTIMIZER}{moment}.{name}": value.contiguous()
        for name, parameter in model.named_parameters()
        for moment, value in optimizer.state.get(parameter, {}).items()
    }


def _fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    differing = [name for name in sorted(expected | found) if expected.get(name) != found.get(name)]
    if differing:
        name = differing[0]
        raise ValueError(f"{path}: tensor {name} has shape {found.get(name)}, expected {expected.get(name)}.")
    model.load_state_dict(tensors)
