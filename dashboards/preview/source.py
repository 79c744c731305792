"""A Prometheus, asked over its HTTP API. The one import of httpx."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

from dashboards.preview.timing import Window

PATIENCE_SECONDS: Final = 60
Labels = Mapping[str, str]
Points = tuple[tuple[float, float], ...]


class QueryError(Exception):
    """Prometheus refused a query, or was not to be reached. The text is fit for the panel."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, and (seconds since 1970, value) in order of time."""

    labels: Labels
    points: Points


class Source:
    """Asks one Prometheus. Use it as a context manager, so that its connections are closed.

    Attributes:
        url: Where it answers.
        waited: Seconds from sending each question to the last byte of its answer, over all that were answered. What is
            made of an answer here is not in it.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.waited = 0.0
        self._client = httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def instant(self, expr: str, at: float) -> list[Series]:
        """The value of `expr` at one time. A scalar is a series without labels.

        Raises:
            QueryError: with what Prometheus says.
        """
        answer = self._ask("query", {"query": expr, "time": at})
        if answer["resultType"] == "scalar":
            return [Series({}, _points([answer["result"]]))]
        return [Series(found["metric"], _points([found["value"]])) for found in answer["result"]]

    def range(self, expr: str, window: Window) -> list[Series]:
        """The values of `expr` over `window`.

        Raises:
            QueryError: with what Prometheus says.
        """
        times = {"start": window.start, "end": window.end, "step": window.step}
        answer = self._ask("query_range", {"query": expr, **times})
        return [Series(found["metric"], _points(found["values"])) for found in answer["result"]]

    def values(self, label: str, selector: str, window: Window) -> list[str]:
        """The values of `label` of the series of `selector` within `window`, sorted. None where nothing answers."""
        asked = {"match[]": selector, "start": str(window.start), "end": str(window.end)}
        try:
            answer = self._client.get(f"/api/v1/label/{label}/values", params=asked).json()
        except (httpx.HTTPError, ValueError):
            return []
        return sorted(answer.get("data") or [])

    def _ask(self, path: str, asked: Mapping[str, str | float]) -> dict[str, Any]:
        try:
            response = self._client.post(f"/api/v1/{path}", data={key: str(value) for key, value in asked.items()})
            self.waited += response.elapsed.total_seconds()
            answer = response.json()
        except httpx.HTTPError as error:
            raise QueryError(f"Prometheus at {self.url} did not answer: {error}. Is the address right?") from error
        except ValueError as error:
            raise QueryError(f"What answers at {self.url} is no Prometheus: HTTP {response.status_code}.") from error
        if answer.get("status") != "success":
            raise QueryError(str(answer.get("error", answer)))
        found: dict[str, Any] = answer["data"]
        return found


def _points(values: list[list[Any]]) -> Points:
    return tuple((float(time), float(value)) for time, value in values)
