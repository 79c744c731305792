"""Wait for a condition, with a deadline and an account of what was last seen."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

Seen = TypeVar("Seen")
EVERY_SECONDS = 0.4


class NotYet(Exception):  # noqa: N818  nothing is wrong; it says what is seen meanwhile
    """The condition does not hold yet; the text says what holds instead."""


class NotInTimeError(Exception):
    """A condition did not come to hold before its deadline."""


def until(what: str, look: Callable[[], Seen], *, seconds: float, show: Callable[[str], None] = lambda _: None) -> Seen:
    """Call `look` until it returns without raising `NotYet`, and return what it returned.

    A refused or broken connection counts as "not yet": pods come and go while one waits.

    Args:
        what: What is waited for, as it would stand before "did not happen".
        look: Looks once.
        seconds: The deadline, from now.
        show: Told each new account of what is seen.

    Raises:
        NotInTimeError: With the last account.
    """
    deadline = time.monotonic() + seconds
    last = ""
    while True:
        try:
            return look()
        except NotYet as seen:
            account = str(seen)
        except httpx.HTTPError as error:
            account = next(iter(str(error).splitlines()), type(error).__name__)
        if account != last:
            show(account)
            last = account
        if time.monotonic() > deadline:
            raise NotInTimeError(f"{what} did not happen within {seconds:g} s; last seen: {last}")
        time.sleep(EVERY_SECONDS)


def expect(condition: object, account: str) -> None:
    """Raise `NotYet` with the account unless the condition holds."""
    if not condition:
        raise NotYet(account)
