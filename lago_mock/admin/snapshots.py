"""Rows kept under a name, to go back to: those of one organization, or of all.

A restore gives back rows and sequences, an organization's own row and keys among them. Faults,
requests, clock and settings stay as they are; calls in flight write nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.errors import NotFound, ValidationFailed
from lago_mock.wire import JSONObject

MAX_SNAPSHOTS: Final = 100

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def list_snapshots(call: AdminCall) -> JSONObject:
    """Answer `listSnapshots`: the first one taken first."""
    return {"snapshots": call.server.tenants.snapshots(call.sandbox)}


def take_snapshot(call: AdminCall) -> JSONObject:
    """Answer `takeSnapshot`: a snapshot of the same name is replaced.

    Raises:
        ValidationFailed: 422, such a name cannot be, or there are 100 snapshots.
        StoreUnwritable: 500, the disk refused it; nothing has changed.
    """
    name, known = call.path["name"], call.server.tenants.snapshots(call.sandbox)
    if not _NAME.fullmatch(name):
        what = "1 to 100 letters, digits, hyphens, dots and underscores are needed"
        raise ValidationFailed.of("name", what)
    if name not in known and len(known) >= MAX_SNAPSHOTS:
        what = f"There are {MAX_SNAPSHOTS} snapshots, and there can be no more; delete one first"
        raise ValidationFailed.of("name", what)
    call.server.tenants.snapshot(call.sandbox, name)
    return dict(DONE)


def restore_snapshot(call: AdminCall) -> JSONObject:
    """Answer `restoreSnapshot`: the snapshot stays.

    Raises:
        NotFound: 404 `snapshot_not_found`.
        StoreUnwritable: 500, the disk refused it; nothing has changed.
    """
    call.server.tenants.restore(call.sandbox, _known(call))
    return dict(DONE)


def remove_snapshot(call: AdminCall) -> JSONObject:
    """Answer `removeSnapshot`.

    Raises:
        NotFound: 404 `snapshot_not_found`.
        StoreUnwritable: 500, the disk refused it; the snapshot stays.
    """
    call.server.tenants.forget(call.sandbox, _known(call))
    return dict(DONE)


def _known(call: AdminCall) -> str:
    name = call.path["name"]
    if name not in call.server.tenants.snapshots(call.sandbox):
        raise NotFound("snapshot_not_found")
    return name


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listSnapshots": list_snapshots,
        "takeSnapshot": take_snapshot,
        "restoreSnapshot": restore_snapshot,
        "removeSnapshot": remove_snapshot,
    }
)
