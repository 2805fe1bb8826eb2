"""What is a secret, and how much of one is shown: its end, to tell it by."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

TOKEN_HEADER: Final = "X-Lago-Mock-Token"
"""Header of the admin token."""

SECRET_HEADERS: Final = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    TOKEN_HEADER.lower(),
)
"""Headers whose values are shown to nobody."""

_CUT: Final = "…"
_SCHEMES: Final = ("bearer", "basic", "token")
_SECRET_PARAMETER: Final = re.compile(r"(?i)api[-_]?key|access[-_]?token|token")


def cut(secret: str) -> str:
    """Return the end of a secret, to tell it by; nothing of a short one."""
    return f"{_CUT}{secret[-4:]}" if len(secret) > 8 else _CUT


def is_whole(secret: str) -> bool:
    """Tell whether a secret is not cut."""
    return not secret.startswith(_CUT)


def redacted(value: str) -> str:
    """Return a secret header's value with no more of it than its last four characters.

    Of a short one, and of one in no known form, nothing is left.
    """
    words = value.split()
    scheme = words[0] if words and words[0].lower() in _SCHEMES else ""
    secret = words[1] if scheme and len(words) == 2 else ""
    return f"{scheme} {cut(secret)}".strip()


def without_secrets(query: str) -> str:
    """Return a raw query with the values of keys and tokens cut."""
    return "&".join(map(_without_secret, query.split("&")))


def _without_secret(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    is_secret = value and _SECRET_PARAMETER.fullmatch(unquote_plus(name))
    return f"{name}={cut(value)}" if is_secret else parameter
