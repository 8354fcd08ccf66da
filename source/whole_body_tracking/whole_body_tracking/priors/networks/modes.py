"""The networks that ``--mode`` names, and their sizes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import nn

from whole_body_tracking.names import require_known

from ..state import StateLayout
from .mlp import HistoryMLP
from .transformer import CausalTransformer

PREDICTORS = ("mlp", "transformer", "transformer_reg")
"""Modes that predict the next state."""
MODES = (*PREDICTORS, "vae")
"""Modes of ``train_motion.py``: ``vae`` encodes windows of one second instead of predicting."""
SCORE = "score"
"""Mode of ``train_score_prior.py``, which restores short windows from noise."""


@dataclass(frozen=True)
class NetworkSettings:
    """Mode and size of a network, stored with its weights."""

    mode: str = "mlp"
    """One of :data:`MODES`, or :data:`SCORE`; ``transformer_reg`` is ``transformer`` with dropout, for few clips."""
    hidden: int = 512
    """Width."""
    layers: int = 3
    history: int = 8
    """States that an MLP sees, and those of a score prior's window."""
    context: int = 64
    """Longest sequence that a transformer sees."""
    heads: int = 4
    dropout: float = 0.0
    latent: int = 32
    """Values of a VAE's code."""

    def __post_init__(self):
        require_known(self.mode, (*MODES, SCORE), "mode")
        for name in ("hidden", "layers", "history", "heads", "latent"):
            if getattr(self, name) < 1:
                raise ValueError(f"The network's {name} is {getattr(self, name)}, expected at least 1.")
        if self.context < 2:
            raise ValueError(f"The network's context is {self.context}, expected at least 2 states.")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"The dropout is {self.dropout}, expected at least 0 and below 1.")

    @classmethod
    def default(
        cls,
        mode: str,
        seq_len: int = 64,
        hidden: int | None = None,
        layers: int | None = None,
        history: int | None = None,
    ) -> NetworkSettings:
        """The sizes that docs/motion_prior.md measures, for sequences of a length."""
        require_known(mode, MODES, "mode")
        is_transformer = mode.startswith("transformer")
        sizes = (256, 4) if is_transformer else (512, 3)
        return cls(
            mode=mode,
            hidden=hidden or sizes[0],
            layers=layers or sizes[1],
            history=8 if history is None else history,
            context=seq_len,
            dropout=0.1 if mode == "transformer_reg" else 0.0,
        )

    @classmethod
    def score(cls, num_frames: int = 10, hidden: int = 512, layers: int = 3):
        """The sizes of a score prior."""
        return cls(mode=SCORE, history=num_frames, hidden=hidden, layers=layers)

    def as_json(self) -> dict:
        """Plain values for a file's metadata."""
        return asdict(self)


def make_network(settings: NetworkSettings, layout: StateLayout) -> nn.Module:
    """A network from states to changes of velocities.

    Raises:
        ValueError: If the mode predicts nothing, or sizes do not fit together.
    """
    require_known(settings.mode, PREDICTORS, "mode that predicts")
    sizes = (layout.dim, layout.num_velocities)
    if settings.mode == "mlp":
        return HistoryMLP(*sizes, settings.history, settings.hidden, settings.layers)
    return CausalTransformer(
        *sizes, settings.context, settings.hidden, settings.layers, settings.heads, settings.dropout
    )
