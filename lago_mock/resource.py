"""The words that a Lago resource is written in: what a handler is given, what it gives back.

A handler is a plain function of one `Call` that answers a JSON object or raises a `LagoError`. It
knows neither HTTP nor JSON Schema nor files, and reaches other resources by their names alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lago_mock.clock import Clock, precise
from lago_mock.columns import Columns
from lago_mock.contract.fields import Licensed
from lago_mock.contract.operation import Operation
from lago_mock.declaration import Declare
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.notice import Notice
from lago_mock.signing import Signing
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.store.view import View
from lago_mock.wire import JSONObject

Handler = Callable[["Call"], JSONObject | str]
"""What answers an operation: an object, or the text of the few answers that are no JSON."""

Present = Callable[["Call", FrozenRow], JSONObject]


@dataclass(frozen=True)
class Webhook:
    """What webhooks of a type tell of a row: the object, and the key that it stands under."""

    object_type: str
    present: Present


@dataclass(frozen=True)
class Resource:
    """One Lago resource: its names, its natural key, its operations by id; without a key, no rows.

    `present` makes the object that answers show, where rows are shown at all; `list_item` the one
    in lists, where it is another. `webhooks` are those that tell of its rows, by their types.
    `made_by` is the operation that an item of a fixture set is played through; `declare` makes the
    row of one that no operation can make. `pure` are the operations that only read rows: asked
    again, they answer the same until something is written. `columns` are those that rows given
    from outside are held to, where there are rows that `declare` does not make.
    """

    name: str
    plural: str
    key: str | None
    operations: Mapping[str, Handler]
    present: Present | None = None
    list_item: Present | None = None
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    made_by: str | None = None
    declare: Declare | None = None
    pure: frozenset[str] = frozenset()
    columns: Columns | None = None

    @property
    def references(self) -> Mapping[str, str]:
        """The columns that hold ids of rows of other collections, with these."""
        return self.columns.references if self.columns else {}


def keys_of(resources: Mapping[str, Resource]) -> dict[str, str]:
    """Return the natural key of each collection that the resources keep rows in."""
    return {each.plural: each.key for each in resources.values() if each.key}


@dataclass
class Call:
    """One operation on one organization, as its handler sees it.

    `body` is permitted and coerced; `query` holds the query's parameters, laid over the body's
    other keys. `base_url` is where the client reached the server. `judges` is False where nothing
    is refused for what it says. `is_slug_taken` tells whether another organization has a slug.
    `instant` is empty until somebody asks for the time.
    What is put into `view` is kept only when the answer has passed its own check.
    """

    operation: Operation
    body: JSONObject
    path: Mapping[str, str]
    query: JSONObject
    view: View
    clock: Clock
    licensed: Licensed
    signing: Signing
    base_url: str
    era: str
    resources: Mapping[str, Resource]
    is_slug_taken: Callable[[str], bool] = lambda _slug: False
    judges: bool = True
    problems: list[Problem] = field(default_factory=list)
    notified: list[tuple[str, Row]] = field(default_factory=list)
    instant: str = ""

    def refuse(self, *places: str) -> None:
        """Raise the problems at these places, in this order; nothing when there are none.

        A place is the dotted path of a value below the root: `shipping_address.country`.

        Raises:
            ValidationFailed: 422, with all problems of these places and no others.
        """
        if not self.problems:
            return
        found = [
            problem for place in places for problem in self.problems if _covers(place, problem.path)
        ]
        if found:
            raise ValidationFailed(found)

    def refuse_all(self) -> None:
        """Raise whatever is left.

        Raises:
            ValidationFailed: 422.
        """
        if self.problems:
            raise ValidationFailed(self.problems)

    def find(self, collection: str, key: str) -> Row | None:
        """Return the live row of a collection with this natural key, a copy."""
        return self.view.find(collection, key)

    def require(self, collection: str, key: str) -> Row:
        """Return the live row of a collection with this natural key, a copy.

        Raises:
            NotFound: 404 `<resource>_not_found`.
        """
        row = self.view.find(collection, key)
        if row is None:
            raise self.not_found(collection)
        return row

    def id_of(self, collection: str, key: str) -> str:
        """Return the `lago_id` of the live row with this natural key.

        Raises:
            NotFound: 404 `<resource>_not_found`.
        """
        row = self.view.look_for(collection, key)
        if row is None:
            raise self.not_found(collection)
        return str(row["lago_id"])

    def not_found(self, collection: str) -> NotFound:
        """Return the error for a row that a collection does not have."""
        return NotFound(f"{self.resources[collection].name}_not_found")

    @cached_property
    def organization(self) -> Row:
        """The organization's own row, a copy, as it was when the call first looked."""
        row = self.view.get("organizations", self.view.organization_id)
        assert row is not None, "every organization has a row"
        return row

    def present(self, collection: str, row: FrozenRow) -> JSONObject:
        """Return the object that answers show of a row."""
        return self._presenter(collection)(self, row)

    def list_item(self, collection: str, row: FrozenRow) -> JSONObject:
        """Return the object that lists show of a row."""
        item = self.resources[collection].list_item or self._presenter(collection)
        return item(self, row)

    def _presenter(self, collection: str) -> Present:
        present = self.resources[collection].present
        assert present is not None, f"{collection} are never shown"
        return present

    def notify(self, webhook_type: str, row: Row) -> None:
        """Tell of a row by a webhook, `customer.created` of a customer; not if the call fails."""
        self.notified.append((webhook_type, row))

    def notices(self) -> Iterator[Notice]:
        """Yield what is to be told, each object made when it is looked at."""
        webhooks = {
            webhook_type: webhook
            for resource in self.resources.values()
            for webhook_type, webhook in resource.webhooks.items()
        }
        for webhook_type, row in self.notified:
            webhook = webhooks[webhook_type]
            yield Notice(webhook_type, webhook.object_type, webhook.present(self, row))

    def now(self) -> str:
        """Return the instant of the call, one for all it does, as rows keep it."""
        self.instant = self.instant or precise(self.clock.now())
        return self.instant

    def new_id(self) -> str:
        """Return a new `lago_id`."""
        return self.clock.new_id()


def _covers(place: str, path: tuple[str | int, ...]) -> bool:
    """Tell whether a problem is the place's own, or that of an item of the scalars listed there."""
    steps = [str(step) for step in path]
    wanted = place.split(".")
    return steps == wanted or (steps[:-1] == wanted and isinstance(path[-1], int))
