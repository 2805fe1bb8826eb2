from __future__ import annotations

import asyncio
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from starlette.applications import Starlette

from lago_mock.app import (
    LagoMockApp,
    build,
    create_app,
    load_admin_contract,
    load_contract,
)
from lago_mock.contract.loader import DocumentError, load_document
from lago_mock.data import data_folder
from lago_mock.operations import handlers_of
from lago_mock.resource import Call
from lago_mock.resources import load_resources
from lago_mock.settings import SettingError, Settings
from lago_mock.store.store import StoreError, StoreUnwritable

KEY = {"authorization": "Bearer lago-mock-key"}
THEIRS = """
openapi: 3.1.0
paths:
  /zebras:
    get:
      operationId: zzz
      responses:
        "200":
          description: All zebras.
          content: {application/json: {schema: {type: object}}}
"""
TAX = {"tax": {"code": "vat", "name": "VAT", "rate": 20}}


def ask(app: Starlette, method: str, path: str, **options: Any) -> httpx.Response:
    """Ask an application one thing, without a server."""

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            return await client.request(method, path, headers=KEY, **options)

    return asyncio.run(exchange())


def live(app: LagoMockApp) -> None:
    """Let an application live through its life span: from start to end, nothing asked."""

    async def span() -> None:
        async with app.asgi.router.lifespan_context(app.asgi):
            pass

    asyncio.run(span())


def tax_codes(app: Starlette) -> list[str]:
    return [tax["code"] for tax in ask(app, "GET", "/api/v1/taxes").json()["taxes"]]


def foreign_document(folder: Path, *removed: str) -> Path:
    """Write our own document as one file, without some operations, and return its path."""
    tree = load_document(data_folder() / "openapi").tree
    paths = {
        path: {
            key: value
            for key, value in item.items()
            if not isinstance(value, dict) or value.get("operationId") not in removed
        }
        for path, item in tree["paths"].items()
    }
    file = folder / "theirs.json"
    file.write_bytes(orjson.dumps({**tree, "paths": paths}))
    return file


def test_an_application_without_settings_is_in_memory_with_the_default_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = create_app()

    assert ask(app, "POST", "/api/v1/taxes", json=TAX).status_code == 200

    assert tax_codes(app) == ["vat", "export_0", "iva_23"]
    assert list(tmp_path.iterdir()) == []


def test_a_server_takes_the_application_for_one_of_asgi_3() -> None:
    server = uvicorn.Config(create_app, factory=True, log_config=None)

    server.load()

    assert server.interface == "asgi3"


def test_two_applications_share_nothing() -> None:
    first, second = create_app(), create_app()

    ask(first, "POST", "/api/v1/taxes", json=TAX)

    assert tax_codes(second) == ["export_0", "iva_23"]


@pytest.mark.parametrize(
    ("path", "status", "key"),
    [
        pytest.param("/health", 200, "github_url", id="health"),
        pytest.param("/ready", 200, "status", id="ready"),
        pytest.param("/__admin/version", 200, "lago_version", id="admin"),
        pytest.param("/api/v1/organizations", 200, "organization", id="api"),
        pytest.param("/api/v1/taxes/", 200, "taxes", id="api with a slash at the end"),
        pytest.param("/nowhere", 404, "code", id="elsewhere"),
    ],
)
def test_each_path_leads_to_its_part(path: str, status: int, key: str) -> None:
    answer = ask(create_app(), "GET", path)

    assert (answer.status_code, key in answer.json()) == (status, True)


def test_settings_choose_key_name_and_set() -> None:
    app = build(
        Settings(db=":memory:", fixtures="empty", api_key="secret", organization_name="Mine")
    )

    sandbox = app.server.tenants.of("secret")
    assert sandbox is not None
    assert app.store.organizations()[0]["name"] == "Mine"
    assert (tax_codes_of(app), app.restored) == ([], False)


def tax_codes_of(app: LagoMockApp) -> list[str]:
    owner = app.store.organizations()[0]["lago_id"]
    return [row["code"] for row in app.store.view(owner).newest_first("taxes")]


