"""What `make mutants` changes in rules, what it counts as a kill, and what it reports."""

import json

import promql_parser
import pytest
import yaml

from charts.mutants.__main__ import run as run_all
from charts.mutants.cases import cases
from charts.mutants.expressions import changes
from charts.mutants.report import line, stale, table
from charts.mutants.rules import Mutant, Place, mutants
from charts.mutants.run import CasesFailError, Fate, Outcome, Runner
from charts.mutants.waivers import Waiver, read

FULL = "(x unless x offset 5m unless on (job) (y < time() - 300 unless on (job) up offset 5m)) / 300 or rate(x[5m])"


@pytest.fixture(scope="session")
def shipped_mutants(groups):
    return list(mutants(groups))


def found(expr, **options):
    made = changes(expr, lambda _: frozenset({"instance", "job", "le"}), **options)
    return {f"{change.kind}: {change.what}" for change in made}


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("sum(x)", {"aggregation: sum -> max", "aggregation: sum -> avg"}),
        (
            "max by (job, le) (x)",
            {
                "aggregation: max by (job, le) -> min",
                "aggregation: max by (job, le) -> sum",
                "grouping: by (job, le) -> without job",
                "grouping: by (job, le) -> without le",
                "grouping: by (job, le) -> with instance",
            },
        ),
        (
            'rate(x{a="b"}[5m] offset 1h)',
            {
                "function: rate -> increase",
                "function: rate -> irate",
                'matcher: x a="b" -> none',
                "offset: offset 1h -> 2h",
                "offset: offset 1h -> none",
                "range: 5m -> 10m",
                "range: 5m -> 2m30s",
            },
        ),
        ('x{a=~"p-(b|c)"}', {'matcher: x a=~"p-(b|c)" -> none', 'matcher: x a=~"p-(b|c)" -> p-(b)'}),
        (
            "max_over_time(x[1h:5m])",
            {
                "function: max_over_time -> min_over_time",
                "range: 1h -> 30m",
                "range: 1h -> 2h",
                "range: 5m -> 2m30s",
                "range: 5m -> 10m",
            },
        ),
        ("x * 2", {"arithmetic: (x) * (2) -> /", "number: 2 -> 3"}),
        ("clamp_min(x, 0)", {"function: clamp_min -> clamp_max", "number: 0 -> 1"}),
        ('label_replace(x, "of", "a", "", "")', {"function: label_replace of -> none"}),
        (
            "x > bool 0",
            {"comparison: (x) > 0 -> <=", "comparison: (x) > 0 -> >=", "guard: bool -> none", "guard: (x) > 0 -> none"},
        ),
        ("histogram_quantile(0.95, x)", {"quantile: 0.95 -> 0.9", "quantile: 0.95 -> 0.99"}),
        (
            "x > 0",
            {"comparison: (x) > 0 -> <=", "comparison: (x) > 0 -> >=", "guard: (x) > 0 -> none"},
        ),
        (
            'x{a="b"} < y{a="b"}',
            {
                'comparison: (x{a="b"}) < (y{a="b"}) -> >=',
                'comparison: (x{a="b"}) < (y{a="b"}) -> <=',
                'guard: (x{a="b"}) < (y{a="b"}) -> none',
            },
        ),
        ("x == 1", {"comparison: (x) == 1 -> !=", "guard: (x) == 1 -> none"}),
        (
            "x and on (job) y",
            {
                "matching: on (job) -> without job",
                "matching: on (job) -> none",
                "set operator: (x) and (y) -> unless",
                "operand: (x) and (y) -> left",
            },
        ),
        (
            "x or y",
            {"set operator: (x) or (y) -> unless", "operand: (x) or (y) -> left", "operand: (x) or (y) -> right"},
        ),
    ],
)
def test_each_part_of_an_expression_is_changed(expr, expected):
    assert found(expr) == expected


def test_a_threshold_is_moved_to_both_sides():
    assert {"threshold: > 100 -> 90", "threshold: > 100 -> 110"} < found("x > 100")
    assert {"threshold: > 0.05 -> 0.045", "threshold: > 0.05 -> 0.055"} < found("x > 0.05")


@pytest.mark.parametrize(
    ("expr", "kinds"),
    [
        ("x and sum(y)", {"set operator", "operand"}),
        ("x unless y * 2", {"set operator", "operand"}),
        ("count(max_over_time(x[5m]))", {"aggregation", "range"}),
        ("group(x + 1)", {"aggregation"}),
        ("sum(x) * 0", {"arithmetic", "number"}),
        ("x and y > 1", {"set operator", "operand", "comparison", "threshold", "guard"}),
    ],
)
def test_a_value_that_nobody_reads_is_not_changed(expr, kinds):
    assert {one.partition(":")[0] for one in found(expr)} == kinds


