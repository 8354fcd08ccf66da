import numpy as np
import pytest

from whole_body_tracking.robots import G1
from whole_body_tracking.robots.usd_shapes import shape_from_facts
from whole_body_tracking.viewer.meshes import body_meshes, shape_mesh

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
    torso = body_meshes(G1, "torso_link")
    assert {tone: mesh.body_count for tone, mesh in torso.items()} == {"light": 2, "dark": 1}  # torso and logo; head
