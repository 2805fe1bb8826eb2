"""Perform one operation on one organization; knows no HTTP. No row is written any other way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lago_mock.clock import Clock
from lago_mock.contract.contract import Contract
from lago_mock.contract.fields import Licensed
from lago_mock.contract.operation import Judged, Operation
from lago_mock.errors import InternalServerError, NotMocked
from lago_mock.pointers import pointer
from lago_mock.resource import Call, Handler, Resource
from lago_mock.rules import Rules
from lago_mock.signing import Signing
from lago_mock.store.store import Store
from lago_mock.store.tables import Row
from lago_mock.webhooks.outbox import Outbox
from lago_mock.wire import JSON, JSONObject


class AnswerBroken(InternalServerError):
    """A handler's answer breaks our own document: a bug of ours; 500, and nothing is saved."""

    def __init__(self, operation_id: str, pointer: str, keyword: str) -> None:
        super().__init__(f"{operation_id} answered what the document forbids: {pointer} {keyword}")
        self.pointer, self.keyword = pointer, keyword


@dataclass(frozen=True)
class Facts:
    """What an operation may know of its organization beside the rows."""

    organization_id: str
    clock: Clock
    licensed: Licensed
    signing: Signing
    rules: Rules = field(default_factory=Rules)
    is_slug_taken: Callable[[str], bool] = lambda _slug: False
    outbox: Outbox | None = None


class Performed(NamedTuple):
    """An answer's object; `warning` says what a document given by the user has against it."""

    answer: JSONObject | str
    warning: str = ""


class Operations:
    """The handlers of all resources, bound to the operations of a contract.

    `eras` compiles the same document for another era, when an organization first asks for it.
    """

    def __init__(
        self,
        contract: Contract,
        resources: Mapping[str, Resource],
        store: Store,
        eras: Callable[[str], Contract] | None = None,
    ) -> None:
        self._eras = eras
        self._contracts = {contract.era: contract}
        self._resources = resources
        self._handlers = handlers_of(resources)
        self._pure = {each for resource in resources.values() for each in resource.pure}
        self.store = store
        self.contract = contract

    def contract_of(self, era: str) -> Contract:
        """Return the contract of an era."""
        known = self._contracts.get(era)
        if known is None:
            assert self._eras is not None, "only a server has organizations of other eras"
            known = self._contracts[era] = self._eras(era)
        return known

    def reload(self) -> None:
        """Read the document anew, for the present era now and for others when they are asked for.

        Raises:
            DocumentError: it is broken; the former one is kept.
        """
        assert self._eras is not None, "only a server has a document that changes"
        self.contract = self._eras(self.contract.era)
        self._contracts = {self.contract.era: self.contract}

    def is_mocked(self, operation: Operation) -> bool:
        """Tell whether the operation has a handler."""
        return operation.id in self._handlers

    def is_pure(self, operation: Operation) -> bool:
        """Tell whether the operation answers the same until something is written."""
        return operation.id in self._pure

    def require_mocked(self, operation: Operation) -> None:
        """Refuse an operation that has no handler.

        Raises:
            NotMocked: 501 `operation_not_mocked`.
        """
        if operation.id not in self._handlers:
            raise NotMocked(operation.id)

    def perform(
        self,
        facts: Facts,
        operation: Operation,
        path: Mapping[str, str],
        query: JSONObject,
        judged: Judged,
        base_url: str = "",
    ) -> Performed:
        """Return the answer; what the handler wrote is kept.

        Nothing here waits, so an operation is atomic; nothing is kept when anything is raised.

        Raises:
            LagoError: what the handler refuses.
            AnswerBroken: 500, the answer breaks our own document; one that breaks a document given
                by the user is his to judge, and comes with a warning.
            StoreUnwritable: the disk refused the write.
        """
        view = self.store.view(facts.organization_id)
        call = Call(
            operation=operation,
            body=judged.value,
            path=path,
            query=query,
            view=view,
            clock=facts.clock,
            licensed=facts.licensed,
            signing=facts.signing,
            base_url=base_url,
            era=facts.rules.era,
            judges=facts.rules.validation != "off",
            resources=self._resources,
            is_slug_taken=facts.is_slug_taken,
            problems=list(judged.problems),
        )
        answer = self._handlers[operation.id](call)
        warning = "" if facts.rules.validation == "off" else self._check(operation, answer)
        outbox = facts.outbox if call.notified else None
        staged = outbox.stage(view, call.notices()) if outbox else ()
        self.store.commit(view)
        if outbox and staged:
            outbox.queue(staged)
        return Performed(answer, warning)

    def keep(self, facts: Facts, collection: str, row: Row) -> None:
        """Keep a declared row, which no operation can make."""
        view = self.store.view(facts.organization_id)
        view.put(collection, row)
        self.store.commit(view)

    def _check(self, operation: Operation, answer: JSON) -> str:
        try:
            check_answer(operation, answer)
        except AnswerBroken as error:
            if not self.contract.foreign:
                raise
            return str(error)
        return ""


def check_answer(operation: Operation, answer: JSON, status: int = 200) -> None:
    """Hold an answer against the document.

    Raises:
        AnswerBroken: 500, names the JSON pointer and the keyword that fails.
    """
    validator = operation.answers.get(status)
    if validator is None or validator.is_valid(answer):
        return
    for violation in validator.violations(answer):
        raise AnswerBroken(operation.id, pointer(*violation.path), violation.keyword)


def handlers_of(resources: Mapping[str, Resource]) -> dict[str, Handler]:
    """Return every handler by its operation id."""
    return {
        operation_id: handler
        for resource in resources.values()
        for operation_id, handler in resource.operations.items()
    }
