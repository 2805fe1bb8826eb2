from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from lago_mock.app import load_contract
from lago_mock.contract.loader import DocumentError
from lago_mock.data import data_folder
from lago_mock.fixtures import FixtureCompiler, FixtureSet
from lago_mock.grants import KEY_TEXT
from lago_mock.resources import load_resources
from lago_mock.saved_state import saved

STARTED = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

NAMED = "organization: {name: Brightwater Rowing}\n"
SECTIONS = ", ".join(
    name for name, each in load_resources().items() if each.made_by or each.declare
)


@pytest.fixture(scope="module")
def compiler() -> FixtureCompiler:
    resources = load_resources()
    folder = data_folder() / "fixtures"
    return FixtureCompiler(folder, load_contract(resources), resources, STARTED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rowing.yaml"


def rows(fixtures: FixtureSet, collection: str) -> list[dict[str, Any]]:
    return [orjson.loads(row) for _, row in fixtures.rows.state.collections[collection].encoded()]


def compiled(compiler: FixtureCompiler, path: Path, text: str) -> FixtureSet:
    path.write_text(text, encoding="utf-8")
    return compiler.compile(str(path))


def refusal(compiler: FixtureCompiler, path: Path, text: str) -> str:
    """Return why a file is refused, without its name at the front, which must be there."""
    with pytest.raises(DocumentError) as caught:
        compiled(compiler, path, text)
    found = str(caught.value)
    assert found.startswith(f"{path}: ")
    return found.removeprefix(f"{path}: ")


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def test_the_sets_that_ship_are_listed_by_name(compiler: FixtureCompiler) -> None:
    assert compiler.names() == ["default", "empty"]


def test_the_default_set_compiles(compiler: FixtureCompiler) -> None:
    fixtures = compiler.compile("default")

    assert (fixtures.name, fixtures.path) == ("default", data_folder() / "fixtures/default.yaml")
    assert (fixtures.api_key, fixtures.organization["name"]) == (
        "lago-mock-key",
        "Pebblewick Software",
    )
    assert fixtures.organization["created_at"] == "2026-01-05T09:00:00.000000Z"
    assert fixtures.organization["net_payment_term"] == 14
    assert [tax["code"] for tax in rows(fixtures, "taxes")] == ["iva_23", "export_0"]
    assert [(each["external_id"], each["slug"]) for each in rows(fixtures, "customers")] == [
        ("acct-lanternfish", "PBL-001"),
        ("acct-quillfeather", "PBL-002"),
        ("acct-nimbus", "PBL-003"),
        ("acct-ines", "PBL-004"),
        ("2041", "PBL-005"),
    ]
    assert fixtures.rows.state.sequences == {"customers": 5}


def test_the_empty_set_compiles_to_an_organization_and_its_default_entity(
    compiler: FixtureCompiler,
) -> None:
    fixtures = compiler.compile("empty")

    assert (fixtures.organization["name"], fixtures.api_key) == ("Blank Slate", "lago-mock-key")
    assert fixtures.organization["premium_integrations"] is None
    assert fixtures.rows.counts() == {"billing_entities": 1}
    assert fixtures.rows.state.sequences == {}
    (entity,) = rows(fixtures, "billing_entities")
    assert (entity["lago_id"], entity["code"]) == ("default", "blank_slate")
    assert entity["created_at"] == fixtures.organization["created_at"]


def test_settings_of_the_organization_are_those_of_its_default_entity(
    compiler: FixtureCompiler,
) -> None:
    (entity,) = rows(compiler.compile("default"), "billing_entities")

    assert (entity["name"], entity["code"]) == ("Pebblewick Software", "pebblewick_software")
    assert (entity["default_currency"], entity["timezone"]) == ("EUR", "Europe/Lisbon")
    assert (entity["document_number_prefix"], entity["net_payment_term"]) == ("PBL", 14)


@pytest.mark.parametrize("name", ["default", "empty"])
def test_ids_slugs_and_times_are_the_same_at_each_compilation(
    compiler: FixtureCompiler, name: str
) -> None:
    resources = load_resources()
    folder, later = data_folder() / "fixtures", datetime(2030, 1, 1, tzinfo=UTC)
    other = FixtureCompiler(folder, load_contract(resources), resources, later)

    assert compiler.compile(name) == other.compile(name)


def test_no_row_of_a_set_names_an_organization(compiler: FixtureCompiler) -> None:
    fixtures = compiler.compile("default")

    owner = fixtures.organization["lago_id"]
    assert UUID.fullmatch(owner)
    assert owner not in texts([rows(fixtures, name) for name in fixtures.rows.counts()])


def test_two_sets_have_different_ids(compiler: FixtureCompiler) -> None:
    ids = [compiler.compile(name).organization["lago_id"] for name in compiler.names()]

    assert len(set(ids)) == 2


def test_each_row_is_made_later_than_the_one_before(compiler: FixtureCompiler, path: Path) -> None:
    taxes = "".join(f"- {{code: t{each}, name: T, rate: 1}}\n" for each in range(3))

    fixtures = compiled(compiler, path, f"{NAMED}now: 2026-01-05T09:00:00Z\ntaxes:\n{taxes}")

    times = [fixtures.organization["created_at"]]
    times += [tax["created_at"] for tax in rows(fixtures, "taxes")]
    assert times == [f"2026-01-05T09:00:0{second}.000000Z" for second in range(4)]


def test_a_set_is_found_by_a_path_in_place_of_a_name(compiler: FixtureCompiler, path: Path) -> None:
    fixtures = compiled(
        compiler,
        path,
        "description: A rowing club\n"
        "organization: {name: Brightwater Rowing, api_key: row-row, timezone: Europe/Stockholm}\n"
        "taxes: [{code: vat_25, name: MVA, rate: 25}]\n"
        "customers: [{external_id: acct-1, tax_codes: [vat_25]}, {external_id: acct-2}]\n",
    )

    tax, *_ = rows(fixtures, "taxes")
    assert (fixtures.name, fixtures.path, fixtures.api_key) == ("rowing", path, "row-row")
    assert fixtures.organization["timezone"] == "Europe/Stockholm"
    assert [each["tax_ids"] for each in rows(fixtures, "customers")] == [[tax["lago_id"]], []]
    assert fixtures.shown() == {
        "name": "rowing",
        "path": str(path),
        "description": "A rowing club",
        "sections": {"billing_entities": 1, "taxes": 1, "customers": 2},
    }


def test_a_relative_path_counts_from_the_working_directory(
    compiler: FixtureCompiler, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(NAMED, encoding="utf-8")
    monkeypatch.chdir(path.parent)

    assert compiler.find("rowing.yaml") == Path("rowing.yaml")


def test_a_name_that_ships_goes_before_a_file_of_that_name(
    compiler: FixtureCompiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default").write_text(NAMED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert compiler.find("default") == data_folder() / "fixtures" / "default.yaml"


def test_a_set_can_be_json(compiler: FixtureCompiler, tmp_path: Path) -> None:
    text = '{"organization": {"name": "J"}, "taxes": [{"code": "a", "name": "A", "rate": 1.5}]}'

    fixtures = compiled(compiler, tmp_path / "set.json", text)

    assert (fixtures.organization["name"], rows(fixtures, "taxes")[0]["rate"]) == ("J", 1.5)


def test_sets_of_all_three_suffixes_are_found_by_their_name(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yml", "three.json", "notes.txt"):
        (tmp_path / name).touch()
    resources = load_resources()
    compiler = FixtureCompiler(tmp_path, load_contract(resources), resources, STARTED)

    assert compiler.names() == ["one", "three", "two"]
    assert [compiler.find(name).name for name in ("one", "two", "three")] == [
        "one.yaml",
        "two.yml",
        "three.json",
    ]


def test_a_set_needs_no_more_than_a_name(compiler: FixtureCompiler, path: Path) -> None:
    fixtures = compiled(compiler, path, NAMED)

    assert (fixtures.api_key, fixtures.description) == (None, "")
    assert fixtures.organization["slug"] == "brightwater-rowing"
    assert fixtures.organization["created_at"] == "2026-02-03T04:05:06.000000Z"
    assert fixtures.shown()["sections"] == {"billing_entities": 1}
    assert (fixtures.api_keys, fixtures.organization["premium_integrations"]) == ([], None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("2026-01-05T09:00:00Z", "2026-01-05T09:00:00.000000Z", id="UTC"),
        pytest.param("2026-01-05T09:00:00+02:00", "2026-01-05T07:00:00.000000Z", id="offset"),
        pytest.param("2026-01-05T09:00:00.25Z", "2026-01-05T09:00:00.250000Z", id="fraction"),
        pytest.param("~", "2026-02-03T04:05:06.000000Z", id="null is the start of the server"),
    ],
)
def test_now_is_the_time_of_the_first_row(
    compiler: FixtureCompiler, path: Path, given: str, kept: str
) -> None:
    fixtures = compiled(compiler, path, f"{NAMED}now: {given}\n")

    assert fixtures.organization["created_at"] == kept


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-05",
        "2026-01-05T09:00:00",
        "2026-13-05T09:00:00Z",
        "yesterday",
        "20260105",
        '""',
        "[]",
        pytest.param("2026-12-31T23:59:60Z", id="leap second"),
        pytest.param("0001-01-01T00:00:00+05:00", id="before year 1 in UTC"),
    ],
)
def test_a_now_that_is_no_point_in_time_is_refused(
    compiler: FixtureCompiler, path: Path, given: str
) -> None:
    assert refusal(compiler, path, f"{NAMED}now: {given}\n") == (
        "/now: no point in time. Write it as 2026-01-05T09:00:00Z."
    )


KNOWN = "Name one of default, empty, or a file of yours by its path."


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        pytest.param("defualt", "Did you mean default?", id="a slip"),
        pytest.param("default.yaml", "Did you mean default?", id="with a suffix"),
        pytest.param("brightwater", KNOWN, id="nothing like it"),
        pytest.param("./brightwater.yaml", KNOWN, id="no such file"),
    ],
)
def test_a_set_that_is_not_there_is_refused_with_a_suggestion(
    compiler: FixtureCompiler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    advice: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DocumentError) as caught:
        compiler.compile(name)

    assert str(caught.value) == f"{name}: there is no such fixture set. {advice}"


