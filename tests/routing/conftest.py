"""A far end for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# There are no packages under tests/: helpers are found by name.
# Ours comes last, because tests/operator finds its own conftest by name.
sys.path.insert(0, str(Path(__file__).parents[1] / "operator"))
sys.path.append(str(Path(__file__).parent))

from farend import FarEnd
from running import Alertmanager


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    found = FarEnd().start()
    yield found
    found.stop()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    """Not started yet."""
    found = Alertmanager(tmp_path / "alertmanager")
    yield found
    found.stop()
