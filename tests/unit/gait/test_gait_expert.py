"""What an expert's walks say of it."""

import numpy as np
import pytest

from whole_body_tracking.gait.feasibility import is_carried, refusal_of
from whole_body_tracking.gait_expert.demo import REFNN_TARGETS, make_plan, unmet_targets
from whole_body_tracking.gait_expert.held_out import held_out_gaits, summary, walk_row
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_held_out_gaits_cover_both_ranges_and_stay_within_the_longest_stride():
    gaits = held_out_gaits(64)
    speeds, cadences = ([gait[name] for gait in gaits] for name in ("speed", "cadence"))
    width = 0.6 / 64
    assert all(sum(0.2 + k * width <= speed < 0.2 + (k + 1) * width for speed in speeds) == 1 for k in range(1, 63))
    assert min(cadences) < 81.0 and max(cadences) > 129.0
    assert max(120.0 * gait["speed"] / gait["cadence"] for gait in gaits) < 1.0502
    assert held_out_gaits(64) == gaits != held_out_gaits(64, seed=1)
    with pytest.raises(ValueError, match="--num_gaits is 0"):
        held_out_gaits(0)
    with pytest.raises(ValueError, match="--cadence is 130 to 110"):
        held_out_gaits(4, cadences=(130.0, 110.0))


def test_a_refused_gait_gets_the_nearest_cadence_that_is_possible():
    """0.5 m/s below 100 steps/min is refused: cadences are tried in steps of 3 from 80 on."""
    (plain,) = held_out_gaits(1, speeds=(0.5, 0.5))
    (gait,) = held_out_gaits(1, speeds=(0.5, 0.5), cadences=(80.0, 90.0), refuses=lambda gait: gait["cadence"] < 89.0)
    assert plain["speed"] == gait["speed"] == 0.5 and gait["cadence"] == 89.0  # 80, 83, 86, 89
    with pytest.raises(ValueError, match=r"No cadence within 80 to 130 steps/min is possible at 0\.50 m/s"):
        held_out_gaits(1, speeds=(0.5, 0.5), refuses=lambda gait: True)


def test_the_fastest_gaits_at_slow_cadences_are_beyond_the_ankles():
    """At 0.75 m/s and 86 steps/min the rule refuses what the planner refuses; at 0.6 and 100 it does not."""
    assert refusal_of({"speed": 0.7545, "cadence": 86.23, "pelvis_height": 0.68}, G1) == "joint limits"
    assert refusal_of({"speed": 0.6, "cadence": 100.0}, G1) is None
    assert refusal_of({"speed": 0.9, "cadence": 80.0}, G1) == "stride"
    assert is_carried(np.array([0.1] * 96 + [0.9] * 4)) and not is_carried(np.array([0.1] * 94 + [0.9] * 6))


def test_a_walk_passes_if_it_survives_at_its_speed():
    gait = {"speed": 0.5, "cadence": 100.0, "turn_rate": 0.0}
    rows = [walk_row(gait, 10.0, 10.0, 0.46), walk_row(gait, 10.0, 10.0, 0.44), walk_row(gait, 4.0, 10.0, 0.5)]
    assert [row["passed"] for row in rows] == [1.0, 0.0, 0.0] and rows[0]["speed_error"] == pytest.approx(0.08)
    found = summary(rows)
    assert found["survived"] == pytest.approx(2 / 3) and found["passed"] == pytest.approx(1 / 3)
    assert found["survived_s"] == 8.0 and found["speed_error_median"] == pytest.approx(0.1)  # (0.08 + 0.12) / 2
    assert found["velocity_error_max"] == pytest.approx(0.06)  # 0.5 - 0.44
    diverged = walk_row(gait, 10.0, 10.0, float("nan"))
    assert diverged["realised_speed"] is None and diverged["passed"] == 0.0
    assert "speed_error_median" not in summary([rows[2], diverged])


def test_what_is_missed_is_said():
    refnn = {"joint_rmse": 0.01, "slip_max": 0.02}
    assert refnn.keys() == REFNN_TARGETS.keys()
    walks = {"plain MuJoCo": {"survived": 0.95, "passed": 0.5}, "ovphysx": {"survived": 0.92, "passed": 0.91}}
    first, second = unmet_targets(refnn, walks)
    assert first == "RefNN: slip_max is 0.02, not at most 0.01"
    assert second == "plain MuJoCo: 50% of the gaits survive at a speed within 10 %, not 90%"
    nobody, *_ = unmet_targets(refnn | {"slip_max": None}, {})
    assert nobody == "RefNN: slip_max is unknown: nobody walks, not at most 0.01"


@pytest.mark.parametrize(("sizes", "message"), [((0.5,), "--minutes is 0.5"), ((60.0, 5), "--num_data is 5")])
def test_a_demo_that_is_too_small_is_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(*sizes)
