"""What the server remembers: runs, artifacts, collections and the bytes of files."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field

ENTITY = "ORG"
"""The only account, and the only organization."""
REGISTRY = "wandb-registry-motions"


@dataclass
class Run:
    """One run; ``history`` has a row for each logged step, ``files`` the names that were uploaded."""

    project: str
    name: str
    display_name: str = ""
    config: str = "{}"
    state: str = "running"
    history: list[dict] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{ENTITY}/{self.project}/{self.name}"


@dataclass
class Artifact:
    """One version of an artifact."""

    number: int
    project: str
    sequence: str
    type: str
    digest: str
    version: int
    state: str = "PENDING"

    @property
    def id(self) -> str:
        return encoded("Artifact", self.number)


@dataclass
class Collection:
    """A name in a registry and the versions that were linked to it, oldest first."""

    number: int
    project: str
    name: str
    type: str
    versions: list[Artifact] = field(default_factory=list)

    def find(self, alias: str) -> Artifact | None:
        """The version that ``latest`` or ``v3`` means."""
        names = {f"v{index}": artifact for index, artifact in enumerate(self.versions)}
        return names.get(alias, self.versions[-1] if alias == "latest" and self.versions else None)


class Store:
    """Everything a server holds. Blobs are kept by the path of their URL."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], Run] = {}
        self.artifacts: list[Artifact] = []
        self.registries = {REGISTRY}
        self.collections: dict[tuple[str, str], Collection] = {}
        self.blobs: dict[str, bytes] = {}
        self.gets: list[str] = []
        """Paths of the blobs that were downloaded, in order."""
        self.unknown: list[str] = []
        """Requests that the server could not answer."""
        self.status = 200
        """What every GraphQL request is answered with, such as 503 to be out of order."""
        self.stalled: set[str] = set()
        """Paths of blobs that stop in the middle."""

    def add_artifact(self, project: str, sequence: str, type_: str, digest: str) -> Artifact:
        """A new version, or the one that has this content already."""
        siblings = [a for a in self.artifacts if (a.project, a.sequence) == (project, sequence)]
        same = [artifact for artifact in siblings if artifact.digest == digest]
        if same:
            return same[0]
        artifact = Artifact(len(self.artifacts), project, sequence, type_, digest, len(siblings))
        self.artifacts.append(artifact)
        return artifact

    def link(self, artifact: Artifact, project: str, name: str) -> Collection:
        """Put a version into a registry's collection, which is created if need be."""
        key = (project, name)
        collection = self.collections.setdefault(key, Collection(len(self.collections), project, name, artifact.type))
        if artifact not in collection.versions:
            collection.versions.append(artifact)
        return collection

    def manifest_of(self, artifact: Artifact) -> str:
        """Path of an artifact's manifest."""
        return f"/storage/manifest/{artifact.number}"

    def files_of(self, artifact: Artifact) -> dict[str, str]:
        """Path of each file of an artifact, by its name."""
        contents = json.loads(self.blobs[self.manifest_of(artifact)])["contents"]
        return {name: blob_path(entry["digest"]) for name, entry in contents.items()}

    def add_clip(self, name: str, content: bytes, file_name: str = "motion.npz") -> Artifact:
        """Store a version of a collection as an upload by the client would, without a client."""
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()
        entry = {"digest": digest, "size": len(content)}
        policy = {"storageLayout": "V2", "storageRegion": "default"}
        manifest = {
            "version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": policy,
            "contents": {file_name: entry},
        }  # fmt: skip
        text = f"wandb-artifact-manifest-v1\n{file_name}:{digest}\n"
        artifact = self.add_artifact("uploads", name, "motions", hashlib.md5(text.encode()).hexdigest())
        self.blobs[self.manifest_of(artifact)] = json.dumps(manifest).encode()
        self.blobs[blob_path(digest)] = content
        artifact.state = "COMMITTED"
        self.link(artifact, REGISTRY, name)
        return artifact


def blob_path(digest: str) -> str:
    """Path of a file with this base64 MD5, the same for all artifacts that hold it."""
    return f"/storage/blob/{base64.b64decode(digest).hex()}"


def encoded(kind: str, number: object) -> str:
    """A GraphQL id as the service makes them."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def decoded(id_: str) -> int:
    """The number of an id."""
    return int(base64.b64decode(id_).decode().split(":")[1])
