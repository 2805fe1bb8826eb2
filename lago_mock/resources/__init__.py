"""One module a Lago resource, each with its `RESOURCE` at the end; they never import each other."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from lago_mock.resource import Resource


def load_resources() -> Mapping[str, Resource]:
    """Return every resource by its plural name: each module of this package has one."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found: list[Resource] = [module.RESOURCE for module in modules]
    return MappingProxyType({resource.plural: resource for resource in found})
