"""All organizations' rows, in memory and on disk; the only writer of both."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import index
from pathlib import Path

from lago_mock.discards import Discards, Later
from lago_mock.store.disk import Disk
from lago_mock.store.file import PagedTables, StoreFile
from lago_mock.store.journal import StoreError, StoreUnwritable
from lago_mock.store.pages import RowPage
from lago_mock.store.state import (
    FixtureRows,
    OrganizationRows,
    Rows,
    State,
    encoded,
    lines,
    numbered,
)
from lago_mock.store.tables import Frozen, Row, RowDatabase
from lago_mock.store.view import View
from lago_mock.version import __version__
from lago_mock.wire import JSONObject

_logger = logging.getLogger("lago_mock.store")

COMPACT_BYTES = 64 * 2**20
"""Size of the journals at which the file is written anew, unless the file itself is larger."""

DELIVERIES = "webhook_deliveries"
"""The collection of the webhooks that are not delivered: in no snapshot and no saved state."""

_FIXTURES = "fixtures"
_SNAPSHOTS = "snapshots"
_SEPARATOR = ":"
_WHOLE_SERVER = ""

Judge = Callable[[str, Rows, Mapping[str, int]], str | None]
"""Tells what is wrong with rows and sequences of an organization, or of a snapshot of it."""

Snapshot = Mapping[str, State]
"""The state of one organization, or of each, by its id."""


class Store:
    """Rows by organization and collection.

    `keys` names each collection with its natural key. Without a disk everything is in memory alone.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = {"organizations": "lago_id", DELIVERIES: "lago_id", **keys}
        self._disk: Disk | None = None
        self._organizations: dict[str, OrganizationRows] = {}
        self._fixtures: dict[str, FixtureRows] = {}
        self._snapshots: dict[tuple[str, str], Snapshot] = {}
        self._secrets: JSONObject = {}
        self._discards: Discards[object] = Discards()

    @classmethod
    def open(
        cls,
        keys: Mapping[str, str],
        path: Path,
        *,
        durable: bool = False,
        compact_bytes: int = COMPACT_BYTES,
        judge: Judge = lambda _owner, _rows, _sequences: None,
    ) -> Store:
        """Return the store of a file, loaded when there is one.

        `durable` makes a commit outlive a loss of power; `compact_bytes` is as `Disk` has it;
        what `judge` tells of the rows found is damage.

        Raises:
            StoreError: the file is damaged, locked, or cannot be written.
        """
        store = cls(keys)
        file = StoreFile(path, durable=durable)
        file.lock()
        try:
            with _without_gc():
                store._load(file, judge)
        except BaseException:
            file.close()
            raise
        store._disk = Disk(file, store._content, compact_bytes)
        return store

    def _load(self, file: StoreFile, judge: Judge) -> None:
        head, tables = file.read()
        self._secrets = head.get("secrets", {})
        sequences = head.get("sequences", {})
        owners: dict[str, dict[str, Mapping[int, Row]]] = {owner: {} for owner in sequences}
        for name, rows in numbered(tables).items():
            collection, _, owner = name.partition(_SEPARATOR)
            if collection not in self._keys:
                raise file.damaged(f"the table {name!r} is of no collection that is known")
            owners.setdefault(owner, {})[collection] = rows
        for owner, collections in owners.items():
            last = sequences.get(owner, {})
            is_judged = not owner.startswith(_FIXTURES + _SEPARATOR)
            if is_judged and (damage := judge(owner, collections, last)):
                raise file.damaged(damage)
            self._give(owner, State(self._loaded(file, owner, collections), last))
        self._replay_all(file)

    def _loaded(self, file: StoreFile, owner: str, rows: Rows) -> dict[str, Frozen]:
        found = {}
        for name, each in rows.items():
            try:
                found[name] = self._frozen(name, each)
            except (KeyError, TypeError) as error:
                raise file.damaged(f"a row of the table '{name}:{owner}' lacks {error}") from error
        return found

    def _replay_all(self, file: StoreFile) -> None:
        for journal, commit in file.commits(_logger.warning):
            try:
                for change in commit.get("together", [commit]):
                    self._replay(change)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                what = f"line {commit['number'] + 1} is no change of this store ({error!r})"
                raise journal.damaged(what) from error

    def _frozen(self, name: str, rows: Mapping[int, Row]) -> Frozen:
        collection = RowDatabase().collection(name, self._keys[name])
        collection.load(rows)
        return collection.freeze()

    def _give(self, owner: str, state: State) -> None:
        """Take in what the file has of an owner: an organization, a fixture set, a snapshot."""
        kind, _, rest = owner.partition(_SEPARATOR)
        if kind == _FIXTURES:
            self._fixtures[rest] = FixtureRows(rest, state)
        elif kind == _SNAPSHOTS:
            scope, _, place = rest.partition(_SEPARATOR)
            name, _, organization_id = place.rpartition(_SEPARATOR)  # a name may have any text
            before = self._snapshots.get((scope, name), {})
            self._snapshots[scope, name] = {**before, organization_id: state}
        else:
            self._organization(owner).restore(state)

    def _replay(self, commit: JSONObject) -> None:
        """Make a change again that a journal line tells.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is none, or not of what is here.
        """
        self._refuse_unknown(commit)
        if "secrets" in commit:
            self._secrets = commit["secrets"]
        elif _FIXTURES in commit:
            self._replay_fixtures(commit)
        elif "snapshot" in commit:
            scope = commit["organization"]
            self._snapshots[scope, commit["snapshot"]] = self._taken(scope)
        elif "restored" in commit:
            scope = commit["organization"]
            self._give_back(scope, self._snapshots[scope, commit["restored"]])
        elif "forgotten" in commit:
            del self._snapshots[commit["organization"], commit["forgotten"]]
        elif "removed" in commit:
            self._remove(commit["removed"])
        else:
            self._replay_rows(commit)

    def _refuse_unknown(self, commit: JSONObject) -> None:
        named = commit.get("rows", {}).keys() | commit.get("erased", {}).keys()
        for collection in named - self._keys.keys():
            raise ValueError(f"a row is of {collection!r}, which is no collection that is known")

    def _replay_fixtures(self, commit: JSONObject) -> None:
        rows = numbered(commit["rows"]).items()
        frozen = {name: self._frozen(name, each) for name, each in rows}
        name = commit[_FIXTURES]
        self._fixtures[name] = FixtureRows(name, State(frozen, commit["sequences"]))

    def _replay_rows(self, commit: JSONObject) -> None:
        organization = self._organization(commit["organization"])
        if "reset" in commit:
            organization.restore(self._fixtures[commit["reset"]].state)
        sequences = {name: index(number) for name, number in commit["sequences"].items()}
        organization.apply(encoded(numbered(commit["rows"])), sequences, commit.get("erased", {}))

    def _organization(self, organization_id: str) -> OrganizationRows:
        """Return an organization to write to, made where it is not known."""
        return self._organizations.setdefault(organization_id, self._rows_of(organization_id))

    def _rows_of(self, organization_id: str) -> OrganizationRows:
        """Return an organization to read, one without rows where it is not known."""
        known = self._organizations.get(organization_id)
        return known or OrganizationRows(organization_id, self._keys)

    def defer(self, later: Later) -> None:
        """Let go of replaced rows in steps that an event loop runs between the requests."""
        self._discards = Discards()  # what another loop did not get to goes at once
        self._discards.later = later

    def organizations(self) -> list[Row]:
        """Return the row of each organization, the first made first."""
        rows = (organization.own_row() for organization in self._organizations.values())
        return [row for row in rows if row is not None]

    def extent(self) -> int:
        """Return a number that is another one after each row that was inserted."""
        return sum(organization.extent() for organization in self._organizations.values())

    def state(self, organization_id: str) -> State:
        """Return what an organization has now, its own row and its webhooks apart."""
        state = self._rows_of(organization_id).freeze()
        return state.without("organizations").without(DELIVERIES)

    def secrets(self) -> JSONObject:
        """Return the server's own secrets, empty when none were kept."""
        return self._secrets

    def keep_secrets(self, secrets: JSONObject) -> None:
        """Keep the server's own secrets beside the rows.

        Raises:
            StoreUnwritable: the disk refused it.
        """
        self._append({"secrets": secrets})
        self._secrets = secrets

    def version(self, organization_id: str) -> int:
        """Return a number that grows with each commit of an organization."""
        return self._rows_of(organization_id).version

    def view(self, organization_id: str) -> View:
        """Return a staged view of an organization; of a new one when the id is not known."""
        return self._rows_of(organization_id).view()

    def commit(self, view: View, *, lasting: bool = True) -> None:
        """Keep what a view has staged: on disk first, then in memory, all of it or nothing.

        What is not `lasting` outlives a kill of the process as all does, but a loss of power only
        when something lasting is kept after it.

        Raises:
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        if not view.rows and not view.sequences and not view.erased:
            return
        rows = encoded(view.rows)
        line = {"organization": view.organization_id, **lines(rows, view.sequences)}
        if view.erased:
            line["erased"] = view.erased
        if lasting:
            self._append(line)
        elif self._disk is not None:
            self._disk.append(line, lasting=False)
        self._organization(view.organization_id).apply(rows, view.sequences, view.erased)

    def _append(self, commit: JSONObject) -> None:
        if self._disk is not None:
            self._disk.append(commit)

    def reset(self, view: View, fixtures: FixtureRows) -> None:
        """Give an organization the rows of a fixture set, and what the view has staged on top.

        The view must be a fresh one: it brings the organization's own row.

        Raises:
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        self.replace([view], fixtures)

    def replace(
        self, views: Sequence[View], fixtures: FixtureRows, gone: Collection[str] = ()
    ) -> None:
        """Reset organizations, as `reset` does one, and remove others: all of it or nothing.

        Raises:
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        self._know(fixtures)
        resets = [(view, encoded(view.rows)) for view in views]
        changes: list[JSONObject] = [
            {
                "organization": view.organization_id,
                "reset": fixtures.name,
                **lines(rows, view.sequences),
            }
            for view, rows in resets
        ]
        changes += [{"removed": each} for each in gone]
        self._append(changes[0] if len(changes) == 1 else {"together": changes})
        for view, rows in resets:
            organization = self._organization(view.organization_id)
            self._discards.add(organization.restore(fixtures.state))
            organization.apply(rows, view.sequences)
        for each in gone:
            self._remove(each)

    def _know(self, fixtures: FixtureRows) -> None:
        """Write down the rows of a fixture set, unless they are known."""
        known = self._fixtures.get(fixtures.name)
        if known is fixtures:
            return
        if known is None or known.state.content() != fixtures.state.content():
            self._append({_FIXTURES: fixtures.name, **fixtures.state.lines()})
        self._fixtures[fixtures.name] = fixtures

    def remove(self, organization_id: str) -> None:
        """Remove an organization with all that it has, its snapshots too.

        Raises:
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        self._append({"removed": organization_id})
        self._remove(organization_id)

    def _remove(self, organization_id: str) -> None:
        self._discards.add(self._organization(organization_id).restore(State()))
        del self._organizations[organization_id]
        for scope, name in list(self._snapshots):
            if scope == organization_id:
                self._let_go(self._snapshots.pop((scope, name)))

    def snapshot(self, organization_id: str | None, name: str) -> None:
        """Keep the present state of an organization, or of all for None, under a name.

        Raises:
            StoreUnwritable: the disk refused it; there is no such snapshot.
        """
        scope = organization_id or _WHOLE_SERVER
        snapshot = self._taken(scope)
        self._append({"organization": scope, "snapshot": name})
        before = self._snapshots.get((scope, name), {})
        self._snapshots[scope, name] = snapshot
        self._let_go(before)

    def _let_go(self, snapshot: Snapshot) -> None:
        for state in snapshot.values():
            self._discards.add(state.held())

    def _taken(self, scope: str) -> Snapshot:
        ids = [scope] if scope else list(self._organizations)
        return {each: self._organization(each).freeze().without(DELIVERIES) for each in ids}

    def restore(self, organization_id: str | None, name: str) -> None:
        """Give an organization, or all, the state of a snapshot; the snapshot stays.

        An organization made since a snapshot of all is gone; one removed since is there again.

        Raises:
            KeyError: there is no such snapshot.
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        scope = organization_id or _WHOLE_SERVER
        snapshot = self._snapshots[scope, name]
        self._append({"organization": scope, "restored": name})
        self._give_back(scope, snapshot)

    def _give_back(self, scope: str, snapshot: Snapshot) -> None:
        for organization_id, state in snapshot.items():
            self._discards.add(self._organization(organization_id).restore(state))
        if scope == _WHOLE_SERVER:
            for stranger in self._organizations.keys() - snapshot.keys():
                self._remove(stranger)
            self._organizations = {each: self._organizations[each] for each in snapshot}

    def forget(self, organization_id: str | None, name: str) -> None:
        """Drop a snapshot.

        Raises:
            KeyError: there is no such snapshot.
            StoreUnwritable: the disk refused it; the snapshot is kept.
        """
        scope = organization_id or _WHOLE_SERVER
        if (scope, name) not in self._snapshots:
            raise KeyError(name)
        self._append({"organization": scope, "forgotten": name})
        self._let_go(self._snapshots.pop((scope, name)))

    def snapshots(self, organization_id: str | None) -> dict[str, Snapshot]:
        """Return the snapshots of an organization, or those of the whole server, by name."""
        wanted = organization_id or _WHOLE_SERVER
        return {name: each for (scope, name), each in self._snapshots.items() if scope == wanted}

    def compact(self) -> None:
        """Bring the commits into the file, in a thread; nothing where there is no file.

        Raises:
            StoreUnwritable: the disk refused the next journal; nothing has changed.
        """
        if self._disk is not None:
            self._disk.compact()

    def about(self) -> JSONObject:
        """Return the `Store` object of the admin document."""
        if self._disk is None:
            return {"path": None, "file_bytes": 0, "journal_bytes": 0, "compacting": False}
        return self._disk.about()

    def close(self) -> None:
        """Write the file anew if there is something new, and let go of it.

        Commits are safe either way. A store that is closed stays readable, and keeps nothing more.
        """
        if self._disk is not None:
            self._disk.close()
            self._disk = None

    def _content(self) -> tuple[JSONObject, PagedTables]:
        states = list(self._states())
        sequences = {owner: dict(state.sequences) for owner, state in states}
        head = {"version": __version__, "sequences": sequences, "secrets": self._secrets}
        return head, list(_tables(states))

    def _states(self) -> Iterator[tuple[str, State]]:
        """Yield all that the file holds, each state with its owner."""
        for name, fixtures in self._fixtures.items():
            yield _SEPARATOR.join((_FIXTURES, name)), fixtures.state
        for (scope, name), snapshot in self._snapshots.items():
            for organization_id, state in snapshot.items():
                yield _SEPARATOR.join((_SNAPSHOTS, scope, name, organization_id)), state
        for organization in self._organizations.values():
            yield organization.id, organization.freeze()


@contextmanager
def _without_gc() -> Iterator[None]:
    """Have Python look for no garbage among rows that all stay, which takes it seconds."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _tables(states: Iterable[tuple[str, State]]) -> Iterator[tuple[str, Iterable[RowPage]]]:
    for owner, state in states:
        for collection, pages in state.pages():
            yield f"{collection}{_SEPARATOR}{owner}", pages


__all__ = ["FixtureRows", "State", "Store", "StoreError", "StoreUnwritable"]
