"""A real fault raises each alert on the application and on the monitoring itself, and exactly those hear who should."""

import pytest
from drills import faults, receivers, stack
from drills.drill import Drill
from drills.receivers import told_of
from drills.rooms import Room
from drills.running import recorded
from drills.stack import Plan
from drills.standing import standing

NAMESPACE = "e2e-alerts"
LOST_MAIL = "e2e-lost-mail"
CRASH, RELEASE, ABSENT, QUIET = "e2e-crash", "e2e-release", "e2e-absent", "e2e-quiet"
OUTAGE, FAILING, PILING, LIMITS = "e2e-outage", "e2e-failing", "e2e-piling", "e2e-limits"
WORK, LAGGING, STALE, BURNING, GLOWING, BLIND = (
    "e2e-work",
    "e2e-lagging",
    "e2e-stale",
    "e2e-burning",
    "e2e-glowing",
    "e2e-blind",
)

API = {"SERGAS_LOAD_RATE": "5"}
BUSY_API = {"SERGAS_LOAD_RATE": "10"}
# Few accounts, so that each has its turn often and the sync's lag is small.
AGENTS = {"SERGAS_LOAD_RATE": "5", "SERGAS_ACCOUNTS": "20"}
IDLING = AGENTS | {"SERGAS_LOAD_RATE": "1"}

ROOMS = (
    *(Room(name, api=API) for name in (CRASH, RELEASE, ABSENT, OUTAGE)),
    *(Room(name, api=BUSY_API) for name in (QUIET, FAILING, PILING, LIMITS)),
    *(Room(name, agents=AGENTS) for name in (WORK, LAGGING, STALE, BLIND)),
    *(Room(name, agents=IDLING) for name in (BURNING, GLOWING)),
)

WINDOW = {"window": "30s", "for": "15s"}
# An alert that is not here keeps the duration it is shipped with.
OVERRIDES = {
    "ServiceDown": {"window": "30s"},
    "ServiceUptimeLow": {"window": "90s", "for": "0s"},
    "ServiceRestarting": {"window": "2m"},
    "HighErrorRate": WINDOW,
    "APILatencyCritical": WINDOW,
    "RequestsPilingUp": {"for": "15s"},
    "TrafficStopped": WINDOW,
    "DatabasePoolExhausted": {"for": "15s"},
    "DatabaseQueriesSlow": WINDOW,
    "CacheHitRateLow": WINDOW,
    "SyncFailing": {"threshold": 60, "for": "0s", "early": {"threshold": 30}},
    "RecommendationsStalled": {"window": "30s", "for": "30s"},
    "MemoryProcessingStalled": {"threshold": 30, "for": "30s"},
    "AgentQueueBacklog": {"for": "15s"},
    "AgentFailureRateHigh": WINDOW,
    "APIRateLimited": WINDOW,
    "ZohoQuotaLow": {"for": "15s"},
    "ErrorBudgetBurnFast": {"for": "0s"},
    "ErrorBudgetBurnSlow": {"for": "0s"},
    "TargetsMissing": {"for": "30s"},
    "NotificationsFailing": {"window": "30s", "for": "30s"},
    "RulesFailing": {"window": "1m", "for": "0s"},
    "RemoteWriteBehind": {"window": "30s", "threshold": 20, "for": "0s"},
    "OperatorNotReconciling": {"threshold": 30, "for": "0s"},
    "ConfigReloadFailed": {"for": "0s"},
    "AlertInputMissing": {"for": "0s"},
    "AlertInputNeverSeen": {"for": "0s"},
}

RULE = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule"}


def rules(name, *entries):
    group = {"name": name, "interval": "5s", "rules": list(entries)}
    return RULE | {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": {"groups": [group]}}


def service(name):
    """A Service before the API in a room, under a name of its own: Prometheus takes it for another job."""
    selector = {"app.kubernetes.io/name": "sergas-app", "app.kubernetes.io/component": "api"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": QUIET, "labels": {"drill": name}},
        "spec": {"selector": selector, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def service_monitor(name, **endpoint):
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"drill": name}},
            "namespaceSelector": {"matchNames": [QUIET]},
            "endpoints": [{"port": "http", "interval": "5s", "scrapeTimeout": "3s", **endpoint}],
        },
    }


# Two jobs beside the application: one that goes, one whose ServiceMonitor breaks.
GOING, BROKEN = "going", "broken"
# Never ends and is told every few seconds, so that its receiver always has something to do.
REMINDER = rules("reminder", {"alert": "Reminder", "expr": "vector(1)"})
REMINDED = {"groupWait": "1s", "groupInterval": "3s", "repeatInterval": "5s"}
MANY_TO_MANY = {"record": "drill:many_to_many", "expr": "up * on (namespace) up"}


