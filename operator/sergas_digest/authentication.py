"""Checks the bearer token of a request."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

SCHEME = "bearer"


def authorized(header: str, tokens: Sequence[bytes]) -> bool:
    """Whether an Authorization header carries one of `tokens`.

    Every token is compared in constant time, so the time taken says nothing about where a wrong one differs.
    """
    scheme, _, token = header.partition(" ")
    given = token.strip().encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(given, expected) for expected in tokens]
    return scheme.lower() == SCHEME and any(matches)
