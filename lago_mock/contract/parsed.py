"""What our own YAML files hold, kept as JSON where Python keeps what it compiles.

Reading them takes a fifth of a second at each start, and as JSON a hundredth of that. As with
Python's byte code, a file that has changed is read anew, and nothing is kept where nothing can be.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from lago_mock.data import data_folder


def parsed_once(path: Path, data: bytes, parse: Callable[[Path, bytes], Any]) -> Any:
    """Return what a file holds, parsed now or before; files of other people are parsed each time.

    Raises:
        DocumentError: what `parse` raises.
    """
    own = data_folder()
    if not path.is_relative_to(own):
        return parse(path, data)
    kept = kept_folder() / f"{'.'.join(path.relative_to(own).parts)}.json"
    mark = hashlib.sha256(data).hexdigest().encode()
    with suppress(OSError, ValueError):
        found, _, text = kept.read_bytes().partition(b"\n")
        if found == mark:
            return orjson.loads(text)
    content = parse(path, data)
    if not sys.dont_write_bytecode:
        with suppress(OSError, TypeError):
            _keep(kept, b"%b\n%b" % (mark, orjson.dumps(content)))
    return content


def kept_folder() -> Path:
    """Return where Python keeps the byte code of this package."""
    return Path(__file__).parent.parent / "__pycache__"


def _keep(kept: Path, content: bytes) -> None:
    """Write a file whole: two that start at once write the same."""
    kept.parent.mkdir(exist_ok=True)
    aside = kept.with_name(f"{kept.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(kept)