def test_a_file_is_taken_up_again_after_the_end_of_the_life_span(tmp_path: Path) -> None:
    settings = Settings(db=str(tmp_path / "state.json"))
    first = build(settings)
    ask(first.asgi, "POST", "/api/v1/taxes", json=TAX)
    live(first)
    assert (tmp_path / "state.json").is_file()

    second = build(settings)
    assert (first.restored, second.restored) == (False, True)
    assert tax_codes(second.asgi) == ["vat", "export_0", "iva_23"]
    live(second)

    third = build(replace(settings, reset=True))
    assert (third.restored, tax_codes(third.asgi)) == (False, ["export_0", "iva_23"])
    live(third)


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    settings = Settings(db=str(tmp_path / "state.json"))
    first = build(settings)

    with pytest.raises(StoreError, match="another lago-mock has this file open"):
        build(settings)

    live(first)


def test_a_start_that_the_disk_refuses_lets_go_of_the_file(tmp_path: Path) -> None:
    settings = Settings(db=str(tmp_path / "state.json"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StoreUnwritable) as caught:
            build(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    app = build(settings)

    assert str(caught.value) == f"{tmp_path / 'state.json.journal.0'}: File too large"
    assert tax_codes(app.asgi) == ["export_0", "iva_23"]
    live(app)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param(
            {"fixtures": "defualt"},
            "defualt: there is no such fixture set. Did you mean default?",
            id="fixture set",
        ),
        pytest.param(
            {"openapi": "missing.yaml"},
            "missing.yaml: cannot be read: No such file or directory",
            id="document",
        ),
    ],
)
def test_what_is_broken_is_refused_before_the_file_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DocumentError) as caught:
        build(Settings(**settings))

    assert str(caught.value) == reason
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_none_is_refused_before_the_file_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingError, match=r"^webhook_allow has 'hooks\.test:80'; give private, "):
        build(Settings(webhook_allow="hooks.test:80"))

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{}", encoding="utf-8")

    with pytest.raises(StoreError, match="no store of lago-mock"):
        create_app(Settings(db=str(path)))

    assert path.read_text(encoding="utf-8") == "{}"


def test_the_contract_compiles_the_operations_that_have_a_handler() -> None:
    resources = load_resources()
    contract = load_contract(resources)

    compiled = {each.id for each in contract.operations.values() if each.answers}
    assert compiled == set(handlers_of(resources))
    assert contract.foreign is False


def test_a_broken_rule_of_an_operation_without_a_handler_is_found_by_the_check_alone(
    tmp_path: Path,
) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_text(THEIRS.replace("object", "oblong"), encoding="utf-8")
    resources = load_resources()

    assert list(load_contract(resources, file).operations) == ["zzz"]
    with pytest.raises(DocumentError) as caught:
        load_contract(resources, file, check=True)

    assert (caught.value.file, caught.value.place) == (file, "/paths/~1zebras/get")


def test_the_admin_contract_has_every_operation_compiled() -> None:
    contract = load_admin_contract()

    assert [each.id for each in contract.operations.values() if not each.answers] == []


def test_a_document_that_lacks_an_operation_is_served_as_far_as_it_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = foreign_document(tmp_path, "destroyTax", "findTax")

    app = create_app(Settings(db=":memory:", openapi=str(file)))

    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("lago_mock", "WARNING"),
        ("lago_mock", "WARNING"),
    ]
    destroy, find = caplog.messages
    assert destroy.startswith(f"{file} has no operation destroyTax: it is not served. The closest")
    assert find.startswith(f"{file} has no operation findTax: it is not served. The closest is ")
    assert ask(app, "GET", "/api/v1/taxes/iva_23").status_code == 404
    assert ask(app, "DELETE", "/api/v1/taxes/iva_23").status_code == 404
    assert tax_codes(app) == ["export_0", "iva_23"]
    assert ask(app, "GET", "/__admin/openapi.json").json() == orjson.loads(file.read_bytes())


