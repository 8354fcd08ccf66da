"""The browser of the tests notices what goes wrong in a page, if there is a browser."""

import pytest

pytestmark = pytest.mark.integration


def test_errors_and_requests_that_fail_are_noticed(tmp_path):
    pytest.importorskip("websockets")
    import browser

    if browser.CHROMIUM is None:
        pytest.skip("no Chromium")
    page = tmp_path / "bad.html"
    page.write_text("<img src='missing.png'><script>console.error('oops'); console.log('harmless'); nobody()</script>")
    with browser.opened(page, tmp_path / "profile") as shown:
        found = shown.problems()
    assert [any(word in problem for problem in found) for word in ("missing.png", "oops", "nobody")] == [True] * 3
    assert not any("harmless" in problem for problem in found)