def test_a_path_that_cannot_be_looked_at_is_refused_with_the_reason(
    compiler: FixtureCompiler, tmp_path: Path
) -> None:
    path = tmp_path / f"{'x' * 300}.yaml"

    with pytest.raises(DocumentError) as caught:
        compiler.compile(str(path))

    assert str(caught.value) == f"{path}: cannot be read: File name too long"


def test_a_folder_is_no_set(compiler: FixtureCompiler, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        compiler.compile(str(tmp_path))

    assert str(caught.value).startswith(f"{tmp_path}: there is no such fixture set. ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(f"{NAMED}taxes: [\n", "line 3, column 1: not YAML: ", id="YAML"),
        pytest.param(NAMED * 2, "line 2, column 1: not YAML: ", id="a key twice"),
    ],
)
def test_broken_yaml_is_refused_with_line_and_column(
    compiler: FixtureCompiler, path: Path, text: str, place: str
) -> None:
    assert refusal(compiler, path, text).startswith(place)


def test_broken_json_is_refused_with_line_and_column(
    compiler: FixtureCompiler, tmp_path: Path
) -> None:
    reason = refusal(compiler, tmp_path / "set.json", '{"organization":\n ,}')

    assert reason.startswith("line 2, column 2: not JSON: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "a fixture set is an object with sections", id="nothing"),
        pytest.param("- taxes\n", "a fixture set is an object with sections", id="a list"),
        pytest.param("taxes: []\n", "/organization/name: a name is needed", id="no organization"),
        pytest.param("organization: ~\n", "/organization: an object is needed", id="null"),
        pytest.param("organization: []\n", "/organization: an object is needed", id="list"),
        pytest.param("organization: {}\n", "/organization/name: a name is needed", id="no name"),
        pytest.param(
            "organization: {name: '  '}\n", "/organization/name: a name is needed", id="blank name"
        ),
        pytest.param(
            "organization: {name: 5}\n", "/organization/name: a name is needed", id="name no text"
        ),
        pytest.param(
            f"{NAMED}taxs: []\n",
            "/taxs: no such section. Did you mean taxes?",
            id="unknown section with a close match",
        ),
        pytest.param(
            f"{NAMED}organisation: []\n",
            "/organisation: no such section. Did you mean organization?",
            id="unknown section close to a key of the set",
        ),
        pytest.param(
            f"{NAMED}zebra/stripes: []\n",
            f"/zebra~1stripes: no such section. Known: {SECTIONS}.",
            id="unknown section with no close match",
        ),
        pytest.param(
            f"{NAMED}1: []\n",
            f"/1: no such section. Known: {SECTIONS}.",
            id="unknown section whose name is a number",
        ),
        pytest.param(f"{NAMED}taxes: {{}}\n", "/taxes: a list is needed", id="section an object"),
        pytest.param(f"{NAMED}taxes:\n", "/taxes: a list is needed", id="section of nothing"),
        pytest.param(
            f"{NAMED}taxes: [{{code: a, name: A, rate: 1, colour: red}}]\n",
            "/taxes/0/colour: createTax takes no such key",
            id="unknown key",
        ),
        pytest.param(
            f"{NAMED}customers: [{{external_id: a}}, {{external_id: b, metadata: [{{kee: k}}]}}]\n",
            "/customers/1/metadata/0/kee: createCustomer takes no such key",
            id="unknown key within an item",
        ),
        pytest.param(
            "organization: {name: X, billing_configuration: {a/b: 1}}\n",
            "/organization/billing_configuration/a~1b: updateOrganization takes no such key",
            id="unknown key of the organization",
        ),
        pytest.param(
            f"{NAMED}customers: [{{external_id: a, currency: XYZ}}]\n",
            "/customers/0/currency: value_is_invalid (enum)",
            id="refused value",
        ),
        pytest.param(
            "organization: {name: X, timezone: Mars/North}\n",
            "/organization/timezone: invalid_timezone (enum)",
            id="refused value of the organization",
        ),
        pytest.param(
            f"{NAMED}taxes: [{{code: a, name: A, rate: 1}}, {{code: a, name: B, rate: 2}}]\n",
            "/taxes/1/code: value_already_exist (value_already_exist)",
            id="refused by a rule of the handler",
        ),
        pytest.param(
            f"{NAMED}customers: [{{external_id: a, tax_codes: [vat]}}]\n",
            "/customers/0: createCustomer answers tax_not_found",
            id="unknown tax code",
        ),
        pytest.param(
            f"{NAMED}taxes: [vat]\n",
            "/taxes/0: createTax answers "
            "BadRequest: param is missing or the value is empty or invalid: tax",
            id="item no object",
        ),
    ],
)
def test_a_broken_set_is_refused_with_file_place_and_reason(
    compiler: FixtureCompiler, path: Path, text: str, reason: str
) -> None:
    assert refusal(compiler, path, text) == reason


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        pytest.param("4711", ". Put it in quotes.", id="number"),
        pytest.param("two words", "", id="space"),
        pytest.param("schlüssel-ä", "", id="no ASCII"),
        pytest.param("k" * 256, "", id="too long"),
    ],
)
def test_an_api_key_that_no_client_can_send_is_refused(
    compiler: FixtureCompiler, path: Path, key: str, advice: str
) -> None:
    reason = refusal(compiler, path, f"organization: {{name: X, api_key: {key}}}\n")

    assert reason == f"/organization/api_key: a key is {KEY_TEXT}{advice}"


