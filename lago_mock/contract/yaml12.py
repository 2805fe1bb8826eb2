"""YAML by the types of YAML 1.2: `NO`, `010` and `12:30` stay text."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Final

import yaml

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS: Final = tuple(
    f"tag:yaml.org,2002:{each}" for each in ("null", "bool", "int", "float", "str", "seq", "map")
)
"""The types of JSON: a date or a set would be neither text nor number to those who read it."""


class Yaml12Loader(_Loader):  # type: ignore[misc]  # chosen at run time
    """PyYAML's safe loader with the types of YAML 1.2 alone, and no key given twice."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  # PyYAML's own attribute
    yaml_constructors: dict[str | None, Any] = {  # noqa: RUF012  # PyYAML's own, None for the rest
        tag: _Loader.yaml_constructors[tag] for tag in (None, *_TAGS)
    }

    def construct_document(self, node: Any) -> Any:
        """Build each part whole before the next, so that one that holds itself is refused."""
        self.deep_construct = True
        return super().construct_document(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a key that stands twice: the first would be lost in silence."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key must be text"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
            key.tag = "tag:yaml.org,2002:str"  # as in JSON; the status 200 is one, too
        return super().construct_mapping(node, deep)


def _finite(loader: Any, node: Any) -> float:
    """Return a number, unless no JSON could have it."""
    number: float = loader.construct_yaml_float(node)
    if not isfinite(number):
        problem = f"{node.value} is no number that JSON has"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    return number


Yaml12Loader.add_constructor("tag:yaml.org,2002:float", _finite)

Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"),
    list("tTfF"),
)
Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
