"""What the world-model trainer refuses, before any simulator starts or any folder appears."""

from __future__ import annotations

import pytest

from whole_body_tracking.world_model.training import train_world_model

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("no_simulator")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--until", 1.5), "--until is 1.5, expected more than 0 and at most 1"),
        (("--max_minutes", 0), "--max_minutes is 0, expected more than 0"),
        (("--horizon", 0), "--horizon is 0, expected at least 1"),
        (("--distributed",), r"this one was started alone. Start it with: torchrun .* script\.py --distributed"),
        (("--motion_prior", "prior.pt"), "leave out --motion_prior"),
        (
            ("--task", "Tracking-Flat-G1-Multi-v0", "presets=motion_preview"),
            r"without a differentiable form: preview_joint_pos \(preview_joint_pos\), preview_anchor_pos_b",
        ),
        (("presets=rand_delay",), r"history, delay.*motion_anchor_pos_b, .*joint_vel; delayed actions"),
        (("env.commands.motion.clip_end=loop",), "clips that loop"),
        (("presets=rand_terrain",), "ground that is not flat"),
        (("presets=reward_tightening",), "kernels that narrow while it trains"),
        (("env.observations.policy.history_length=3",), "observation terms with history"),
        (("--buffer_size", 2**24 + 1), "--buffer_size is 1.67772e.07, expected 64 to 1.67772e.07"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_or_cannot_be_imagined_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_world_model(["--task", "Tracking-Flat-G1-v0", "--headless", *map(str, arguments)])


def test_a_missing_folder_is_found_first(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        train_world_model(
            ["--task", "Tracking-Flat-G1-v0", "--headless", "--json", str(tmp_path / "nowhere" / "a.json")]
        )
