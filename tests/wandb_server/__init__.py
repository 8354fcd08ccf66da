"""A W&B server small enough to run in a test: what the real client needs to log, upload, link, list and download.

It agrees with the client, whose own GraphQL documents it answers; whether the hosted service does is not tested here.
"""

from .server import WandbServer
from .store import Store

__all__ = ["Store", "WandbServer"]
