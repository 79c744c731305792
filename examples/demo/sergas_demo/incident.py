"""Break the application and follow the alert to every receiver, then mend it and follow the resolution."""

import time

from sergas_demo import prometheus
from sergas_demo.kube import Web
from sergas_demo.places import NAME, NAMESPACE
from sergas_demo.progress import Telling
from sergas_demo.sink import Notification
from sergas_demo.stage import ALERT, JOB, Stage
from sergas_demo.waiting import expect, until

TRAFFIC = f'sum(rate(sergas_http_requests_total{{job="{JOB}"}}[30s]))'
ERRORS = (
    f'sum(rate(sergas_http_requests_total{{job="{JOB}",status=~"5.."}}[30s]))'
    f' / sum(rate(sergas_http_requests_total{{job="{JOB}"}}[30s]))'
)


def watch_traffic(stage: Stage, say: Telling) -> str:
    """Wait until every Prometheus scrapes the application, sees traffic and knows every Alertmanager."""

    def look() -> str:
        servers = _servers(stage)
        expect(servers, "no Prometheus pod exists")
        alertmanagers = len(prometheus.alertmanagers(stage.kube, NAMESPACE, NAME))
        rates = []
        for index, server in enumerate(servers):
            up = prometheus.targets_up(server, JOB)
            expect(up, f"Prometheus {index} scrapes no target of job {JOB} yet")
            rates.append(prometheus.value(server, TRAFFIC) or 0.0)
            expect(rates[-1] > 0, f"Prometheus {index} scrapes {up} targets of {JOB}, no traffic in 30 s yet")
            known = prometheus.alertmanagers_known(server)
            expect(known == alertmanagers, f"Prometheus {index} knows {known} of {alertmanagers} Alertmanagers")
            state = prometheus.rule_state(server, ALERT)
            expect(state == "inactive", f"on Prometheus {index} {ALERT} is {state}")
        return f"{len(servers)} Prometheus see {max(rates):.0f} requests/s at {JOB}; {ALERT} is quiet"

    return until(f"Traffic of {JOB} in every Prometheus", look, seconds=150, show=say)


def break_application(stage: Stage, say: Telling) -> str:
    """Let half of all requests fail, and wait until the alert fires."""
    stage.mark = stage.sink.mark()
    stage.app.fail_requests(0.5)

    def look() -> str:
        states = [prometheus.rule_state(server, ALERT) for server in _servers(stage)]
        ratio = _error_ratio(_servers(stage))
        expect("firing" in states, f"{ratio:.0%} of requests fail; {ALERT} is {', '.join(states)}")
        return f"{ratio:.0%} of requests fail, {ALERT} fires"

    return until(f"{ALERT}", look, seconds=120, show=say)


def follow_alert(stage: Stage, say: Telling) -> str:
    """Wait until the critical alert is at Slack, PagerDuty, mail and webhook."""
    return _follow(stage, say, "firing")


def mend_application(stage: Stage, say: Telling) -> str:
    """Let requests succeed again, and wait until the alert ends."""
    stage.app.clear_faults()

    def look() -> str:
        states = [prometheus.rule_state(server, ALERT) for server in _servers(stage)]
        ratio = _error_ratio(_servers(stage))
        expect(set(states) == {"inactive"}, f"{ratio:.0%} of requests fail; {ALERT} is {', '.join(states)}")
        return f"{ALERT} is quiet again"

    return until(f"The end of {ALERT}", look, seconds=180, show=say)


def follow_resolution(stage: Stage, say: Telling) -> str:
    """Wait until the resolution is at Slack, PagerDuty, mail and webhook."""
    return _follow(stage, say, "resolved")


def _follow(stage: Stage, say: Telling, status: str) -> str:
    started = time.monotonic()
    arrived = until(
        f"The arrival of {ALERT} ({status}) at every receiver",
        lambda: stage.sink.arrived(ALERT, status, stage.mark),
        seconds=120,
        show=say,
    )
    stage.arrivals += sorted(arrived.values(), key=lambda row: int(row["id"]))
    return f"at {', '.join(arrived)} after {time.monotonic() - started:.0f} s"


def told(row: Notification) -> tuple[str, str, str, str]:
    """A message as a row of the closing table: when, by what, to whom, what it says."""
    receiver = row.get("channel") or row.get("key") or ", ".join(row.get("to", ())) or f"/{row.get('via', '')}"
    return row["time"][11:19], row["kind"], receiver, row["subject"]


def _servers(stage: Stage) -> list[Web]:
    return prometheus.servers(stage.kube, NAMESPACE, NAME)


def _error_ratio(servers: list[Web]) -> float:
    return max((prometheus.value(server, ERRORS) or 0.0 for server in servers), default=0.0)
