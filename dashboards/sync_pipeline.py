"""Sync Pipeline: are accounts as fresh as Zoho's, and what holds them up."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, above, below
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import Query, chosen, counted, summed, worst
from dashboards.sdk import model
from dashboards.shapes import cloud, dial

SYNCED: Final = "namespace:sergas_zoho_accounts_synced:rate5m"
LAG: Final = "namespace:sergas_zoho_sync_lag_seconds:max"
LATENCY: Final = "namespace_le:sergas_zoho_api_duration_seconds_bucket:rate5m"
EXCEEDED: Final = "namespace_endpoint:sergas_zoho_rate_limit_exceeded:rate5m"
PROCESSING: Final = "namespace:sergas_account_processing_duration_seconds"
ERRORS: Final = (uids.ERRORS, "All errors")


def built() -> model.Dashboard:
    question = "Are our accounts as fresh as Zoho's, and what holds them up if not?"
    empty = frame(uids.SYNC, "Sync Pipeline", question, "sync_pipeline")
    return filled(
        empty,
        [
            Section("Is the data fresh?", now()),
            Section("Do accounts arrive?", accounts()),
            Section("Does Zoho answer?", zoho()),
            Section("Calls by endpoint", endpoints(), closed=True),
        ],
    )


def lag_bands() -> Bands:
    """Yellow where the milder alert on lag fires, red where the warning does."""
    return above(limits.early_threshold("SyncFailing"), limits.alert_threshold("SyncFailing"))


def quota_bands() -> Bands:
    low = limits.alert_threshold("ZohoQuotaLow")
    return Bands(base=RED, steps=((low / 2, YELLOW), (low, GREEN)))


def now() -> list[Panel]:
    return [
        number(
            About(
                "Account sync lag",
                "How long ago the account that waits longest was synchronised, or any account at all, whichever is"
                " worse. The target is five minutes. Yellow and red are the alert's two levels.",
                "s",
                alerts=("SyncFailing",),
            ),
            # The label keeps the two apart, so that the greater one shows.
            Query(f'max(label_replace({chosen(LAG)}, "of", "account", "", "") or {since_success()})', "lag"),
            lag_bands(),
            width=5,
        ),
        dial(
            About(
                "Rate limit left",
                "Share of Zoho's window that is left, of the pod that has least. At 0 Zoho refuses every call and the"
                " sync stops. Below the green part an alert fires.",
                "percentunit",
                alerts=("ZohoQuotaLow",),
            ),
            Query(f"min({chosen('namespace:sergas_zoho_rate_limit_remaining:ratio')})", "left"),
            quota_bands(),
            width=5,
        ),
        number(
            About(
                "Calls left",
                "Calls that Zoho still allows in its present window, of the pod that has least.",
                "none",
                alerts=("ZohoQuotaLow",),
            ),
            Query(f"min({chosen('namespace:sergas_zoho_rate_limit_remaining:min')})", "calls"),
            width=4,
            decimals=0,
        ),
        number(
            About(
                "Accounts synced",
                "Accounts synchronised in the last hour. Zero: the sync does not run.",
                "none",
                alerts=("SyncFailing",),
            ),
            Query(counted(SYNCED, span="1h"), "accounts"),
            width=5,
            decimals=0,
        ),
        number(
            About(
                "Sync success rate",
                "Share of synchronisations that did not fail over five minutes, of the worst namespace.",
                "percentunit",
                details=(ERRORS,),
            ),
            Query(f"min({chosen('namespace:sergas_zoho_sync_success:ratio_rate5m')})", "success"),
            below(0.9, 0.99),
            width=5,
            decimals=1,
        ),
    ]


def since_success() -> str:
    return chosen("namespace:sergas_zoho_sync_last_success_timestamp_seconds:age")


def accounts() -> list[Panel]:
    return [
        graph(
            About(
                "Account sync lag over time",
                "Time since the least recently synchronised account was, and since any was. Both climb at 45 degrees:"
                " the sync stands still. Only the first: one account is stuck.",
                "s",
                alerts=("SyncFailing",),
                details=((uids.SLOS, "Objective of freshness"),),
            ),
            [Query(chosen(LAG), "{{namespace}} oldest account"), Query(since_success(), "{{namespace}} last success")],
            lag_bands(),
        ),
        graph(
            About(
                "Accounts synced a second",
                "A fall with steady calls to Zoho: calls fail, or answers cannot be stored.",
                "none",
                details=((uids.AGENTS, "Agents"),),
            ),
            [Query(chosen(SYNCED), "{{namespace}}")],
        ),
        graph(
            About(
                "Sync failure breakdown",
                "Failures a second by class of error. ZohoRateLimitError: spread the calls. Anything else: read the"
                " log of the sync agent.",
                "none",
                alerts=("SyncFailing",),
                details=(ERRORS,),
            ),
            [
                Query(
                    summed("namespace_error_type:sergas_zoho_sync_failures:rate5m", by="error_type"),
                    "{{error_type}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Account processing time",
                "Median and 95th percentile from an account's data to its recommendations. The two part: some"
                " accounts are much slower than others.",
                "s",
            ),
            [
                Query(chosen(f"{PROCESSING}:p50_rate5m"), "{{namespace}} median"),
                Query(chosen(f"{PROCESSING}:p95_rate5m"), "{{namespace}} p95"),
            ],
        ),
    ]


def zoho() -> list[Panel]:
    return [
        graph(
            About(
                "Zoho API call rate",
                "Calls a second by status. 429: the quota is used up. 5xx: Zoho has trouble. A status of `error`: no"
                " answer came at all.",
                "reqps",
            ),
            [
                Query(
                    summed("namespace_endpoint_status:sergas_zoho_api_calls:rate5m", by="status"),
                    "{{status}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Zoho API latency",
                "Median, 95th and 99th percentile of a call. All climb: Zoho is slow. Only the upper ones: some calls"
                " wait or are retried.",
                "s",
            ),
            [Query(f"histogram_quantile({share}, sum by (le) ({chosen(LATENCY)}))", name) for share, name in QUANTILES],
        ),
        graph(
            About(
                "Rate limit left over time",
                "Share of Zoho's window that is left. A saw-tooth is normal; one that touches the bottom is a sync"
                " that stops until the window ends.",
                "percentunit",
                alerts=("ZohoQuotaLow",),
            ),
            [Query(chosen("namespace:sergas_zoho_rate_limit_remaining:ratio"), "{{namespace}}")],
            Bands(base=YELLOW, steps=((limits.alert_threshold("ZohoQuotaLow"), GREEN),), drawn=True),
        ),
        graph(
            About(
                "Rate limit exceeded",
                "Calls a second that Zoho refused because of their rate, by endpoint. Anything above zero is work"
                " thrown away.",
                "reqps",
                alerts=("ZohoQuotaLow",),
            ),
            [Query(summed(EXCEEDED, by="endpoint"), "{{endpoint}}")],
        ),
    ]


QUANTILES: Final = ((0.5, "median"), (0.95, "p95"), (0.99, "p99"))


def endpoints() -> list[Panel]:
    return [
        graph(
            About(
                "Calls by endpoint",
                "Calls a second. The tallest band uses up the quota: batch or spread its calls.",
                "reqps",
            ),
            [
                Query(
                    summed("namespace_endpoint_status:sergas_zoho_api_calls:rate5m", by="endpoint"),
                    "{{endpoint}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Latency by endpoint",
                "95th percentile of a call. One line far above the others: that endpoint is slow at Zoho.",
                "s",
            ),
            [
                Query(
                    worst("namespace_endpoint:sergas_zoho_api_duration_seconds:p95_rate5m", by="endpoint"),
                    "{{endpoint}}",
                )
            ],
        ),
        cloud(
            About(
                "Spread of account processing time",
                "How many accounts a second are done within each duration. A band far up: accounts that time out.",
                "s",
            ),
            Query(
                summed("namespace_status_le:sergas_account_processing_duration_seconds_bucket:rate5m", by="le"),
                "{{le}}",
            ),
            width=24,
        ),
    ]
