"""The page is one offline file that holds every track's poses, names and timeline."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import msgspec.msgpack
import numpy as np
import pytest
import viser
import zstandard
from viewer_samples import walking_track

from whole_body_tracking.robots import G1, RobotModel
from whole_body_tracking.viewer.colors_and_camera import GHOST_COLORS, ROBOT_COLORS
from whole_body_tracking.viewer.page import _legend_entry, write_page
from whole_body_tracking.viewer.scene import STEP, WORLD, RobotNode

pytestmark = pytest.mark.unit

FPS = 50.0
NUM_FRAMES = 20


@pytest.fixture(scope="module")
def tracks():
    return [walking_track("policy", NUM_FRAMES), walking_track("reference", NUM_FRAMES, ghost=True)]


@pytest.fixture(scope="module")
def page(tracks, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "squat.html"
    return write_page(path, tracks, FPS, "squat: <policy> & reference").read_text()


@pytest.fixture(scope="module")
def recording(page):
    """What viser plays: ``durationSeconds`` and ``messages`` of (time, message)."""
    data = base64.b64decode(re.search(r'__VISER_EMBED_DATA__="([^"]+)"', page)[1])
    content = zstandard.ZstdDecompressor().decompressobj().decompress(data[8:])
    length = int.from_bytes(content[:8], "little")
    return msgspec.msgpack.decode(content[8 : 8 + length])


def last_values(recording, kind, key, until):
    """Values of the last message of a kind for each node, up to a time [s]."""
    messages = [message for time, message in recording["messages"] if time <= until and message["type"] == kind]
    return {message["name"]: message[key] for message in messages}


class References(HTMLParser):
    """Collects every address that a browser would fetch for the page itself."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.found += [attrs[key] for key in ("src", "srcset", "data") if key in attrs]
        self.found += [attrs["href"]] if tag == "link" else []


def test_nothing_is_fetched(page):
    references = References()
    references.feed(page)
    assert [address[:60] for address in references.found if not address.startswith("data:")] == []
    assert re.findall(r"@import|url\(\s*['\"]?https?:", page) == []


def test_the_timeline_has_the_motion_s_length(recording):
    assert recording["durationSeconds"] == pytest.approx(NUM_FRAMES / FPS)


def test_both_tracks_have_every_body(recording):
    nodes = {message["name"] for _, message in recording["messages"] if message["type"] == "MeshMessage"}
    for track in ("policy", "reference"):
        bodies = {name.split("/")[3] for name in nodes if name.startswith(f"{WORLD}/{track}/")}
        assert bodies == set(G1.body_names)


def test_only_the_ghost_is_translucent(recording):
    for _, message in recording["messages"]:
        if message["type"] == "MeshMessage":
            assert (message["props"]["opacity"] is not None) == message["name"].startswith(f"{WORLD}/reference/")


@pytest.mark.parametrize("frame", [0, 10, 18])
def test_bodies_are_where_the_track_has_them(recording, tracks, frame):
    time = frame / FPS + 1e-6
    positions = last_values(recording, "SetPositionMessage", "position", time)
    orientations = last_values(recording, "SetOrientationMessage", "wxyz", time)
    for index, body in enumerate(G1.body_names):
        quat_wxyz = tracks[0].quat_xyzw[frame, index][[3, 0, 1, 2]]
        assert np.allclose(positions[f"{WORLD}/policy/{body}"], tracks[0].pos_w[frame, index], atol=STEP)
        sent = orientations.get(f"{WORLD}/policy/{body}", (1.0, 0.0, 0.0, 0.0))  # the identity is not sent
        assert np.allclose(sent, quat_wxyz, atol=STEP)


def test_the_world_moves_so_that_the_robots_stay_before_the_camera(recording, tracks):
    for frame in (0, 10, 18):
        world = last_values(recording, "SetPositionMessage", "position", frame / FPS + 1e-6)[WORLD]
        root = tracks[0].pos_w[frame, 0]
        assert np.abs(np.array(world)[:2] + root[:2]).max() < 0.3 and world[2] == 0.0


def test_title_is_text_not_markup(page):
    assert "<title>squat: &lt;policy&gt; &amp; reference</title>" in page
    assert "<policy>" not in page


def _drawn_as(track, visuals):
    bodies = {name: {"visuals": visuals, "colliders": []} for name in G1.body_names}
    return replace(track, robot=RobotModel({**G1.facts, "name": "other", "bodies": bodies}))


def test_the_legend_has_the_colours_that_robots_are_drawn_in(tracks):
    """A figure that is dark all over, like a skeleton, is not shown as a light one."""
    server = viser.ViserServer(host="127.0.0.1", port=0, verbose=False)
    try:
        colors = [RobotNode(server.scene, track).main_color for track in tracks]
        ball = {"name": "joint", "type": "sphere", "radius": 0.03, "center": [0.0, 0.0, 0.0]}  # as of a skeleton
        skeleton, empty = (RobotNode(server.scene, _drawn_as(tracks[0], visuals)) for visuals in ([ball], []))
    finally:
        server.stop()
    assert colors == [ROBOT_COLORS["light"], GHOST_COLORS["light"]]
    assert skeleton.main_color == ROBOT_COLORS["dark"] and "rgb(62, 66, 75)" in _legend_entry(skeleton)
    assert empty.main_color is None and _legend_entry(empty) == ""


def test_ten_seconds_of_two_robots_stay_small(tmp_path, page):
    """Below 3 MB, as 60 frames grow over 20."""
    path = tmp_path / "long.html"
    write_page(path, [walking_track("policy", 60), walking_track("reference", 60, ghost=True)], FPS, "long")
    short = len(page.encode())
    growth = (path.stat().st_size - short) / 40
    assert growth > 0.0 and short + 480 * growth < 3e6


def test_nothing_is_printed_or_left_behind(tmp_path, capsys):
    write_page(tmp_path / "page.html", [walking_track(num_frames=2)], FPS, "page")
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_page_is_replaced_only_by_a_complete_one(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_page(path, [walking_track(num_frames=2)], FPS, "page")
    assert [item.name for item in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("tracks", "fps", "message"),
    [
        ([], 50.0, r"at least one track.*found \[\]"),
        ([walking_track("a", 2), walking_track("a", 2)], 50.0, r"a name of its own; found \['a', 'a'\]"),
        ([walking_track("a", 2)], 0.0, "must be positive, got 0.0"),
    ],
)
def test_what_makes_no_page_is_refused(tmp_path, tracks, fps, message):
    with pytest.raises(ValueError, match=message):
        write_page(tmp_path / "page.html", tracks, fps, "page")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        write_page(tmp_path / "nowhere" / "page.html", [walking_track(num_frames=2)], FPS, "page")
