"""What goes wrong in ordinary times: now and then a call times out, a lock is lost, an answer makes no sense."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Mishaps:
    """Ordinary bad luck.

    Attributes:
        share: How often anything that can go wrong does, from 0 to 1.
    """

    share: float = 0.0

    def happen(self) -> bool:
        """Whether it goes wrong this time."""
        return random.random() < self.share
