"""The optional package with the human model."""

from __future__ import annotations

from pathlib import Path

MODEL_NAME = "myofullbody"


def human_model_path() -> Path:
    """Where the installed package keeps the human's MJCF.

    Raises:
        OSError: If it is not installed; the message names the extra.
    """
    try:
        import musclemimic_models
    except ImportError as error:
        raise OSError(
            "The human body comes with musclemimic-models, which is not installed: pip install"
            f" 'whole-body-tracking[muscles]' ({error})."
        ) from None
    return Path(musclemimic_models.get_xml_path(MODEL_NAME))
