"""Files that FastAPI serves below a prefix, which its older versions cannot."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from sergas_metrics import MetricsCollector, instrument

Requests = Callable[[], dict[tuple[str, str, str], float]]


async def test_files_of_a_frontend_share_one_route(
    metrics: MetricsCollector, requests: Requests, call: Any, tmp_path: Any
) -> None:
    (tmp_path / "index.html").write_text("<p>hello")
    (tmp_path / "a.js").write_text("1")
    app = FastAPI()
    app.frontend("/ui", directory=tmp_path)
    instrument(app, collector=metrics)
    await call(app, "/ui/a.js")
    await call(app, "/ui/index.html")
    assert requests() == {("GET", "/ui/{path}", "200"): 2}
