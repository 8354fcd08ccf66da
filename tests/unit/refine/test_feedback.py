"""The feedback rule: it corrects single steps, and a step size that is too large is noticed."""

import numpy as np
import pytest
from refine_samples import squat_part

from whole_body_tracking.refine.feedback import feedback_targets, safe_step_size, single_step_error
from whole_body_tracking.refine.reference import reference_states
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def reference():
    return reference_states(squat_part(12), G1)


def test_single_steps_become_better(physics, reference):
    found = feedback_targets(physics, reference, reference.joint_pos, iterations=6)
    assert found.errors[0] > 1e-3 and min(found.errors) < 0.5 * found.errors[0]
    assert not found.diverged
    left = np.abs(single_step_error(physics, reference, found.joint_target)).mean()
    assert left == pytest.approx(min(found.errors))


def test_twice_the_quickest_joints_step_diverges_and_the_best_iterate_is_kept(physics, reference):
    """The quickest joint's error shrinks by 1 - alpha g, which is below -1 for alpha above 2 / g."""
    safe = safe_step_size(physics, reference, reference.joint_pos)
    found = feedback_targets(physics, reference, reference.joint_pos, alpha=4.0 * safe, iterations=30)
    assert found.diverged and len(found.errors) < 31
    assert found.errors[found.best_iteration] == min(found.errors) < found.errors[-1]
    left = np.abs(single_step_error(physics, reference, found.joint_target)).mean()
    assert left == pytest.approx(min(found.errors))


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": -1.0}, {"iterations": 0}])
def test_steps_that_are_not_positive_are_refused(physics, reference, wrong):
    with pytest.raises(ValueError, match="should both be positive"):
        feedback_targets(physics, reference, reference.joint_pos, **wrong)
