"""The page on what every panel shows says how many series each of its queries has."""

from docs.panels_proven import empty, page


def row(panel, letter, series, dashboard="sergas-slos"):
    return {"dashboard": dashboard, "panel": panel, "kind": "stat", "letter": letter, "series": series}


def test_a_panel_has_one_line_with_a_number_for_each_query():
    text = page([row("Budget left", "A", 3), row("Budget left", "B", 1), row("Burn", "A", 2)])
    assert "\n## SLOs\n" in text
    assert "\n| Budget left | figure | 3 + 1 |\n| Burn | figure | 2 |\n" in text
    assert "\n2 panels, 3 queries, 6 series.\n" in text


def test_panels_of_one_name_on_two_dashboards_stay_apart():
    text = page([row("Errors", "A", 1), row("Errors", "A", 2, "sergas-error-tracking")])
    assert "\n2 panels, 2 queries, 3 series.\n" in text
    assert text.index("## SLOs") < text.index("| Errors | figure | 1 |") < text.index("## Error Tracking")


def test_a_query_without_a_series_is_named():
    assert empty([row("Burn", "A", 2), row("Burn", "B", 0)]) == ["sergas-slos: Burn (B)"]
