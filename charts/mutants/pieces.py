"""Text with one thing changed in it: the parts of an expression know what can be changed in each of them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One thing changed in a text.

    Attributes:
        kind: such as `aggregation`; kinds are counted apart.
        what: `before -> after`, for a person and for waivers.
        text: the whole text with the change in it.
    """

    kind: str
    what: str
    text: str


@dataclass(frozen=True)
class Piece:
    """A text, and everything that can be changed in it."""

    text: str
    changes: tuple[Change, ...] = ()

    def plus(self, kind: str, changed: Iterable[tuple[str, str]]) -> "Piece":
        """The same with more changes of `kind`, each (what, text)."""
        return Piece(self.text, (*self.changes, *(Change(kind, what, text) for what, text in changed)))


def join(*parts: str | Piece) -> Piece:
    """`parts` one after the other; each change of a part is a change of the whole."""
    pieces = [Piece(part) if isinstance(part, str) else part for part in parts]
    changes = []
    for place, piece in enumerate(pieces):
        before = "".join(other.text for other in pieces[:place])
        after = "".join(other.text for other in pieces[place + 1 :])
        changes += [Change(change.kind, change.what, before + change.text + after) for change in piece.changes]
    return Piece("".join(piece.text for piece in pieces), tuple(changes))


def separated(separator: str, pieces: Iterable[Piece]) -> Piece:
    """`pieces` with `separator` between them."""
    parts: list[str | Piece] = []
    for piece in pieces:
        parts += [separator, piece] if parts else [piece]
    return join(*parts)


def texts(*parts: str | Piece) -> str:
    """The text of `parts` without any change."""
    return join(*parts).text
