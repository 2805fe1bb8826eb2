"""The container image for tests in Python; needs the extra `testcontainers`.

with LagoMockContainer() as lago:
    client = Client(api_key=lago.api_key, api_url=lago.url)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Self

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy
from testcontainers.core.waiting_utils import WaitStrategyTarget

PORT: Final = 3000
DEFAULT_IMAGE: Final = "lago-mock"


class _Ready(LogMessageWaitStrategy):
    """Waits for the last line of a start."""

    def __init__(self) -> None:
        super().__init__(re.compile(r"Ready\."))

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Note why a container has ended: it is removed, with all that it has written."""
        try:
            super().wait_until_ready(container)
        except RuntimeError as error:
            _, written = container.get_logs()
            error.add_note(written.decode())
            raise


class LagoMockContainer(DockerContainer):
    """A server in a container of its own, on a free port; it has said `Ready.` when it is entered.

    `api_key` is the key of its first organization. The state is kept in memory. Any other setting
    is a variable: `with_env("LAGO_MOCK_ERA", "2023")`. What else is given goes to
    `DockerContainer`.
    """

    def __init__(
        self, image: str = DEFAULT_IMAGE, *, api_key: str = "lago-mock-key", **given: Any
    ) -> None:
        super().__init__(image, **given)
        self.api_key = api_key
        self.with_exposed_ports(PORT)
        self.with_envs(LAGO_MOCK_API_KEY=api_key, LAGO_MOCK_DB=":memory:")
        self.waiting_for(_Ready())

    def with_fixtures(self, path: Path | str) -> Self:
        """Start from a fixture set of one's own; its folder is mounted, to be read alone."""
        file = Path(path).resolve()
        self.with_volume_mapping(str(file.parent), "/fixtures", "ro")
        return self.with_env("LAGO_MOCK_FIXTURES", f"/fixtures/{file.name}")

    @property
    def url(self) -> str:
        """The root URL that this machine reaches it by, once it runs."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"
