"""Sync Pipeline: whether accounts are as fresh as Zoho's, and what delays them."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, above_target, below
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import Query, average, averaged, chosen, counted, highest, lowest, per_minute, summed
from dashboards.sdk import model
from dashboards.shapes import cloud, dial

SYNCED: Final = "namespace:sergas_zoho_accounts_synced:rate5m"
BEHIND: Final = "namespace:sergas_zoho_sync_behind_seconds:max"
LAG: Final = "namespace:sergas_zoho_sync_lag_seconds:max"
AGE: Final = "namespace:sergas_zoho_sync_last_success_timestamp_seconds:age"
QUOTA: Final = "namespace:sergas_zoho_rate_limit_remaining"
LATENCY: Final = "namespace:sergas_zoho_api_duration_seconds"
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
    """Yellow above the target, orange where the milder alert on lag fires, red where the warning does."""
    early, late = limits.early_threshold("SyncFailing"), limits.alert_threshold("SyncFailing")
    return above_target(limits.SYNC_LAG_TARGET_SECONDS, early, late)


def quota_bands() -> Bands:
    low = limits.alert_threshold("ZohoQuotaLow")
    return Bands(base=RED, steps=((low / 2, YELLOW), (low, GREEN)))


def now() -> list[Panel]:
    return [
        number(
            About(
                "Account sync lag",
                "How long ago the account that waits longest was synchronised, or any account at all, whichever is"
                " longer. A restart does not reset it. Yellow: above the target of five minutes. Orange and red: the"
                " alert's two levels.",
                "s",
                alerts=("SyncFailing",),
            ),
            Query(f"max({chosen(BEHIND)})", "lag"),
            lag_bands(),
            width=5,
        ),
        dial(
            About(
                "Rate limit left",
                "Share of Zoho's window that is left, of the pod that has least. Pods that have not called Zoho yet"
                " do not count. At 0 Zoho refuses every call and the sync stops. Below the green part an alert fires.",
                "percentunit",
                alerts=("ZohoQuotaLow",),
            ),
            Query(f"min({chosen(f'{QUOTA}:ratio')})", "left"),
            quota_bands(),
            width=5,
        ),
        number(
            About(
                "Calls left",
                "Calls that Zoho still allows in its present window, of the pod that has least and has called Zoho.",
                "none",
                alerts=("ZohoQuotaLow",),
            ),
            Query(f"min({chosen(f'{QUOTA}:min')})", "calls"),
            width=4,
            decimals=0,
        ),
        number(
            About(
                "Accounts synced (1 h)",
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
                "Sync success rate (5 min)",
                "Share of synchronisations that succeeded over five minutes, of the worst namespace. A"
                " synchronisation of many accounts counts once, like one that failed.",
                "percentunit",
                details=(ERRORS,),
            ),
            Query(f"min({chosen('namespace:sergas_zoho_syncs:success_ratio_rate5m')})", "success"),
            below(0.9, 0.99),
            width=5,
            decimals=1,
        ),
    ]


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
            [Query(highest(LAG), "{{namespace}} oldest account"), Query(highest(AGE), "{{namespace}} last success")],
            lag_bands(),
        ),
        graph(
            About(
                "Accounts synced a minute",
                "A fall with steady calls to Zoho: calls fail, or answers cannot be stored.",
                "none",
                details=((uids.AGENTS, "Agents"),),
            ),
            [Query(per_minute(average(SYNCED)), "{{namespace}}")],
        ),
        graph(
            About(
                "Sync failure breakdown",
                "Failures a minute by class of error. ZohoRateLimitError: spread the calls. Anything else: read the"
                " log of the sync agent.",
                "none",
                alerts=("SyncFailing",),
                details=(ERRORS,),
            ),
            [
                Query(
                    per_minute(averaged("namespace_error_type:sergas_zoho_sync_failures:rate5m", by="error_type")),
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
                Query(highest(f"{PROCESSING}:p50_rate5m"), "{{namespace}} median"),
                Query(highest(f"{PROCESSING}:p95_rate5m"), "{{namespace}} p95"),
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
                    averaged("namespace_status:sergas_zoho_api_calls:rate5m", by="status"),
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
            [Query(highest(f"{LATENCY}:{share}_rate5m"), f"{{{{namespace}}}} {name}") for share, name in QUANTILES],
        ),
        graph(
            About(
                "Rate limit left over time",
                "Share of Zoho's window that is left. A saw-tooth is normal; one that touches the bottom is a sync"
                " that stops until the window ends.",
                "percentunit",
                alerts=("ZohoQuotaLow",),
            ),
            [Query(lowest(f"{QUOTA}:ratio"), "{{namespace}}")],
            Bands(base=YELLOW, steps=((limits.alert_threshold("ZohoQuotaLow"), GREEN),), drawn=True),
        ),
        graph(
            About(
                "Rate limit exceeded",
                "Calls a minute that Zoho refused because of their rate, by endpoint. Each of them is work thrown"
                " away.",
                "none",
                alerts=("ZohoQuotaLow",),
            ),
            [Query(per_minute(averaged(EXCEEDED, by="endpoint")), "{{endpoint}}")],
        ),
    ]


QUANTILES: Final = (("p50", "median"), ("p95", "p95"), ("p99", "p99"))


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
                    averaged("namespace_endpoint:sergas_zoho_api_calls:rate5m", by="endpoint"),
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
                    f"max by (endpoint) ({highest('namespace_endpoint:sergas_zoho_api_duration_seconds:p95_rate5m')})",
                    "{{endpoint}}",
                )
            ],
        ),
        cloud(
            About(
                "Account processing time distribution",
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