def test_the_value_of_a_whole_expression_that_nobody_reads_is_not_changed():
    assert found("sum(x)", read=False) == set()


def test_the_count_of_first_values_is_changed_as_the_chart_writes_it():
    made = {change.what: change.text for change in changes(f"sum({FULL})", lambda _: frozenset())}
    assert made["full_rate -> rate"] == "sum ((rate(x[5m])))"
    assert made["full_rate 5m -> 10m"].count("10m") == 3
    assert "5m" not in made["full_rate 5m -> 10m"].replace("10m", "")
    assert "600" in made["full_rate 5m -> 10m"]
    assert not any("unless" in what for what in made)


def test_each_part_of_the_count_of_first_values_is_changed_where_asked():
    assert any("unless" in one for one in found(FULL, whole=True))


def test_every_mutant_of_the_chart_is_promql_and_has_a_name_of_its_own(shipped_mutants):
    for mutant in shipped_mutants:
        promql_parser.parse(mutant.rule["expr"])
    assert len({mutant.key for mutant in shipped_mutants}) == len(shipped_mutants)


def test_a_mutant_differs_from_its_rule_in_one_field(groups, shipped_mutants):
    for mutant in shipped_mutants:
        rule = groups[mutant.place.group]["rules"][mutant.place.rule]
        differing = [field for field in rule if mutant.rule.get(field) != rule[field]]
        assert len(differing) == 1, mutant


def test_every_rule_is_changed(groups, shipped_mutants):
    changed = {mutant.place for mutant in shipped_mutants}
    for g, group in enumerate(groups):
        for r, rule in enumerate(group["rules"]):
            stands_for_another = "alert" in rule and rule["labels"].get("slo", "apiAvailability") != "apiAvailability"
            assert (Place(g, r) in changed) != stands_for_another, rule


# A rule and its cases, small enough to see through.
GROUPS = [
    {
        "name": "g",
        "rules": [
            {"record": "job:x:sum", "expr": "sum by (job) (x)"},
            {"record": "job:x:ratio", "expr": "job:x:sum / on (job) (sum by (job) (y))"},
            {"record": "z:max", "expr": "max(z)"},
        ],
    }
]
CASE = {
    "name": "two pods",
    "interval": "1m",
    "input_series": [
        {"series": 'x{job="a", pod="1"}', "values": "1 1"},
        {"series": 'x{job="a", pod="2"}', "values": "2 2"},
        {"series": 'y{job="a"}', "values": "6 6"},
    ],
    "promql_expr_test": [
        {"expr": "job:x:ratio", "eval_time": "1m", "exp_samples": [{"labels": 'job:x:ratio{job="a"}', "value": 0.5}]}
    ],
}


