"""The word that was probably meant, for errors that say so."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


def closest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the word most like this one, None when none is; 1.0 is the likeness of equals."""
    return next(iter(difflib.get_close_matches(name, known, 1, likeness)), None)


def did_you_mean(near: str | None) -> str:
    """Return the end of a sentence that asks whether this was meant; empty for None."""
    return f"; did you mean {near}?" if near else ""


def did_you_mean_one_of(name: str, known: Collection[str]) -> str:
    """Return the name that was probably meant, or all that there are, as the end of a sentence."""
    return did_you_mean(closest(name, known)) or f"; there are {', '.join(known)}"
