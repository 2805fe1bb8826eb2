"""The little of a container engine that the tests of the image need, where there is no Docker.

`make image` builds with buildah; `unshare` and `chroot` run what an image's configuration says: as
the first process of its own process namespace, as its user, with its variables and no others, in
its tree, which is mounted read-only. The network is the machine's.

Docker Hub is not needed: a Debian with Python 3.13 takes the place of `python:3.13-slim` under its
name. This machine's certificates and pip settings are part of that stand-in, so that the Dockerfile
can do without them.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.process import environment

BASE_NAME = "docker.io/library/python:3.13-slim"
SUITE = "trixie"
"""The Debian that the official image of Python 3.13 is made from; it has the same Python."""

START_SECONDS = 30
STOP_SECONDS = 3
TOOL_SECONDS = 600

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")

_ENTER = """
set -e
root=$1 user=$2 folder=$3
shift 3
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mount -o "bind,$3" "$1" "$root$2"
  shift 3
done
shift
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" env -i --chdir="$folder" "$@"
"""


class ToolFailed(Exception):
    """A tool of this machine did not do its work; the text is what it said."""


class NoBase(Exception):
    """There is no stand-in for the base image, and none can be made here."""


def run_tool(*words: str) -> str:
    """Run a tool of this machine; return its stdout."""
    ended = subprocess.run(
        words, capture_output=True, encoding="utf-8", timeout=TOOL_SECONDS, check=False
    )
    if ended.returncode:
        raise ToolFailed(f"{shlex.join(words)}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
    return ended.stdout.strip()


def _pip_configuration() -> str:
    lines = run_tool(sys.executable, "-m", "pip", "config", "list").splitlines()
    told = (line.partition("=") for line in lines)
    given = {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in told}
    kept = {name: given[name] for name in PIP_SETTINGS if name in given}
    kept = {name: value for name, value in kept.items() if "file:" not in value}
    kept["cert"] = str(CERTIFICATES)
    return "\n".join(["[global]", *(f"{name} = {value}" for name, value in kept.items()), ""])


class Buildah:
    """buildah with a storage of its own in a folder, which is kept for the next run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._words = ("buildah", "--root", str(folder / "root"), "--runroot", str(folder / "run"))

    def __call__(self, *words: str) -> str:
        return run_tool(*self._words, *words)

    @contextmanager
    def image(self, source: Path, name: str, run: str) -> Iterator[Image]:
        """Give the image that `make image` builds in a folder under a name, its tree mounted.

        It is built anew by the first who asks in a run of the tests.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        built_for = self._folder / "built-for"
        with FileLock(self._folder / "lock"):
            if not built_for.exists():
                self._make_base()
            if not built_for.exists() or built_for.read_text() != run:
                self._build(source)
                built_for.write_text(run)
        config = json.loads(self("inspect", "--type", "image", name))["Docker"]["config"]
        container = self("from", "--pull-never", name)
        yield Image(Path(self("mount", container)), config)
        self("rm", container)

    def _build(self, source: Path) -> None:
        builder = f"BUILDER={shlex.join(self._words)}"
        run_tool(
            "make", "-C", str(source), "image", builder, "ARGS=--isolation chroot --pull-never"
        )
        self("rmi", "--prune")

    def _make_base(self) -> None:
        """Make the stand-in an image under the name of the true one."""
        archive = self._folder / "base.tar"
        unread = ("doc", "man", "locale")
        options = [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in unread]
        packages = ("--variant=essential", "--include=python3-venv,ca-certificates")
        try:
            run_tool("mmdebstrap", "--quiet", *packages, *options, SUITE, str(archive))
        except ToolFailed as error:
            raise NoBase(str(error)) from error
        container = self("from", "scratch")
        root = Path(self("mount", container))
        run_tool("tar", "-xf", str(archive), "-C", str(root))
        archive.unlink()
        shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
        (root / "etc/pip.conf").write_text(_pip_configuration())
        (root / "usr/bin/python").symlink_to("python3")
        self("umount", container)
        self("commit", "--quiet", "--rm", "--format", "docker", container, BASE_NAME)


@dataclass(frozen=True)
class Image:
    """A tree, its configuration as Docker writes it, and with what it is run.

    `mounts` maps a folder in the tree to one of this machine, and whether it may be written.
    """

    root: Path
    config: dict[str, Any]
    user: str = ""
    variables: Mapping[str, str] | None = None
    mounts: Mapping[str, tuple[Path, str]] | None = None

    def given(self, **changes: Any) -> Image:
        """Return the same image, run in another way."""
        return replace(self, **changes)

    @property
    def own_command(self) -> list[str]:
        """The command that a run without words is."""
        return [*self.config["Entrypoint"], *self.config["Cmd"]]

    def _entering(self, words: list[str]) -> list[str]:
        mounts = [
            word
            for target, (source, mode) in (self.mounts or {}).items()
            for word in (str(source), target, mode)
        ]
        for target in self.mounts or {}:
            (self.root / target.lstrip("/")).mkdir(exist_ok=True)
        variables = [*self.config["Env"], *(f"{k}={v}" for k, v in (self.variables or {}).items())]
        new = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private")
        where = (str(self.root), self.user or self.config["User"], self.config["WorkingDir"])
        return [*new, "sh", "-c", _ENTER, "sh", *where, *mounts, "--", *variables, *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its own end."""
        return subprocess.run(
            self._entering(list(words)),
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=START_SECONDS,
            check=False,
        )

    @contextmanager
    def start(self) -> Iterator[Running]:
        """Start its own command; whatever of it is left at the end is killed."""
        process = subprocess.Popen(
            self._entering(self.own_command),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        try:
            yield Running(self, process)
        finally:
            process.kill()  # and with it the first process of the namespace, so all of them
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def is_healthy(self) -> bool:
        """Tell what its health check says, run once as an engine does."""
        kind, *words = self.config["Healthcheck"]["Test"]
        assert kind == "CMD", "a shell would be needed"
        return self.run(*words).returncode == 0


@dataclass(frozen=True)
class Running:
    """A container that was started."""

    image: Image
    process: subprocess.Popen[str]

    def wait_until_healthy(self) -> None:
        """Ask the health check again and again."""
        self._wait_for(self.image.is_healthy)

    def wait_until_it_takes(self, wanted: signal.Signals) -> None:
        """Wait until its first process has a handler for a signal; without one it is ignored."""
        self._wait_for(lambda: self._caught() >> (wanted - 1) & 1 == 1)

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_so():
            assert self.process.poll() is None, f"it has ended: {self._rest()}"
            assert time.monotonic() < deadline, f"not so after {START_SECONDS} s"

    def _rest(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def _caught(self) -> int:
        status = Path(f"/proc/{self._first()}/status").read_text()
        return int(status.partition("SigCgt:")[2].split()[0], 16)

    def _first(self) -> int:
        """Return the first process of the namespace, as this machine numbers it."""
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        return int(children.split()[0]) if children else parent

    def stop(self) -> tuple[int, float, str]:
        """Stop it as an engine does; return status, seconds and all that it has written."""
        began = time.monotonic()
        os.kill(self._first(), getattr(signal, self.image.config["StopSignal"]))
        try:
            written, _ = self.process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {STOP_SECONDS} s") from None
        return self.process.returncode, time.monotonic() - began, written
