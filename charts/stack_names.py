"""How kube-prometheus-stack 88.5.3 names Prometheus and Alertmanager, wherever it looks for them.

`name` is its fullnameOverride, which is also the name of our SergasMonitoring; our operator must give the same names.
`make chart-real` checks these against the real chart, a test on the cluster against what the operator makes.
"""


def datasources(name: str, namespace: str) -> set[str]:
    """Addresses of Grafana's datasources."""
    return {f"http://{name}-prometheus.{namespace}:9090/", f"http://{name}-alertmanager.{namespace}:9093/"}


def selectors(name: str, namespace: str) -> set[str]:
    """Labels by which its rules select what Prometheus and Alertmanager tell of themselves."""
    return {
        f'job="{name}-prometheus",namespace="{namespace}"',
        f'job="{name}-alertmanager",container="alertmanager",namespace="{namespace}"',
    }
