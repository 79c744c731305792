"""The one cluster a test run works on, and the command that made it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sergas_demo import ownership
from sergas_demo.kube import Kube, path
from sergas_demo.places import CLUSTER_COMMAND, CRD

CRD_NAME = "sergasmonitorings.monitoring.sergas.com"


def command(*arguments: str) -> str:
    """Run the cluster command and return its stdout; where it fails, no test can run."""
    done = subprocess.run(
        [sys.executable, str(CLUSTER_COMMAND), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.exit(f"`python tests/e2e/cluster {' '.join(arguments)}`: {done.stderr.strip()}", returncode=2)
    return done.stdout


@contextmanager
def opened() -> Iterator[Kube]:
    """The cluster that KUBECONFIG names, once the guard has let us near it."""
    command("guard")
    with Kube(Path(os.environ["KUBECONFIG"])) as kube:
        yield kube


def images() -> dict[str, str]:
    """References of the project's images, built and loaded."""
    found: dict[str, str] = json.loads(command("images", "--json"))
    return found


def refresh_crd(kube: Kube) -> None:
    """Bring the cluster's CRD, where there is one, up to this checkout's: Helm never does.

    On a cluster that is somebody's own, one of theirs is left as it is; the chart's check says so where it is too old.
    """
    found = kube.get(path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", CRD_NAME))
    if found and (os.environ.get("CLUSTER") != "existing" or ownership.owns(found, ownership.DEMO)):
        kube.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
