"""``params/env.yaml`` and ``params/agent.yaml`` of a run, as plain data."""

from __future__ import annotations

from pathlib import Path

import yaml


class _PlainLoader(yaml.SafeLoader):
    """Reads what ``params/`` holds; Python objects become plain lists, maps and texts."""


def _construct_plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node):
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_PlainLoader.add_multi_constructor("tag:yaml.org,2002:python/", _construct_plain)
_PlainLoader.add_multi_constructor("!", _construct_plain)


def read_params(path: Path) -> dict:
    """Content of a config file that Isaac Lab wrote; empty if there is no such file. Nothing in it is executed."""
    if not path.is_file():
        return {}
    content = yaml.load(path.read_text(), Loader=_PlainLoader)  # a SafeLoader
    return content if isinstance(content, dict) else {}
