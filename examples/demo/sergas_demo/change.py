"""Change the SergasMonitoring, and see Prometheus itself run with the change."""

import json

from sergas_demo import monitoring, prometheus
from sergas_demo.places import NAME, NAMESPACE
from sergas_demo.progress import Telling
from sergas_demo.stage import Stage
from sergas_demo.waiting import expect, until

RETENTION = "45d"
REPLICAS = 3


def grow(stage: Stage, say: Telling) -> str:
    """`kubectl patch` retention and replicas, and wait until that many pods run with that retention."""
    change = {"spec": {"prometheus": {"retention": RETENTION, "replicas": REPLICAS}}}
    stage.kube.kubectl(
        "patch", "sergasmon", NAME, "--namespace", NAMESPACE, "--type=merge", f"--patch={json.dumps(change)}"
    )

    def look() -> str:
        found = prometheus.all_ready(stage.kube, NAMESPACE, NAME, "prometheus", REPLICAS)
        for pod, server in zip(found, prometheus.servers(stage.kube, NAMESPACE, NAME), strict=True):
            runs = prometheus.retention(server)[0]
            expect(runs == RETENTION, f"{pod['metadata']['name']} runs with a retention of {runs}")
        return f"{len(found)} pods, each reports a retention of {RETENTION}"

    running = until(f"A retention of {RETENTION} in {REPLICAS} running pods", look, seconds=240, show=say)
    until("Ready", lambda: monitoring.settled(stage.kube, NAMESPACE, NAME), seconds=60, show=say)
    return running
