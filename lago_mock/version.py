"""The version of lago-mock, and of the Lago it behaves as."""

from __future__ import annotations

__version__ = "0.1.0"
LAGO_VERSION = "1.51.0"
"""Version of the API document that we follow; lago-api of August 2026 serves it."""
