"""The shell blocks of the guides, which a test runs on a cluster.

A block that cannot be run there is preceded by `<!-- not run here: <reason> -->`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent
GUIDES = DOCS / "guides"
README = DOCS.parent / "README.md"
BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXCUSE = re.compile(r"<!-- not run here: ((?:(?!-->).)+) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One shell block.

    Attributes:
        page: the file's name.
        line: where the block begins, counted from 1.
        text: what it would run.
        excuse: why it is not run; empty when it is.
    """

    page: str
    line: int
    text: str
    excuse: str = ""

    @property
    def place(self) -> str:
        """Where to find it, as editors take it."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The shell blocks of a page, in its order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        excuse = EXCUSE.search(text[: match.start()])
        reason = " ".join(excuse[1].split()) if excuse else ""
        found.append(Block(page.name, text.count("\n", 0, match.start()) + 1, match[1], reason))
    return found


def pages() -> list[Path]:
    """The README and every guide."""
    return [README, *sorted(GUIDES.glob("*.md"))]
