"""Joint targets that reproduce a clip on the physics: a reference's own positions do not, its drives are soft."""

from .inverse_dynamics import InverseDynamics, inverse_dynamics_targets

__all__ = ["InverseDynamics", "inverse_dynamics_targets"]
