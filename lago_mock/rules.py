"""The settings that shift what the server accepts and answers; they can change as it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Rules:
    """One set of them for the whole server.

    `validation` is `lago` (as the real server), `strict` (the document to the letter) or `off`
    (what names a thing is still needed, and nothing else is judged). `license` is `premium` or
    `free`. `era` is `current`, or `2023` for the texts, codes and fields of the old documents.
    """

    license: str = "premium"
    validation: str = "lago"
    era: str = "current"
