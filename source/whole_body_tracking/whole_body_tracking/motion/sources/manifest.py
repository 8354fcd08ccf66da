"""Manifests: a YAML list of motions with weights, tags, frame ranges and splits (docs/many_motions.md)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from whole_body_tracking.names import require_known

MANIFEST_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class ManifestItem:
    """One item of a manifest; exactly one of :attr:`file` and :attr:`registry` is set."""

    file: str | None = None
    """File, folder or glob; a relative one counts from the manifest's folder."""
    registry: str | None = None
    """W&B registry name or pattern."""
    weight: float = 1.0
    """Relative frequency with which its clips are drawn by ``clip_sampling=weight``, relative to others."""
    tags: tuple[str, ...] = ()
    """Free words, such as ``locomotion`` or ``dynamic``."""
    frame_range: tuple[int, int] | None = None
    """First and last frame of the clip to keep, 1-based, both included."""
    split: str | None = None
    """Such as ``train`` or ``test``; None belongs to every split."""
    difficulty: float | None = None
    """Place in a curriculum, easy ones first; None leaves it to the clip's own speed, airtime and tilt."""


KNOWN_KEYS = tuple(item.name for item in fields(ManifestItem))


def read_manifest(path: Path) -> list[ManifestItem]:
    """Items of a manifest in their order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the text is not a manifest; the message names the line, what is wrong and what is known.
    """
    if not path.is_file():
        raise FileNotFoundError(f"The manifest {path} does not exist.")
    try:
        root = yaml.compose(path.read_text(), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(root, yaml.MappingNode) or [key.value for key, _ in root.value] != ["motions"]:
        raise ValueError(f"{path}: expected one key, `motions`, with a list of motions.")
    items = root.value[0][1]
    if not isinstance(items, yaml.SequenceNode) or not items.value:
        raise ValueError(f"{_where(path, items)}: `motions` should be a list with at least one motion.")
    return [_read_item(path, node) for node in items.value]


def _read_item(path: Path, node: yaml.Node) -> ManifestItem:
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{_where(path, node)}: expected `file: ...` or `registry: ...`, found '{_value(node)}'.")
    values: dict[str, Any] = {}
    for key, value in node.value:
        require_known([key.value], KNOWN_KEYS, f"key in {_where(path, key)}")
        if key.value in values:
            raise ValueError(f"{_where(path, key)}: '{key.value}' is given twice.")
        values[key.value] = _check(_where(path, value), key.value, _value(value))
    if ("file" in values) == ("registry" in values):
        raise ValueError(f"{_where(path, node)}: a motion has either `file` or `registry`, found {sorted(values)}.")
    return ManifestItem(**values)


def _check(where: str, key: str, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if key in ("file", "registry", "split") and not (isinstance(value, str) and value):
        raise ValueError(f"{where}: `{key}` should be text, found {value!r}.")
    if key == "weight" and not (is_number and 0.0 <= value < float("inf")):
        raise ValueError(f"{where}: `weight` should be a number of at least 0, found {value!r}.")
    if key == "difficulty" and not (is_number and abs(value) < float("inf")):
        raise ValueError(f"{where}: `difficulty` should be a number, found {value!r}.")
    if key == "tags":
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            raise ValueError(f"{where}: `tags` should be a list of words, found {value!r}.")
        return tuple(value)
    if key == "frame_range":
        if not isinstance(value, list) or len(value) != 2 or not all(type(frame) is int for frame in value):
            raise ValueError(f"{where}: `frame_range` should be [first, last], counted from 1, found {value!r}.")
        if not 1 <= value[0] < value[1]:
            raise ValueError(f"{where}: `frame_range` {value} should have 1 <= first < last.")
        return tuple(value)
    return float(value) if key in ("weight", "difficulty") else value


def _value(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _where(path: Path, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"
