"""Closed-form motion of the centre of mass over a zero-moment point that moves along straight pieces.

The linear inverted pendulum x'' = w^2 (x - p) with w = sqrt(g / height) has the divergent component of motion
xi = x + x'/w, for which xi' = w (xi - p) (Englsberger, Ott and Albu-Schaeffer, "Three-dimensional bipedal walking
control based on divergent component of motion", IEEE T-RO 31(2), 2015, without vertical motion; a p that moves along
straight pieces: Englsberger et al., "Smooth trajectory generation and push-recovery based on divergent component of
motion", IROS 2017). On a piece of duration T on which p goes linearly from p_0 to p_T, with v = (p_T - p_0) / T,

xi(t) = p(t) + v/w + (xi_0 - p_0 - v/w) e^(w t),

so the piece's start follows from its end: xi_0 = p_0 + v/w + e^(-w T) (xi_T - p_T - v/w). Pieces are solved from the
last one backwards, where errors shrink. Forwards, with a = (xi_0 - p_0 - v/w) / 2,

x(t) = p(t) + a e^(w t) + (x_0 - p_0 - a) e^(-w t).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CenterOfMassPlan:
    """Motion of the centre of mass over a piecewise linear zero-moment point."""

    times: np.ndarray
    """Ends of the pieces [s], shape [num_pieces + 1]."""
    zmp: np.ndarray
    """Zero-moment point there [m], shape [num_pieces + 1, 2]."""
    omega: float
    """w [1/s]."""
    dcm: np.ndarray
    """Divergent component of motion there [m], shape [num_pieces + 1, 2]."""
    com: np.ndarray
    """Centre of mass there [m], shape [num_pieces + 1, 2]."""

    def at(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre of mass and zero-moment point [m], each of shape [num_times, 2]."""
        piece = np.clip(np.searchsorted(self.times, time, side="right") - 1, 0, len(self.times) - 2)
        elapsed = (time - self.times[piece])[:, None]
        rate = (np.diff(self.zmp, axis=0) / np.diff(self.times)[:, None])[piece]
        zmp = self.zmp[piece] + rate * elapsed
        growing = 0.5 * (self.dcm[piece] - self.zmp[piece] - rate / self.omega)
        fading = self.com[piece] - self.zmp[piece] - growing
        return zmp + growing * np.exp(self.omega * elapsed) + fading * np.exp(-self.omega * elapsed), zmp


def plan_center_of_mass(
    times: np.ndarray, zmp: np.ndarray, omega: float, velocity: np.ndarray | float = 0.0
) -> CenterOfMassPlan:
    """Plan the centre of mass over a zero-moment point.

    Its divergent component ends on the last place of the zero-moment point, where the robot could come to rest.

    Args:
        times: Ends of the pieces [s], increasing, shape [num_pieces + 1].
        zmp: Zero-moment point there [m], shape [num_pieces + 1, 2].
        omega: sqrt(g / height of the centre of mass) [1/s].
        velocity: Of the centre of mass at the start [m/s], shape [2]; x_0 = xi_0 - x'_0 / w.
    """
    duration = np.diff(times)
    rate = np.diff(zmp, axis=0) / duration[:, None]
    dcm, com = np.empty_like(zmp), np.empty_like(zmp)
    dcm[-1] = zmp[-1]
    for piece in range(len(duration) - 1, -1, -1):
        lead = rate[piece] / omega
        shrink = np.exp(-omega * duration[piece])
        dcm[piece] = zmp[piece] + lead + shrink * (dcm[piece + 1] - zmp[piece + 1] - lead)
    com[0] = dcm[0] - velocity / omega
    for piece in range(len(duration)):
        growing = 0.5 * (dcm[piece] - zmp[piece] - rate[piece] / omega)
        fading = com[piece] - zmp[piece] - growing
        span = omega * duration[piece]
        com[piece + 1] = zmp[piece + 1] + growing * np.exp(span) + fading * np.exp(-span)
    return CenterOfMassPlan(times, zmp, omega, dcm, com)
