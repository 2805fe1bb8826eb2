"""The parts of the measurement, each with the tables that it fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compaction import compaction_rows
from benchmarks.loads import (
    comparison,
    costs,
    create_rounds,
    get_rounds,
    hanging_costs,
    hanging_rounds,
    library_calls,
)
from benchmarks.peers import peer_rows
from benchmarks.plugin import plugin_rows
from benchmarks.report import Section, compared, grown
from benchmarks.resets import emptying_rows, few_rows, many_rows
from benchmarks.sizes import QUICK_SIZES, SIZES, filled, growth_rows, size_memory_row
from benchmarks.start import memory_row, start_rows

AGAINST_BARE = ("bare", "lago-mock")
AGAINST_PEERS = ("peer", "lago-mock")
WITHOUT = ("without", "with")


@dataclass(frozen=True)
class Plan:
    """How often and how long to measure; `quick` leaves out what takes many customers."""

    folder: Path
    rounds: int
    seconds: int
    quick: bool


def start(plan: Plan) -> list[Section]:
    rows = [*start_rows(plan.folder, plan.rounds), memory_row(plan.folder, plan.rounds)]
    return [compared("start", "Start and memory", rows, AGAINST_BARE)]


def requests(plan: Plan) -> list[Section]:
    gets = get_rounds(plan.folder, plan.rounds, plan.seconds)
    creates = create_rounds(plan.folder, plan.rounds, plan.seconds)
    against_bare = [
        *comparison("GET one customer", gets, "≥ 1.0", "≥ 0.70"),
        *comparison("POST create", creates, "≥ 0.70", "≥ 0.50"),
        *library_calls("POST create", creates),
    ]
    features = [*costs("GET one customer", gets), *costs("POST create", creates)]
    return [
        compared("requests", "Requests", against_bare, AGAINST_BARE),
        compared("features", "CPU time of a request without and with a feature", features, WITHOUT),
    ]


def webhooks(plan: Plan) -> list[Section]:
    rows = hanging_costs(hanging_rounds(plan.folder, plan.rounds, plan.seconds))
    title = "Creates without a webhook endpoint and with one that never answers"
    return [compared("webhooks", title, rows, WITHOUT)]


def sizes(plan: Plan) -> list[Section]:
    with filled(plan.folder, QUICK_SIZES if plan.quick else SIZES) as servers:
        growth = growth_rows(servers, plan.rounds)
        title = "CPU time of a request beside so many customers, against beside the fewest"
        sections = [grown("sizes", title, growth)]
        if not plan.quick:
            size = max(servers)
            rows = [
                size_memory_row(servers[size]),
                *compaction_rows(servers[size].server, size, plan.rounds),
                *emptying_rows(servers[size].server, size),
            ]
            sections.append(compared("many", f"At {size:,} customers", rows, WITHOUT))
    return sections


def resets(plan: Plan) -> list[Section]:
    rows = few_rows(plan.folder, plan.rounds)
    if not plan.quick:
        rows += many_rows(plan.folder, plan.rounds)
    return [compared("resets", "Resets", rows, WITHOUT)]


def plugin(plan: Plan) -> list[Section]:
    rows = plugin_rows(plan.folder, plan.rounds)
    return [compared("plugin", "The pytest plugin", rows, WITHOUT)]


def peers(plan: Plan) -> list[Section]:
    rows = peer_rows(plan.folder, plan.rounds)
    return [compared("peers", "Other stand-in servers", rows, AGAINST_PEERS)] if rows else []


PARTS: Mapping[str, Callable[[Plan], list[Section]]] = {
    "start": start,
    "requests": requests,
    "webhooks": webhooks,
    "sizes": sizes,
    "resets": resets,
    "plugin": plugin,
    "peers": peers,
}
OPTIONAL = ("peers",)
LOADED = ("requests", "webhooks")
"""Those that need wrk."""
