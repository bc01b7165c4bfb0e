"""The `[[docker]]` table that `opsdash init` writes for an engine that was discovered."""

from collections.abc import Mapping

from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.first_table import Entry, FirstTable


def first_table(name: str, settings: DockerSettings, environ: Mapping[str, str]) -> FirstTable:
    """The table of one discovered engine.

    Args:
        name: What the target will be called.
        settings: What discovery found.
        environ: Not looked at: what it says of certificates is in the settings.
    """
    if settings.context is not None:
        where = Entry(key="context", value=settings.context, comment="of the docker client")
    else:
        where = Entry(
            key="host",
            value=settings.host or "",
            comment="unix:///path, tcp://host:2376, or ssh://user@host",
        )
    files = {
        "ca_file": "certificates to trust instead of the system's",
        "cert_file": "our own certificate",
        "key_file": "and its key",
    }
    return FirstTable(
        entries=(
            where,
            *(
                Entry(key=key, value=getattr(settings, key), comment=comment)
                for key, comment in files.items()
                if getattr(settings, key) is not None
            ),
        )
    )
