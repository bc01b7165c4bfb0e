"""The demo's stories as values: who holds which row, and who comes to wait. Loads no client library."""

from collections.abc import Mapping

import msgspec

SHOP_NAME = "shop.example"
"""The name that the shop's certificate is for; no name server needs to know it."""

CA_FILE = "ca.pem"
"""In the folder of the certificates: the root that opsdash is to trust."""

HOLDS = "holds the row"
"""Said in the shop's log once for each jam, when it has begun."""

SERVES = "serves over HTTP and TLS"
"""Said in the shop's log when the shop can be asked."""


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An application, as the server sees it."""

    application: str
    user: str


CHECKOUT = Client(application="checkout", user="shop_app")
API = Client(application="api", user="shop_api")
BILLING = Client(application="billing", user="shop_app")
REPORTING = Client(application="reporting", user="reporting")


class Jam(msgspec.Struct, frozen=True, kw_only=True):
    """One row that somebody holds, and the line that grows behind it."""

    sku: str
    holder: Client
    """Leaves its transaction open."""
    writers: tuple[Client, ...]
    """Who comes to wait, in turn."""
    waiting: int
    """How long the line gets."""
    idle: int
    """Sessions that pools open meanwhile, in vain: this is how connections climb."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What happens on the server that is in trouble."""

    summary: str
    jams: tuple[Jam, ...]
    """Customers of the shop want what the first one is about, through its own pool (see `shop.py`)."""


DEFAULT_STORY = "one-root"

STORIES: Mapping[str, Story] = {
    DEFAULT_STORY: Story(
        summary="a forgotten transaction holds a row: 14 writers pile up behind it, connections climb",
        jams=(Jam(sku="KX-1042", holder=CHECKOUT, writers=(CHECKOUT, API), waiting=11, idle=9),),
    ),
    "two-roots": Story(
        summary="two forgotten transactions hold a row each: two lines of writers, connections climb",
        jams=(
            Jam(sku="KX-1042", holder=CHECKOUT, writers=(CHECKOUT, API), waiting=5, idle=5),
            Jam(sku="KX-1077", holder=BILLING, writers=(BILLING, API), waiting=6, idle=4),
        ),
    ),
}
"""Of 37 usable connections about 31 are used in the end: past the warning, and opsdash still gets in."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What the story's process needs to know of the servers that were started for it."""

    story: str
    """A name in `STORIES`."""
    busy: str
    """Connection string of the PostgreSQL in trouble, all but the user."""
    calm: str
    """The same of the healthy one."""
    cache_port: int | None
    """Of the Valkey with the pages' contents; None: there is no Valkey on this machine."""
    sessions_port: int | None
    """Of the Valkey with the sign-ins; None as above."""
    http_port: int
    """Where the shop's interface is to listen."""
    https_port: int
    """Where its pages are to be served over TLS."""
    certificates: str
    """An empty folder for the certificates that it makes."""
