"""The judge of saved states: what it lets through, the API can answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from lago_mock.clock import Clock, SystemClock, instant_of
from lago_mock.columns import ID, Columns
from lago_mock.contract.contract import Contract
from lago_mock.contract.operation import Operation
from lago_mock.contract.validators import Schemas, Validator, Violation
from lago_mock.entity import DEFAULT_ENTITY
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.grants import KEY_TEXT, is_key, why_no_integration, why_no_resource
from lago_mock.listing import meta
from lago_mock.pointers import pointer
from lago_mock.redaction import is_whole
from lago_mock.resource import Call, Resource, keys_of
from lago_mock.saved_state import VERSION, SavedOrganization, ids_in
from lago_mock.signing import Signing
from lago_mock.store.store import Store
from lago_mock.store.tables import Row
from lago_mock.store.view import View
from lago_mock.wire import JSON, JSONObject

_MAX_PROBLEMS: Final = 100

_KEYWORDS_WITH_NAMES: Final = ("required", "additionalProperties", "propertyNames")
_SHORT_KEYWORDS: Final = ("type", "format", "const", "minimum", "maximum", "minItems", "maxItems")

Path = tuple[str | int, ...]


class StateJudge:
    """Reads saved states: what it lets through, the API can answer.

    Each row must have the columns of its collection, and what the API shows of it must fit the
    contract's answers.
    """

    def __init__(self, contract: Contract, resources: Mapping[str, Resource]) -> None:
        self._contract = contract
        self._resources = resources
        self._clock = SystemClock()
        self._keys = keys_of(resources)
        self._known = {name: each for name, each in resources.items() if _has_rows(each)}

    def read(self, given: JSON, place: Path = ()) -> list[SavedOrganization]:
        """Return the organizations of a state; `place` is where it stands.

        Raises:
            ValidationFailed: 422; the problems' fields are JSON pointers. Of its stages (shape,
                columns, what is granted, what rows are to each other, what is shown) the first
                with a problem answers alone, with 100 problems at most.
        """
        _refuse(_explained(each, place) for each in self._validator("state").violations(given))
        assert isinstance(given, dict), "the shape says so"
        found = list(enumerate(given["organizations"]))
        place = (*place, "organizations")
        _refuse(each for index, one in found for each in self._columns(one, (*place, index)))
        organizations = [self._taken(one) for _, one in found]
        for stage in (_grants, self._relations, self._shown):
            _refuse(
                each
                for index, one in enumerate(organizations)
                for each in stage(one, (*place, index))
            )
        return organizations

    @cached_property
    def _schemas(self) -> Schemas:
        rows = {name: each.columns.schema() for name, each in self._known.items() if each.columns}
        declared = {"type": "object", "required": ["lago_id"], "properties": {"lago_id": dict(ID)}}
        return Schemas({**rows, "declared": declared, "state": _shape([*self._known])})

    @cached_property
    def _validators(self) -> dict[str, Validator]:
        return {}

    def _validator(self, name: str) -> Validator:
        if name not in self._validators:
            self._validators[name] = self._schemas.validator(pointer(name))
        return self._validators[name]

    def _columns(self, given: JSONObject, place: Path) -> Iterator[Problem]:
        """Yield what is wrong with the columns of rows."""
        own = (*place, "organization")
        for violation in self._validator("organizations").violations(given["organization"]):
            yield _explained(violation, own)
        for name, rows in given["collections"].items():
            for index, row in enumerate(rows):
                yield from self._columns_of(name, row, (*place, "collections", name, index))

    def _columns_of(self, name: str, row: Row, place: Path) -> Iterator[Problem]:
        resource = self._known[name]
        if resource.columns:
            for violation in self._validator(name).violations(row):
                yield _explained(violation, place)
            return
        for violation in self._validator("declared").violations(row):
            yield _explained(violation, place)
        try:
            _declared(resource, row, self._clock)
        except ValidationFailed as error:
            for each in error.problems:
                yield _problem(each.code, each.keyword, (*place, *each.path))

    def _taken(self, given: JSONObject) -> SavedOrganization:
        rows = {
            name: [_declared(self._known[name], row, self._clock) for row in each]
            for name, each in given["collections"].items()
        }
        # A whole number may come with a fraction of nothing, which the state file would refuse.
        sequences = {name: int(number) for name, number in given["sequences"].items()}
        return SavedOrganization(given["organization"], rows, sequences)

    def _relations(self, organization: SavedOrganization, place: Path) -> Iterator[Problem]:
        """Yield what rows have against each other."""
        place = (*place, "collections")
        collections = organization.collections
        entities = [row["lago_id"] for row in collections.get("billing_entities", [])]
        if entities[:1] != [DEFAULT_ENTITY]:
            text = f"the first billing entity must have the lago_id {DEFAULT_ENTITY}"
            yield _problem(text, "default", (*place, "billing_entities"))
        for name, rows in collections.items():
            for column, target in self._known[name].references.items():
                yield from _strays(
                    rows, column, target, ids_in(collections, target), (*place, name)
                )
            for column in dict.fromkeys(("lago_id", self._keys[name])):
                yield from _repeated(rows, column, (*place, name))
            columns, last = self._known[name].columns, organization.sequences.get(name, 0)
            yield from _numbered_later(rows, columns, last, (*place, name)) if columns else ()

    def _shown(self, organization: SavedOrganization, place: Path) -> Iterator[Problem]:
        """Yield what the answers that would show the rows break."""
        organization_id = organization.row["lago_id"]
        store = Store(self._keys)
        view = store.view(organization_id)
        organization.fill(view)
        store.commit(view)
        view = store.view(organization_id)
        yield from self._unshowable(
            view, "organizations", organization.row, (*place, "organization")
        )
        for name, rows in organization.collections.items():
            for index, row in enumerate(rows):
                where = (*place, "collections", name, index)
                yield from self._unshowable(view, name, row, where)

    def _unshowable(self, view: View, name: str, row: Row, place: Path) -> list[Problem]:
        """Return what the first answer breaks that cannot show a row."""
        for look in self._looks[name]:
            found = list(look.problems(self._call(look, view), row, place))
            if found:
                return found
        return []

    @cached_property
    def _looks(self) -> Mapping[str, list[_Look]]:
        return {name: list(self._looks_at(each)) for name, each in self._known.items()}

    def _looks_at(self, resource: Resource) -> Iterator[_Look]:
        """Yield the answers that show rows: a list's, and one's own where it is another."""
        reads = [self._contract.operations[each] for each in resource.operations]
        reads = [each for each in reads if each.method == "GET"]
        lists = [each for each in reads if resource.plural in self._answer(each)]
        for operation in lists[:1]:
            yield _Look(operation, resource, is_list=True, pages="meta" in self._answer(operation))
        if not lists or resource.list_item:
            alone = [each for each in reads if resource.name in self._answer(each)]
            yield from (_Look(each, resource) for each in alone[:1])

    def _answer(self, operation: Operation) -> JSONObject:
        """Return the properties of an operation's answer."""
        content = operation.description["responses"]["200"].get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        properties: JSONObject = schema.get("properties", {})
        return properties

    def _call(self, look: _Look, view: View) -> Call:
        return Call(
            operation=look.operation,
            body={},
            path={},
            query={},
            view=view,
            clock=self._clock,
            licensed=lambda _: True,
            signing=Signing(dict, lambda _: None),
            base_url="",
            era=self._contract.era,
            resources=self._resources,
            is_slug_taken=lambda _: False,
        )


