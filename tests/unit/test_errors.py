from __future__ import annotations

import pytest

from lago_mock.errors import (
    BadRequest,
    CodedError,
    Forbidden,
    InternalServerError,
    LagoError,
    MethodNotAllowed,
    NotFound,
    NotMocked,
    Problem,
    Unauthorized,
    ValidationFailed,
    body_in,
)
from lago_mock.wire import JSONObject


@pytest.mark.parametrize(
    ("error", "text", "body"),
    [
        pytest.param(
            BadRequest("customer"),
            "customer",
            {
                "status": 400,
                "error": "BadRequest: param is missing or the value is empty or invalid: customer",
            },
            id="400",
        ),
        pytest.param(Unauthorized(), "", {"status": 401, "error": "Unauthorized"}, id="401"),
        pytest.param(
            Forbidden("feature_unavailable"),
            "feature_unavailable",
            {"status": 403, "error": "Forbidden", "code": "feature_unavailable"},
            id="403",
        ),
        pytest.param(
            NotFound("tax_not_found"),
            "tax_not_found",
            {"status": 404, "error": "Not Found", "code": "tax_not_found"},
            id="404",
        ),
        pytest.param(
            MethodNotAllowed("immutable"),
            "immutable",
            {"status": 405, "error": "Method Not Allowed", "code": "immutable"},
            id="405",
        ),
        pytest.param(
            ValidationFailed.of("code", "value_already_exist"),
            "code: value_already_exist",
            {
                "status": 422,
                "error": "Unprocessable Entity",
                "code": "validation_errors",
                "error_details": {"code": ["value_already_exist"]},
            },
            id="422",
        ),
        pytest.param(
            InternalServerError("disk full"),
            "disk full",
            {"status": 500, "error": "Internal Server Error"},
            id="500",
        ),
        pytest.param(
            NotMocked("createPlan"),
            "createPlan",
            {
                "status": 501,
                "error": "Not Implemented",
                "code": "operation_not_mocked",
                "operation": "createPlan",
            },
            id="501",
        ),
    ],
)
def test_error_has_the_status_text_and_body_of_its_kind(
    error: LagoError, text: str, body: JSONObject
) -> None:
    assert (error.status, str(error)) == (body["status"], text)
    assert list(error.body().items()) == list(body.items())


@pytest.mark.parametrize(
    ("error", "then"),
    [
        pytest.param(BadRequest("customer"), "Bad Request", id="400"),
        pytest.param(Unauthorized(), "Unauthorized", id="401"),
        pytest.param(NotFound("tax_not_found"), "Not Found", id="404"),
        pytest.param(ValidationFailed.of("code", "bad"), "Unprocessable entity", id="422"),
        pytest.param(InternalServerError(), "Internal Server Error", id="500"),
    ],
)
def test_error_is_worded_as_its_era_did(error: LagoError, then: str) -> None:
    assert body_in("current", error) == error.body()
    assert body_in("2023", error) == error.body() | {"error": then}


@pytest.mark.parametrize("kind", [Forbidden, NotFound, MethodNotAllowed])
def test_coded_errors_keep_their_code(kind: type[CodedError]) -> None:
    assert kind("why").code == "why"


def test_not_mocked_keeps_its_operation() -> None:
    assert NotMocked("createPlan").operation_id == "createPlan"


def test_details_have_the_codes_of_a_field_in_order_and_each_once() -> None:
    failed = ValidationFailed(
        [
            Problem("value", "too_long", "maxLength", ("metadata", 0, "value")),
            Problem("key", "value_is_mandatory", "required", ("metadata", 0, "key")),
            Problem("value", "too_long", "maxLength", ("metadata", 1, "value")),
            Problem("value", "invalid", "enum", ("metadata", 1, "value")),
        ]
    )
    assert list(failed.details().items()) == [
        ("value", ["too_long", "invalid"]),
        ("key", ["value_is_mandatory"]),
    ]
    assert str(failed) == (
        "value: too_long, key: value_is_mandatory, value: too_long, value: invalid"
    )


def test_details_of_items_nest_one_level_deeper() -> None:
    failed = ValidationFailed(
        [
            Problem("countries", "bad", "enum", ("countries", 1), "1"),
            Problem("metadata", "must be a string", "type", ("metadata", "a"), "a"),
            Problem("countries", "bad", "enum", ("countries", 0), "0"),
            Problem("countries", "worse", "enum", ("countries", 1), "1"),
            Problem("countries", "bad", "enum", ("countries", 1), "1"),
        ]
    )
    assert failed.details() == {
        "countries": {"1": ["bad", "worse"], "0": ["bad"]},
        "metadata": {"a": ["must be a string"]},
    }


def test_failure_of_a_handlers_rule_is_a_problem_at_its_field() -> None:
    assert ValidationFailed.of("code", "value_already_exist").problems == (
        Problem("code", "value_already_exist", "value_already_exist", ("code",)),
    )


@pytest.mark.parametrize(
    ("path", "root", "pointer"),
    [
        pytest.param((), None, "", id="whole body"),
        pytest.param((), "customer", "/customer", id="root"),
        pytest.param(("name",), None, "/name", id="no root"),
        pytest.param(("metadata", 0, "key"), "customer", "/customer/metadata/0/key", id="index"),
        pytest.param(("a/b", "c~d", "~1"), "r/s", "/r~1s/a~1b/c~0d/~01", id="escaped"),
        pytest.param(("",), "customer", "/customer/", id="empty name"),
    ],
)
def test_pointer_leads_from_the_whole_body(
    path: tuple[str | int, ...], root: str | None, pointer: str
) -> None:
    assert Problem("f", "c", "k", path).pointer(root) == pointer
