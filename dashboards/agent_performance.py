"""Agent Performance: whether the agents keep up, and what slows or breaks them."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import Bands, above, below, limit
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import AGENT, Query, average, averaged, chosen, highest, lowest, per_minute, summed
from dashboards.sdk import model
from dashboards.shapes import cloud

EACH: Final = "{{namespace}} {{agent}}"
ATTEMPTS: Final = "namespace_agent:sergas_agent_task_attempts:rate5m"
RETRIES: Final = "namespace_agent:sergas_agent_task_retries:rate5m"
RETRY_SHARE: Final = "namespace_agent:sergas_agent_task_retries:ratio_rate5m"
SUCCESS: Final = "namespace_agent:sergas_agent_task_success:ratio_rate5m"
ERRORS: Final = (uids.ERRORS, "All errors")


def built() -> model.Dashboard:
    question = "Do the agents keep up, and what slows or breaks them?"
    empty = frame(uids.AGENTS, "Agent Performance", question, "agent_performance", offered=["agent"])
    return filled(
        empty,
        [
            Section("Do the agents keep up?", now()),
            Section("How much do they do, and how fast?", work()),
            Section("What fails?", failures()),
            Section("Memory and knowledge graph", memory(), closed=True),
        ],
    )


def enough() -> Bands:
    """The share of tasks that succeed: red where the alert on failures fires, yellow where the objective is missed."""
    return below(1 - limits.alert_threshold("AgentFailureRateHigh"), 0.95)


def now() -> list[Panel]:
    return [
        number(
            About(
                "Lowest task success (5 min)",
                "Share of attempts that did not fail over five minutes, of the worst agent. Red: an alert fires after"
                " ten minutes.",
                "percentunit",
                alerts=("AgentFailureRateHigh",),
                details=((uids.SLOS, "Objectives"),),
            ),
            Query(f"min({chosen(SUCCESS, AGENT)})", "success"),
            enough(),
            width=6,
            decimals=1,
        ),
        number(
            About(
                "Longest queue",
                "Tasks that wait for the agent that is furthest behind. Yellow from 100, the target; red where an"
                " alert fires. Growing while throughput stands still: the agent hangs.",
                "none",
                alerts=("AgentQueueBacklog",),
            ),
            Query(f"max({chosen('namespace_agent:sergas_agent_queue_size:sum', AGENT)})", "tasks"),
            above(limits.QUEUE_TARGET, limits.alert_threshold("AgentQueueBacklog")),
            width=6,
            decimals=0,
        ),
        number(
            About(
                "Tasks a second (5 min)",
                "Attempts at tasks that agents begin, each retry counted again. Zero while a queue is not empty: no"
                " worker takes anything.",
                "none",
            ),
            Query(f"sum({chosen(ATTEMPTS, AGENT)})", "tasks a second"),
            width=6,
            decimals=1,
        ),
        number(
            About(
                "Slowest agent p95 (5 min)",
                "One task in twenty takes this long or longer, of the slowest agent. Compare with its usual value:"
                " agents differ.",
                "s",
            ),
            Query(f"max({chosen('namespace_agent:sergas_agent_task_duration_seconds:p95_rate5m', AGENT)})", "p95"),
            width=6,
        ),
    ]


def work() -> list[Panel]:
    return [
        graph(
            About(
                "Task execution time",
                "95th percentile of a task's duration, failed ones included. A step up with steady throughput: what"
                " the agent asks has become slow.",
                "s",
            ),
            [Query(highest("namespace_agent:sergas_agent_task_duration_seconds:p95_rate5m", AGENT), EACH)],
        ),
        graph(
            About(
                "Task throughput",
                "Attempts a second by agent, retries counted again. It should follow the load; flat below it while"
                " queues grow: too few workers.",
                "none",
            ),
            [Query(average(ATTEMPTS, AGENT), EACH)],
        ),
        graph(
            About(
                "Queue size",
                "Tasks that wait, over all pods of an agent. A line that climbs without end is never worked off.",
                "none",
                alerts=("AgentQueueBacklog",),
            ),
            [Query(highest("namespace_agent:sergas_agent_queue_size:sum", AGENT), EACH)],
            above(limits.QUEUE_TARGET, limits.alert_threshold("AgentQueueBacklog")),
        ),
        graph(
            About(
                "Concurrent tasks",
                "Tasks that are worked on at this moment. Flat at the number of workers: all are busy, and the queue"
                " grows. Flat with no throughput: they hang.",
                "none",
            ),
            [Query(highest("namespace_agent:sergas_agent_concurrent_tasks:sum", AGENT), EACH)],
        ),
        cloud(
            About(
                "Task duration distribution",
                "How many tasks a second end within each duration. Two dark bands: two kinds of work, or a dependency"
                " that times out for some.",
                "s",
            ),
            Query(
                summed("namespace_agent_le:sergas_agent_task_duration_seconds_bucket:rate5m", AGENT, by="le"),
                "{{le}}",
            ),
            width=24,
        ),
    ]


def failures() -> list[Panel]:
    return [
        graph(
            About(
                "Task success rate",
                "Share of attempts that did not fail. Below the red line an alert fires after ten minutes.",
                "percentunit",
                alerts=("AgentFailureRateHigh",),
            ),
            [Query(lowest(SUCCESS, AGENT), EACH)],
            enough(),
            floor=None,
        ),
        graph(
            About(
                "Failure breakdown by type",
                "Failures a minute, by agent and class of error. One colour that takes over is one cause: begin there.",
                "none",
                alerts=("AgentFailureRateHigh",),
                details=(ERRORS,),
            ),
            [
                Query(
                    per_minute(
                        averaged(
                            "namespace_agent_error_type:sergas_agent_task_failures:rate5m",
                            AGENT,
                            by="agent, error_type",
                        )
                    ),
                    "{{agent}} {{error_type}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Retry rate",
                "Retries a minute. Many retries and few failures: something is flaky, and the retries hide it.",
                "none",
            ),
            [Query(per_minute(average(RETRIES, AGENT)), EACH)],
        ),
        graph(
            About(
                "Retries for each attempt",
                "Share of attempts that are retries. Near 50 % every task needs a second attempt, and half of the"
                " work is for nothing.",
                "percentunit",
            ),
            [Query(highest(RETRY_SHARE, AGENT), EACH)],
        ),
    ]


def memory() -> list[Panel]:
    stalled = limits.alert_threshold("MemoryProcessingStalled")
    return [
        graph(
            About(
                "Time to process a document",
                "95th percentile by operation. It climbs with the size of documents and of the graph.",
                "s",
            ),
            [
                Query(
                    highest("namespace_operation:sergas_memory_processing_duration_seconds:p95_rate5m"),
                    "{{namespace}} {{operation}}",
                )
            ],
        ),
        graph(
            About(
                "Documents processed",
                "Documents a minute, by outcome. Failures without successes: nothing gets into memory.",
                "none",
                alerts=("MemoryProcessingStalled",),
            ),
            [
                Query(
                    per_minute(averaged("namespace_status:sergas_memory_documents_processed:rate5m", by="status")),
                    "{{status}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Time since a document was processed",
                "Age of the last success of any pod, restarts included. Above the line, while accounts are still"
                " synchronised, recommendations are made from old knowledge.",
                "s",
                alerts=("MemoryProcessingStalled",),
            ),
            [
                Query(
                    highest("namespace:sergas_memory_last_success_timestamp_seconds:age"),
                    "{{namespace}}",
                )
            ],
            limit(stalled),
        ),
        graph(
            About(
                "Accounts synchronised",
                "Accounts a minute that arrive from Zoho: the documents to be processed.",
                "none",
                details=((uids.SYNC, "Sync pipeline"),),
            ),
            [Query(per_minute(average("namespace:sergas_zoho_accounts_synced:rate5m")), "{{namespace}}")],
        ),
    ]
