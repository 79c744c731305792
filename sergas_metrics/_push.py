"""Metrics of batch jobs, which end before they can be scraped: pushed to a Pushgateway."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from http import HTTPStatus
from time import sleep
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from prometheus_client import CollectorRegistry

from ._collector import MetricsCollector
from ._render import Rendered, render


class PushError(OSError):
    """A Pushgateway did not take metrics."""


def push(
    gateway: str,
    *,
    job: str,
    source: MetricsCollector | CollectorRegistry | None = None,
    grouping: Mapping[str, str] | None = None,
    replace: bool = True,
    attempts: int = 4,
    timeout: float = 5.0,
) -> None:
    """Push all metrics of a registry to a Pushgateway, at the end of a batch job.

    A refusal is final; where the gateway does not answer, or says that it cannot now, the push is tried again after
    0.5, 1, 2, ... seconds.

    Args:
        gateway: Its URL, such as ``http://sergas-prometheus-pushgateway:9091``.
        job: The job's name: the label ``job`` of all its series.
        source: A collector or a registry; the default registry when left out.
        grouping: Further labels that tell this push from others of the job. Each value is a group that stays until it
            is deleted: give an instance or a tenant, never a run's id or a time.
        replace: Whether the push replaces all metrics of its group, or only those of the same names.
        attempts: How often it is tried in all.
        timeout: Seconds that one attempt may take.

    Raises:
        ValueError: The URL is not one of HTTP, ``job`` is empty, or ``attempts`` is below 1.
        PushError: The gateway refused the metrics, or did not take them in any attempt.
    """
    url = _url(gateway, job, grouping or {})
    if attempts < 1:
        raise ValueError(f"attempts must be 1 or more, not {attempts}")
    rendered = render(source=source)
    for attempt in range(attempts):
        try:
            return _send(url, "PUT" if replace else "POST", rendered, timeout)
        except OSError as error:
            if _is_final(error) or attempt == attempts - 1:
                raise PushError(f"cannot push metrics to {url}: {_reason(error)}") from error
            sleep(0.5 * 2**attempt)
    return None


def _send(url: str, method: str, rendered: Rendered, timeout: float) -> None:
    headers = {"Content-Type": rendered.content_type}
    request = Request(url, rendered.body, headers, method=method)  # noqa: S310  # _url lets HTTP through alone
    with urlopen(request, timeout=timeout):  # noqa: S310
        pass


def _url(gateway: str, job: str, grouping: Mapping[str, str]) -> str:
    if not gateway.startswith(("http://", "https://")):
        raise ValueError(f"a Pushgateway's URL begins with http:// or https://: write http://{gateway}")
    if not job:
        raise ValueError("a push needs a job: give the name of the batch job")
    parts = [("job", job), *sorted(grouping.items())]
    return f"{gateway.rstrip('/')}/metrics{''.join(_group(name, value) for name, value in parts)}"


def _group(name: str, value: str) -> str:
    """A part of the path. A value that is empty or has a slash is written in base64, as the gateway wants it."""
    if value and "/" not in value:
        return f"/{name}/{quote(value, safe='')}"
    return f"/{name}@base64/{urlsafe_b64encode(value.encode()).decode() or '='}"


def _is_final(error: OSError) -> bool:
    return isinstance(error, HTTPError) and error.code < HTTPStatus.INTERNAL_SERVER_ERROR


def _reason(error: OSError) -> str:
    if isinstance(error, HTTPError):
        with error:
            said = error.read(500).decode(errors="replace").strip()
        return f"it answered {error.code} {error.reason}" + (f" and said: {said}" if said else "")
    return f"{getattr(error, 'reason', error)}. Look whether the URL is right and the gateway runs"
