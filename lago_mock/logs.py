"""Lines of the log: text for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from lago_mock.answer import printable
from lago_mock.journal import Entry
from lago_mock.wire import JSONObject


@dataclass(frozen=True)
class Served:
    """One request as the log tells of it; as the message of a record it is a line of text.

    `status` is None when the client went before there was an answer. Neither form holds a header
    or the query: keys stand there.
    """

    entry: Entry
    status: int | None
    seconds: float
    request_id: str

    def __str__(self) -> str:
        entry = self.entry
        notes = [note for note in (entry.reason(), entry.hint) if note]
        if entry.fault_id:
            notes.insert(0, f"fault {entry.fault_id}")
        line = f"{entry.method} {entry.path} {self.status or '-'} {entry.operation_id or '-'}"
        line += f" {self.seconds * 1000:.1f} ms{': ' if notes else ''}{'; '.join(notes)}"
        # What a client sends must not look like a line of ours.
        return line if line.isprintable() else printable(line)

    def fields(self) -> JSONObject:
        """Return it as JSON; what `GET /__admin/requests` has too is called the same."""
        entry = self.entry
        reasons = [f"{each.pointer(entry.root)} {each.keyword}" for each in entry.problems]
        return {
            "message": f"{entry.method} {entry.path} {self.status or '-'}",
            "method": entry.method,
            "path": entry.path,
            "status": self.status,
            "operation": entry.operation_id,
            "duration_ms": round(self.seconds * 1000, 3),
            "organization": entry.organization_id,
            "fault": entry.fault_id,
            "reasons": reasons or [entry.refusal] * bool(entry.refusal),
            "hint": entry.hint,
            "request_id": self.request_id,
        }


class JsonFormatter(logging.Formatter):
    """Makes each record an object in a line: `time`, `level`, `message`, and those of a request.

    The time is the machine's, whatever the clock of the mock says.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback stands in `exception`."""
        what = record.msg
        told = what.fields() if isinstance(what, Served) else {"message": record.getMessage()}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return _json_line(record.levelname.lower(), told, record.created)


def log_to_stderr(level: str, form: str) -> None:
    """Send all records to stderr, our own from a level on, in a form of the setting `log_format`.

    Those of the libraries count from `warning` on.
    """
    handler = logging.StreamHandler()
    if form == "json":
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, format="%(message)s")
    logging.getLogger("lago_mock").setLevel(level.upper())


def shown(line: str, form: str) -> str:
    """Return a line that stdout gets at the start, in a form of the setting `log_format`."""
    return line if form == "text" else _json_line("info", {"message": line}, time.time())


def _json_line(level: str, told: JSONObject, seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": moment.replace("+00:00", "Z"), "level": level, **told})
