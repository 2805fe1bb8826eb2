"""How a running server is reached, by this process and by those that it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lago_mock.client import AdminClient
from lago_mock.settings import settings_of
from lago_mock.wire import JSONObject

if TYPE_CHECKING:
    from lago_mock.testing.background import BackgroundServer

URL: Final = "LAGO_MOCK_URL"
"""Variable that names the server to use in place of one that is started."""

TOKEN: Final = "LAGO_MOCK_ADMIN_TOKEN"

OF_ORGANIZATIONS: Final = ("fixtures", "license")
OF_RULES: Final = ("era", "validation")
"""Settings of a server that an organization of one elsewhere can have for itself."""


@dataclass(frozen=True)
class Reached:
    """A server as the handles of its organizations share it.

    `in_process` is the server itself where it is one of this process. `usual` are settings that
    organizations of a server elsewhere are to have, by the names of the server's.
    """

    admin: AdminClient
    token: str | None
    in_process: BackgroundServer | None = None
    usual: JSONObject = field(default_factory=dict)

    def with_usual(self, settings: Mapping[str, Any]) -> Reached:
        """Return the same server, with some of the settings as usual ones.

        Raises:
            SettingError: there is no such setting, or not with this value.
        """
        return replace(self, usual={**self.usual, **usual_elsewhere(settings)})

    def usual_in(self, names: Sequence[str]) -> JSONObject:
        """Return some of the usual settings."""
        return {name: self.usual[name] for name in names if name in self.usual}


def usual_elsewhere(settings: Mapping[str, Any]) -> JSONObject:
    """Return the settings that an organization can have on a server that has its own.

    Raises:
        SettingError: there is no such setting, or not with this value.
    """
    settings_of(settings, Path.cwd())
    names = (*OF_ORGANIZATIONS, *OF_RULES)
    usual = {name: settings[name] for name in names if settings.get(name) is not None}
    if is_file(usual.get("fixtures", "")):
        del usual["fixtures"]
    return usual


def is_file(fixtures: str) -> bool:
    """Tell whether a fixture set is named by a path, and so is a file of this machine."""
    return not {*"/.\\"}.isdisjoint(fixtures)


def environ_of(url: str, api_key: str, token: str | None) -> dict[str, str]:
    """Return the variables that lead a process to an organization of a server.

    All URLs are the root: Lago's own variable LAGO_API_URL is, and so is what clients call api_url.
    """
    own = {"LAGO_URL": url, "LAGO_API_URL": url, "LAGO_API_KEY": api_key, URL: url}
    return {**own, TOKEN: token} if token else own
