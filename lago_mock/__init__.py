"""A stand-in for the Lago billing API that remembers, enforces, fails on command and resets.

Names are resolved at first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from lago_mock.version import __version__

if TYPE_CHECKING:
    from lago_mock.app import create_app
    from lago_mock.client import AdminError
    from lago_mock.settings import Settings
    from lago_mock.testing.handle import LagoMock

__all__ = ["AdminError", "LagoMock", "Settings", "__version__", "create_app"]

_MODULES = MappingProxyType(
    {
        "AdminError": "lago_mock.client",
        "LagoMock": "lago_mock.testing.handle",
        "Settings": "lago_mock.settings",
        "create_app": "lago_mock.app",
    }
)


def __getattr__(name: str) -> object:
    """Import the module behind a public name when it is first asked for."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'lago_mock' has no attribute {name!r}")
