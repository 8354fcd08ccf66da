"""Answers a GraphQL document from plain values: what the client selects is looked up, what is missing is null."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode, parse
from graphql.utilities import value_from_ast_untyped

CONCRETE = {"ArtifactSequence", "ArtifactPortfolio"}
"""Types of which a value is one and not the other; a fragment on any other type fits every value."""


def answer(document: str, variables: dict, roots: Mapping[str, Callable[..., Any]], unknown: list[str]) -> dict:
    """Data of a request.

    Args:
        document: The client's own document.
        variables: Its variables.
        roots: A function for each root field, called with the field's arguments.
        unknown: Names of root fields that ``roots`` lacks are added here.
    """
    definitions = parse(document).definitions
    operation = next(node for node in definitions if isinstance(node, OperationDefinitionNode))
    walk = _Walk({node.name.value: node for node in definitions if node is not operation}, variables)
    known = {}
    for field in walk.fields(operation.selection_set, {}):
        name = field.name.value
        if name not in roots:
            unknown.append(f"{operation.name.value}: {name}")
        known[name] = roots.get(name)
    return walk.select(known, operation.selection_set)


class _Walk:
    def __init__(self, fragments: dict, variables: dict):
        self._fragments, self._variables = fragments, variables

    def select(self, value: Any, selection: SelectionSetNode | None) -> Any:
        if isinstance(value, list):
            return [self.select(item, selection) for item in value]
        if selection is None or value is None:
            return value
        return {(f.alias or f.name).value: self._field(value, f) for f in self.fields(selection, value)}

    def fields(self, selection: SelectionSetNode, value: Mapping) -> list[FieldNode]:
        found: list[FieldNode] = []
        for node in selection.selections:
            if isinstance(node, FieldNode):
                found.append(node)
                continue
            part = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            wanted = part.type_condition.name.value if part.type_condition else None
            if wanted not in CONCRETE or value.get("__typename") == wanted:
                found += self.fields(part.selection_set, value)
        return found

    def _field(self, value: Mapping, node: FieldNode) -> Any:
        found = value.get(node.name.value)
        if callable(found):
            arguments = {a.name.value: value_from_ast_untyped(a.value, self._variables) for a in node.arguments or ()}
            found = found(**arguments)
        return self.select(found, node.selection_set)