def lost_mail():
    """A receiver whose far end is its own, and the one alert that goes there."""
    mailbox = {"name": "lost-mail", "email": receivers.email(stack.far_end(LOST_MAIL), "lost@sergas.example")}
    matcher = {"name": "alertname", "value": "Reminder"}
    return {"receivers": [mailbox], "routes": [{"matchers": [matcher], "receivers": ["lost-mail"], **REMINDED}]}


PLAN = Plan(
    NAMESPACE,
    ROOMS,
    {"operator.resyncSeconds": 10, **{f"alerts.{name}": value for name, value in OVERRIDES.items()}},
    far_ends=(LOST_MAIL,),
    spec=lost_mail,
)


def up(namespace):
    return f'up{{namespace="{namespace}",job=~"sergas-.*"}} == 1'


def seen(metric, namespace):
    return f'{metric}{{namespace="{namespace}"}} > 0'


# Other jobs scrape the same application there; the alert is about this one.
TRAFFIC_BEFORE = f'sum(rate(sergas_http_requests_total{{namespace="{QUIET}",job="sergas-api"}}[1h])) > 0.15'
WATCHED_FOR_LONG = f'up{{namespace="{OUTAGE}",job="sergas-api"}} offset 90s'
INPUT = "sergas_memory_last_success_timestamp_seconds"
INPUT_SEEN = f'metric:sergas_alert_input_series:count{{namespace="{BLIND}",metric="{INPUT}"}}'

