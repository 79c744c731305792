"""Whether an object is stored as it was written."""

from typing import Any


def holds(stored: Any, written: Any) -> bool:
    """Whether `stored` has everything of `written` unchanged; it may have more fields, such as defaults."""
    if isinstance(written, dict):
        return all(key in stored and holds(stored[key], value) for key, value in written.items())
    if isinstance(written, list):
        return len(stored) == len(written) and all(map(holds, stored, written))
    return bool(stored == written)