# Further keys and premium integrations


def test_further_keys_are_taken_as_they_are_written(compiler: FixtureCompiler, path: Path) -> None:
    fixtures = compiled(
        compiler,
        path,
        "organization:\n"
        "  name: X\n"
        "  api_key: first\n"
        "  api_keys:\n"
        "  - {value: reader, name: Reader, permissions: {customer: [read], tax: []}}\n"
        "  - {value: guest, expires_at: '2026-06-01T00:00:00Z'}\n",
    )

    assert fixtures.api_key == "first"
    assert fixtures.api_keys == [
        {"value": "reader", "name": "Reader", "permissions": {"customer": ["read"], "tax": []}},
        {"value": "guest", "expires_at": "2026-06-01T00:00:00Z"},
    ]
    assert fixtures.organization["api_keys"] == []


@pytest.mark.parametrize(
    ("given", "integrations"),
    [
        pytest.param("[revenue_share, api_permissions]", ["revenue_share", "api_permissions"]),
        pytest.param("[]", [], id="none"),
        pytest.param("~", None, id="null is all of them"),
    ],
)
def test_premium_integrations_are_the_organizations(
    compiler: FixtureCompiler, path: Path, given: str, integrations: list[str] | None
) -> None:
    fixtures = compiled(
        compiler, path, f"organization: {{name: X, premium_integrations: {given}}}\n"
    )

    assert fixtures.organization["premium_integrations"] == integrations


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param("api_keys: {}", "api_keys: a list is needed", id="keys no list"),
        pytest.param("api_keys: ~", "api_keys: a list is needed", id="keys null"),
        pytest.param(
            "api_keys: [a]",
            f"api_keys/0/value: a key is an object with a value of {KEY_TEXT}",
            id="key a text",
        ),
        pytest.param(
            "api_keys: [{value: a}, {name: b}]",
            f"api_keys/1/value: a key is an object with a value of {KEY_TEXT}",
            id="no value",
        ),
        pytest.param(
            "api_keys: [{value: 4711}]",
            f"api_keys/0/value: a key is an object with a value of {KEY_TEXT}",
            id="value no text",
        ),
        pytest.param(
            "api_keys: [{value: a, rights: {}, colour: red}]",
            "api_keys/0/colour: a key has no such thing",
            id="unknown things, the first by name",
        ),
        pytest.param(
            "api_keys: [{value: a, expires_at: tomorrow}]",
            "api_keys/0/expires_at: no point in time",
            id="expiry no time",
        ),
        pytest.param(
            "api_keys: [{value: a, expires_at: 5}]",
            "api_keys/0/expires_at: no point in time",
            id="expiry no text",
        ),
        pytest.param(
            "api_keys: [{value: a, expires_at: '2026-12-31T23:59:60Z'}]",
            "api_keys/0/expires_at: no point in time",
            id="expiry a leap second",
        ),
        pytest.param(
            "api_keys: [{value: a, permissions: [read]}]",
            "api_keys/0/permissions: an object is needed, with lists of read and write by resource",
            id="permissions a list",
        ),
        pytest.param(
            "api_keys: [{value: a, permissions: {customer: read}}]",
            "api_keys/0/permissions: an object is needed, with lists of read and write by resource",
            id="permissions of a text",
        ),
        pytest.param(
            "api_keys: [{value: a, permissions: {customer: ~}}]",
            "api_keys/0/permissions: an object is needed, with lists of read and write by resource",
            id="permissions of null",
        ),
        pytest.param(
            "premium_integrations: revenue_share",
            "premium_integrations: a list of names is needed",
            id="integrations no list",
        ),
        pytest.param(
            "premium_integrations: [revenue_share, projected_usge]",
            "premium_integrations/1: "
            "no premium integration projected_usge; did you mean projected_usage?",
            id="no such integration",
        ),
        pytest.param(
            "api_keys: [{value: a, permissions: {tax: [read], custmer: [read]}}]",
            "api_keys/0/permissions/custmer: no resource custmer; did you mean customer?",
            id="permissions on nothing",
        ),
    ],
)
def test_keys_and_integrations_of_another_shape_are_refused(
    compiler: FixtureCompiler, path: Path, given: str, reason: str
) -> None:
    text = f"organization: {{name: X, {given}}}\n"

    assert refusal(compiler, path, text) == f"/organization/{reason}"


