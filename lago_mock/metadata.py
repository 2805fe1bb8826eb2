"""Metadata that is kept as rows of key and value, replaced as a set and updated by id.

Rules: lago-api, app/models/metadata/customer_metadata.rb and
app/services/customers/metadata/update_service.rb.
"""

from __future__ import annotations

from lago_mock.clock import shown
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.resource import Call
from lago_mock.wire import JSONObject


def present_metadata(rows: list[JSONObject]) -> list[JSONObject]:
    """Return the `CustomerMetadata` objects of kept rows, in the order they were made."""
    return [{**row, "created_at": shown(row["created_at"])} for row in rows]


def replaced_metadata(call: Call, before: list[JSONObject]) -> list[JSONObject]:
    """Return the set that the body's `metadata` makes of the old one.

    Items with a known id update theirs, the others are new, and old ones that are not listed go.
    Items are judged one by one against all that stand then, those that will go included.

    Raises:
        ValidationFailed: 422, the first bad item answers alone.
    """
    rows = {row["lago_id"]: row for row in before}
    kept = set()
    for index, item in enumerate(call.body["metadata"]):
        # Differs from Lago: a metadata id in upper case updates its row; there the row is updated
        # and then deleted.
        old = rows.get(str(item.get("id", "")).lower()) or _blank(call)
        row = _updated(old, item)
        lago_id = row["lago_id"]
        _refuse(call, index, row, {rows[other]["key"] for other in rows if other != lago_id})
        rows[lago_id] = row
        kept.add(lago_id)
    return [rows[lago_id] for lago_id in rows if lago_id in kept]


def _blank(call: Call) -> JSONObject:
    return {
        "lago_id": call.new_id(),
        "key": None,
        "value": None,
        "display_in_invoice": False,
        "created_at": call.now(),
    }


def _updated(row: JSONObject, item: JSONObject) -> JSONObject:
    return {
        **row,
        "key": item.get("key", row["key"]),
        "value": item.get("value", row["value"]),
        "display_in_invoice": bool(item.get("display_in_invoice")),
    }


def _refuse(call: Call, index: int, row: JSONObject, taken: set[str | None]) -> None:
    """Raise all that is wrong with a row, its key first; `taken` are the keys of the others."""
    if not call.problems and None not in (row["key"], row["value"]) and row["key"] not in taken:
        return
    found = []
    for name in ("key", "value"):
        path = ("metadata", index, name)
        found += [problem for problem in call.problems if problem.path == path]
        if row[name] is None:
            found.append(Problem(name, "value_is_mandatory", "required", path))
        elif name == "key" and row["key"] in taken:
            found.append(Problem(name, "value_already_exist", "unique", path))
    if found:
        raise ValidationFailed(found)
