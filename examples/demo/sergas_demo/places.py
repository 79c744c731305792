"""Where things are: in the checkout and in the cluster."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
CHART = CHECKOUT / "charts" / "sergas-monitoring"
CRD = CHART / "crds" / "sergasmonitorings.yaml"
CHART_STUBS = CHECKOUT / "charts" / "stubs.py"
CLUSTER_COMMAND = CHECKOUT / "tests" / "e2e" / "cluster"
APPLICATION = CHECKOUT / "examples" / "sergas-app" / "k8s.yaml"
MANIFESTS = CHECKOUT / "examples" / "demo" / "manifests"

RELEASE = "sergas"
NAMESPACE = "sergas-demo-monitoring"
"""Of the release and the SergasMonitoring. Not `monitoring`, which people use for their own."""
DEMO_NAMESPACE = "sergas-demo"
NAME = "sergas"
"""Name of the SergasMonitoring, and so of all that belongs to it."""


def environment() -> dict[str, str]:
    """The process's environment with the checkout's pinned tools first on PATH."""
    return os.environ | {"PATH": f"{CHECKOUT / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
