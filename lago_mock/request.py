"""One HTTP request as the API reads it: key, body and parameters, and what it wants back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope

from lago_mock.parameters import (
    MalformedMediaType,
    parse_form,
    parse_media_type,
    parse_multipart,
    parse_query,
)
from lago_mock.wire import JSON, JSONObject, decode, drop_nulls

_JSON_TYPES = (
    "application/json",
    "application/problem+json",
    "text/x-json",
    "application/jsonrequest",
)


_MORE: Mapping[str, Any] = MappingProxyType({"more_body": True})


_USUAL = ("*/*", "application/json")
"""What nearly every client sends, and needs no parsing."""


class TooLarge(Exception):
    """A part of the request is over its limit; `status` is 413, 414 or 431."""

    # Differs from Lago: bodies, headers and queries have limits of their own (413, 431, 414).

    def __init__(self, status: int, what: str, limit: int) -> None:
        super().__init__(f"the {what} is over the limit of {limit} bytes")
        self.status = status


class NotAcceptable(Exception):
    """A media type that cannot be read, in `Content-Type` or `Accept`: 406."""


class ClientGone(Exception):
    """The client went, in the midst of its request or while it waited: nobody is to be answered."""

    def __init__(self) -> None:
        super().__init__("the client went before it was answered")


class Interrupted(Exception):
    """The call waited, and what it waited in was reset or stopped: it must write nothing."""


@dataclass(frozen=True)
class Limits:
    """The most bytes that each part of a request may have."""

    body: int
    headers: int
    query: int


class Request:
    """A request whose head is there; `read_body` fetches the rest.

    `raw_path` is the path as it was sent, still percent-encoded. `in_body` is what `parameters`
    found in the body, before the query was laid over it.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self.raw_path = raw.partition(b"?")[0].decode("utf-8", "surrogateescape")
        self.body = b""
        self.in_body: JSONObject = {}

    @property
    def plain_path(self) -> str:
        """The raw path with no slash doubled: a further one counts for nothing."""
        path = self.raw_path
        return re.sub("/{2,}", "/", path) if "//" in path else path

    @property
    def decoded_path(self) -> str:
        """The path for people to read: what cannot be decoded is replaced."""
        path = self.raw_path
        if path.isascii() and "%" not in path:
            return path
        return unquote_to_bytes(path.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    @property
    def base_url(self) -> str:
        """The URL that the client reached the server by, without a path."""
        return f"{self.scope['scheme']}://{self.header(b'host')}"

    def header(self, name: bytes) -> str:
        """Return a header's value, empty when it is absent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def api_key(self) -> str | None:
        """The second word of `Authorization`, whatever the first one is."""
        # Differs from Lago: the HTTP parser refuses a NUL in the key with 400; there it is a 500.
        words = self.headers.get(b"authorization", b"").split()
        return words[1].decode("latin-1") if len(words) > 1 else None

    def check_head(self, limits: Limits) -> None:
        """Refuse a head that is too large.

        Raises:
            TooLarge: 431 for the headers, 414 for the query.
        """
        size = sum(map(len, chain.from_iterable(self.scope["headers"])))
        if size > limits.headers:
            raise TooLarge(431, "head of the request", limits.headers)
        if len(self.scope["query_string"]) > limits.query:
            raise TooLarge(414, "query", limits.query)

    @property
    def may_have_body(self) -> bool:
        """Whether a body may follow: before HTTP/2 the head tells of each, be it empty."""
        told = b"content-length" in self.headers or b"transfer-encoding" in self.headers
        return told or self.scope.get("http_version") in ("2", "3")

    async def read_body(self, receive: Receive, limits: Limits, ended: asyncio.Event) -> None:
        """Fetch the body.

        Raises:
            TooLarge: 413.
            ClientGone: it did not arrive whole.
            Interrupted: `ended` was set while the rest of it was waited for.
        """
        length = self.header(b"content-length")
        if length.isdecimal() and int(length) > limits.body:
            raise TooLarge(413, "body", limits.body)
        chunks: list[bytes] = []
        size, message = 0, _MORE
        while message.get("more_body", False):
            message = await (_next(receive, ended) if chunks else receive())
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limits.body:
                raise TooLarge(413, "body", limits.body)
        if message["type"] == "http.disconnect":
            raise ClientGone
        self.body = b"".join(chunks)

    def parameters(self) -> JSONObject:
        """Return body and query as one object: a key of the query goes before the body's.

        Raises:
            Unparsable: 400, neither form nor JSON, or the query's encoding is broken.
            NotAcceptable: 406, a media type that is none.
        """
        media_type = self._media_type()
        query = self.scope["query_string"]
        given = parse_query(query) if query else {}
        if not self.body:
            return given
        body = self._read(media_type)
        self.in_body = body if isinstance(body, dict) else {}
        return {**self.in_body, **given}

    def _media_type(self) -> str:
        content_type, accept = self.header(b"content-type"), self.header(b"accept")
        try:
            for each in accept.split(",") if accept and accept not in _USUAL else ():
                parse_media_type(each.strip())
            if content_type in _USUAL or not content_type:
                return content_type
            return parse_media_type(content_type)
        except MalformedMediaType as error:
            raise NotAcceptable(str(error)) from error

    def _read(self, media_type: str) -> JSON:
        if media_type in _JSON_TYPES:
            value = decode(self.body)
            return drop_nulls(value) if b"null" in self.body else value
        if media_type == "application/x-www-form-urlencoded":
            return parse_form(self.body)
        if media_type == "multipart/form-data":
            return parse_multipart(self.body, self.header(b"content-type"))
        return None

    def wants_json(self) -> bool:
        """Tell whether an answer below the controllers is JSON: only when `Accept` says so first.

        A list that contains `*/*` is a browser's.
        """
        accept = self.header(b"accept")
        first, _, rest = accept.partition(",")
        return first.partition(";")[0].strip().lower() == "application/json" and "*/*" not in rest


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone; what else it sends is passed over."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _next(receive: Receive, ended: asyncio.Event) -> Any:
    """Return the next message, unless `ended` is set before it comes."""
    message = asyncio.ensure_future(receive())
    end = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait((message, end), return_when=asyncio.FIRST_COMPLETED)
        if not message.done():
            raise Interrupted
        return message.result()
    finally:
        message.cancel()
        end.cancel()
