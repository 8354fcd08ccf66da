"""Names in a policy from elsewhere make no path outside its folder, and malformed ones are refused with a sentence."""

import json

import pytest
from policies import make_actor, make_library, make_spec

from whole_body_tracking.export import ClipReference, PolicySpec, TrainedClip, export_onnx, load_policy
from whole_body_tracking.export.spec_metadata import spec_to_metadata

pytestmark = pytest.mark.unit


def edited(path, **changes):
    """Change fields of the spec inside an ONNX file, as somebody else could."""
    import onnx

    model = onnx.load(path)
    metadata = {prop.key: prop.value for prop in model.metadata_props}
    spec = json.loads(metadata["policy_spec"]) | changes
    onnx.helper.set_model_props(model, metadata | {"policy_spec": json.dumps(spec)})
    onnx.save(model, path)
    return path


@pytest.fixture
def policy_file(tmp_path):
    return export_onnx(make_actor(), make_spec(), make_library(), tmp_path / "policy" / "policy.onnx")


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "policy").mkdir()


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "..", ".", "a/b", "a\\b", "clips\n", 3])
def test_a_clips_folder_elsewhere_is_refused(policy_file, name):
    with pytest.raises(ValueError, match=r"`clips_folder` is .*the name of a folder beside the policy"):
        load_policy(edited(policy_file, clips_folder=name))


@pytest.mark.parametrize("sha256", ["../../x", "0" * 63, "A" * 64, "0" * 65, 7, None])
def test_a_digest_that_is_not_one_is_refused(policy_file, sha256):
    clip = {"name": "wave", "sha256": sha256, "num_frames": 60}
    with pytest.raises(ValueError, match=r"Clip 'wave' has the digest .* 64 hexadecimal digits"):
        load_policy(edited(policy_file, clips=[clip]))
    with pytest.raises(ValueError, match=r"Clip 'wave' has the digest"):
        load_policy(edited(policy_file, trained_on=[{"name": "wave", "sha256": sha256}]))


@pytest.mark.parametrize("num_frames", [0, -1, 2.5, "60", True])
def test_a_number_of_frames_that_is_not_one_is_refused(policy_file, num_frames):
    clip = {"name": "wave", "sha256": "0" * 64, "num_frames": num_frames}
    with pytest.raises(ValueError, match=r"Clip 'wave' has .* frames"):
        load_policy(edited(policy_file, clips=[clip]))


@pytest.mark.parametrize("clips", [[{"name": "wave"}], [3], "wave", None, {"name": "wave"}])
def test_clips_of_another_kind_are_refused(policy_file, clips):
    with pytest.raises(ValueError, match="another kind than expected"):
        load_policy(edited(policy_file, clips=clips))


def test_the_clips_of_the_training_survive_the_file(policy_file):
    assert load_policy(policy_file).spec.trained_on == ()
    spec = make_spec(trained_on=(TrainedClip("run", "1" * 64),))
    assert PolicySpec.from_json(spec_to_metadata(spec)["policy_spec"]) == spec
    content = json.loads(make_spec().to_json())
    del content["trained_on"]  # files from before it was there
    assert PolicySpec.from_json(json.dumps(content)) == make_spec()


def test_a_clip_name_makes_one_file_name():
    assert ClipReference("../../a b", "0" * 64, 1).file_name == ".._.._a_b-00000000.npz"
