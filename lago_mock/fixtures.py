"""Fixture sets: files in the shape of the API's requests, played through the operations once.

description: A rowing club and its members     (optional)
now: 2026-01-05T09:00:00Z                      (optional; the first row's time)
organization:                                  name, api_key, and what updateOrganization takes
  name: Brightwater Rowing
taxes: [{code: vat_20, …}]                     any resource, in the order they are to be made
customers: [{external_id: acct-1, …}]
state: {version: 1, organizations: [{…}]}      (optional; exact rows, there before all others)

A saved state (`saved_state`) of one organization is a fixture set too: it may stand below `state`
or be the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lago_mock.clock import Clock, ScriptedClock, instant_of
from lago_mock.contract.contract import Contract
from lago_mock.contract.formats import is_date_time
from lago_mock.contract.loader import DocumentError, read_file
from lago_mock.errors import LagoError, ValidationFailed
from lago_mock.grants import KEY_TEXT, is_key, why_no_integration, why_no_resource
from lago_mock.likeness import closest
from lago_mock.operations import Facts, Operations
from lago_mock.pointers import pointer
from lago_mock.redaction import is_whole
from lago_mock.resource import Resource, keys_of
from lago_mock.resources.billing_entities import default_entity
from lago_mock.resources.organizations import names_of, new_organization
from lago_mock.saved_state import SavedOrganization
from lago_mock.signing import Signing
from lago_mock.state_judge import StateJudge
from lago_mock.store.store import FixtureRows, Store
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject

_SUFFIXES = (".yaml", ".yml", ".json")
_LAST_YEAR = 9999  # rows come a second apart, and time must not end among them
_STATE_KEYS = ("version", "organizations")
_OWN_KEYS = ("description", "now", "organization", "state", *_STATE_KEYS)


@dataclass(frozen=True)
class FixtureSet:
    """A set made into rows: ids, slugs and times are the same for each organization made from it.

    `organization` is the row of the organization that the set describes, with an id of its own.
    """

    name: str
    path: Path
    description: str
    api_key: str | None
    api_keys: list[JSONObject]
    organization: Row
    rows: FixtureRows

    def shown(self) -> JSONObject:
        """Return the `FixtureSet` object of the admin document."""
        return {
            "name": self.name,
            "path": str(self.path),
            "description": self.description,
            "sections": self.rows.counts(),
        }


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # who reads it says why it cannot be


class FixtureCompiler:
    """Reads fixture sets and plays them through the operations of a contract."""

    def __init__(
        self, folder: Path, contract: Contract, resources: Mapping[str, Resource], started: datetime
    ) -> None:
        self._folder = folder
        self.resources = resources
        self._started = started
        self.use(contract)

    def use(self, contract: Contract) -> None:
        """Play the next sets through the operations of another contract, and judge by it."""
        self._contract = contract
        self.judge = StateJudge(contract, self.resources)

    def names(self) -> list[str]:
        """Return the names of the sets that ship, in the order of the alphabet."""
        return sorted(path.stem for path in self._folder.iterdir() if path.suffix in _SUFFIXES)

    def find(self, name: str) -> Path:
        """Return the file of a set that ships, or the path that was given instead of a name.

        Raises:
            DocumentError: there is no such set.
        """
        shipped = [self._folder / f"{name}{suffix}" for suffix in _SUFFIXES]
        for path in shipped:
            if os.path.isfile(path):  # False where nobody may look
                return path
        if _is_file(Path(name)):
            return Path(name)
        near = closest(name, self.names())
        known = f"Name one of {', '.join(self.names())}, or a file of yours by its path."
        advice = f"Did you mean {near}?" if near else known
        raise DocumentError(name, "", "there is no such fixture set", advice)

    def compile(self, name: str) -> FixtureSet:
        """Return the set of this name or path, made into rows.

        Raises:
            DocumentError: the file is broken, or the contract refuses an item; names file, JSON
                pointer and reason.
        """
        path = self.find(name)
        content = _Content(path, read_file(path))
        state = content.state(self.judge)
        # Rows of a state may have ids that the name of their set has led to before.
        seed = f"{path.stem} state" if state else path.stem
        clock = ScriptedClock(content.now(self._started), seed)
        row = content.organization_row(clock, state)
        store = Store(keys_of(self.resources))
        view = store.view(row["lago_id"])
        if state:
            replace(state, row=row).fill(view)
        else:
            view.put("organizations", row)
            view.put("billing_entities", default_entity(row))
        store.commit(view)
        signing = Signing(dict, lambda _kept: None)
        facts = Facts(row["lago_id"], clock, lambda _: True, signing)
        player = _Player(content, Operations(self._contract, self.resources, store), facts)
        player.play(self.resources)
        return FixtureSet(
            name=path.stem,
            path=path,
            description=content.text("description"),
            api_key=content.organization.get("api_key"),
            api_keys=content.api_keys() or _whole_keys(state),
            organization=store.organizations()[0],
            rows=FixtureRows(path.stem, store.state(row["lago_id"])),
        )

    def load(self, sections: JSONObject, operations: Operations, facts: Facts) -> None:
        """Play sections of a set through the operations of a server, on top of what is there.

        Raises:
            DocumentError: an item is refused; those before it are there.
        """
        content = _Content(Path("the sections"), sections)
        _Player(content, operations, facts).play(self.resources)


class _Content:
    """What a fixture file says, each part checked for its shape when it is asked for."""

    def __init__(self, path: Path, raw: Any) -> None:
        self.path = path
        if not isinstance(raw, dict):
            raise DocumentError(path, "", "a fixture set is an object with sections")
        self._raw: JSONObject = raw
        organization = raw.get("organization", {})
        if not isinstance(organization, dict):
            raise self.error("/organization", "an object is needed")
        key = organization.get("api_key")
        if key not in (None, "") and not is_key(key):
            advice = "" if isinstance(key, str) else "Put it in quotes."
            raise self.error("/organization/api_key", f"a key is {KEY_TEXT}", advice)
        self.organization: JSONObject = organization

    def error(self, place: str, what: str, advice: str = "") -> DocumentError:
        """Return the error that names this file and a place in it."""
        return DocumentError(self.path, place, what, advice)

    def text(self, key: str) -> str:
        """Return a text of the top level, empty when it is absent."""
        return str(self._raw.get(key, ""))

    def now(self, default: datetime) -> datetime:
        """Return the time of the first row."""
        given = self._raw.get("now")
        if given is None:
            return default
        instant = _instant(given)
        if instant is None:
            raise self.error("/now", "no point in time", "Write it as 2026-01-05T09:00:00Z.")
        return instant

    def state(self, judge: StateJudge) -> SavedOrganization | None:
        """Return the organization of a saved state, None when there is no state."""
        if "state" in self._raw:
            place: tuple[str, ...] = ("state",)
            given = self._raw["state"]
        else:
            place = ()
            given = {name: self._raw[name] for name in _STATE_KEYS if name in self._raw}
        if not given and not place:
            return None
        try:
            first, *others = judge.read(given, place)
        except ValidationFailed as error:
            problem = error.problems[0]
            raise self.error(problem.field, problem.code) from error
        if others:
            what = "a fixture set is of one organization"
            advice = "Save the state with that organization's key."
            raise self.error(pointer(*place, "organizations", 1), what, advice)
        return first

    def organization_row(self, clock: Clock, state: SavedOrganization | None) -> Row:
        """Return the row of the organization, as it is before anything is played."""
        if state is None:
            row = new_organization(clock, self._organization_name())
            return {**row, "premium_integrations": self._integrations()}
        row = {"hmac_key": clock.new_id(), "premium_integrations": None, **state.row}
        row["api_keys"] = []
        if "name" in self.organization:
            row |= names_of(clock, self._organization_name())
        if "premium_integrations" in self.organization:
            row["premium_integrations"] = self._integrations()
        return row

    def _organization_name(self) -> str:
        name = self.organization.get("name")
        if not isinstance(name, str) or not name.strip():
            raise self.error("/organization/name", "a name is needed")
        return name

    def api_keys(self) -> list[JSONObject]:
        """Return the further keys of the organization, each with value, expiry and permissions."""
        keys = self.organization.get("api_keys", [])
        if not isinstance(keys, list):
            raise self.error("/organization/api_keys", "a list is needed")
        for index, key in enumerate(keys):
            self._check_key(f"/organization/api_keys/{index}", key)
        return keys

    def _check_key(self, place: str, key: Any) -> None:
        if not isinstance(key, dict) or not is_key(key.get("value")):
            raise self.error(f"{place}/value", f"a key is an object with a value of {KEY_TEXT}")
        unknown = key.keys() - {"value", "name", "expires_at", "permissions"}
        if unknown:
            raise self.error(f"{place}/{min(unknown)}", "a key has no such thing")
        if key.get("expires_at") is not None and _instant(key["expires_at"]) is None:
            raise self.error(f"{place}/expires_at", "no point in time")
        if key.get("permissions") is not None:
            self._check_permissions(f"{place}/permissions", key["permissions"])

    def _check_permissions(self, place: str, given: Any) -> None:
        if not _are_permissions(given):
            what = "an object is needed, with lists of read and write by resource"
            raise self.error(place, what)
        for name in given:
            if why := why_no_resource(name):
                raise self.error(f"{place}{pointer(name)}", why)

    def _integrations(self) -> list[str] | None:
        names = self.organization.get("premium_integrations")
        place = "/organization/premium_integrations"
        if names is not None and not isinstance(names, list):
            raise self.error(place, "a list of names is needed")
        for index, name in enumerate(names or ()):
            if why := why_no_integration(name):
                raise self.error(f"{place}/{index}", why)
        return names

    def sections(self, known: Mapping[str, Resource]) -> Iterator[tuple[str, list[Any]]]:
        """Yield each section with its items; `known` are those that can be."""
        for name, items in self._raw.items():
            if name in _OWN_KEYS:
                continue
            if name not in known:
                near = closest(str(name), [*known, *_OWN_KEYS])
                advice = f"Did you mean {near}?" if near else f"Known: {', '.join(known)}."
                raise self.error(pointer(name), "no such section", advice)
            if not isinstance(items, list):
                raise self.error(pointer(name), "a list is needed")
            yield name, items


def _whole_keys(state: SavedOrganization | None) -> list[JSONObject]:
    keys = state.row.get("api_keys", []) if state else []
    return [key for key in keys if is_whole(key["value"])]


def _are_permissions(given: Any) -> bool:
    return isinstance(given, dict) and all(
        isinstance(modes, list) and set(map(str, modes)) <= {"read", "write"}
        for modes in given.values()
    )


def _instant(given: Any) -> datetime | None:
    """Return an instant that the calendar has, with room after it for the rows of a set."""
    if not isinstance(given, str) or not is_date_time(given):
        return None
    try:
        instant = instant_of(given).astimezone(UTC)
    except (ValueError, OverflowError):  # a leap second, or the very ends of the calendar
        return None
    return instant if instant.year < _LAST_YEAR else None


class _Player:
    """Plays the requests of a fixture file."""

    def __init__(self, content: _Content, operations: Operations, facts: Facts) -> None:
        self._content = content
        self._operations = operations
        self._facts = facts

    def play(self, resources: Mapping[str, Resource]) -> None:
        """Update the organization, then make each item of each section."""
        own = ("name", "api_key", "api_keys", "premium_integrations")
        settings = {k: v for k, v in self._content.organization.items() if k not in own}
        if settings:
            self._perform("updateOrganization", settings, "/organization")
        known = {each.plural: each for each in resources.values() if each.made_by or each.declare}
        for name, items in self._content.sections(known):
            for index, item in enumerate(items):
                self._make(known[name], item, pointer(name, index))

    def _make(self, resource: Resource, item: Any, place: str) -> None:
        if resource.made_by:
            self._perform(resource.made_by, item, place)
        else:
            assert resource.declare is not None, "only such resources are known sections"
            with self._explained(place, resource.plural):
                row = resource.declare(self._facts.clock, item)
            self._operations.keep(self._facts, resource.plural, row)

    def _perform(self, operation_id: str, item: Any, place: str) -> None:
        operation = self._operations.contract.operations[operation_id]
        parameters = {str(operation.root): item}
        with self._explained(place, operation_id):
            judged = operation.read(parameters, self._facts.licensed)
            for unknown in judged.unknown:
                _, _, inner = unknown[1:].partition("/")
                raise self._content.error(f"{place}/{inner}", f"{operation_id} takes no such key")
            self._operations.perform(self._facts, operation, {}, {}, judged)

    @contextmanager
    def _explained(self, place: str, what: str) -> Iterator[None]:
        """Turn what refuses an item into an error that names its place in the file."""
        try:
            yield
        except ValidationFailed as error:
            first = error.problems[0]
            raise self._content.error(
                f"{place}{first.pointer(None)}", f"{first.code} ({first.keyword})"
            ) from error
        except LagoError as error:
            reason = error.body().get("code", error.body()["error"])
            raise self._content.error(place, f"{what} answers {reason}") from error