@pytest.mark.parametrize("value", ["''", "' '", "two words", "schlüssel", "k" * 256])
def test_a_further_key_that_no_request_can_name_is_refused(
    compiler: FixtureCompiler, path: Path, value: str
) -> None:
    text = f"organization: {{name: X, api_keys: [{{value: {value}}}]}}\n"

    assert refusal(compiler, path, text).startswith("/organization/api_keys/0/value: ")


# Sections of things that the API cannot make


def test_what_is_declared_becomes_rows(compiler: FixtureCompiler, path: Path) -> None:
    fixtures = compiled(
        compiler,
        path,
        f"{NAMED}"
        "payment_providers: [{code: stripe_eu, type: stripe, name: Stripe EU}]\n"
        "integrations: [{code: books, type: xero}]\n"
        "invoice_custom_sections: [{code: terms, name: Terms}]\n",
    )

    (provider,) = rows(fixtures, "payment_providers")
    (integration,) = rows(fixtures, "integrations")
    (section,) = rows(fixtures, "invoice_custom_sections")
    assert {**provider, "lago_id": ""} == {
        "lago_id": "",
        "code": "stripe_eu",
        "type": "stripe",
        "name": "Stripe EU",
    }
    assert (integration["type"], integration["name"]) == ("xero", None)
    assert section["details"] is None
    assert all(UUID.fullmatch(row["lago_id"]) for row in (provider, integration, section))


