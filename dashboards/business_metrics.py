"""Business Metrics: what the product brings, and whether people accept what it recommends."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import below, warning
from dashboards.frame import WEEK, Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import Query, averaged, chosen, counted, highest, increase, lowest, summed, zero_while
from dashboards.sdk import model
from dashboards.shapes import cloud, dial, pie, sheet

ACTIVE: Final = "namespace:sergas_accounts_active_total:latest"
GENERATED: Final = "namespace_type:sergas_recommendations_generated:rate5m"
ACCEPTED: Final = "namespace_type:sergas_recommendations_accepted:rate5m"
REJECTED: Final = "namespace_type_reason:sergas_recommendations_rejected:rate5m"
CROSS_SELL: Final = "namespace_category:sergas_cross_sell_opportunities_identified:rate5m"
UPSELL: Final = "namespace_category:sergas_upsell_opportunities_identified:rate5m"
ATTEMPTS: Final = "namespace_agent:sergas_agent_task_attempts:rate5m"
PROCESSED: Final = "namespace_status:sergas_account_processing:rate5m"
GENERATION: Final = "namespace_type:sergas_recommendation_generation_duration_seconds:p95_rate5m"
ENRICHMENT: Final = "namespace_source:sergas_account_enrichment_duration_seconds:p95_rate5m"
SYNC: Final = (uids.SYNC, "Sync pipeline")
AGENTS: Final = (uids.AGENTS, "Agents")


def built() -> model.Dashboard:
    question = "What does the product bring, and do people take what it recommends?"
    empty = frame(uids.BUSINESS, "Business Metrics", question, "business_metrics", span=WEEK)
    return filled(
        empty,
        [
            Section("What does it bring?", now()),
            Section("Recommendations", recommendations()),
            Section("Opportunities", opportunities()),
            Section("How fast is it?", speed()),
            Section("Knowledge graph", knowledge(), closed=True),
        ],
    )


def now() -> list[Panel]:
    return [
        number(
            About(
                "Active accounts",
                "Accounts in the system, as the pod that synchronised last reports them. A step down: a sync dropped"
                " accounts.",
                "none",
                details=(SYNC,),
            ),
            Query(f"sum({chosen(ACTIVE)})", "accounts"),
            width=3,
            decimals=0,
        ),
        number(
            About(
                "Recommendations (24 h)",
                "Recommendations generated in the last 24 hours. 0: the agents have stalled.",
                "none",
                alerts=("RecommendationsStalled",),
                details=(AGENTS,),
            ),
            Query(counted(GENERATED, span="1d"), "recommendations"),
            decimals=0,
        ),
        dial(
            About(
                "Acceptance rate (24 h)",
                "Of the recommendations that people decided on in the last 24 hours, the share that was accepted. Low"
                " with many decisions: people do not find them useful; the reasons are below.",
                "percentunit",
            ),
            Query(acceptance(), "accepted"),
            below(0.2, 0.4),
        ),
        number(
            About(
                "Cross-sell opportunities (24 h)",
                "Cross-sell opportunities identified in the last 24 hours.",
                "none",
            ),
            Query(counted(CROSS_SELL, span="1d"), "opportunities"),
            width=5,
            decimals=0,
        ),
        number(
            About("Upsell opportunities (24 h)", "Upsell opportunities identified in the last 24 hours.", "none"),
            Query(counted(UPSELL, span="1d"), "opportunities"),
            decimals=0,
        ),
        number(
            About(
                "Accounts processed (24 h)",
                "Accounts processed from their data to their recommendations in the last 24 hours, with success or"
                " without.",
                "none",
            ),
            Query(counted(PROCESSED, span="1d"), "accounts"),
            decimals=0,
        ),
    ]


def acceptance() -> str:
    """Of what people decided on in a day. What was generated counts neither way until somebody decides."""
    accepted, rejected = increase(ACCEPTED, span="1d"), increase(REJECTED, span="1d")
    return f"(sum({accepted}) or 0 * sum({rejected})) / (sum({accepted} or {rejected}) > 0)"


def hourly(rate: str, by: str) -> str:
    """Events in the hour before: most of these are too rare for five minutes to say anything."""
    return counted(rate, span="1h", by=by)


def stalled() -> str:
    """Tasks of the last hour where no recommendation came out, by namespace: as RecommendationsStalled judges."""
    tasks = counted(ATTEMPTS, span="1h", by="namespace")
    return zero_while(f"({tasks} unless {counted(GENERATED, span='1h', by='namespace')} > 0.5)", tasks)


def recommendations() -> list[Panel]:
    return [
        graph(
            About(
                "Recommendations by type",
                "Recommendations an hour by type. A type that vanishes: the agent that makes it has stalled, or its"
                " input is missing.",
                "none",
                alerts=("RecommendationsStalled",),
                details=(AGENTS,),
            ),
            [
                Query(
                    counted(GENERATED, span="1h", by="type"),
                    "{{type}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Tasks without a recommendation",
                "0 while recommendations come out. When none came out in an hour, the tasks that agents began in it:"
                " above the line an alert fires, and the work is for nothing.",
                "none",
                alerts=("RecommendationsStalled",),
                details=(AGENTS,),
            ),
            [Query(stalled(), "{{namespace}}")],
            warning(limits.alert_threshold("RecommendationsStalled")),
        ),
        cloud(
            About(
                "Confidence distribution",
                "How confident the recommendations are, from 0 to 1. The band sinks: the agents know less than"
                " before; look at the documents that reach memory.",
                "percentunit",
            ),
            Query(summed("namespace_le:sergas_recommendation_confidence_score_bucket:rate5m", by="le"), "{{le}}"),
        ),
        sheet(
            About(
                "Rejection reasons",
                "Why people rejected recommendations in the last 24 hours, the most frequent reason first.",
                "none",
            ),
            {"type": "Type", "reason": "Reason", "Value": "Rejected"},
            [Query(f"topk(15, {counted(REJECTED, span='1d', by='type, reason')} > 0.5)", "{{type}} {{reason}}")],
            sort="Rejected",
            decimals=0,
        ),
    ]


def opportunities() -> list[Panel]:
    return [
        pie(
            About(
                "Cross-sell by category",
                "How the cross-sell opportunities of the last 24 hours divide. One category alone: the others'"
                " products may be missing from the catalogue.",
                "none",
            ),
            Query(counted(CROSS_SELL, span="1d", by="category"), "{{category}}"),
        ),
        graph(
            About(
                "Cross-sell opportunities over time",
                "Cross-sell opportunities an hour by category. Zero with recommendations going on: nothing is found"
                " to sell.",
                "none",
            ),
            [Query(hourly(CROSS_SELL, "category"), "{{category}}")],
            width=8,
            stacked=True,
        ),
        graph(
            About(
                "Upsell opportunities over time",
                "Upsell opportunities an hour by category. Zero with recommendations going on: nothing is found to"
                " sell.",
                "none",
            ),
            [Query(hourly(UPSELL, "category"), "{{category}}")],
            width=8,
            stacked=True,
        ),
    ]


def speed() -> list[Panel]:
    return [
        graph(
            About(
                "Accounts processed over time",
                "Accounts an hour by outcome. Failures take over: look at the agents' failures by class of error.",
                "none",
                details=(SYNC, AGENTS),
            ),
            [Query(f"3600 * {averaged(PROCESSED, by='status')}", "{{status}}")],
            width=8,
            stacked=True,
        ),
        graph(
            About(
                "Recommendation generation time",
                "95th percentile by type. A step up: the model that is asked has become slow.",
                "s",
                details=(AGENTS,),
            ),
            [
                Query(
                    f"max by (type) ({highest(GENERATION)})",
                    "{{type}}",
                )
            ],
            width=8,
        ),
        graph(
            About(
                "Account enrichment performance",
                "95th percentile of the time to enrich an account, by source of data. One source alone climbs: it is"
                " slow.",
                "s",
            ),
            [
                Query(
                    f"max by (source) ({highest(ENRICHMENT)})",
                    "{{source}}",
                )
            ],
            width=8,
        ),
    ]


def knowledge() -> list[Panel]:
    return [
        graph(
            About(
                "Size of the knowledge graph",
                "Nodes and relationships, as the pod that processed a document last reports them. Flat while"
                " documents are processed: they are read and nothing is kept.",
                "none",
                alerts=("MemoryProcessingStalled",),
            ),
            [
                Query(lowest("namespace:sergas_memory_graph_nodes_total:latest"), "{{namespace}} nodes"),
                Query(
                    lowest("namespace:sergas_memory_graph_relationships_total:latest"), "{{namespace}} relationships"
                ),
            ],
            width=24,
        ),
    ]
