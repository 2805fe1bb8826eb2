"""A stand-in for the Lago billing API that remembers, enforces, fails on command and resets.

Names are resolved at first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lago_mock.version import __version__

if TYPE_CHECKING:
    from lago_mock.app import create_app
    from lago_mock.settings import Settings

__all__ = ["Settings", "__version__", "create_app"]


def __getattr__(name: str) -> object:
    """Import the module behind a public name when it is first asked for."""
    if name == "create_app":
        from lago_mock.app import create_app

        return create_app
    if name == "Settings":
        from lago_mock.settings import Settings

        return Settings
    raise AttributeError(f"module 'lago_mock' has no attribute {name!r}")
