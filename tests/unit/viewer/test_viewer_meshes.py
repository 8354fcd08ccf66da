import numpy as np
import pytest

from whole_body_tracking.robots import G1
from whole_body_tracking.robots.usd_shapes import shape_from_facts
from whole_body_tracking.viewer.shapes.installed import FEWEST, MOST, installed_meshes
from whole_body_tracking.viewer.shapes.meshes import body_meshes, capsule_meshes, shape_mesh

pytestmark = pytest.mark.unit

VISUALS = [(body, facts) for body in G1.body_names for facts in G1.facts["bodies"][body]["visuals"]]


@pytest.mark.parametrize(("body", "facts"), VISUALS, ids=[facts["name"] for _, facts in VISUALS])
def test_every_vertex_lies_on_the_capsule(body, facts):
    start, end = np.array(facts["p0"]), np.array(facts["p1"])
    vertices = shape_mesh(shape_from_facts(facts)).vertices
    along = ((vertices - start) @ (end - start) / np.sum((end - start) ** 2)).clip(0.0, 1.0)
    distance = np.linalg.norm(vertices - (start + along[:, None] * (end - start)), axis=-1)
    assert np.allclose(distance, facts["radius"], atol=1e-6)


def test_every_body_is_visible_in_one_or_two_tones():
    for body in G1.body_names:
        assert set(body_meshes(G1, body)) in ({"light"}, {"dark"}, {"light", "dark"})


def test_shapes_of_one_tone_are_one_mesh():
    torso = capsule_meshes(G1, "torso_link")
    assert {tone: mesh.body_count for tone, mesh in torso.items()} == {"light": 2, "dark": 1}  # torso and logo; head


def test_without_a_description_there_are_capsules(monkeypatch):
    from whole_body_tracking.viewer.shapes import installed

    monkeypatch.setattr(installed, "DESCRIPTIONS", {})
    installed._urdf.cache_clear()
    assert installed_meshes(G1) == {}
    assert len(body_meshes(G1, "torso_link")["light"].faces) == len(capsule_meshes(G1, "torso_link")["light"].faces)
    installed._urdf.cache_clear()


@pytest.fixture(scope="module")
def real():
    meshes = installed_meshes(G1)
    return meshes or pytest.skip("example-robot-data is not installed")


def test_real_shapes_are_where_the_capsules_are(real):
    """Boxes around both agree within 8 cm."""
    for body in G1.body_names:
        box, capsules = (
            np.stack([mesh.bounds for mesh in meshes.values()]) for meshes in (real[body], capsule_meshes(G1, body))
        )
        away = np.abs(box[:, 0].min(0) - capsules[:, 0].min(0)), np.abs(box[:, 1].max(0) - capsules[:, 1].max(0))
        assert max(part.max() for part in away) < 0.08, body


def test_real_shapes_have_few_triangles(real):
    parts = [len(mesh.faces) for meshes in real.values() for mesh in meshes.values()]
    assert sum(parts) < 30_000 and min(parts) > 0.5 * min(FEWEST, MOST / 10)