DRILLS = (
    Drill(
        "ServiceDown",
        "critical",
        RELEASE,
        faults.bad_release("a release whose process ends at its start", RELEASE, "api"),
        up(RELEASE),
    ),
    Drill(
        "ServiceAbsent",
        "critical",
        ABSENT,
        faults.scaled_away("the Deployment is scaled to 0", ABSENT, "sergas-api"),
        up(ABSENT),
    ),
    Drill(
        "ServiceUptimeLow",
        "critical",
        OUTAGE,
        faults.frozen("the process answers nobody for 35 s", OUTAGE, "api", 35),
        WATCHED_FOR_LONG,
    ),
    Drill(
        "ServiceRestarting",
        "critical",
        CRASH,
        faults.crashing("the process crashes three times", CRASH, "api"),
        up(CRASH),
    ),
    Drill(
        "HighErrorRate",
        "critical",
        FAILING,
        faults.switched("half of all requests end in 500", FAILING, "api", errors=0.5),
        seen("sergas_http_requests_total", FAILING),
    ),
    Drill(
        "APILatencyCritical",
        "critical",
        FAILING,
        faults.switched("every request takes 3 s longer", FAILING, "api", latency_seconds=3.0),
        seen("sergas_http_requests_total", FAILING),
    ),
    Drill(
        "RequestsPilingUp",
        "critical",
        PILING,
        faults.switched("four requests in five are never answered", PILING, "api", hang=0.8),
        up(PILING),
    ),
    Drill("TrafficStopped", "critical", QUIET, faults.no_load("no request arrives", QUIET, "api", 10), TRAFFIC_BEFORE),
    Drill(
        "DatabasePoolExhausted",
        "critical",
        LIMITS,
        faults.switched("19 of the pool's 20 connections are never returned", LIMITS, "api", connections_held=19),
        up(LIMITS),
    ),
    Drill(
        "DatabaseQueriesSlow",
        "warning",
        WORK,
        faults.switched("every query takes 1.5 s longer", WORK, "agents", query_seconds=1.5),
        up(WORK),
    ),
    Drill(
        "CacheHitRateLow",
        "warning",
        WORK,
        faults.switched("half of all look-ups find nothing", WORK, "agents", cache_misses=0.5),
        f'sum(rate(sergas_cache_hits_total{{namespace="{WORK}"}}[30s])) > 2',
    ),
    Drill(
        "SyncFailing",
        "warning",
        STALE,
        faults.switched("no account is synchronised, and nothing fails", STALE, "agents", sync_stopped=True),
        seen("sergas_zoho_accounts_synced_total", STALE),
    ),
    Drill(
        "SyncFailing",
        "info",
        LAGGING,
        faults.switched("the same, for less long", LAGGING, "agents", sync_stopped=True),
        seen("sergas_zoho_accounts_synced_total", LAGGING),
    ),
    Drill(
        "RecommendationsStalled",
        "warning",
        WORK,
        faults.switched("the model has no recommendation for anyone", WORK, "agents", no_recommendations=True),
        seen("sergas_recommendations_generated_total", WORK),
    ),
    Drill(
        "MemoryProcessingStalled",
        "warning",
        LAGGING,
        faults.switched("no document gets into memory", LAGGING, "agents", memory_fails=True),
        seen("sergas_memory_last_success_timestamp_seconds", LAGGING),
    ),
    Drill(
        "AgentQueueBacklog",
        "warning",
        WORK,
        faults.switched("1,500 tasks wait for each agent", WORK, "agents", queue_backlog=1500),
        up(WORK),
    ),
    Drill(
        "AgentFailureRateHigh",
        "warning",
        WORK,
        faults.switched("Zoho refuses every call, and so the sync agent fails", WORK, "agents", zoho_rate_limit=True),
        seen("sergas_zoho_accounts_synced_total", WORK),
    ),
    Drill(
        "APIRateLimited",
        "warning",
        LIMITS,
        faults.switched("one request in three is refused with 429", LIMITS, "api", refused=0.33),
        up(LIMITS),
    ),
    Drill(
        "ZohoQuotaLow",
        "info",
        LIMITS,
        faults.switched("another client uses up 95 % of Zoho's quota", LIMITS, "api", zoho_quota_taken=0.95),
        seen("sergas_zoho_rate_limit_remaining", LIMITS),
    ),
    Drill(
        "ErrorBudgetBurnFast",
        "info",
        BURNING,
        faults.burning("every task of the agents fails", BURNING, share=1.0, rate=1),
        seen("sergas_agent_task_attempts_total", BURNING),
    ),
    Drill(
        "ErrorBudgetBurnSlow",
        "info",
        GLOWING,
        faults.burning("one task in five fails", GLOWING, share=0.2, rate=3),
        seen("sergas_agent_task_attempts_total", GLOWING),
    ),
    Drill(
        "TargetsMissing",
        "warning",
        QUIET,
        faults.without("the Service of a job that is scraped is deleted", service(GOING)),
        f'up{{job="{GOING}"}} == 1',
    ),
    Drill(
        "NotificationsFailing",
        "critical",
        NAMESPACE,
        faults.far_end_refuses("the mail server of one receiver answers 451", LOST_MAIL, "email", 451),
        'rate(alertmanager_notifications_total{integration="email"}[30s]) > 0',
    ),
    Drill(
        "RulesFailing",
        "critical",
        NAMESPACE,
        faults.added("a rule that matches many series with many", rules("many-to-many", MANY_TO_MANY)),
        f'prometheus_rule_evaluation_failures_total{{namespace="{NAMESPACE}"}}',
    ),
    Drill(
        "RemoteWriteBehind",
        "warning",
        NAMESPACE,
        faults.far_end_refuses("the far end of remote write answers 503", NAMESPACE, "remote-write", 503),
        "prometheus_remote_storage_queue_highest_sent_timestamp_seconds > 0",
    ),
    Drill(
        "OperatorNotReconciling",
        "warning",
        NAMESPACE,
        faults.reads_forbidden("the operator may no longer read PodDisruptionBudgets", NAMESPACE, "policy"),
        "sergas_operator_last_successful_reconcile_timestamp_seconds > 0",
    ),
    Drill(
        "ConfigReloadFailed",
        "critical",
        NAMESPACE,
        faults.changed(
            "a ServiceMonitor names a CA file that does not exist",
            service_monitor(BROKEN),
            service_monitor(BROKEN, tlsConfig={"caFile": faults.NOWHERE}),
        ),
        f'up{{job="{BROKEN}"}} == 1',
    ),
    Drill(
        "AlertInputMissing",
        "info",
        BLIND,
        faults.forgotten("the agents start again and have no task", BLIND, "agents", 5),
        INPUT_SEEN,
    ),
    Drill("AlertInputNeverSeen", "info", "", faults.always("no exporter of PostgreSQL, Redis or nodes is installed")),
    Drill("Watchdog", "info", "", faults.always("none: it always fires")),
)


@pytest.fixture(scope="module")
def installed(kube, images, install_arguments):
    """The stack with its rooms, and what the faults of the monitoring need."""
    with standing(kube, PLAN, images, install_arguments) as found:
        kube.apply(REMINDER, *map(service, (GOING, BROKEN)), *map(service_monitor, (GOING, BROKEN)))
        yield found


@pytest.fixture(scope="module")
def outcomes(installed):
    """What comes of each drill; all of them run at once."""
    with recorded("application", DRILLS, installed, OVERRIDES) as found:
        yield found


@pytest.mark.parametrize("drill", DRILLS, ids=[drill.name for drill in DRILLS])
def test_a_fault_raises_its_alert_which_reaches_exactly_its_receivers_and_ends(outcomes, drill):
    outcome = outcomes[drill].result()
    assert outcome.error == ""
    assert set(outcome.receivers) == set().union(*(told_of(drill.alert, level) for level in outcome.levels))
