"""Each check finds its fault and nothing else, and a run that learns passes them all."""

import numpy as np
import pytest
from run_samples import NUM_ITERATIONS, SETTINGS, curve, healthy_run, real_run

from whole_body_tracking.health import RunLog, RunSettings, check_run
from whole_body_tracking.health.expectation import expected_score, tracking_score

pytestmark = pytest.mark.unit


def names(run: RunLog) -> list[str]:
    return [finding.name for finding in check_run(run)]


def flat(value, noise=0.0):
    return value + noise * np.sin(np.arange(NUM_ITERATIONS))


def test_a_run_that_learns_has_nothing_wrong():
    assert names(healthy_run()) == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("state_dumps", {"state_dumps": ["non_finite_0.npz"]}),
        ("kl_above_target", {"Loss__kl": flat(0.05)}),
        ("reward_not_rising", {"Train__mean_reward": flat(3.0, 0.2)}),
        ("reward_not_rising", {"Train__mean_reward": np.linspace(5.0, -8.0, NUM_ITERATIONS)}),
        ("episode_length_stuck", {"Train__mean_episode_length": flat(21.0, 1.0)}),
        ("action_std_collapsed", {"Policy__mean_std": np.linspace(1.0, 0.05, NUM_ITERATIONS)}),
        ("action_std_grows", {"Policy__mean_std": np.linspace(1.0, 3.0, NUM_ITERATIONS)}),
        ("learning_rate_low", {"Loss__learning_rate": np.geomspace(1e-3, 1e-7, NUM_ITERATIONS).clip(1e-5)}),
        ("learning_rate_high", {"Loss__learning_rate": np.geomspace(1e-3, 1.0, NUM_ITERATIONS).clip(None, 1e-2)}),
    ],
)
def test_one_fault_gives_one_finding(name, changes):
    assert names(healthy_run(**changes)) == [name]


def test_the_first_nan_is_named_with_its_iteration():
    values = flat(1.0)
    values[37:] = np.nan
    (finding,) = check_run(healthy_run(Loss__value=values))
    assert finding.name == "non_finite" and "Loss/value at iteration 37" in finding.found


def test_inf_counts_too_but_not_nan_before_the_first_episode_ends():
    rise = np.linspace(0.0, 20.0, NUM_ITERATIONS)
    rise[:5] = np.nan
    assert names(healthy_run(Train__mean_reward=rise)) == []
    values = flat(1.0)
    values[50] = np.inf
    assert names(healthy_run(Loss__surrogate=values)) == ["non_finite"]
    assert names(healthy_run(Loss__value=np.full(NUM_ITERATIONS, np.nan))) == ["non_finite"]


def test_a_converged_run_need_not_rise():
    """Continued from a good checkpoint: reward, length and noise stay, nearly all episodes reach the clip's end."""
    run = healthy_run(
        Train__mean_reward=flat(18.0, 0.1),
        Train__mean_episode_length=flat(220.0, 2.0),
        Policy__mean_std=flat(0.1),
        Episode_Termination__clip_ended=flat(0.97),
        Episode_Termination__ee_body_pos=flat(0.03),
    )
    assert names(run) == []


def test_a_fixed_learning_rate_may_be_at_a_bound():
    fixed = RunSettings("fixed", 0.01, 1.0, 10.0, 0.02, False)
    assert names(healthy_run(settings=fixed, Loss__learning_rate=flat(1e-5))) == []


def test_short_runs_are_not_judged_by_trends():
    short = {name: curve(values[:2]) for name, values in {"Train/mean_reward": flat(3.0)}.items()}
    short["Train/mean_reward"].iterations[:] = [0, 1]
    assert names(RunLog(short, SETTINGS)) == []


def test_stuck_episodes_name_the_termination_to_look_at():
    (finding,) = check_run(healthy_run(Train__mean_episode_length=flat(21.0)))
    assert "most failures end by ee_body_pos" in finding.found


def test_the_real_run_is_healthy_at_its_end_and_on_the_way():
    for num_points in (4, 5, 7):
        assert names(real_run(num_points)) == [], num_points


def test_score_of_the_real_run():
    """Last point: 1.2111 * 10 s / (114.35 * 0.02 s) / 5 = 1.06, so 1, times a share of 1.0 that end well."""
    assert tracking_score(real_run()) == pytest.approx(1.0)
    early = real_run(4)
    # (0.0529 + 0.0452 + 0.1144 + 0.0906 + 0.1108 + 0.099) * 10 / (62.12 * 0.02) / 5 * 0.3403 = 0.281
    assert tracking_score(early) == pytest.approx(0.281, abs=1e-3)
    assert expected_score(early) == 0.05 and expected_score(real_run()) == 0.2


def test_a_run_that_tracks_badly_for_its_steps_is_below_expectation():
    run = real_run()
    run.curves["Episode_Termination/clip_ended"].values[:] *= 0.1
    run.curves["Train/mean_episode_length"].values[:] *= 1.5
    (finding,) = check_run(run)
    assert finding.name == "below_expectation" and "expected at least 0.20" in finding.found


def test_advice_is_given_with_every_finding():
    for changes in ({"Train__mean_reward": flat(3.0)}, {"state_dumps": ["non_finite_0.npz"]}):
        assert all(finding.advice.endswith(".") for finding in check_run(healthy_run(**changes)))
