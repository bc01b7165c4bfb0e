"""What came of one request, before it is judged: an answer, or what went wrong on the way."""

import msgspec

from opsdash.collectors.http.rows import Chain, Hop, Phases, Trouble


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no whole answer."""

    trouble: Trouble
    reason: str
    hint: str


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request, redirects included."""

    phases: Phases = Phases()
    address: str | None = None
    hops: tuple[Hop, ...] = ()
    chain: Chain | None = None
    broken: Broken | None = None
    """None: `status` and the rest are those of the last answer."""
    status: int | None = None
    phrase: str = ""
    media_type: str | None = None
    body: bytes = b""
    is_cut: bool = False
    """The body goes on beyond the limit; the rest was not read."""
    is_encoded: bool = False
    """Compressed although plain text was asked for: it is not unpacked."""
