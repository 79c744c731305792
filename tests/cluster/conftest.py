"""Makes the cluster command's modules importable, and keeps every test out of the real cache."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e" / "cluster"))


@pytest.fixture(autouse=True)
def cache(monkeypatch):
    """A cache of its own for each test; not under tmp_path, which is too long for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="sergas-") as folder:
        monkeypatch.setenv("XDG_CACHE_HOME", folder)
        yield Path(folder) / "sergas-monitoring"
