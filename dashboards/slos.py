"""SLOs: the objectives, how much of their error budget is left, and how fast it is spent."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, above, limit, warning
from dashboards.frame import MONTH, Section, filled, frame
from dashboards.panels import graph, number
from dashboards.query import Query, anywhere, average, chosen, highest
from dashboards.sdk import model
from dashboards.shapes import sheet

BURN: Final = "namespace_slo:sergas_slo_burn"
LEFT: Final = "namespace_slo:sergas_slo_budget_remaining:ratio_rate30d"
BURN_30D: Final = "namespace_slo:sergas_slo_burn:rate30d"
EVENTS: Final = "namespace_slo:sergas_slo_events:rate5m"
BAD: Final = "namespace_slo:sergas_slo_bad_events:rate5m"
# One for each objective, also where several environments are read at once.
OBJECTIVE: Final = f"max by (slo) ({anywhere('slo:sergas_slo_objective:ratio')})"
EACH: Final = "{{namespace}} {{slo}}"
API: Final = 'slo=~"api.+"'
OTHERS: Final = 'slo!~"api.+"'
# Each with what to do when it fires.
ALERTS: Final = {
    "fast": ("ErrorBudgetBurnFast", "Find what fails, and roll back what was released."),
    "slow": ("ErrorBudgetBurnSlow", "Find the errors that stay, and fix them within days."),
}
# Prometheus looks five minutes back for a sample. The budget over 30 days is recorded every two minutes, so that a gap
# of a few evaluations, such as at a restart, would leave the panels without it.
BUDGET_LOOKBACK: Final = "15m"


def built() -> model.Dashboard:
    question = "Do we keep what we promised, and how much room is left?"
    empty = frame(uids.SLOS, "SLOs", question, "slos", span=MONTH)
    return filled(
        empty,
        [
            Section("Do we keep what we promised?", now()),
            Section("Is the budget being spent?", burning()),
            Section("What is counted", counting(), closed=True),
        ],
    )


def left_bands() -> Bands:
    """Red when it is spent, yellow when a quarter is left."""
    return Bands(base=RED, steps=((0, YELLOW), (0.25, GREEN)))


def recent(record: str) -> str:
    """The last value of a record of the budget."""
    return f"last_over_time({chosen(record)}[{BUDGET_LOOKBACK}])"


def now() -> list[Panel]:
    return [
        number(
            About(
                "Error budget left (30 d)",
                "What is left of the budget of 30 days, for each objective, in the namespace where it is least. Below"
                " 0 the objective is missed: release nothing but repairs.",
                "percentunit",
                alerts=("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
            ),
            Query(f"min by (slo) ({recent(LEFT)})", "{{slo}}"),
            left_bands(),
            width=12,
            decimals=3,
            sparkline=False,
        ),
        number(
            About(
                "Burn rate (1 h)",
                "How many times faster than allowed the budget is spent. 1 spends it in exactly 30 days. Yellow: more"
                " than that. Red: the factor of ErrorBudgetBurnFast for its first windows.",
                "none",
                alerts=("ErrorBudgetBurnFast",),
            ),
            Query(f"max by (slo) ({chosen(f'{BURN}:rate1h')})", "{{slo}}"),
            above(1, limits.burn_factor("fast", 1)),
            width=12,
            decimals=1,
            sparkline=False,
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
                Query(f"0 * {recent(LEFT)} + on (slo) group_left () {OBJECTIVE}", "promised"),
                Query(f"1 - {recent(BURN_30D)} * on (slo) group_left () (1 - {OBJECTIVE})", "kept"),
                Query(recent(LEFT), "left"),
            ],
            sort="Objective",
            greatest=False,
            decimals=3,
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
            [Query(recent(LEFT), EACH)],
            left_bands(),
            width=24,
            floor=None,
        ),
        *(leg(part, number_) for part in ALERTS for number_ in (1, 2)),
    ]


def leg(part: str, number_: int) -> Panel:
    """The signal of one leg of an alert: the lower burn rate of its long and its short window, and its factor."""
    alert, action = ALERTS[part]
    factor = limits.burn_factor(part, number_)
    return graph(
        About(
            f"{part.capitalize()} burn, factor {factor:g}",
            "The lower of the burn rates of two windows. Above the line both burn too fast, and the alert fires after"
            f" its duration. At the line the budget of 30 days is spent in {30 / factor:.2g} days. {action}",
            "none",
            alerts=(alert,),
            details=((uids.ERRORS, "Errors"),),
        ),
        [Query(highest(f"{BURN}:min_{part}{number_}"), f"{EACH} {{{{windows}}}}")],
        limit(factor) if part == "fast" else warning(factor),
    )


def counting() -> list[Panel]:
    return [
        graph(
            About(
                "Requests counted",
                "What the objectives of the API count, requests a second. None: the objective is not watched.",
                "none",
            ),
            [Query(average(EVENTS, API), EACH)],
            width=8,
        ),
        graph(
            About(
                "Other events counted",
                "What the other objectives count: attempts of tasks a second; 1 for an objective over time.",
                "none",
            ),
            [Query(average(EVENTS, OTHERS), EACH)],
            width=8,
        ),
        graph(
            About(
                "Share of bad events",
                "Share of what is counted that failed the objective. Flat at 0 is what we want.",
                "percentunit",
            ),
            [Query(f"{average(BAD)} / ({average(EVENTS)} > 0)", EACH)],
            width=8,
        ),
    ]