@pytest.fixture
def run(tmp_path):
    """What becomes of mutants of GROUPS with one case: each (number of the rule, expression)."""

    def judge(case, *changed):
        (tmp_path / "recording").mkdir()
        document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
        (tmp_path / "recording" / "case.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        runner = Runner(GROUPS, cases(GROUPS, tmp_path), tmp_path)
        runner.require_passing()
        return {outcome.mutant.what: outcome for outcome in runner.outcomes([mutant(*one) for one in changed])}

    return judge


def mutant(number, expr):
    rule = GROUPS[0]["rules"][number]
    return Mutant(Place(0, number), rule["record"], "kind", expr, rule | {"expr": expr})


def test_a_failed_assertion_kills(run):
    assert run(CASE, (0, "max by (job) (x)"))["max by (job) (x)"] == Outcome(
        mutant(0, "max by (job) (x)"), Fate.KILLED, "case: two pods"
    )


def test_a_mutant_whose_cases_all_pass_survives(run):
    assert run(CASE, (0, "sum by (job) (x or x)"))["sum by (job) (x or x)"].fate == Fate.SURVIVES


def test_a_mutant_that_no_case_sees_survives(run):
    assert run(CASE, (2, "min(z)"))["min(z)"].fate == Fate.SURVIVES


def test_what_promtool_refuses_is_no_kill(run):
    outcomes = run(CASE, (0, "sum("), (0, "max by (job) (x)"))
    assert outcomes["sum("].fate == Fate.INVALID
    assert "could not parse expression" in outcomes["sum("].how or "parse error" in outcomes["sum("].how
    assert outcomes["max by (job) (x)"].fate == Fate.KILLED


def test_an_error_of_evaluation_is_no_kill(run):
    expr = "job:x:sum / on () (x)"
    outcome = run(CASE, (1, expr))[expr]
    assert outcome.fate == Fate.SURVIVES
    assert "many-to-many" in outcome.how or "duplicate series" in outcome.how


def test_cases_that_fail_without_any_change_are_refused(run):
    wrong = json.loads(json.dumps(CASE).replace("0.5", "0.6"))
    with pytest.raises(CasesFailError, match="Cases fail before anything is changed"):
        run(wrong)


def test_a_case_runs_with_what_it_asks_for_and_what_that_reads(tmp_path, run):
    run(CASE)
    [case] = cases(GROUPS, tmp_path)
    assert case.sees == {Place(0, 0), Place(0, 1)}


LIVING = Outcome(mutant(0, "avg by (job) (x)"), Fate.SURVIVES)
DEAD = Outcome(mutant(0, "max by (job) (x)"), Fate.KILLED, "case: two pods")
WAIVER = Waiver("job:x:sum", "kind: avg by (job) (x)", "a reason")


def test_a_survivor_is_reported_with_the_error_that_kept_cases_from_their_assertions():
    assert line(LIVING, []) == "survives: job:x:sum: kind: avg by (job) (x)"
    assert line(Outcome(LIVING.mutant, Fate.SURVIVES, "an error"), []).endswith("\n    an error")


def test_an_invalid_mutant_is_reported():
    assert line(Outcome(LIVING.mutant, Fate.INVALID, "an error"), [WAIVER]).startswith("invalid: job:x:sum: kind: avg")


def test_a_waived_survivor_and_a_dead_mutant_are_not_reported():
    assert line(LIVING, [WAIVER]) == line(DEAD, []) == ""


@pytest.mark.parametrize(
    ("mutant_", "sentence"),
    [
        ("kind: gone", "waiver without a mutant: job:x:sum: kind: gone. Remove it from waivers.yaml."),
        (
            "kind: max by (job) (x)",
            "waiver of a mutant that is killed: job:x:sum: kind: max by (job) (x). Remove it from waivers.yaml.",
        ),
    ],
)
def test_a_waiver_that_waives_nothing_is_reported(mutant_, sentence):
    waivers = [WAIVER, Waiver("job:x:sum", mutant_, "a reason")]
    assert list(stale([LIVING, DEAD], waivers, [LIVING.mutant, DEAD.mutant])) == [sentence]


def test_a_waiver_of_a_mutant_that_did_not_run_is_not_reported():
    assert list(stale([], [WAIVER], [LIVING.mutant])) == []


@pytest.mark.parametrize(
    ("waived", "good"),
    [
        ([], False),
        ([{"rule": "z:max", "mutant": "aggregation: max -> min", "reason": "no case"}], True),
        ([{"rule": "z:max", "mutant": "aggregation: max -> sum", "reason": "no case"}], False),
    ],
)
def test_a_run_fails_with_a_survivor_or_a_stale_waiver(tmp_path, capsys, waived, good):
    groups = [{"name": "g", "rules": [{"record": "z:max", "expr": "max(z)"}]}]
    case = CASE | {
        "input_series": [{"series": "z", "values": "1 1"}, {"series": 'z{a="b"}', "values": "1 1"}],
        "promql_expr_test": [
            {"expr": "z:max", "eval_time": "1m", "exp_samples": [{"labels": "z:max", "value": 1}]},
        ],
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording" / "case.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "waivers.yaml").write_text(yaml.safe_dump({"waivers": waived}), encoding="utf-8")
    assert run_all(groups, tmp_path, set(), share=1, seed=1) == good
    assert capsys.readouterr().out.count("survives: z:max: aggregation: max -> min") == (
        not good and "min" not in str(waived)
    )


def test_the_table_counts_what_became_of_the_mutants_of_each_kind():
    assert table([LIVING, DEAD], [WAIVER]).splitlines() == [
        "                   made   killed   waived  invalid  survive",
        "kind                  2        1        1        0        0",
        "total                 2        1        1        0        0",
    ]


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([{"rule": "r", "mutant": "m", "reason": " "}], "r: m has no reason. Say why no case can kill it."),
        ([{"rule": "r", "mutant": "m", "reason": "x"}] * 2, "r: m is waived twice. Keep one entry."),
    ],
)
def test_a_waiver_names_one_mutant_and_a_reason(tmp_path, entries, sentence):
    file = tmp_path / "waivers.yaml"
    file.write_text(yaml.safe_dump({"waivers": entries}), encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        read(file)
