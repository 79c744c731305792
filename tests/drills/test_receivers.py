"""What a message says of an alert, as the far end keeps it."""

import sys
from pathlib import Path

import pytest
from drills.receivers import reached, says

from sergas_digest import message
from sergas_digest.alert import Alert
from sergas_digest.config import MailReceiver
from sergas_digest.rendering import Digest, Listed, fill

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "demo" / "sink"))
from sergas_sink import mail

TO = MailReceiver("digest", ("digest@sergas.example",), "alerts@sergas.example", "mail:25")


def info(name, namespace, ends=None):
    labels = {"alertname": name, "namespace": namespace, "severity": "info"}
    return Alert(f"{name}-{namespace}", 1000.0, ends, labels, {"summary": f"{name} (1) there", "description": "Look."})


@pytest.fixture
def digest():
    """A digest of three alerts, as the far end keeps it."""
    alerts = (info("SyncFailing", "crm"), info("SyncFailing", "erp", ends=1060.0), info("ZohoQuotaLow", "erp"))
    listed = (Listed(alert.fingerprint, alert.name, lambda alert=alert: alert) for alert in alerts)
    _, sent = message.build(TO, fill(Digest("drill", 1080, 3, 2, 0), listed), 1081.0)
    kept = mail.read(sent, TO.sender, TO.to)
    return {"kind": kept.kind, "status": kept.status, "subject": kept.subject, "text": kept.text, "to": list(kept.to)}


def test_a_digest_says_of_each_alert_whether_it_fires_or_has_ended(digest):
    assert says(digest, "SyncFailing", "crm") == {"firing"}
    assert says(digest, "SyncFailing", "erp") == {"resolved"}
    assert says(digest, "ZohoQuotaLow", "erp") == {"firing"}
    assert says(digest, "SyncFailing", "") == {"firing", "resolved"}
    assert says(digest, "ZohoQuotaLow", "crm") == set()
    assert reached(digest) == "digest@sergas.example"


def test_any_other_message_says_one_thing_of_the_alerts_it_names():
    row = {"kind": "slack", "channel": "#critical", "status": "resolved", "alerts": ["ServiceDown"], "text": "in crm"}
    assert says(row, "ServiceDown", "crm") == {"resolved"}
    assert says(row, "ServiceDown", "erp") == set()
    assert says(row, "HighErrorRate", "crm") == set()
    assert reached(row) == "#critical"
