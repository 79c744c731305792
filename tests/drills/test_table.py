"""Every alert of the chart has a drill on the cluster, or a reason why it has none."""

import importlib.util
from pathlib import Path

from charts.alert_table import categories, levels
from docs.alerts_proven import NOT_RAISED, page

E2E = Path(__file__).parents[1] / "e2e"


def modules():
    """The modules of drills."""
    for path in sorted(E2E.glob("test_*alerts.py")):
        spec = importlib.util.spec_from_file_location(f"drilled_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if hasattr(module, "DRILLS"):
            yield module


def every(module):
    """Its drills, those that only some clusters can do included."""
    return getattr(module, "EVERY_DRILL", module.DRILLS)


def shipped():
    return {
        (level["name"], level["severity"]) for file in categories() for one in file["alerts"] for level in levels(one)
    }


def test_every_alert_has_a_drill_or_a_reason():
    drilled = {(drill.alert, drill.severity) for module in modules() for drill in every(module)}
    assert drilled <= shipped()
    without = {name for name, severity in shipped() - drilled}
    assert without == set(NOT_RAISED)


def test_no_drill_changes_an_alert_in_any_way_but_its_own_settings():
    allowed = {"window", "for", "threshold", "early"}
    for module in modules():
        for name, values in module.OVERRIDES.items():
            assert name in {alert for alert, _ in shipped()}
            assert values.keys() <= allowed


def test_the_page_shows_who_was_told_when_and_what_was_not_raised():
    row = {
        "alert": "SyncFailing",
        "severity": "info",
        "fault": "it stops",
        "overrides": {"for": "0s", "early": {"threshold": 30}},
        "fired": 41.6,
        "delivered": 42.4,
        "quiet": None,
        "receivers": ["a@b.c", "#warnings"],
        "error": "",
    }
    text = page([row])
    assert (
        "| [SyncFailing](../runbooks/SyncFailing.md) | info | it stops | `{for: 0s, early: {threshold: 30}}` "
        "| 42 s | 42 s |  | a@b.c, #warnings |" in text
    )
    assert "\n- SyncFailing (warning): not in this run\n" in text
    assert "- SyncFailing (info)" not in text
