"""Things that Lago's API cannot make, declared by a fixture set: how an item is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lago_mock.clock import Clock
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.store.tables import Row
from lago_mock.wire import JSON

Declare = Callable[[Clock, JSON], Row]


@dataclass(frozen=True)
class Declared:
    """One text of a declaration; `choices` are all that it can be, if they are few."""

    name: str
    choices: tuple[str, ...] = ()
    optional: bool = False

    def code(self, value: JSON) -> str | None:
        """Return what is wrong with a value, None when nothing is."""
        if value is None:
            return None if self.optional else "value_is_mandatory"
        is_known = isinstance(value, str) and (not self.choices or value in self.choices)
        return None if is_known else "value_is_invalid"


def declared(*fields: Declared) -> Declare:
    """Return what makes a row of a declared item.

    It raises `ValidationFailed` with every field that is missing, wrong or unknown.
    """

    def declare(clock: Clock, item: JSON) -> Row:
        given = item if isinstance(item, dict) else {}
        names = [field.name for field in fields]
        found = [(field.name, field.code(given.get(field.name))) for field in fields]
        found += [(name, "unknown_field") for name in given if name not in names]
        problems = [Problem(name, code, "declared", (name,)) for name, code in found if code]
        if problems:
            raise ValidationFailed(problems)
        return {"lago_id": clock.new_id(), **{name: given.get(name) for name in names}}

    return declare
