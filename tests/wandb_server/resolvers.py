"""The GraphQL fields that the client asks for, as functions on a :class:`Store`."""

from __future__ import annotations

import base64
import fnmatch
import json
from collections.abc import Callable
from typing import Any

from .store import ENTITY, Artifact, Collection, Run, Store, decoded, encoded

WHEN = "2026-01-01T00:00:00Z"
ORGANIZATION = {"name": ENTITY, "orgEntity": {"name": ENTITY}}
LAST_PAGE = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
FEATURES = {"ARTIFACT_COLLECTION_MEMBERSHIP_FILES", "ARTIFACT_MEMBERSHIP_IN_LINK_ARTIFACT_RESPONSE"}


class MissingError(Exception):
    """What a request names does not exist; the client is told so."""


class Resolvers:
    """Root fields by name in :attr:`roots`; URLs start with ``base``."""

    def __init__(self, store: Store, base: str):
        self._store, self._base = store, base
        names = (
            "viewer serverInfo entity project model artifact upsertBucket createRunFiles createArtifact"
            " createArtifactManifest createArtifactFiles commitArtifact linkArtifact"
        )
        self.roots: dict[str, Callable[..., Any]] = {name: getattr(self, name) for name in names.split()}
        self.roots["updateArtifactManifest"] = self.createArtifactManifest

    # -- who -----------------------------------------------------------------------------------------------------------

    def viewer(self):
        return {
            "id": encoded("User", 1), "entity": ENTITY, "username": "tester", "email": "tester@example.org",
            "flags": "{}", "teams": edges([]), "admin": False,
        }  # fmt: skip

    def serverInfo(self):  # noqa: N802
        return {"features": [{"name": name, "isEnabled": True} for name in sorted(FEATURES)]}

    def entity(self, name: str):
        return {"organization": ORGANIZATION if name == ENTITY else None, "user": None}

    # -- runs ----------------------------------------------------------------------------------------------------------

    def upsertBucket(self, input: dict):  # noqa: N802, A002
        project, name = input["modelName"], input["name"]
        run = self._store.runs.setdefault((project, name), Run(project, name))
        run.display_name = input.get("displayName") or run.display_name or name
        run.config = input.get("config") or run.config
        return {"bucket": self._run(run), "inserted": True}

    def createRunFiles(self, input: dict):  # noqa: N802, A002
        run = self._store.runs[input["projectName"], input["runName"]]
        run.files += [name for name in input["files"] if name not in run.files]
        files = [{"name": name, "uploadUrl": self._url(run_file(run, name))} for name in input["files"]]
        return {"runID": encoded("Run", run.path), "uploadHeaders": [], "files": files}

    def model(self, name: str, **_: Any):
        return self.project(name)

    def _run(self, run: Run):
        return {
            "id": encoded("Run", run.path), "name": run.name, "displayName": run.display_name, "config": run.config,
            "state": run.state, "tags": [], "user": {"name": "tester", "username": "tester"}, "createdAt": WHEN,
            "summaryMetrics": json.dumps(run.history[-1] if run.history else {}), "systemMetrics": "{}",
            "historyKeys": self._history_keys(run), "historyLineCount": len(run.history), "fileCount": len(run.files),
            "heartbeatAt": WHEN, "readOnly": False, "projectId": "1",
            "sweepName": None, "project": self._project_info(run.project),
            "history": lambda **window: [json.dumps(row) for row in rows_between(run, **window)],
            "sampledHistory": lambda **_: [run.history],
            "files": lambda **wanted: self._run_files(run, **wanted),
        }  # fmt: skip

    def _history_keys(self, run: Run):
        return {"lastStep": run.history[-1]["_step"] if run.history else -1, "keys": {}}

    def _run_files(self, run: Run, names: list[str] | None = None, pattern: str | None = None, **_: Any):
        chosen = [name for name in run.files if names is None or not names or name in names]
        chosen = fnmatch.filter(chosen, pattern.replace("%", "*")) if pattern else chosen
        return edges([self._run_file(run, name) for name in chosen])

    def _run_file(self, run: Run, name: str):
        path = run_file(run, name)
        size = len(self._store.blobs.get(path, b""))
        url = self._url(path)
        return {
            "id": encoded("File", name), "name": name, "url": url, "directUrl": url, "sizeBytes": size,
            "mimetype": "", "updatedAt": WHEN, "md5": "", "digest": "",
        }  # fmt: skip

    # -- uploading -----------------------------------------------------------------------------------------------------

    def createArtifact(self, input: dict):  # noqa: N802, A002
        name, project = input["artifactCollectionName"], input["projectName"]
        artifact = self._store.add_artifact(project, name, input["artifactTypeName"], input["digest"])
        siblings = [a for a in self._store.artifacts if (a.project, a.sequence) == (project, name)]
        latest = next((a for a in reversed(siblings) if a.state == "COMMITTED"), None)
        sequence = {"id": encoded("Sequence", name), "latestArtifact": self._artifact(latest)}
        return {"artifact": self._artifact(artifact) | {"artifactSequence": sequence}}

    def createArtifactManifest(self, input: dict):  # noqa: N802, A002
        number = decoded(input.get("artifactID") or input["artifactManifestID"])
        url = self._url(self._store.manifest_of(self._store.artifacts[number]))
        file = {"id": encoded("File", number), "name": "manifest", "uploadUrl": url, "uploadHeaders": []}
        return {"artifactManifest": {"id": encoded("Manifest", number), "file": file}}

    def createArtifactFiles(self, input: dict):  # noqa: N802, A002
        return {"files": edges([self._artifact_file(item) for item in input["artifactFiles"]])}

    def _artifact_file(self, item: dict):
        path = f"/storage/blob/{to_hex(item['md5'])}"
        return {
            "id": encoded("File", item["name"]), "name": item["name"], "displayName": item["name"],
            "storagePath": path, "uploadUrl": self._url(path), "uploadHeaders": [],
            "artifact": {"id": item["artifactID"]},
        }  # fmt: skip

    def commitArtifact(self, input: dict):  # noqa: N802, A002
        artifact = self._store.artifacts[decoded(input["artifactID"])]
        artifact.state = "COMMITTED"
        return {"artifact": self._artifact(artifact)}

    def linkArtifact(self, input: dict):  # noqa: N802, A002
        project = input["projectName"]
        if project not in self._store.registries:
            raise MissingError(f"project '{project}' not found under entity '{input['entityName']}'")
        artifact = self._store.artifacts[decoded(input["artifactID"])]
        collection = self._store.link(artifact, project, input["artifactPortfolioName"])
        version = collection.versions.index(artifact)
        return {"versionIndex": version, "artifactMembership": self._membership(collection, artifact)}

    # -- looking up ----------------------------------------------------------------------------------------------------

    def artifact(self, id: str):  # noqa: A002
        return self._artifact(self._store.artifacts[decoded(id)])

    def project(self, name: str, entityName: str = ENTITY):  # noqa: N803
        known = self._store.registries | {project for project, _ in self._store.runs}
        known |= {artifact.project for artifact in self._store.artifacts}
        if name not in known or entityName != ENTITY:
            return None
        project = name  # the lambdas below have a name of their own
        return self._project_info(name) | {
            "run": lambda name: self._run_of(project, name),
            "bucket": lambda name, **_: self._run_of(project, name),
            "artifactType": lambda name: self._type(project, name),
            "artifactCollection": lambda name: self._collection(self._store.collections.get((project, name))),
            "artifactCollectionMembership": lambda name: self._membership_of(project, name),
        }

    def _run_of(self, project: str, name: str):
        run = self._store.runs.get((project, name))
        return None if run is None else self._run(run)

    def _type(self, project: str, type_: str):
        mine = [c for c in self._store.collections.values() if (c.project, c.type) == (project, type_)]
        return {
            "__typename": "ArtifactType", "id": encoded("Type", type_), "name": type_, "createdAt": WHEN,
            "artifactCollections": lambda **_: edges([self._collection(c) for c in mine]),
            "artifactCollection": lambda name: next((self._collection(c) for c in mine if c.name == name), None),
        }  # fmt: skip

    def _collection(self, collection: Collection | None):
        if collection is None:
            return None
        return self._collection_info("ArtifactPortfolio", collection.project, collection.name) | {
            "id": encoded("Collection", collection.number), "createdAt": WHEN, "updatedAt": WHEN, "tags": edges([]),
            "defaultArtifactType": {"name": collection.type},
            "artifactMembership": lambda aliasName: self._membership(collection, collection.find(aliasName)),
        }  # fmt: skip

    def _membership_of(self, project: str, name: str):
        collection_name, _, alias = name.partition(":")
        collection = self._store.collections.get((project, collection_name))
        return None if collection is None else self._membership(collection, collection.find(alias or "latest"))

    def _membership(self, collection: Collection, artifact: Artifact | None):
        if artifact is None:
            return None
        alias = {"__typename": "ArtifactAlias", "id": encoded("Alias", 0), "alias": "latest"}
        return {
            "__typename": "ArtifactCollectionMembership", "id": encoded("Membership", artifact.number),
            "versionIndex": collection.versions.index(artifact), "createdAt": WHEN,
            "aliases": [alias] if artifact is collection.versions[-1] else [],
            "artifactCollection": self._collection(collection), "artifact": self._artifact(artifact),
            "files": lambda **_: edges([
                {"__typename": "File", "name": name, "directUrl": self._url(path)}
                for name, path in self._store.files_of(artifact).items()
            ]),
        }  # fmt: skip

    def _artifact(self, artifact: Artifact | None):
        if artifact is None:
            return None
        sequence = self._collection_info("ArtifactSequence", artifact.project, artifact.sequence)
        return {
            "__typename": "Artifact", "id": artifact.id, "artifactSequence": sequence, "createdAt": WHEN,
            "versionIndex": artifact.version, "artifactType": {"name": artifact.type}, "state": artifact.state,
            "metadata": "{}", "ttlDurationSeconds": -2, "ttlIsInherited": True, "tags": [], "size": 0, "fileCount": 1,
            "digest": artifact.digest, "commitHash": "0", "updatedAt": WHEN, "aliases": [],
            "currentManifest": {"file": {"directUrl": self._url(self._store.manifest_of(artifact))}},
        }  # fmt: skip

    def _collection_info(self, kind: str, project: str, name: str):
        return {"__typename": kind, "name": name, "project": self._project_info(project)}

    def _project_info(self, name: str):
        id_ = encoded("Project", name)
        return {"id": id_, "internalId": id_, "name": name, "entity": {"name": ENTITY}, "entityName": ENTITY}

    def _url(self, path: str) -> str:
        return self._base + path


def edges(nodes: list) -> dict:
    """A list as GraphQL connections have it, all on one page."""
    return {"edges": [{"node": node, "cursor": ""} for node in nodes], "pageInfo": LAST_PAGE, "totalCount": len(nodes)}


def run_file(run: Run, name: str) -> str:
    """Path of a file of a run."""
    return f"/storage/run/{run.path}/{name}"


def rows_between(run: Run, minStep: int = 0, maxStep: int = 10**9, **_: Any) -> list[dict]:  # noqa: N803
    """Rows of a run's history with steps in [minStep, maxStep)."""
    return [row for row in run.history if minStep <= row["_step"] < maxStep]


def to_hex(digest: str) -> str:
    """An MD5 that the client gives in base64 or hexadecimal, in hexadecimal."""
    return digest if len(digest) == 32 else base64.b64decode(digest).hex()
