"""Each runbook answers the same five questions, and its queries read what is really there."""

import re
from pathlib import Path

import pytest

from charts.known import known_series
from charts.promql import metrics, problems

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


@pytest.fixture
def runbook(shipped):
    return (RUNBOOKS / f"{shipped['name']}.md").read_text(encoding="utf-8")


@pytest.fixture
def queries(runbook):
    return re.findall(r"^```promql\n(.*?)^```$", section(runbook, "Confirm"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def known(groups):
    return known_series(groups)


def section(runbook, title):
    return runbook.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_runbook_says_how_to_confirm_with_a_query(queries):
    assert queries


def test_nothing_is_wrong_with_its_queries(queries, known):
    assert [problem for query in queries for problem in problems(query, known)] == []


def test_one_of_its_queries_reads_what_the_alert_reads(shipped, queries):
    read = set().union(*map(metrics, queries))
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
