"""Lago's failures, each with its status and the body that clients parse.

    LagoError
    ├── BadRequest          400  {"status", "error"}; the error names the missing root
    ├── Unauthorized        401  {"status", "error"}
    ├── Forbidden           403  {"status", "error", "code"}
    ├── NotFound            404  {"status", "error", "code"}
    ├── MethodNotAllowed    405  {"status", "error", "code"}
    ├── ValidationFailed    422  {"status", "error", "code", "error_details"}
    ├── TooManyRequests     429  {"status", "error"}
    ├── InternalServerError 500  {"status", "error"}
    └── NotMocked           501  {"status", "error", "code", "operation"}; never sent by Lago

Shapes: lago-api, app/controllers/concerns/api_errors.rb and api_responses.rb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from lago_mock.pointers import pointer
from lago_mock.wire import JSONObject


@dataclass(frozen=True)
class Problem:
    """One rule that a request breaks: `field` and `code` as Lago's `error_details` name them.

    `path` leads from the root object of the body to the value, `keyword` is the rule of the
    schema, or the name of the handler's rule. `item` is the index or key inside the field, where
    Lago's details nest one level deeper: in the filters of lists. `beside_root` says that the path
    begins at the top, with a key beside the root or a query parameter.
    """

    field: str
    code: str
    keyword: str
    path: tuple[str | int, ...] = ()
    item: str | None = None
    beside_root: bool = False

    def pointer(self, root: str | None) -> str:
        """Return the JSON pointer of the value in the whole body."""
        steps = (*([root] if root and not self.beside_root else []), *self.path)
        return pointer(*steps)


class LagoError(Exception):
    """A failure that is answered in Lago's shape."""

    status: ClassVar[int]
    error: ClassVar[str]

    def body(self) -> JSONObject:
        """Return the answer's body, its keys in the order of the real server."""
        return {"status": self.status, "error": self.error}


class BadRequest(LagoError):
    """The body has no usable root object; always JSON, unlike the 400 for bad syntax."""

    status = 400
    error = "BadRequest: param is missing or the value is empty or invalid"

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.root = root

    def body(self) -> JSONObject:
        """Return the body whose error names the root."""
        return {"status": self.status, "error": f"{self.error}: {self.root}"}


_ERA_2023: Final = MappingProxyType({400: "Bad Request", 422: "Unprocessable entity"})
"""Texts of errors until 2023; the others were as they are."""


def body_in(era: str, error: LagoError) -> JSONObject:
    """Return the body of an error as the API of an era words it."""
    body = error.body()
    return {**body, "error": text_in(era, error.status, str(body["error"]))}


def text_in(era: str, status: int, text: str) -> str:
    """Return what an error of a status is called in an era; `text` is what it is called today."""
    return _ERA_2023.get(status, text) if era == "2023" else text


class Unauthorized(LagoError):
    """No key, or one that names no organization."""

    status = 401
    error = "Unauthorized"


class CodedError(LagoError):
    """A failure told apart by its `code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def body(self) -> JSONObject:
        """Return the body with the code last."""
        return {"status": self.status, "error": self.error, "code": self.code}


class TooManyRequests(LagoError):
    """429: the organization's quota is used up."""

    status = 429
    error = "Too Many Requests"


class Forbidden(CodedError):
    """The key or the license does not allow it."""

    status = 403
    error = "Forbidden"


class NotFound(CodedError):
    """No such thing: `customer_not_found`, or `resource_not_found` where nothing is routed."""

    status = 404
    error = "Not Found"


class MethodNotAllowed(CodedError):
    """A business rule forbids it in the present state; never said of a wrong verb."""

    status = 405
    error = "Method Not Allowed"


class ValidationFailed(LagoError):
    """Values that break a rule, by field; codes of one field stand in the order they were found."""

    status = 422
    error = "Unprocessable Entity"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in problems))
        self.problems = tuple(problems)

    @classmethod
    def of(cls, field: str, code: str) -> ValidationFailed:
        """Make the failure of one handler's rule, named like its code."""
        return cls([Problem(field, code, code, (field,))])

    def details(self) -> JSONObject:
        """Return field -> codes, each code once, in the order found."""
        details: JSONObject = {}
        for problem in self.problems:
            if problem.item is None:
                codes = details.setdefault(problem.field, [])
            else:
                codes = details.setdefault(problem.field, {}).setdefault(problem.item, [])
            if problem.code not in codes:
                codes.append(problem.code)
        return details

    def body(self) -> JSONObject:
        """Return the body with `error_details`."""
        return {
            "status": self.status,
            "error": self.error,
            "code": "validation_errors",
            "error_details": self.details(),
        }


class InternalServerError(LagoError):
    """A bug of ours, or a store that cannot be written."""

    status = 500
    error = "Internal Server Error"


class NotMocked(LagoError):
    """Lago has this operation and lago-mock does not: a 404 would be taken for Lago's own."""

    # Differs from Lago: an operation without a handler answers 501 operation_not_mocked.

    status = 501
    error = "Not Implemented"

    def __init__(self, operation_id: str) -> None:
        super().__init__(operation_id)
        self.operation_id = operation_id

    def body(self) -> JSONObject:
        """Return the body that names the operation."""
        return {
            "status": self.status,
            "error": self.error,
            "code": "operation_not_mocked",
            "operation": self.operation_id,
        }
