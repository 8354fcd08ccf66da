"""How scripts end."""

import warnings

import pytest

from whole_body_tracking.cli import given_options, joined_values, require_not_given, run_script

pytestmark = pytest.mark.unit


def status_of(main) -> int:
    with warnings.catch_warnings(), pytest.raises(SystemExit) as stop:
        run_script(main)
    return stop.value.code


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("given", "joined"),
    [
        ("--goals 2,0 -1,1 --seed 3", "--goals=2,0 --goals=-1,1 --seed 3"),
        ("-1,1 --goals --seed 3 --goals -2,0", "-1,1 --goals --seed 3 --goals=-2,0"),
        ("--goals=-1,1 --goals_file -x", "--goals=-1,1 --goals_file -x"),
    ],
)
def test_values_that_look_like_options_are_joined(given, joined):
    assert joined_values(given.split(), "--goals") == joined.split()


def test_options_without_effect_are_refused_when_somebody_gives_them():
    for argv in (["--seed", "3"], ["--seed=3"], ["--see", "3"]):
        assert given_options(["num_workers", "seed"], argv) == ["--seed"]
        with pytest.raises(ValueError, match=r"Nothing is drawn\. Leave out --seed\."):
            require_not_given(["seed"], argv, "Nothing is drawn.")
    require_not_given(["seed"], ["--seed_file", "x", "seed", "--", "-s"], "Nothing is drawn.")


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (3, 3)])
def test_status_is_what_main_returns(returned, status):
    assert status_of(lambda: returned) == status


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad value"), "error: bad value\n"),
        (FileNotFoundError("walk.npz does not exist."), "error: walk.npz does not exist.\n"),
        (OSError(28, "No space left on device"), "error: [Errno 28] No space left on device\n"),
        (ValueError(), "error: ValueError\n"),
    ],
)
def test_bad_input_ends_with_one_line(error, text, capsys, monkeypatch):
    monkeypatch.delenv("WBT_TRACEBACK", raising=False)
    assert status_of(raising(error)) == 1
    assert capsys.readouterr().err == text


def test_traceback_on_request(monkeypatch):
    monkeypatch.setenv("WBT_TRACEBACK", "1")
    with pytest.raises(ValueError, match="bad value"):
        run_script(raising(ValueError("bad value")))


@pytest.mark.parametrize(("bug", "error"), [(lambda: 1 // 0, ZeroDivisionError), (lambda: {}["name"], KeyError)])
def test_a_bug_keeps_its_traceback(bug, error):
    with pytest.raises(error):
        run_script(bug)


def test_warnings_are_one_line(capsys):
    def main():
        warnings.warn("3 angles beyond limits", stacklevel=1)

    assert status_of(main) == 0
    assert capsys.readouterr().err == "warning: 3 angles beyond limits\n"
