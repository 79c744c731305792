"""What one scrape asks for, and whether it may."""

from __future__ import annotations

from hmac import compare_digest
from typing import Final, NamedTuple
from urllib.parse import parse_qs

UNAUTHORIZED: Final = "Send the metrics token, as in: curl -H 'Authorization: Bearer TOKEN'\n"


class Page(NamedTuple):
    """What one scrape asks for.

    Attributes:
        accept: The ``Accept`` header.
        gzipped: Whether the client takes gzip.
        names: The samples it wants; all of them if empty.
    """

    accept: str = ""
    gzipped: bool = False
    names: tuple[str, ...] = ()


def page_of(accept: str, accept_encoding: str, query: str) -> Page:
    """The page that headers and query describe."""
    names = parse_qs(query).get("name[]", ())
    return Page(accept, _takes_gzip(accept_encoding), tuple(sorted(names)))


def is_authorized(authorization: str, token: str | None) -> bool:
    """Whether an ``Authorization`` header holds the token, if one is asked for. Takes as long for any wrong one."""
    if token is None:
        return True
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and compare_digest(given.strip().encode(), token.encode())


def checked_token(token: str | None) -> str | None:
    """The token, unless it is one that would let everyone in.

    Raises:
        ValueError: The token is empty, as a variable of the environment that is not set often is.
    """
    if token is not None and not token.strip():
        raise ValueError("the metrics token is empty: give one that is not, or None to serve metrics to everyone")
    return token


def _takes_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        if coding == "gzip":
            return not any(_is_zero(parameter) for parameter in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0") in ("", ".", "0.")
