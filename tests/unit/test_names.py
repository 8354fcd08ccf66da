"""One message for every name that does not exist."""

import pytest

from whole_body_tracking.names import require_known

pytestmark = pytest.mark.unit


def test_known_names_pass():
    require_known("squat", ["squat", "bow"], "clip")
    require_known(["bow", "squat"], ("squat", "bow"), "clip")
    require_known([], ["squat"], "clip")


def test_the_message_says_what_is_unknown_what_exists_and_what_was_meant():
    with pytest.raises(ValueError) as caught:
        require_known(["squat", "bwo"], ["squat", "bow"], "clip in --clips")
    assert str(caught.value) == "Unknown clip in --clips: 'bwo'. Known: squat, bow. Did you mean 'bow'?"


def test_nothing_near_gives_no_hint():
    with pytest.raises(ValueError, match=r"Unknown robot: 'spot'\. Known: g1\.$"):
        require_known("spot", ["g1"], "robot")
