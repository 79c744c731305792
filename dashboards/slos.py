"""SLOs: what we promised, how much of the error budget is left, and how fast it goes."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, above
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import Query, anywhere, chosen
from dashboards.sdk import model
from dashboards.shapes import sheet

BURN: Final = "namespace_slo:sergas_slo_burn"
LEFT: Final = "namespace_slo:sergas_slo_budget_remaining:ratio_rate30d"
EVENTS: Final = "namespace_slo:sergas_slo_events:rate5m"
BAD: Final = "namespace_slo:sergas_slo_bad_events:rate5m"
# One for each objective, also where several environments are read at once.
OBJECTIVE: Final = f"max by (slo) ({anywhere('slo:sergas_slo_objective:ratio')})"
EACH: Final = "{{namespace}} {{slo}}"


def built() -> model.Dashboard:
    question = "Do we keep what we promised, and how much room is left?"
    empty = frame(uids.SLOS, "SLOs", question, "slos")
    return filled(
        empty,
        [
            Section("Do we keep what we promised?", now()),
            Section("Is the budget going?", burning()),
            Section("What is counted", counting(), closed=True),
        ],
    )


def left_bands() -> Bands:
    """Red when it is spent, yellow when a quarter is left."""
    return Bands(base=RED, steps=((0, YELLOW), (0.25, GREEN)))


def now() -> list[Panel]:
    return [
        number(
            About(
                "Error budget left",
                "What is left of the budget of 30 days, for each objective, in the namespace where it is least. Below"
                " 0 the objective is missed: stop releasing anything but repairs.",
                "percentunit",
                alerts=("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
            ),
            Query(f"min by (slo) ({chosen(LEFT)})", "{{slo}}"),
            left_bands(),
            width=12,
            decimals=1,
        ),
        number(
            About(
                "Burn rate of the last hour",
                "How many times faster than allowed the budget is spent. 1 spends it in exactly 30 days. Red raises"
                " ErrorBudgetBurnFast.",
                "none",
                alerts=("ErrorBudgetBurnFast",),
            ),
            Query(f"max by (slo) ({chosen(f'{BURN}:rate1h')})", "{{slo}}"),
            above(1, limits.BURN_FAST),
            width=12,
            decimals=1,
        ),
        sheet(
            About(
                "Objectives",
                "For each objective: the promise, the share of good events of the last 30 days, and what is left of"
                " the budget.",
                "percentunit",
            ),
            {
                "namespace": "Namespace",
                "slo": "Objective",
                "Value #A": "Promised",
                "Value #B": "Kept over 30 days",
                "Value #C": "Budget left",
            },
            [
                Query(f"0 * {chosen(LEFT)} + on (slo) group_left () {OBJECTIVE}", "promised"),
                Query(f"1 - {chosen(f'{BURN}:rate30d')} * on (slo) group_left () (1 - {OBJECTIVE})", "kept"),
                Query(chosen(LEFT), "left"),
            ],
            sort="Objective",
            greatest=False,
            width=24,
            height=6,
        ),
    ]


def burning() -> list[Panel]:
    return [
        graph(
            About(
                "Error budget left over time",
                "A steep fall is an incident, a steady slope something that is always a little broken. It rises again"
                " as bad days leave the window of 30.",
                "percentunit",
                alerts=("ErrorBudgetBurnSlow",),
            ),
            [Query(chosen(LEFT), EACH)],
            left_bands(),
            width=24,
            floor=None,
        ),
        graph(
            About(
                "Fast burn",
                "Burn rate over an hour. Above the red line, and still so in the last five minutes, someone is paged:"
                " the budget of 30 days would be gone within two.",
                "none",
                alerts=("ErrorBudgetBurnFast",),
                details=((uids.ERRORS, "Errors"),),
            ),
            [Query(chosen(f"{BURN}:rate1h"), EACH)],
            above(1, limits.BURN_FAST),
        ),
        graph(
            About(
                "Slow burn",
                "Burn rate over a day. Above the yellow line for long the budget will not last its 30 days: fix what"
                " stays broken.",
                "none",
                alerts=("ErrorBudgetBurnSlow",),
                details=((uids.ERRORS, "Errors"),),
            ),
            [Query(chosen(f"{BURN}:rate1d"), EACH)],
            Bands(steps=((limits.BURN_SLOW, YELLOW),), drawn=True),
        ),
        graph(
            About(
                "Burn rate of each window: paging",
                "The windows of 5 and 30 minutes and of six hours that the alert compares with. It ends when the"
                " short ones fall.",
                "none",
                alerts=("ErrorBudgetBurnFast",),
            ),
            [Query(chosen(f"{BURN}:rate{window}"), f"{EACH} {window}") for window in ("5m", "30m", "6h")],
        ),
        graph(
            About(
                "Burn rate of each window: warning",
                "The windows of two hours and three days that the alert compares with.",
                "none",
                alerts=("ErrorBudgetBurnSlow",),
            ),
            [Query(chosen(f"{BURN}:rate{window}"), f"{EACH} {window}") for window in ("2h", "3d")],
        ),
    ]


def counting() -> list[Panel]:
    return [
        graph(
            About(
                "Events",
                "What each objective counts, a second: requests, attempts of tasks; 1 for an objective over time."
                " None: the objective is not watched.",
                "none",
            ),
            [Query(chosen(EVENTS), EACH)],
        ),
        graph(
            About(
                "Bad events",
                "How many of them failed the objective, a second. Flat at 0 is what we want.",
                "none",
            ),
            [Query(chosen(BAD), EACH)],
        ),
    ]
