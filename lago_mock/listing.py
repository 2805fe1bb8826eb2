"""Lists as Lago pages them: the newest rows first, with the `meta` of the page."""

from __future__ import annotations

import re
from collections.abc import Callable

from lago_mock.errors import ValidationFailed
from lago_mock.resource import Call
from lago_mock.store.tables import Row
from lago_mock.wire import JSON, JSONObject

DEFAULT_PER_PAGE = 100
FALLBACK_PER_PAGE = 25
"""What an unreadable `per_page` means: the pagination library's own default."""


def listing(
    call: Call,
    collection: str,
    keep: Callable[[Row], bool] | None = None,
    owner: str | None = None,
) -> JSONObject:
    """Answer a list: one page of the live rows that are kept, the newest first, with `meta`.

    A page of all rows, or of those of the customer whose id `owner` is, costs a page; with `keep`
    every row is looked at.

    Raises:
        ValidationFailed: 422, `page` or `per_page` is a list or out of range.
    """
    page, per_page = page_of(call)
    start = (page - 1) * per_page
    if keep is None:
        total = call.view.count(collection, owner)
        rows = call.view.newest_first(collection, start, start + per_page, owner)
    else:
        kept = call.view.search(collection, keep, owner)
        total, rows = len(kept), kept[start : start + per_page]
    # Differs from Lago: a per_page of 0, and a page or per_page that is a list or over 64 bits, are
    # 422 value_is_out_of_range; there they are a 500.
    if total and not per_page:
        raise ValidationFailed.of("per_page", "value_is_out_of_range")
    items = [call.list_item(collection, row) for row in rows]
    return {collection: items, "meta": meta(page, per_page, total)}


def page_of(call: Call) -> tuple[int, int]:
    """Return page and page size, as the real server reads them: leading digits count.

    Raises:
        ValidationFailed: 422 `value_is_out_of_range`, where the real server crashes: a list, or a
            number of over 64 bits.
    """
    page = _leading_number(call.query, "page", absent=1, unreadable=1)
    per_page = _leading_number(
        call.query, "per_page", absent=DEFAULT_PER_PAGE, unreadable=FALLBACK_PER_PAGE
    )
    return max(page, 1), per_page


def _leading_number(query: JSONObject, name: str, absent: int, unreadable: int) -> int:
    value: JSON = query.get(name)
    if value is None:
        return absent
    if isinstance(value, dict | list):
        raise ValidationFailed.of(name, "value_is_out_of_range")
    found = re.match(r"\s*\+?([0-9]+)", str(value), re.ASCII)
    if found is None:
        return unreadable
    digits = found[1].lstrip("0") or "0"
    if len(digits) > 19 or int(digits) >= 2**63:
        raise ValidationFailed.of(name, "value_is_out_of_range")
    return int(digits)


def meta(page: int, per_page: int, total: int) -> JSONObject:
    """Return the `PaginationMeta` of a page; an empty collection has page 0, whatever was asked."""
    pages = -(-total // per_page) if total else 0
    if total == 0:
        page = 0
    return {
        "current_page": page,
        "next_page": page + 1 if page < pages else None,
        "prev_page": page - 1 if page > 1 else None,
        "total_pages": pages,
        "total_count": total,
    }