def test_a_customer_can_be_linked_to_what_stands_above_it(
    compiler: FixtureCompiler, path: Path
) -> None:
    fixtures = compiled(
        compiler,
        path,
        f"{NAMED}"
        "payment_providers: [{code: stripe_eu, type: stripe}]\n"
        "billing_entities: [{code: north, name: North}]\n"
        "customers:\n"
        "- external_id: a\n"
        "  billing_entity_code: north\n"
        "  billing_configuration: {payment_provider: stripe, provider_customer_id: cus_1}\n",
    )

    (customer,) = rows(fixtures, "customers")
    _, north = rows(fixtures, "billing_entities")
    assert (customer["payment_provider_code"], customer["billing_entity_id"]) == (
        "stripe_eu",
        north["lago_id"],
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            "payment_providers: [{code: a}]",
            "/payment_providers/0/type: value_is_mandatory (declared)",
            id="missing",
        ),
        pytest.param(
            "payment_providers: [{code: a, type: paypal}]",
            "/payment_providers/0/type: value_is_invalid (declared)",
            id="unknown type",
        ),
        pytest.param(
            "integrations: [{code: a, type: xero}, {code: 5, type: xero}]",
            "/integrations/1/code: value_is_invalid (declared)",
            id="no text",
        ),
        pytest.param(
            "invoice_custom_sections: [{code: a, name: A, text: b}]",
            "/invoice_custom_sections/0/text: unknown_field (declared)",
            id="unknown key",
        ),
    ],
)
def test_a_broken_declaration_is_refused_with_its_place(
    compiler: FixtureCompiler, path: Path, text: str, reason: str
) -> None:
    assert refusal(compiler, path, f"{NAMED}{text}\n") == reason


