"""Calls to Zoho, and accounts synchronised from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from .._status import STATUS
from .._store import Store


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
        accounts_synced: ``sergas_zoho_accounts_synced_total``.
        rate_limit_remaining: ``sergas_zoho_rate_limit_remaining``.
    """

    def __init__(self, store: Store) -> None:
        self.api_calls = store.counters["sergas_zoho_api_calls_total"]
        self.api_duration = store.histograms["sergas_zoho_api_duration_seconds"]
        self.sync_failures = store.counters["sergas_zoho_sync_failures_total"]
        self.accounts_synced = store.counters["sergas_zoho_accounts_synced_total"]
        self.rate_limit_remaining = store.gauges["sergas_zoho_rate_limit_remaining"]

    @contextmanager
    def call(self, endpoint: str) -> Iterator[ZohoCall]:
        """Time and count one call. A call that raises before its status is set counts with status ``error``.

        Args:
            endpoint: The endpoint's name, such as ``accounts``: a name from a fixed set, not a URL.
        """
        call = ZohoCall()
        start = perf_counter()
        try:
            yield call
        except BaseException:
            if call.status == "ok":
                call.status = "error"
            raise
        finally:
            self.record_call(endpoint, call.status, perf_counter() - start)

    def record_call(self, endpoint: str, status: int | str, seconds: float) -> None:
        """Count a finished call and its duration in seconds."""
        self.api_calls.cells[endpoint, STATUS[status]].inc()
        self.api_duration.cells[endpoint].observe(seconds)

    def record_sync_failure(self, error: BaseException | type[BaseException] | str) -> None:
        """Count a synchronisation that failed, by the class of its error."""
        self.sync_failures.cells[self.sync_failures.error_types.name(error)].inc()

    def record_synced(self, accounts: int = 1) -> None:
        """Count accounts that are synchronised."""
        self.accounts_synced.cells[()].inc(accounts)

    def set_rate_limit_remaining(self, calls: float) -> None:
        """Set how many calls Zoho still allows in its current window."""
        self.rate_limit_remaining.cells[()].set(calls)
