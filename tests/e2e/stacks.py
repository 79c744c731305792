"""The SergasMonitoring objects the suite works on: one namespace for each test module."""

from sergas_demo.kube import Object

RELEASE = "e2e"
OPERATOR_NAMESPACE = "e2e-operator"
DEPLOYMENT = "e2e-operator"
SINK_NAMESPACE = "e2e-sink"

DEFAULTS = "e2e-defaults"
DELIVERY = "e2e-delivery"
DIGEST = "e2e-digest"
REPAIR = "e2e-repair"
DELETION = "e2e-deletion"
INSTALL = "e2e-install"
INSTALL4 = "e2e-install4"

MADE_BY = {"app.kubernetes.io/managed-by": "sergas-e2e"}
RESYNC_SECONDS = 15

SINK = f"http://sink.{SINK_NAMESPACE}.svc:8080"
PAGERDUTY_URL = f"{SINK}/v2/enqueue"
SMTP_USER, SMTP_PASSWORD = "alerts", "e2e-smtp-pa55word"
ROUTING_KEY = "e2e0routing0key0e2e0routing0aaaa"
SLACK_URL = f"{SINK}/slack/T0E2E/B0E2E/first"
HOOK_URL = f"{SINK}/webhook/token-e2e-hook"
NAME = "main"

VOLUME = {"size": "1Gi", "whenDeleted": "Delete"}
"""Small, and gone with its pod's StatefulSet."""

QUICK = {"groupWait": "1s", "groupInterval": "3s"}


def small(**more: object) -> Object:
    """A spec with one Prometheus and one Alertmanager that looks at its own namespace only."""
    resources = {"requests": {"cpu": "5m", "memory": "32Mi"}}
    spec: Object = {
        "environment": "e2e",
        "prometheus": {
            "replicas": 1,
            "storage": VOLUME,
            "resources": resources,
            "discovery": {"scope": "OwnNamespace"},
        },
        "alertmanager": {"replicas": 1, "storage": VOLUME, "resources": resources},
    }
    return spec | more


def ref(name: str, key: str) -> Object:
    """A reference to a Secret's key."""
    return {"name": name, "key": key}


def mail(to: str) -> Object:
    """A mail receiver at the sink."""
    email = {
        "to": [to],
        "from": "alerts@sergas.example",
        "smarthost": f"sink.{SINK_NAMESPACE}.svc:2525",
        "requireTLS": False,
        "authUsername": SMTP_USER,
        "passwordSecretRef": ref("mail", "password"),
    }
    return {"name": "mail", "email": email}


def receivers() -> list[Object]:
    """One receiver of each kind, all of them at the sink."""
    pagerduty = {"url": PAGERDUTY_URL, "routingKeySecretRef": ref("pagerduty", "routing-key")}
    return [
        {"name": "slack", "slack": {"channel": "#e2e", "urlSecretRef": ref("slack", "url")}},
        {"name": "oncall", "pagerduty": pagerduty},
        mail("ops@sergas.example"),
        {"name": "hook", "webhook": {"urlSecretRef": ref("hook", "url")}},
    ]


SECRETS = {
    "slack": {"url": SLACK_URL},
    "pagerduty": {"routing-key": ROUTING_KEY},
    "mail": {"password": SMTP_PASSWORD},
    "hook": {"url": HOOK_URL},
}

SPECS: dict[str, Object] = {
    DEFAULTS: {},
    DELIVERY: small(receivers=receivers(), routing={"critical": QUICK, "warning": QUICK}),
    DIGEST: small(receivers=[mail("digest@sergas.example")], routing={"info": {"digest": "5s"}}),
    REPAIR: small(
        receivers=[{"name": "hook", "webhook": {"urlSecretRef": ref("hook", "url")}}],
        routing={"critical": QUICK, "warning": QUICK},
    ),
    DELETION: small(),
}
"""Applied all at once when the suite starts, so that each module finds its stack ready or nearly so."""