# Saved states

EXACT_ID = "5a0f4c1e-9d3b-4e67-8c52-7b1f60d2a9e4"


def saved_state(compiler: FixtureCompiler, **own: Any) -> dict[str, Any]:
    """Return the state of the default set, as the admin API shows it; `own` are columns."""
    fixtures = compiler.compile("default")
    state = saved(fixtures.organization, fixtures.rows.state, compiler.resources)
    state["organization"] |= own
    return {"version": 1, "organizations": [state]}


def written(path: Path, content: object) -> str:
    """Return a file of this content, of the name of a set that ships: its ids must not return."""
    own = path.with_name("default.json")
    own.write_bytes(orjson.dumps(content))
    return str(own)


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_saved_state_is_a_set_of_exactly_its_rows(
    compiler: FixtureCompiler, path: Path, is_wrapped: bool
) -> None:
    state = saved_state(compiler, lago_id=EXACT_ID)
    rows_of(state)["customers"].reverse()

    made = compiler.compile(written(path, {"state": state} if is_wrapped else state))

    assert (
        saved(made.organization, made.rows.state, compiler.resources) == state["organizations"][0]
    )
    assert made.organization["lago_id"] == EXACT_ID
    assert (made.api_key, made.api_keys) == (None, [])


def rows_of(state: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = state["organizations"][0]["collections"]
    return found


def test_other_sections_are_played_on_top_of_a_state(compiler: FixtureCompiler, path: Path) -> None:
    state = saved_state(compiler)
    content = {
        "description": "More",
        "now": "2027-01-01T00:00:00Z",
        "organization": {
            "name": "Renamed",
            "api_key": "mine",
            "city": "Faro",
            "premium_integrations": ["api_permissions"],
        },
        "state": state,
        "customers": [{"external_id": "new", "tax_codes": ["iva_23"]}],
    }

    made = compiler.compile(written(path, content))

    *before, new = rows(made, "customers")
    assert before == rows_of(state)["customers"]
    assert (new["external_id"], new["sequential_id"]) == ("new", 6)
    assert new["tax_ids"] == [rows_of(state)["taxes"][0]["lago_id"]]
    assert new["created_at"].startswith("2027-01-01T00:00:0")
    ids = [row["lago_id"] for row in rows(made, "customers")]
    assert len(set(ids)) == len(ids)
    own = made.organization
    assert (own["name"], own["slug"], own["city"]) == ("Renamed", "renamed", "Faro")
    assert own["premium_integrations"] == ["api_permissions"]
    assert (made.description, made.api_key) == ("More", "mine")


def test_keys_that_a_state_gives_whole_are_those_of_the_set(
    compiler: FixtureCompiler, path: Path
) -> None:
    keys = [{"lago_id": "1", "value": "…-key"}, {"lago_id": "2", "value": "whole-key"}]
    state = saved_state(compiler, api_keys=keys)
    del state["organizations"][0]["organization"]["hmac_key"]

    made = compiler.compile(written(path, state))

    assert made.api_keys == [{"lago_id": "2", "value": "whole-key"}]
    assert made.organization["api_keys"] == []
    assert UUID.fullmatch(made.organization["hmac_key"])


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("version",), 2, "/version: const: 1"),
        (("organizations",), [], "/organizations: minItems: 1"),
        (("organizations", 0, "sequences"), None, '/organizations/0/sequences: type: "object"'),
        (
            ("organizations", 0, "collections", "customers", 3, "currency"),
            "GOLD",
            "/organizations/0/collections/customers/3/currency: "
            "enum, at /customers/0/currency in the answer of findAllCustomers",
        ),
    ],
)
def test_a_state_that_cannot_be_is_refused_by_its_place(
    compiler: FixtureCompiler, path: Path, place: tuple[Any, ...], value: Any, reason: str
) -> None:
    state = saved_state(compiler)
    node: Any = state
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value

    for content, before in ((state, ""), ({"state": state}, "/state")):
        file = written(path, content)
        with pytest.raises(DocumentError) as caught:
            compiler.compile(file)
        assert str(caught.value) == f"{file}: {before}{reason}"


@pytest.mark.parametrize("state", [None, 7, [], {}])
def test_a_state_must_be_one(compiler: FixtureCompiler, path: Path, state: Any) -> None:
    with pytest.raises(DocumentError, match=r"default\.json: /state: "):
        compiler.compile(written(path, {"state": state}))


def test_a_set_has_no_state_of_several_organizations(compiler: FixtureCompiler, path: Path) -> None:
    state = saved_state(compiler)
    state["organizations"] *= 2

    with pytest.raises(DocumentError) as caught:
        compiler.compile(file := written(path, state))

    assert str(caught.value) == (
        f"{file}: /organizations/1: a fixture set is of one organization. "
        "Save the state with that organization's key."
    )
