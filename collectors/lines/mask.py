"""Secrets in log text, masked by pattern: best effort, since a program may print anything in any form."""

import re

from opsdash.collectors.secret import redact

MASK = "***"

_TRIGGERS = (
    "pass", "pwd", "secret", "token", "key", "credential", "auth", "bearer", "cookie", "akia", "asia", "eyj",
    "ghp_", "gho_", "ghs_", "github_pat_", "xox", "sk-", "sk_live_", "rk_live_", "glpat-", "aiza", "session",
    "identified",
)  # fmt: skip
"""A line that holds none of these (nor a URL with a user) is not searched: that is most of them."""

_NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|token|credentials?|session[_-]?id"
    r"|(?:api|access|private|secret)[_-]?key)"
)
_NAMED = re.compile(
    rf"""({_NAMES}\\?["']?\s{{0,3}}(?:=>|[:=])\s{{0,3}}\\?)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"',;&}})\]]+)""",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(--?(?:password|passwd|pass|secret|token|api-key)[ =])(\S+)", re.IGNORECASE)
_SQL = re.compile(r"(\b(?:password|identified by)\s+)('(?:[^']|'')*'?)", re.IGNORECASE)
_REDIS = re.compile(r"(\b(?:AUTH|requirepass|masterauth)\s+)(?!failed|error|required|is\b)(\S+)")
_AUTHORIZATION = re.compile(
    r"""(authorization\\?["']?\s*[:=]\s*\\?["']?(?:(?:basic|bearer|digest|negotiate|token)\s+)?)([^\s"'\\]+)""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(\b(?:bearer|basic)\s{1,3})([A-Za-z0-9._~+/=-]{16,})", re.IGNORECASE)
_COOKIE = re.compile(r"""(\bcookie\\?["']?\s*[:=]\s*\\?["']?)([^"']+)""", re.IGNORECASE)
_TOKENS = re.compile(
    r"(?<![\w-])(?:(AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|(eyJ)[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # a JSON web token
    r"|(gh[pous]_|github_pat_|glpat-|xox[abprs]-|sk-|[sr]k_live_|AIza)[\w-]{16,})"
)
_URL_USER = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@?#]*:)([^\s/]+)(?=@)")
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(.*)", re.DOTALL)

_SECRET_NAME = re.compile(rf"(?:{_NAMES}|authorization|(?:set-)?cookie)$", re.IGNORECASE)


def mask(text: str) -> str:
    """`text` with what looks like a secret replaced by `***`, and every secret that opsdash itself was given.

    >>> mask("login user=bob password=hunter2 ok"), mask('{"api_key": "a b", "n": 1}')
    ('login user=bob password=*** ok', '{"api_key": ***, "n": 1}')
    >>> mask("Authorization: Bearer abc.def"), mask("postgresql://shop:p@ss@db/orders")
    ('Authorization: Bearer ***', 'postgresql://shop:***@db/orders')
    >>> mask("key AKIAIOSFODNN7EXAMPLE used"), mask("password authentication failed")
    ('key AKIA*** used', 'password authentication failed')
    """
    text = redact(text)
    lowered = text.lower()
    if "://" in lowered and "@" in lowered:
        text = _URL_USER.sub(rf"\1{MASK}", text)
    if any(map(lowered.__contains__, _TRIGGERS)):
        for pattern in (_PRIVATE_KEY, _AUTHORIZATION, _BEARER, _COOKIE, _NAMED, _OPTION, _SQL, _REDIS):
            text = pattern.sub(rf"\1{MASK}", text)
        text = _TOKENS.sub(lambda found: f"{found[found.lastindex or 0]}{MASK}", text)
    return text


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret, so that its value is never shown.

    >>> is_secret_name("DB_PASSWORD"), is_secret_name("token_count"), is_secret_name("http.authorization")
    (True, False, True)
    """
    return _SECRET_NAME.search(name) is not None
