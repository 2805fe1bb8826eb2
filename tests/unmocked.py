"""Operations of the document that have no handler, for tests that need one, whichever it is.

Imported as `tests.unmocked`.
"""

from __future__ import annotations

from lago_mock.app import load_contract
from lago_mock.contract.operation import Operation
from lago_mock.operations import handlers_of
from lago_mock.resources import load_resources

_HANDLED = handlers_of(load_resources())

UNMOCKED = tuple(
    each for each in load_contract(load_resources()).operations.values() if each.id not in _HANDLED
)


def _first(method: str) -> Operation:
    return next(each for each in UNMOCKED if each.method == method and not each.parameters)


READ = _first("GET")
WRITE = _first("POST")
"""One that reads and one that writes, neither with a parameter in its path."""
