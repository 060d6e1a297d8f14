"""Passwords and tokens are never shown and never written: this is the one place that hides them.

What is known to be an address with a secret, of the tracking store or of a scheduler, is masked where it is written; every error
and every line on the terminal passes through `hide_secrets` as well.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
"""What stands in place of a password or token."""
_LEAST_SECRET = 4
# What stands before the @ of an address; a password may hold an @ or a slash that should have been encoded.
_USER_INFO = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.\-]*:?//)(?P<user>[^\s/@:'\"?#]*)(?P<password>:[^\s'\"]*)?@", re.IGNORECASE
)
_SECRET_NAME = r"(?:pass(?:word|wd|phrase)?|pwd|\w*token|\w*secret|\w*api_?key|\w*access_?key|credentials?)"
_PARAMETER = re.compile(
    rf"(?P<name>(?:[?&;,\s]|^|\b)\w*{_SECRET_NAME}\s*=\s*)(?P<value>'[^']*'|\"[^\"]*\"|[^&;,\s'\"]+)", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<kind>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=\-]{8,}")

_ADDRESSES = (("tracking", "uri"), ("compute", "scheduler"))


def hide_secrets(text: str, *addresses: str) -> str:
    """Return a text without the passwords and tokens of the addresses in it.

    Hidden are ``user:password@`` and ``token@`` before a host, the values of parameters such as ``?password=``, and credentials of
    HTTP. What is secret in one of ``addresses`` is hidden wherever it stands: a library may take an address apart in another way.

    Examples
    --------
    >>> hide_secrets("postgresql://ann:swordfish@host/db?sslpassword=swordfish")
    'postgresql://ann:***@host/db?sslpassword=***'
    """
    for secret in sorted({part for address in addresses for part in _secrets_of(address)}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(_without_user_info, text)
    text = _PARAMETER.sub(lambda match: f"{match['name']}{HIDDEN}", text)
    return _BEARER.sub(lambda match: f"{match['kind']}{HIDDEN}", text)


def _without_user_info(match: re.Match[str]) -> str:
    # Without a password, the user's part is a token.
    user = HIDDEN if match["password"] is None else f"{match['user']}:{HIDDEN}"
    return f"{match['scheme']}{user}@"


def _secrets_of(address: str) -> Iterator[str]:
    """Yield passwords and tokens of an address as they are written, as they are meant, and their parts at an @ or a slash."""
    written = [match["password"][1:] if match["password"] else match["user"] for match in _USER_INFO.finditer(address)]
    written += [match["value"].strip("'\"") for match in _PARAMETER.finditer(address)]
    for secret in written:
        cuts = [match.start() for match in re.finditer(r"[@/?#:]", secret)]
        parts = [part for cut in cuts for part in (secret[:cut], secret[cut + 1 :])]
        for form in (secret, unquote(secret), *parts):
            if len(form) >= _LEAST_SECRET and form != HIDDEN:
                yield form


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's settings whose addresses, of the tracking store and of the scheduler, have no password or token in them."""
    shown = dict(settings)
    for section, key in _ADDRESSES:
        values = shown.get(section)
        if isinstance(values, Mapping) and isinstance(values.get(key), str):
            shown[section] = {**values, key: hide_secrets(values[key], values[key])}
    return shown
