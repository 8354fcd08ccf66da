"""Messages over DDS, on the topics and in the domain that Unitree's robots use."""

from __future__ import annotations

import os
from typing import Literal
from xml.sax.saxutils import quoteattr

COMMAND_TOPIC, STATE_TOPIC = "rt/lowcmd", "rt/lowstate"

CONFIGURATION = """<CycloneDDS><Domain Id="any">
<General><Interfaces><NetworkInterface name={name} priority="default" multicast="default"/></Interfaces></General>
<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>60</MaxAutoParticipantIndex>{peers}</Discovery>
<Tracing><Verbosity>none</Verbosity></Tracing>
</Domain></CycloneDDS>"""

LOOPBACK_PEERS = '<Peers><Peer address="127.0.0.1"/></Peers>'
"""Loopback interfaces carry no multicast, by which participants find each other elsewhere."""

Role = Literal["robot", "controller"]


class DdsLink:
    """One end of the wire: a robot sends states and takes commands, a controller the other way round."""

    def __init__(self, role: Role, interface: str, domain: int = 0):
        """Join a domain.

        Args:
            role: Which end.
            interface: Network interface, such as ``lo`` or ``eth0``.
            domain: DDS domain; robots are in 0.

        Raises:
            OSError: If cyclonedds is not installed; the message names the extra.
            ValueError: If there is no such interface.
        """
        require_cyclonedds()
        require_interface(interface)
        from cyclonedds.core import ReadCondition, SampleState, ViewState, WaitSet
        from cyclonedds.domain import Domain, DomainParticipant
        from cyclonedds.pub import DataWriter
        from cyclonedds.sub import DataReader
        from cyclonedds.topic import Topic

        from .topics import LowCommand, LowState

        peers = LOOPBACK_PEERS if interface == "lo" else ""
        self._domain = Domain(domain, CONFIGURATION.format(name=quoteattr(interface), peers=peers))
        self._participant = DomainParticipant(domain)
        types = {COMMAND_TOPIC: LowCommand, STATE_TOPIC: LowState}
        sends, takes = (STATE_TOPIC, COMMAND_TOPIC) if role == "robot" else (COMMAND_TOPIC, STATE_TOPIC)
        self._type = types[sends]
        self._writer = DataWriter(self._participant, Topic(self._participant, sends, types[sends]))
        self._reader = DataReader(self._participant, Topic(self._participant, takes, types[takes]))
        self._waitset = WaitSet(self._participant)
        self._waitset.attach(ReadCondition(self._reader, ViewState.Any | SampleState.NotRead))

    def send(self, data: bytes) -> None:
        """Send an encoded message."""
        self._writer.write(self._type(data))

    def receive(self, timeout: float) -> list[bytes]:
        """Encoded messages that have come, oldest first; waits for one if there is none.

        Args:
            timeout: Longest time to wait [s]; 0 does not wait.
        """
        from cyclonedds.internal import InvalidSample
        from cyclonedds.util import duration

        if timeout > 0.0:
            self._waitset.wait(duration(seconds=timeout))
        samples = self._reader.take(N=16)
        return [sample.data for sample in samples if not isinstance(sample, InvalidSample)]


def require_cyclonedds() -> None:
    """Check that DDS can be spoken.

    Raises:
        OSError: If cyclonedds is missing; the message says how to install it.
    """
    try:
        import cyclonedds  # noqa: F401
    except ImportError as error:
        raise OSError(
            f"Unitree's protocol needs cyclonedds: pip install 'whole-body-tracking[deploy]' ({error})."
        ) from None


def require_interface(name: str) -> None:
    """Check that a network interface exists.

    Raises:
        ValueError: If it does not; the message lists those that do.
    """
    interfaces = sorted(os.listdir("/sys/class/net"))
    if name not in interfaces:
        raise ValueError(f"There is no network interface '{name}'. This machine has: {interfaces}.")
