"""Error Tracking: what goes wrong, how often, and where to begin."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import PLAIN, YELLOW, Bands, above, any_at_all, warning
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import (
    API,
    RUNNING,
    SERVICE,
    Query,
    averaged,
    chosen,
    counted,
    highest,
    per_minute,
    summed,
    zero_while,
)
from dashboards.sdk import model
from dashboards.shapes import pie, sheet

ERRORS: Final = "namespace_job_severity_error_type:sergas_errors:rate5m"
UNHANDLED: Final = "namespace_job_error_type:sergas_unhandled_exceptions:rate5m"
DATABASE: Final = "namespace_job_error_type:sergas_database_errors:rate5m"
STATUS: Final = "namespace_job_status:sergas_http_requests:rate5m"
ROUTES: Final = "namespace_job_route:sergas_http_requests_failed:rate5m"
FAILED: Final = "namespace_job:sergas_http_requests_failed:rate5m"
RATIO: Final = "namespace_job:sergas_http_requests_failed:ratio_rate5m"
REQUESTS: Final = "namespace_job:sergas_http_requests:rate5m"
AGENTS: Final = "namespace_agent_error_type:sergas_agent_task_failures:rate5m"
ZOHO: Final = "namespace_endpoint_status:sergas_zoho_api_calls_failed:rate5m"
SYNC: Final = "namespace_error_type:sergas_zoho_sync_failures:rate5m"


def built() -> model.Dashboard:
    question = "What goes wrong, how often, and where should one begin?"
    empty = frame(uids.ERRORS, "Error Tracking", question, "error_tracking", offered=["service"])
    return filled(
        empty,
        [
            Section("How bad is it?", now()),
            Section("What do users see?", requests()),
            Section("What are the errors?", kinds()),
            Section("Where do they come from?", origins()),
        ],
    )


def now() -> list[Panel]:
    return [
        number(
            About(
                "Overall error rate (5 min)",
                "Share of all requests answered with a 5xx status over five minutes. Yellow: the target of 1 % is"
                " missed. Red: an alert fires.",
                "percentunit",
                alerts=("HighErrorRate",),
                details=((uids.SLOS, "Error budget"),),
            ),
            Query(f"sum({chosen(FAILED, SERVICE)}) / (sum({chosen(REQUESTS, SERVICE)}) > 0)", "failing"),
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
            decimals=2,
        ),
        _count("Failed requests (1 h)", "Requests answered with a 5xx status in the last hour.", FAILED, SERVICE),
        _count(
            "Errors counted (1 h)",
            "Errors that the application counted in the last hour, of every severity.",
            ERRORS,
            SERVICE,
        ),
        _count(
            "Unhandled exceptions (1 h)",
            "Exceptions that nobody caught, in the last hour. Each is a bug: anything but 0 is worth a look.",
            UNHANDLED,
            SERVICE,
            bands=any_at_all(YELLOW),
        ),
        _count(
            "Failed agent tasks (1 h)", "Attempts of agents that failed in the last hour, each retry counted.", AGENTS
        ),
        _count("Failed syncs (1 h)", "Synchronisations with Zoho that failed in the last hour.", SYNC),
    ]


def _count(title: str, description: str, record: str, *matchers: str, bands: Bands = PLAIN) -> Panel:
    """How many of them there were in the last hour; 0 where none was ever counted and the application answers."""
    counting = zero_while(counted(record, *matchers, span="1h"), RUNNING)
    return number(About(title, description, "none"), Query(counting, title.lower()), bands, decimals=0)


def requests() -> list[Panel]:
    refused = averaged(STATUS, SERVICE, API, REFUSED, by="namespace")
    asked = averaged(REQUESTS, SERVICE, API, by="namespace")
    return [
        graph(
            About(
                "Error rate",
                "Share of requests answered with a 5xx status, by service. The lines are the target of 1 % and the"
                " alert's limit. A step at a blue mark came with a release.",
                "percentunit",
                alerts=("HighErrorRate",),
                details=((uids.OVERVIEW, "System Overview"),),
            ),
            [
                Query(
                    highest("namespace_job:sergas_http_requests_failed:ratio_rate5m", SERVICE), "{{namespace}} {{job}}"
                )
            ],
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
        ),
        graph(
            About(
                "HTTP error breakdown",
                "Requests a minute refused (4xx) or failed (5xx), by status. 429: clients run into the rate limit."
                " 503: a dependency refuses. 499: clients gave up waiting.",
                "none",
                alerts=("APIRateLimited",),
            ),
            [Query(per_minute(averaged(STATUS, SERVICE, 'status=~"[45].."', by="status")), "{{status}}")],
            stacked=True,
        ),
        sheet(
            About(
                "Routes that fail most",
                "Requests a minute that fail, by route. One route alone: its code or what it calls. All routes:"
                " something they share.",
                "none",
                alerts=("HighErrorRate",),
            ),
            {"job": "Service", "route": "Route", "Value": "Failing a minute"},
            [Query(f"topk(15, {per_minute(summed(ROUTES, SERVICE, by='job, route'))} > 0)", "{{route}}")],
            sort="Failing a minute",
            decimals=1,
        ),
        graph(
            About(
                "Rate-limited requests",
                "Share of requests to the API that are answered with 429. Above the line an alert fires: one client"
                " sends too many, or the limit is too low.",
                "percentunit",
                alerts=("APIRateLimited",),
            ),
            [
                Query(
                    f"{refused} / ({asked} > 0) or 0 * {asked}",
                    "{{namespace}}",
                )
            ],
            warning(limits.alert_threshold("APIRateLimited")),
        ),
    ]


REFUSED: Final = 'status="429"'


def kinds() -> list[Panel]:
    return [
        pie(
            About(
                "Errors by severity",
                "How the errors of the last hour divide. Much critical or error: look now. Mostly warning: look this"
                " week.",
                "none",
            ),
            Query(counted(ERRORS, SERVICE, span="1h", by="severity"), "{{severity}}"),
        ),
        sheet(
            About(
                "Top error types",
                "The most frequent classes of error in the last hour. Begin at the top and read the log for it.",
                "none",
            ),
            {"job": "Service", "severity": "Severity", "error_type": "Error", "Value": "Count"},
            [
                Query(
                    f"topk(15, {counted(ERRORS, SERVICE, span='1h', by='job, severity, error_type')} > 0.5)",
                    "{{error_type}}",
                )
            ],
            sort="Count",
            decimals=0,
            width=16,
        ),
        graph(
            About(
                "Errors over time",
                "Errors a minute by severity. A plateau that begins at a blue mark came with a release.",
                "none",
            ),
            [Query(per_minute(averaged(ERRORS, SERVICE, by="severity")), "{{severity}}")],
            stacked=True,
        ),
        graph(
            About(
                "Unhandled exceptions over time",
                "Exceptions a minute that left the application, by class. Each is a bug, and each was a 500 or a lost"
                " task.",
                "none",
            ),
            [Query(per_minute(averaged(UNHANDLED, SERVICE, by="job, error_type")), "{{job}} {{error_type}}")],
            stacked=True,
        ),
    ]


def origins() -> list[Panel]:
    return [
        graph(
            About(
                "Database errors",
                "Database errors a minute by class. Timeouts and refused connections: look at the pool. Conflicts:"
                " look at what runs at the same time.",
                "none",
                alerts=("DatabasePoolExhausted",),
                details=((uids.OVERVIEW, "Database connections"),),
            ),
            [Query(per_minute(averaged(DATABASE, SERVICE, by="job, error_type")), "{{job}} {{error_type}}")],
            stacked=True,
        ),
        graph(
            About(
                "Agent task failures",
                "Failures a minute by agent. One agent alone: what it calls. All agents: what they share.",
                "none",
                alerts=("AgentFailureRateHigh",),
                details=((uids.AGENTS, "Agents"),),
            ),
            [Query(per_minute(averaged(AGENTS, by="agent")), "{{agent}}")],
            stacked=True,
        ),
        graph(
            About(
                "Zoho integration failures",
                "Synchronisations that fail, a minute, by class of error.",
                "none",
                alerts=("SyncFailing",),
                details=((uids.SYNC, "Sync pipeline"),),
            ),
            [Query(per_minute(averaged(SYNC, by="error_type")), "{{error_type}}")],
            stacked=True,
        ),
        graph(
            About(
                "Failing Zoho calls",
                "Calls to Zoho a minute that ended with a status of 400 or above or without an answer, by endpoint and"
                " status.",
                "none",
                details=((uids.SYNC, "Sync pipeline"),),
            ),
            [
                Query(
                    per_minute(averaged(ZOHO, by="endpoint, status")),
                    "{{endpoint}} {{status}}",
                )
            ],
            stacked=True,
        ),
    ]
