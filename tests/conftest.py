"""What holds for every test."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the API server share one, and so one worker when several run."""
    for item in items:
        if item.get_closest_marker("apiserver"):
            item.add_marker(pytest.mark.xdist_group("apiserver"))
