"""All organizations, who has which key, and what belongs to the whole server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lago_mock.answer_cache import AnswerCache
from lago_mock.clock import Clock, ServerClock, precise
from lago_mock.discards import Later
from lago_mock.fixtures import FixtureCompiler, FixtureSet
from lago_mock.grants import is_key
from lago_mock.journal import Archive, Journal
from lago_mock.resources.organizations import SLUG_LETTERS, names_of
from lago_mock.rules import Rules
from lago_mock.sandbox import Access, Sandbox, Scope
from lago_mock.saved_state import SavedOrganization
from lago_mock.signing import Signing
from lago_mock.store.store import FixtureRows, Store
from lago_mock.store.tables import Row
from lago_mock.store.view import View
from lago_mock.webhooks.courier import Courier
from lago_mock.webhooks.outbox import Outbox
from lago_mock.wire import JSONObject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

FALLBACK_KEY: Final = "lago-mock-key"

MAX_ORGANIZATIONS: Final = 1000

_FOUNDING = ("name", "slug", "billing_entity_code", "hmac_key", "api_keys")
"""Columns that an organization has from its founding: a reset brings them back."""

_KEPT = ("lago_id", "founding", "temporary", "fixtures")
"""Columns that a reset leaves as they are."""

_NO_ROWS: Final = FixtureRows("")


class TooManyOrganizations(Exception):
    """There are as many organizations as can be."""


class Tenants:
    """Every organization by its API keys.

    What `server` has holds for every organization, after its own; requests that no key leads
    anywhere stand in its journal. With `any_key` an unknown key makes an organization.
    """

    def __init__(
        self,
        store: Store,
        clock: ServerClock,
        sets: FixtureCompiler,
        fixtures: FixtureSet,
        rules: Rules,
        journal_size: int,
        *,
        any_key: bool = False,
        courier: Courier | None = None,
        private_key: RSAPrivateKey | None = None,
    ) -> None:
        self.courier = courier or Courier()
        clock.on_move = self.courier.clock_moved
        self.fixtures = fixtures
        self.sets = sets
        self.clock = clock
        self.signing = Signing(store.secrets, store.keep_secrets, clock.seed, private_key)
        self._store = store
        self._initial = asdict(rules)
        self._journal_size = journal_size
        self.archive = Archive()
        self._any_key = any_key
        self.server = Scope(clock, Journal(journal_size, self.archive))
        self.server.follow(self._initial)
        # Apart from the server's stream, which each request without an id of its own draws from.
        self._ids = clock.branch("start")
        self._by_id: dict[str, Sandbox] = {}
        self._by_key: dict[str, Access] = {}
        self._slugs: dict[str, tuple[int, str]] = {}
        self._compiled: dict[str, FixtureSet] = {}

    def __iter__(self) -> Iterator[Sandbox]:
        return iter(self._by_id.values())

    def begin(self, name: str | None, api_key: str | None, *, anew: bool) -> None:
        """Load the organizations that the store has; make the first one when there is none.

        `anew` goes back to the fixture set although there is one. A key that the first
        organization does not have is added to it.
        """
        if not self._store.organizations():
            self._found(name, api_key)
        elif anew:
            self.reset()
        self._index()
        if api_key:
            self.grant(api_key)
        self._ids = self.clock.branch("organizations")

    def _found(self, name: str | None, api_key: str | None) -> None:
        row = dict(self.fixtures.organization)
        if name:
            row |= names_of(self._ids, name)
        first = api_key or self.fixtures.api_key
        keys: list[JSONObject] = [{"value": first}] if first else []
        keys += self.fixtures.api_keys
        row["api_keys"] = [
            {"lago_id": self._ids.new_id(), **key} for key in keys or [{"value": FALLBACK_KEY}]
        ]
        row["founding"] = {key: row[key] for key in _FOUNDING}
        self._store.reset(self._staged(row, self.fixtures), self.fixtures.rows)

    def grant(self, api_key: str) -> None:
        """See to it that the first organization has a key, and has it after a reset.

        Raises:
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        row = self._store.organizations()[0]
        founding = row["founding"]
        known = [key for key in founding["api_keys"] if key["value"] == api_key]
        key = known[0] if known else self.new_key(api_key)
        if not known:
            founding = {**founding, "api_keys": [*founding["api_keys"], key]}
        keys = row["api_keys"] if api_key in _keys(row) else [*row["api_keys"], key]
        if not known or keys is not row["api_keys"]:
            self.change(row["lago_id"], {"api_keys": keys, "founding": founding})

    def new_key(self, value: str | None = None, **more: Any) -> JSONObject:
        """Return a new API key, as an organization's row has it; made up where none is given."""
        ids = self.clock.branch(f"key {value}") if value else self._ids
        return {"lago_id": ids.new_id(), "value": value or ids.new_id(), **more}

    def add(self, given: Mapping[str, Any], key: JSONObject) -> Sandbox:
        """Make one more organization from a fixture set; a reset of the server removes it.

        `given` may have a `name`, the name of a fixture set as `fixtures`, a `license`,
        `premium_integrations` and an `hmac_key`. With a seed the ids follow from the key alone.

        Raises:
            TooManyOrganizations: there are 1,000.
            DocumentError: there is no such fixture set, or it is broken.
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        if len(self._by_id) >= MAX_ORGANIZATIONS:
            raise TooManyOrganizations
        fixtures = self._set(given.get("fixtures"))
        ids = self.clock.branch(key["value"])
        founding = {
            "created_at": precise(self.clock.now()),
            "hmac_key": ids.new_id(),
            **{name: value for name, value in given.items() if name != "fixtures"},
            **self._free_names(ids, given.get("name") or fixtures.organization["name"]),
            "api_keys": [key],
        }
        row = {
            **fixtures.organization,
            **founding,
            "lago_id": ids.new_id(),
            "founding": founding,
            "temporary": True,
        }
        if fixtures is not self.fixtures:
            row["fixtures"] = fixtures.name
        self._store.reset(self._staged(row, fixtures), fixtures.rows)
        return self._enroll(row)

    def _set(self, name: str | None) -> FixtureSet:
        """Return the set of this name; the present one for None, and for its own name."""
        if name in (None, self.fixtures.name):
            return self.fixtures
        if name not in self._compiled:
            self._compiled[name] = self.sets.compile(name)
        return self._compiled[name]

    def _free_names(self, ids: Clock, name: str) -> JSONObject:
        """Return the columns that a name decides, with a slug that nobody has."""
        names = names_of(ids, name)
        base = names["slug"][:36].rstrip("-")
        while self.is_slug_taken(names["slug"]):
            names["slug"] = f"{base}-{ids.choose(SLUG_LETTERS, 3)}"
        return names

    def is_slug_taken(self, slug: str, besides: str | None = None) -> bool:
        """Tell whether an organization has this slug, or gets it back by a reset.

        `besides` is the id of one that does not count.
        """
        return any(
            slug in (self._slug(organization_id), sandbox.founding["slug"])
            for organization_id, sandbox in self._by_id.items()
            if organization_id != besides
        )

    def _slug(self, organization_id: str) -> str:
        version = self._store.version(organization_id)
        kept = self._slugs.get(organization_id)
        if kept is None or kept[0] != version:
            kept = self._slugs[organization_id] = version, self.row(organization_id)["slug"]
        return kept[1]

    def _staged(self, row: Row, fixtures: FixtureSet) -> View:
        """Stage what an organization has beside a set's rows: its row, the entity of its name."""
        view = self._store.view(row["lago_id"])
        entity, own = fixtures.rows.row("billing_entities", 1), fixtures.organization
        if row["name"] != own["name"] or row["billing_entity_code"] != own["billing_entity_code"]:
            entity |= {"name": row["name"], "code": row["billing_entity_code"]}
        view.put("organizations", row)
        view.put("billing_entities", entity)
        return view

    def row(self, organization_id: str) -> Row:
        """Return an organization's row, a copy."""
        row = self._store.view(organization_id).get("organizations", organization_id)
        assert row is not None, "only organizations that are there are asked for"
        return row

    def change(self, organization_id: str, columns: Mapping[str, Any]) -> None:
        """Change columns of an organization's row.

        Raises:
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        row = {**self.row(organization_id), **columns}
        view = self._store.view(organization_id)
        view.put("organizations", row)
        self._store.commit(view)
        self._renew(row)

    def remove(self, sandbox: Sandbox) -> None:
        """Remove an organization; the calls that wait in it go.

        Raises:
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        self._store.remove(sandbox.facts.organization_id)
        self._drop(sandbox)

    def _index(self) -> None:
        """Bring sandboxes and keys in line with the rows of all organizations."""
        rows = {row["lago_id"]: row for row in self._store.organizations()}
        for gone in self._by_id.keys() - rows.keys():
            self._drop(self._by_id[gone])
        self._by_key.clear()
        for row in rows.values():
            self._enroll(row)
        self._by_id = {each: self._by_id[each] for each in rows}

    def _drop(self, sandbox: Sandbox) -> None:
        organization_id = sandbox.facts.organization_id
        del self._by_id[organization_id]
        self._slugs.pop(organization_id, None)
        self._take_keys(sandbox)
        sandbox.journal.clear()
        sandbox.release()

    def _take_keys(self, sandbox: Sandbox) -> None:
        keys = self._by_key.items()
        self._by_key = {key: access for key, access in keys if access.sandbox is not sandbox}

    def _renew(self, row: Row) -> None:
        """Let the row of an organization hold in place of the one that held."""
        self._take_keys(self._by_id[row["lago_id"]])
        self._enroll(row)

    def _enroll(self, row: Row) -> Sandbox:
        """Let an organization's row hold: what it is licensed for, and the keys that open it."""
        organization_id = row["lago_id"]
        sandbox = self._by_id.get(organization_id) or self._sandbox(organization_id)
        self._by_id[organization_id] = sandbox
        sandbox.founding = row["founding"]
        sandbox.integrations = row.get("premium_integrations")
        sandbox.granted = {"license": row["license"]} if row.get("license") else {}
        for key in row["api_keys"]:  # snapshots can give a key back that another one has by now
            self._by_key.setdefault(key["value"], Access.of(sandbox, key))
        self._follow(sandbox)
        return sandbox

    def _sandbox(self, organization_id: str) -> Sandbox:
        clock = self.clock.branch(organization_id)
        return Sandbox(
            organization_id,
            clock,
            self.signing,
            Journal(self._journal_size, self.archive),
            AnswerCache(partial(self._store.version, organization_id)),
            partial(self.is_slug_taken, besides=organization_id),
            Outbox(organization_id, clock, self._store, self.signing, self.courier),
        )

    def access(self, api_key: str | None) -> Access | None:
        """Return what a key opens; None for one that is unknown or expired.

        Raises:
            StoreUnwritable: the key was to make an organization, and the disk refused it.
        """
        if not api_key:
            return None
        access = self._by_key.get(api_key)
        if access is None:
            return self._newcomer(api_key) if self._any_key else None
        if access.expires_at and access.expires_at <= access.sandbox.clock.now():
            return None
        return access

    def _newcomer(self, api_key: str) -> Access | None:
        if len(self._by_id) >= MAX_ORGANIZATIONS:
            return None
        if not is_key(api_key) or self.is_key_taken(api_key):
            return None
        self.add({}, self.new_key(api_key))
        return self._by_key[api_key]

    def is_key_taken(self, value: str) -> bool:
        """Tell whether an organization has this key, or gets it back by a reset."""
        return value in self._by_key or any(value in _keys(each.founding) for each in self)

    def of(self, api_key: str | None) -> Sandbox | None:
        """Return the organization that a key names, as `access` does."""
        access = self.access(api_key)
        return access.sandbox if access else None

    def by_id(self, organization_id: str) -> Sandbox | None:
        """Return the organization with this id."""
        return self._by_id.get(organization_id)

    def portal_customer(self, token: str) -> JSONObject | None:
        """Return the customer that a portal token opens, None when it is false or too old."""
        for organization_id, sandbox in self._by_id.items():
            now = sandbox.clock.now()
            customer_id = self.signing.portal_customer(token, organization_id, now)
            if customer_id is None:
                continue
            row = self._store.view(organization_id).get("customers", customer_id)
            if row is not None:
                return row
        return None

    def first_key(self) -> str:
        """Return the first key of the first organization."""
        return _keys(self._store.organizations()[0])[0]

    def shift(self, scope: Scope, settings: Mapping[str, Any]) -> None:
        """Change settings of one organization, or of the server and all that have none of theirs.

        Answers that were kept are made anew.
        """
        scope.own = {**scope.own, **settings}
        self._follow(scope)

    def _follow(self, scope: Scope) -> None:
        settings = {**self._initial, **self.server.own}
        if scope is not self.server:
            scope.follow(settings)
            return
        self.server.follow(settings)
        for sandbox in self:
            self._follow(sandbox)

    def reset(self, sandbox: Sandbox | None = None, fixtures: str | None = None) -> None:
        """Put one organization, or the whole server, back to the fixture set.

        `fixtures` names another set: it is then the organization's until the whole server is reset,
        or the server's own.
        An organization is as it was made, with the name and the keys of then. With the whole
        server those that were added go. Faults, journals, clocks and settings are as at the start;
        calls in flight write nothing.

        Raises:
            DocumentError: a fixture set is gone or broken.
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        if sandbox is None:
            self.take(self._set(fixtures))
            return
        row = self.row(sandbox.facts.organization_id)
        if fixtures:
            row["fixtures"] = fixtures
        its_set = self._set(row.get("fixtures"))
        row = _as_founded(row, its_set)
        self._store.reset(self._staged(row, its_set), its_set.rows)
        self._renew(row)
        sandbox.clear()
        self._follow(sandbox)

    def take(self, fixtures: FixtureSet) -> None:
        """Make a fixture set the present one, and reset the whole server to it.

        Raises:
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        stay, go = [], []
        for row in self._store.organizations():
            row.pop("fixtures", None)
            if row.get("temporary"):
                go.append(row["lago_id"])
            else:
                stay.append(self._staged(_as_founded(row, fixtures), fixtures))
        self._store.replace(stay, fixtures.rows, go)
        self.fixtures = fixtures
        self._index()
        self._ids.restart()
        for scope in (self.server, *self):
            scope.clear()
        self._follow(self.server)

    def forget_answers(self) -> None:
        """Let go of kept answers and sets: what they were made by has changed."""
        self._compiled.clear()
        for sandbox in self:
            sandbox.answers.clear()

    def snapshot(self, sandbox: Sandbox | None, name: str) -> None:
        """Keep the rows of one organization, or of all, under a name.

        Raises:
            StoreUnwritable: the disk refused it; there is no such snapshot.
        """
        self._store.snapshot(_id(sandbox), name)

    def restore(self, sandbox: Sandbox | None, name: str) -> None:
        """Give one organization, or all, the rows of a snapshot; calls in flight write nothing.

        Raises:
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        self._store.restore(_id(sandbox), name)
        if sandbox:
            self._renew(self.row(sandbox.facts.organization_id))
        else:
            self._index()
        for each in [sandbox] if sandbox else self:
            each.release()

    def load(self, sandbox: Sandbox | None, given: Sequence[SavedOrganization]) -> None:
        """Give organizations the rows of a saved state; calls in flight write nothing.

        With `sandbox` they are those of this one organization. Without, the organizations given are
        all that there are then; one that is new comes with its keys, and a reset of the server
        removes it, unless no other would be left. One that is there keeps id and keys, and what a
        reset makes of it.

        Raises:
            StoreUnwritable: the disk refused it; nothing has changed.
        """
        known = {row["lago_id"]: row for row in self._store.organizations()}
        ids = {_id(sandbox) or each.row["lago_id"] for each in given}
        stays = any("temporary" not in known[each] for each in ids & known.keys())
        views = []
        for number, each in enumerate(given):
            present = known.get(_id(sandbox) or each.row["lago_id"])
            own = _staying(present) if present else _founded(each.row, stays or number > 0)
            row = {**each.row, **own}
            views.append(self._store.view(row["lago_id"]))
            replace(each, row=row).fill(views[-1])
        gone = set() if sandbox else known.keys() - ids
        self._store.replace(views, _NO_ROWS, gone)
        self._index()
        for one in [sandbox] if sandbox else self:
            one.release()

    def forget(self, sandbox: Sandbox | None, name: str) -> None:
        """Drop a snapshot.

        Raises:
            StoreUnwritable: the disk refused it; it is kept.
        """
        self._store.forget(_id(sandbox), name)

    def snapshots(self, sandbox: Sandbox | None) -> list[str]:
        """Return the names of the snapshots, the first one taken first."""
        return list(self._store.snapshots(_id(sandbox)))

    def defer(self, later: Later) -> None:
        """Let go of what resets replace in steps that an event loop runs between the requests."""
        self._store.defer(later)
        self.archive.discards.later = later

    def release(self) -> None:
        """Wake every call that waits: what it would have written is not; let all readers go."""
        self.archive.feed.close()
        for scope in (self.server, *self):
            scope.release()


def _as_founded(row: Row, fixtures: FixtureSet) -> Row:
    """Return the row of an organization as a reset makes it."""
    kept = {name: row[name] for name in _KEPT if name in row}
    return {**fixtures.organization, **row["founding"], **kept}


def _staying(row: Row) -> JSONObject:
    """Return the columns that an organization keeps when it is given other rows."""
    return {name: row[name] for name in (*_KEPT, "api_keys") if name in row}


def _founded(row: Row, is_temporary: bool) -> JSONObject:
    """Return the columns that say what a reset makes of an organization that came with a state."""
    names = (*_FOUNDING, "created_at", "license", "premium_integrations")
    founding = {name: row[name] for name in names if name in row}
    return {"founding": founding, **({"temporary": True} if is_temporary else {})}


def _id(sandbox: Sandbox | None) -> str | None:
    return sandbox.facts.organization_id if sandbox else None


def _keys(row: Row) -> list[str]:
    return [key["value"] for key in row["api_keys"]]
