"""Calls to Zoho, and accounts synchronised from it."""

from __future__ import annotations

from time import time
from typing import Final

from .._families import Counter, Gauge, Histogram
from .._labels import STATUS
from .._measure import Measurement
from .._store import Store

TOO_MANY_REQUESTS: Final = 429
"""How Zoho answers a call beyond its rate limit."""


class ZohoCall:
    """A call to the Zoho API that is under way. Set ``status`` when its answer is known.

    Attributes:
        status: The HTTP status code, or a word such as ``timeout``. ``ok`` until set.
    """

    def __init__(self) -> None:
        self.status: int | str = "ok"


class ZohoMetrics:
    """Metrics of the Zoho integration.

    Attributes:
        api_calls: ``sergas_zoho_api_calls_total{endpoint, status}``.
        api_duration: ``sergas_zoho_api_duration_seconds{endpoint}``.
        sync_failures: ``sergas_zoho_sync_failures_total{error_type}``.
        syncs: ``sergas_zoho_syncs_total{status}``.
        accounts_synced: ``sergas_zoho_accounts_synced_total``.
        last_sync: ``sergas_zoho_sync_last_success_timestamp_seconds``.
        rate_limit_remaining: ``sergas_zoho_rate_limit_remaining``.
        rate_limit_max: ``sergas_zoho_rate_limit_max``.
        rate_limit_exceeded: ``sergas_zoho_rate_limit_exceeded_total{endpoint}``.
        sync_lag: ``sergas_zoho_sync_lag_seconds``.
    """

    def __init__(self, store: Store) -> None:
        self.api_calls = store.family("sergas_zoho_api_calls_total", Counter)
        self.api_duration = store.family("sergas_zoho_api_duration_seconds", Histogram)
        self._calls = self.api_calls.cells
        self._durations = self.api_duration.cells
        self.sync_failures = store.family("sergas_zoho_sync_failures_total", Counter)
        self.syncs = store.family("sergas_zoho_syncs_total", Counter)
        self.accounts_synced = store.family("sergas_zoho_accounts_synced_total", Counter)
        self.last_sync = store.family("sergas_zoho_sync_last_success_timestamp_seconds", Gauge)
        self.rate_limit_remaining = store.family("sergas_zoho_rate_limit_remaining", Gauge)
        self.rate_limit_max = store.family("sergas_zoho_rate_limit_max", Gauge)
        self.rate_limit_exceeded = store.family("sergas_zoho_rate_limit_exceeded_total", Counter)
        self.sync_lag = store.family("sergas_zoho_sync_lag_seconds", Gauge)

    def call(self, endpoint: str) -> Measurement[ZohoCall]:
        """Time and count one call. A call that raises before its status is set counts with status ``error``.

        Args:
            endpoint: The endpoint's name, such as ``accounts``: a name from a fixed set, not a URL.
        """

        def end(call: ZohoCall, error: BaseException | None, seconds: float) -> None:
            self.record_call(endpoint, "error" if error is not None and call.status == "ok" else call.status, seconds)

        return Measurement("zoho.call", end, ZohoCall)

    def record_call(self, endpoint: str, status: int | str, seconds: float) -> None:
        """Count a finished call and its duration in seconds; with status 429, also that the rate limit was exceeded."""
        try:  # half as long as labels() of two
            count = self._calls[endpoint, STATUS[status]]  # type: ignore[index]  # of a word it raises
            duration = self._durations[endpoint]
        except KeyError:
            count = self.api_calls.labels(endpoint, status)
            duration = self.api_duration.labels(endpoint)
        count.inc()
        duration.observe(seconds)
        if status == TOO_MANY_REQUESTS:
            self.record_rate_limit_exceeded(endpoint)

    def record_rate_limit_exceeded(self, endpoint: str) -> None:
        """Count a call that Zoho refused because of its rate limit; ``record_call`` does so for status 429."""
        self.rate_limit_exceeded.labels(endpoint).inc()

    def set_sync_lag(self, seconds: float) -> None:
        """Set how long ago the least recently synchronised account was synchronised, in seconds."""
        self.sync_lag.set(seconds)

    def record_sync_failure(self, error: BaseException | type[BaseException] | str) -> None:
        """Count a synchronisation that failed, by the class of its error."""
        self.syncs.labels("failure").inc()
        self.sync_failures.labels(self.sync_failures.error_types.name(error)).inc()

    def record_synced(self, accounts: int = 1) -> None:
        """Count a synchronisation that succeeded and the accounts that it brought up to date, and note when."""
        self.syncs.labels("success").inc()
        self.accounts_synced.inc(accounts)
        self.last_sync.set(time())

    def set_rate_limit_remaining(self, calls: float, maximum: float | None = None) -> None:
        """Set how many calls Zoho still allows in its current window, and of how many in all where that is known."""
        if maximum is not None:
            self.rate_limit_max.set(maximum)
        self.rate_limit_remaining.set(calls)
