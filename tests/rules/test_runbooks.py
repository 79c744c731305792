"""Each runbook answers the same five questions, and its queries read what is really there."""

import re
from pathlib import Path

import promql_parser
import pytest

from charts.exported import EXPORTED
from sergas_metrics.catalogue import CATALOGUE

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
# Given by service discovery, not by the program that exports.
TARGET_LABELS = {"job", "namespace", "instance", "pod", "__name__"}
OF_ALERTS = {"ALERTS": {"alertname", "alertstate", "severity"}}
# What the record of a level is grouped by stands in its name.
RECORD_LABELS = {"slo", "le", "metric", "namespace", "job", "agent", "cache", "type"}


@pytest.fixture
def runbook(shipped):
    return (RUNBOOKS / f"{shipped['name']}.md").read_text(encoding="utf-8")


@pytest.fixture
def queries(runbook):
    return re.findall(r"^```promql\n(.*?)^```$", section(runbook, "Confirm"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def known(groups):
    """Every series a runbook may ask for: its kind, and its labels beside those of the target."""
    found = {name: (kind, set(labels)) for name, (kind, labels) in EXPORTED.items()}
    found |= {name: ("gauge", labels) for name, labels in OF_ALERTS.items()}
    found |= {
        rule["record"]: ("gauge", RECORD_LABELS) for group in groups for rule in group["rules"] if "record" in rule
    }
    for spec in CATALOGUE:
        labels = set(spec.labels)
        if spec.kind == "histogram":
            found |= {f"{spec.name}_{part}": ("counter", labels) for part in ("sum", "count")}
            found[f"{spec.name}_bucket"] = ("counter", labels | {"le"})
        else:
            found[spec.name] = (spec.kind, labels)
    return found


def section(runbook, title):
    return runbook.partition(f"## {title}\n")[2].partition("\n## ")[0]


def nodes(query):
    """Every node of the query's tree."""
    found, open_ones = [], [promql_parser.parse(query)]
    while open_ones:
        node = open_ones.pop()
        found.append(node)
        for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
            inner = getattr(node, name, None)
            if inner is not None and type(inner).__module__.startswith("promql_parser"):
                open_ones.append(inner)
        open_ones += list(getattr(node, "args", None) or ())
    return found


def selectors(query):
    """(metric, labels it is matched by) of every selector; a metric may be named in a matcher too."""
    for node in nodes(query):
        if isinstance(node, promql_parser.VectorSelector):
            matchers = node.matchers.matchers
            named = next((matcher.value for matcher in matchers if matcher.name == "__name__"), node.name)
            yield named, {matcher.name for matcher in matchers}


def test_the_runbook_says_how_to_confirm_with_a_query(queries):
    assert queries


def test_its_queries_read_series_that_are_exported_by_labels_they_have(queries, known):
    for query in queries:
        for metric, labels in selectors(query):
            assert metric in known
            assert labels <= known[metric][1] | TARGET_LABELS


def test_its_queries_take_rates_of_counters_alone(queries, known):
    for query in queries:
        for metric in re.findall(r"\b(?:rate|increase|irate)\(\s*([a-zA-Z0-9_:]+)", query):
            assert known[metric][0] == "counter"


def test_one_of_its_queries_reads_what_the_alert_reads(shipped, queries):
    read = {metric for query in queries for metric, _ in selectors(query)}
    roots = {root(metric) for metric in shipped["reads"]} or {"ALERTS"}
    assert roots & {root(metric) for metric in read}


def root(metric):
    """A metric without what makes one of a histogram's series or a record of it: a runbook may look at finer parts."""
    inner = metric.split(":")[1] if ":" in metric else metric
    return re.sub(r"_(bucket|count|sum|total|failed_total)$", "", inner)


def test_every_section_says_something(runbook):
    for title in ("Meaning", "Impact", "Confirm", "Fix", "Escalate"):
        words = re.sub(r"```.*?```", "", section(runbook, title), flags=re.DOTALL).split()
        assert len(words) > 3 or title == "Confirm"


def test_the_fix_is_a_list_of_steps(runbook):
    steps = re.findall(r"^(\d+)\. ", section(runbook, "Fix"), re.MULTILINE)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    assert len(steps) > 1


def test_its_links_lead_somewhere(runbook):
    for target in re.findall(r"\]\(([^)#]+)\)", runbook):
        assert target.startswith("https://") or (RUNBOOKS / target).exists()