def test_a_document_of_other_operations_is_served_without_a_suggestion(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_text(THEIRS, encoding="utf-8")

    app = create_app(Settings(db=":memory:", openapi=str(file)))

    assert f"{file} has no operation createTax: it is not served." in caplog.messages
    assert len(caplog.messages) == len(handlers_of(load_resources()))
    answer = ask(app, "GET", "/api/v1/zebras")
    assert (answer.status_code, answer.json()["operation"]) == (501, "zzz")


@pytest.mark.parametrize(
    ("operation", "advice"),
    [
        pytest.param("createTaxes", ". The closest is createTax.", id="with a close one"),
        pytest.param("0123456789", "", id="with none close"),
    ],
)
def test_a_handler_without_an_operation_in_our_own_document_is_refused(
    operation: str, advice: str
) -> None:
    resources = load_resources()
    taxes = resources["taxes"]
    spoilt = replace(taxes, operations={operation: taxes.operations["createTax"]})

    with pytest.raises(DocumentError) as caught:
        load_contract({**resources, "taxes": spoilt})

    assert str(caught.value) == (
        f"{data_folder() / 'openapi'}: the handler of {operation} finds no operation{advice}"
    )


def create_tax_badly(call: Call) -> dict[str, Any]:
    """Put a tax, and answer what the document forbids."""
    call.view.put("taxes", {"lago_id": call.new_id(), **call.body})
    call.view.next_in_sequence("taxes")
    return {"tax": {"code": call.body["code"]}}


@pytest.fixture
def resources_with_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `createTax` answer what the document forbids."""
    resources = load_resources()
    taxes = resources["taxes"]
    operations = {**taxes.operations, "createTax": create_tax_badly}
    spoilt = {**resources, "taxes": replace(taxes, operations=operations)}
    monkeypatch.setattr("lago_mock.app.load_resources", lambda: spoilt)


@pytest.mark.usefixtures("resources_with_a_bug")
def test_an_answer_that_our_document_forbids_is_a_500_and_saves_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = build(Settings(db=":memory:", fixtures="empty"))
    owner = app.store.organizations()[0]["lago_id"]
    before = app.store.state(owner)

    answer = ask(app.asgi, "POST", "/api/v1/taxes", json=TAX)

    assert answer.status_code == 500
    assert answer.json() == {"status": 500, "error": "Internal Server Error"}
    assert tax_codes(app.asgi) == []
    assert app.store.state(owner) == before
    assert ([name for name, _ in before.pages()], before.sequences) == (["billing_entities"], {})
    (record,) = (each for each in caplog.records if each.name == "lago_mock.errors")
    assert record.message.startswith(
        "a bug of lago-mock: createTax answered what the document forbids: /tax "
    )


@pytest.mark.usefixtures("resources_with_a_bug")
def test_an_answer_that_a_document_of_the_users_forbids_is_given_with_a_warning(
    tmp_path: Path,
) -> None:
    file = foreign_document(tmp_path)
    app = create_app(Settings(db=":memory:", fixtures="empty", openapi=str(file)))

    answer = ask(app, "POST", "/api/v1/taxes", json=TAX)

    assert (answer.status_code, answer.json()) == (200, {"tax": {"code": "vat"}})
    assert answer.headers["x-lago-mock-warning"].startswith(
        "createTax answered what the document forbids: /tax "
    )


@pytest.mark.usefixtures("resources_with_a_bug")
def test_a_set_that_meets_a_bug_is_refused_with_its_place() -> None:
    with pytest.raises(DocumentError) as caught:
        build(Settings(db=":memory:"))

    assert caught.value.file == data_folder() / "fixtures" / "default.yaml"
    assert caught.value.place == "/taxes/0"


@pytest.mark.parametrize(
    ("settings", "issuer"),
    [
        pytest.param({}, "http://127.0.0.1:3000", id="as it comes"),
        pytest.param({"host": "::1", "port": 3001}, "http://[::1]:3001", id="IPv6"),
        pytest.param({"host": "0.0.0.0"}, "http://127.0.0.1:3000", id="every address"),
        pytest.param({"ssl_cert": "cert.pem"}, "https://127.0.0.1:3000", id="HTTPS"),
        pytest.param({"public_url": "https://mock.test"}, "https://mock.test", id="proxy"),
    ],
)
def test_webhooks_are_of_the_url_that_clients_reach_the_server_by(
    settings: dict[str, Any], issuer: str
) -> None:
    app = build(Settings(db=":memory:", **settings))

    assert app.server.tenants.courier.issuer == issuer