@dataclass(frozen=True)
class _Look:
    """An answer that shows a row, as the only one."""

    operation: Operation
    resource: Resource
    is_list: bool = False
    pages: bool = False

    def problems(self, call: Call, row: Row, place: Path) -> Iterator[Problem]:
        """Yield what the answer breaks when it shows a row, at the row's own places."""
        try:
            answer = self._answer(call, row)
        except Exception as error:  # whatever a row can do to code that trusts it
            text = f"{self.operation.id} cannot show it: {error!r}"
            yield _problem(text, "shown", place)
            return
        for violation in _causes(self.operation.answers[200].violations(answer)):
            inner = violation.path[2 if self.is_list else 1 :]
            known = inner if inner and inner[0] in row else ()
            where = f"at {pointer(*violation.path)} in the answer of {self.operation.id}"
            text = f"{_what(violation)}, {where}"
            yield _problem(text, violation.keyword, (*place, *known))

    def _answer(self, call: Call, row: Row) -> JSONObject:
        resource = self.resource
        if self.is_list:
            item = call.list_item(resource.plural, row)
            return {resource.plural: [item], **({"meta": meta(1, 1, 1)} if self.pages else {})}
        return {resource.name: call.present(resource.plural, row)}


def _causes(violations: Iterator[Violation]) -> list[Violation]:
    """Return the violations without one that only follows from another."""
    found = list(violations)
    return [each for each in found if each.keyword != "unevaluatedProperties"] or found


