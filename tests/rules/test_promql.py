"""The judge of expressions tells what Prometheus would answer with nothing, and lets pass what is right."""

import pytest

from charts.promql import Series, labels, problems

TARGET = frozenset({"job", "instance", "namespace"})
KNOWN = {
    "requests_total": Series("counter", TARGET | {"status"}, 10),
    "seconds_bucket": Series("counter", TARGET | {"route", "le"}, 10),
    "used_bytes": Series("gauge", TARGET, 30),
    "limit_bytes": Series("gauge", TARGET | {"pool"}, 30),
    "build_info": Series("gauge", TARGET | {"version"}, 30),
}
WRONG = {
    "requests": "nobody exports or records requests",
    'requests_total{code="5"}': "requests_total is selected by code, of instance, job, namespace, status",
    "sum by (code) (requests_total)": "sum by code, of instance, job, namespace, status",
    "sum without (code) (requests_total)": "sum without code, of instance, job, namespace, status",
    "sum by (job) (used_bytes) / on (instance) used_bytes": "/ on instance, of job",
    "used_bytes / ignoring (pol) used_bytes": "/ ignoring pol, of instance, job, namespace",
    "used_bytes * on (instance) group_left (colour) build_info": (
        "group_left or group_right takes from the side of one colour, of instance, job, namespace, version"
    ),
    "used_bytes / limit_bytes": "only one side of / has pool, so nothing meets: aggregate both alike, or write on",
    "sum(used_bytes) > 5 unless used_bytes": (
        "only one side of unless has instance, job, namespace, so nothing meets: aggregate both alike, or write on"
    ),
    "rate(used_bytes[5m])": "rate() is taken of used_bytes, which is a gauge and no counter",
    "deriv(requests_total[5m])": "deriv() is taken of requests_total, which is a counter and no gauge",
    "histogram_quantile(0.9, sum by (job) (rate(seconds_bucket[5m])))": (
        "histogram_quantile is given buckets without le: keep le in the aggregation below it"
    ),
    "rate(requests_total[30s])": (
        "requests_total gets a sample every 10 s, and a range of 30 s holds fewer than 4: write 40 s or more"
    ),
    "-(rate(requests_total[30s]) + 1)": (
        "requests_total gets a sample every 10 s, and a range of 30 s holds fewer than 4: write 40 s or more"
    ),
}
RIGHT = (
    'sum by (job) (rate(requests_total{status=~"5.."}[5m])) / sum by (job) (rate(requests_total[5m])) > 0.05',
    "histogram_quantile(0.95, sum by (job, le) (rate(seconds_bucket[1m])))",
    "used_bytes / ignoring (pool) group_right () limit_bytes",
    "used_bytes * on (instance) group_left (version) build_info",
    "time() - max by (job) (used_bytes) > 60",
    "changes(used_bytes[2m]) > 2 and on (job) group by (job) (requests_total)",
    'sum by (job, kind) (label_replace(used_bytes, "kind", "memory", "", ""))',
    "sum_over_time((max by (job) (used_bytes))[6h:30s]) / scalar(count_over_time(vector(1)[6h:30s]))",
    "topk(3, used_bytes) or vector(1)",
    "1 - used_bytes / used_bytes",
)


@pytest.mark.parametrize("expr", WRONG)
def test_what_answers_with_nothing_is_told_in_a_sentence(expr):
    assert problems(expr, KNOWN) == [WRONG[expr]]


@pytest.mark.parametrize("expr", RIGHT)
def test_what_is_right_passes(expr):
    assert problems(expr, KNOWN) == []


def test_what_is_no_promql_is_refused():
    with pytest.raises(ValueError, match="unclosed"):
        problems("sum(", KNOWN)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("sum by (job) (used_bytes)", {"job"}),
        ("sum without (instance) (used_bytes)", {"job", "namespace"}),
        ("sum(used_bytes)", set()),
        ("used_bytes * on (instance) group_left (version) build_info", TARGET | {"version"}),
        ("used_bytes / on (instance) used_bytes", {"instance"}),
        ("histogram_quantile(0.5, seconds_bucket)", TARGET | {"route"}),
        ("used_bytes > 5", TARGET),
    ],
)
def test_the_labels_of_an_expression_are_known(expr, expected):
    assert labels(expr, KNOWN) == expected
