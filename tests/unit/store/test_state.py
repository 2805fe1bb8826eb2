from __future__ import annotations

from dataclasses import FrozenInstanceError

import orjson
import pytest

from lago_mock.store.state import (
    FixtureRows,
    OrganizationRows,
    State,
    encoded,
    fragments,
    lines,
    numbered,
)
from tests.unit.store.stores import KEYS, collection_of, fixture_set, tax, told

ALL_KEYS = {"organizations": "lago_id", **KEYS}


@pytest.fixture
def organization() -> OrganizationRows:
    return OrganizationRows("org", ALL_KEYS)


def codes(organization: OrganizationRows) -> str:
    return "".join(row["code"] for row in organization.view().oldest_first("taxes"))


def apply(organization: OrganizationRows, *found: str, **sequences: int) -> None:
    """Write taxes with these codes, numbered on from those that are there."""
    taxes = organization.freeze().collections["taxes"]
    rows = {"taxes": {taxes.next + index: tax(code) for index, code in enumerate(found)}}
    organization.apply(encoded(rows), sequences)


def test_a_new_organization_has_nothing(organization: OrganizationRows) -> None:
    assert (organization.id, organization.version, organization.own_row()) == ("org", 0, None)
    assert told(organization.freeze()) == ({}, {})
    assert set(organization.freeze().collections) == set(ALL_KEYS)


def test_what_is_applied_is_seen_and_counted_by_the_version(organization: OrganizationRows) -> None:
    apply(organization, "a", "b", taxes=2)
    apply(organization, "c", customers=1)

    assert (codes(organization), organization.version) == ("abc", 2)
    assert told(organization.freeze())[1] == {"taxes": 2, "customers": 1}
    assert organization.view().organization_id == "org"


def test_its_own_row_is_the_callers_own(organization: OrganizationRows) -> None:
    organization.apply(encoded({"organizations": {1: {"lago_id": "org", "tags": ["x"]}}}), {})

    row = organization.own_row()
    assert row is not None
    row["tags"].append("changed")

    assert organization.own_row() == {"lago_id": "org", "tags": ["x"]}


def test_a_state_stays_whatever_is_applied(organization: OrganizationRows) -> None:
    apply(organization, "a", taxes=1)
    state = organization.freeze()
    before = told(state)

    apply(organization, "b", taxes=2)

    assert told(state) == before == ({"taxes": {1: tax("a")}}, {"taxes": 1})


def test_a_restored_organization_is_as_its_state_and_a_version_later(
    organization: OrganizationRows,
) -> None:
    apply(organization, "a", taxes=1)
    state = organization.freeze()
    apply(organization, "b", taxes=2, customers=1)

    organization.restore(state)

    assert told(organization.freeze()) == told(state)
    assert (codes(organization), organization.version) == ("a", 3)
    assert organization.view().next_in_sequence("taxes") == 2
    assert organization.view().next_in_sequence("customers") == 1


def test_what_a_state_does_not_name_is_empty_after_its_restore(
    organization: OrganizationRows,
) -> None:
    apply(organization, "a", taxes=1)

    held = organization.restore(State())

    assert told(organization.freeze()) == ({}, {})
    assert len(held) == 3  # one page of rows, and a bucket of each index


def test_a_view_taken_before_a_restore_sees_what_was_restored(
    organization: OrganizationRows,
) -> None:
    apply(organization, "a", taxes=1)
    view = organization.view()

    organization.restore(State())

    assert (list(view.oldest_first("taxes")), view.next_in_sequence("taxes")) == ([], 1)


def test_a_state_without_a_collection_has_the_others(organization: OrganizationRows) -> None:
    apply(organization, "a", taxes=1)
    organization.apply(encoded({"organizations": {1: {"lago_id": "org"}}}), {})

    rest = organization.freeze().without("organizations")

    assert told(rest) == ({"taxes": {1: tax("a")}}, {"taxes": 1})
    assert "organizations" in organization.freeze().collections


def test_the_pages_of_a_state_are_those_of_collections_with_rows(
    organization: OrganizationRows,
) -> None:
    apply(organization, "a", "b")
    state = organization.freeze()

    ((name, pages),) = state.pages()

    assert name == "taxes"
    assert [list(page.rows) for page in pages] == [[1, 2]]


def test_the_lines_of_a_state_are_its_rows_and_sequences(organization: OrganizationRows) -> None:
    apply(organization, "a", taxes=1)

    line = orjson.loads(orjson.dumps(organization.freeze().without("organizations").lines()))

    assert line == {"rows": {"taxes": {"1": tax("a")}, "customers": {}}, "sequences": {"taxes": 1}}


def test_the_lines_of_a_commit_are_read_as_what_was_written() -> None:
    rows = {"taxes": {3: tax("a", rate=1.5), 12: tax("é", notes=[None, {"n": 2**63}])}}

    line = orjson.loads(orjson.dumps(lines(encoded(rows), {"taxes": 2})))

    assert line == {
        "rows": {"taxes": {"3": rows["taxes"][3], "12": rows["taxes"][12]}},
        "sequences": {"taxes": 2},
    }
    assert numbered(line["rows"]) == rows


def test_rows_are_encoded_with_what_they_were_before() -> None:
    row = tax("a")

    ((text, before),) = encoded({"taxes": {1: row}})["taxes"].values()

    assert orjson.loads(text) == row
    assert before is row


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        encoded({"taxes": {1: tax("a", thing=object())}})


def test_fragments_are_written_as_they_are() -> None:
    assert orjson.dumps(fragments([(1, b'{ "a":1}'), (7, b"{}")])) == b'{"1":{ "a":1},"7":{}}'


def test_a_row_of_a_fixture_set_is_the_callers_own() -> None:
    fixtures = fixture_set(tax("a"), tax("b", notes=["kept"]))

    fixtures.row("taxes", 2)["notes"].append("changed")

    assert fixtures.row("taxes", 2) == tax("b", notes=["kept"])
    assert fixtures.row("taxes", 1) == tax("a")


def test_the_counts_of_a_fixture_set_are_its_live_rows() -> None:
    rows = collection_of(tax("a"), tax("b", deleted_at="now"), tax("c"))
    state = State({"taxes": rows.freeze(), "customers": collection_of().freeze()})

    assert FixtureRows("demo", state).counts() == {"taxes": 2}
    assert FixtureRows("empty").counts() == {}


def test_a_fixture_set_and_a_state_are_fixed() -> None:
    fixtures = fixture_set(tax("a"))

    with pytest.raises(FrozenInstanceError):
        fixtures.name = "another"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        fixtures.state.sequences = {}  # type: ignore[misc]


def test_organizations_made_from_one_set_share_its_pages_until_they_write() -> None:
    fixtures = fixture_set(tax("a"), tax("b"))
    first, second = (OrganizationRows(name, ALL_KEYS) for name in ("first", "second"))
    first.restore(fixtures.state)
    second.restore(fixtures.state)
    pages = fixtures.state.collections["taxes"].rows

    apply(first, "c")

    assert second.freeze().collections["taxes"].rows[0] is pages[0]
    assert first.freeze().collections["taxes"].rows[0] is not pages[0]
    assert (codes(first), codes(second)) == ("abc", "ab")
    assert list(pages[0].rows) == [1, 2]