def _has_rows(resource: Resource) -> bool:
    return bool(resource.columns or resource.declare)


def _declared(resource: Resource, row: Row, clock: Clock) -> Row:
    """Return a row as it is kept; one of what can only be declared as its declaration makes it.

    Raises:
        ValidationFailed: the declaration cannot be.
    """
    if resource.columns:
        return resource.columns.whole(row)
    assert resource.declare, "rows have columns or a declaration"
    given = {name: value for name, value in row.items() if name != "lago_id"}
    return {**resource.declare(clock, given), "lago_id": row.get("lago_id")}


def _grants(organization: SavedOrganization, place: Path) -> Iterator[Problem]:
    """Yield what is wrong with the keys of an organization, and with what it is licensed for."""
    place = (*place, "organization")
    for index, name in enumerate(organization.row.get("premium_integrations") or ()):
        if why := why_no_integration(name):
            yield _problem(why, "granted", (*place, "premium_integrations", index))
    for index, key in enumerate(organization.row.get("api_keys", ())):
        yield from _bad_key(key, (*place, "api_keys", index))


def _bad_key(key: JSONObject, place: Path) -> Iterator[Problem]:
    if is_whole(key["value"]) and not is_key(key["value"]):
        yield _problem(f"a key is {KEY_TEXT}", "granted", (*place, "value"))
    for name in key.get("permissions") or ():
        if why := why_no_resource(name):
            yield _problem(why, "granted", (*place, "permissions", name))
    try:
        instant_of(key.get("expires_at") or "2000-01-01")
    except ValueError:  # a leap second
        yield _problem("no time", "format", (*place, "expires_at"))


def _strays(
    rows: Sequence[Row], column: str, target: str, there: set[str], place: Path
) -> Iterator[Problem]:
    """Yield the references to rows that are not there."""
    for index, row in enumerate(rows):
        value, where = row[column], (*place, index, column)
        listed = enumerate(value) if isinstance(value, list) else [(None, value)]
        for item, each in listed:
            if each not in there:
                text = f"it is the lago_id of none of the {target}"
                yield _problem(text, "reference", where if item is None else (*where, item))


def _repeated(rows: Sequence[Row], column: str, place: Path) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        before = first.setdefault(row[column], index)
        if before != index:
            text = f"unique, as in {pointer(*place, before)}"
            yield _problem(text, "unique", (*place, index, column))


def _numbered_later(
    rows: Sequence[Row], columns: Columns, last: int, place: Path
) -> Iterator[Problem]:
    """Yield the numbers that would be given once more."""
    for index, row in enumerate(rows):
        if column := columns.later_than(last, row):
            text = f"sequence: {last} is the last number given"
            yield _problem(text, "sequence", (*place, index, column))


def _refuse(problems: Iterator[Problem]) -> None:
    found = list(islice(problems, _MAX_PROBLEMS))
    if found:
        raise ValidationFailed(found)


def _problem(text: str, keyword: str, place: Path) -> Problem:
    return Problem(pointer(*place), text, keyword, place)


def _explained(violation: Violation, place: Path) -> Problem:
    return _problem(_what(violation), violation.keyword, (*place, *violation.path))


def _what(violation: Violation) -> str:
    """Return the keyword that is broken, with what it wants where that is short."""
    if violation.keyword in _KEYWORDS_WITH_NAMES:
        return f"{violation.keyword}: {violation.message}"
    if violation.keyword in _SHORT_KEYWORDS:
        return f"{violation.keyword}: {json.dumps(violation.expected)}"
    return violation.keyword


def _shape(collections: list[str]) -> JSONObject:
    """Return the JSON Schema of a state, its rows apart."""
    rows = {"type": "array", "items": {"type": "object"}}
    number = {"type": "integer", "minimum": 0, "maximum": 2**53}
    organization = {
        "type": "object",
        "required": ["organization", "collections", "sequences"],
        "properties": {
            "organization": {"type": "object"},
            "collections": {
                "type": "object",
                "properties": {name: rows for name in collections if name != "organizations"},
                "additionalProperties": False,
            },
            "sequences": {"type": "object", "additionalProperties": number},
        },
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "required": ["version", "organizations"],
        "properties": {
            "version": {"const": VERSION},
            "organizations": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1000,
                "items": organization,
            },
        },
        "additionalProperties": False,
    }
