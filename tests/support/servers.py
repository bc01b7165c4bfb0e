"""PostgreSQL servers of a test run: one keeper owns them all, so that nothing outlives even a killed run."""

from collections.abc import Mapping
from pathlib import Path

from opsdash.tui.demo.binaries import Binaries, NoServerError, find_binaries
from opsdash.tui.demo.keeper_link import Keeper, server_user
from opsdash.tui.demo.servers import PostgresServer
from tests.support.needs import require


class ServerPark:
    """Starts servers for tests: initdb once for each major version, then copies."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._binaries: dict[int, Binaries] = {}
        self._templates: dict[int, Path] = {}
        self._count = 0

    def start(
        self, major: int = 18, options: Mapping[str, str | int] | None = None, name: str = "server"
    ) -> PostgresServer:
        """A server that takes connections; the test is skipped where that version is not installed."""
        binaries = self._find(major)
        server = PostgresServer(
            self._keeper,
            binaries,
            name=self._next_name(f"{name}-{major}"),
            options=options,
            template=self._template(binaries),
        )
        server.wait_ready()
        return server

    def _next_name(self, name: str) -> str:
        self._count += 1
        return f"{name}-{self._count}"

    def _find(self, major: int) -> Binaries:
        if major not in self._binaries:
            try:
                self._binaries[major] = find_binaries(self._keeper.folder, user=server_user(), major=major)
            except NoServerError as error:
                require(f"pg{major}", str(error))
        return self._binaries[major]

    def _template(self, binaries: Binaries) -> Path:
        major = binaries.major
        if major not in self._templates:
            first = PostgresServer(self._keeper, binaries, name=self._next_name(f"template-{major}"))
            first.wait_ready()
            first.stop()
            self._templates[major] = first.data_dir
        return self._templates[major]
