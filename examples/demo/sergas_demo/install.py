"""From nothing to a stack that is ready: cluster, images, chart, application, receivers, SergasMonitoring."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from sergas_demo import monitoring
from sergas_demo.kube import Object, path
from sergas_demo.manifests import application, far_end, labelled, namespaces, receiver_secrets, sergas_monitoring
from sergas_demo.ownership import DEMO, create_namespaces, marked, owns
from sergas_demo.places import (
    CHART,
    CHART_STUBS,
    CLUSTER_COMMAND,
    CRD,
    DEMO_NAMESPACE,
    MANIFESTS,
    NAME,
    NAMESPACE,
    RELEASE,
    environment,
)
from sergas_demo.progress import Telling
from sergas_demo.stage import Stage, StoryError
from sergas_demo.waiting import expect, until

READY_SECONDS = 240


def start_cluster(stage: Stage, say: Telling) -> str:
    """Choose a cluster, start it where it does not run, and refuse one that is not ours to use."""
    with say.aside():
        why = choose()
        _cluster("up")
        stage.kubeconfig = kubeconfig()
        guard(stage.kubeconfig)
    stage.cluster = os.environ["CLUSTER"]
    return why


def choose() -> str:
    """Set CLUSTER for everything that follows, and say which it is and why."""
    done = subprocess.run([sys.executable, str(CLUSTER_COMMAND), "choose"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StoryError(done.stderr.strip())
    os.environ["CLUSTER"] = done.stdout.strip()
    return done.stderr.strip()


def kubeconfig() -> Path:
    """The chosen cluster's kubeconfig."""
    return Path(_cluster("kubeconfig", capture=True).strip())


def guard(config: Path) -> None:
    """Set KUBECONFIG for everything that follows.

    Raises:
        StoryError: When the cluster is not one for tests and demos.
    """
    os.environ["KUBECONFIG"] = str(config)
    _cluster("guard")


def build_images(stage: Stage, say: Telling) -> str:
    """Build the project's images and load them into the cluster."""
    with say.aside():
        stage.images = json.loads(_cluster("images", "--json", capture=True))
    return ", ".join(reference.rpartition("/")[2] for reference in stage.images.values())


def install_chart(stage: Stage, say: Telling) -> str:
    """`helm upgrade --install` the chart: an install on the first run, an upgrade after that."""
    say("looking for the Prometheus Operator")
    if stage.kube.get("/apis/monitoring.coreos.com/v1") is None:
        raise StoryError(
            "This cluster has no Prometheus Operator, which the chart is installed beside here. "
            "Install it first: https://prometheus-operator.dev/docs/getting-started/installation/."
        )
    create_namespaces(stage.kube, namespaces(), DEMO)
    install_crd(stage)
    first = RELEASE not in stage.kube.helm("list", "--namespace", NAMESPACE, "--short").split()
    say("helm is waiting for the operator")
    values = ["--values", str(MANIFESTS / "values.yaml"), *image_values(stage.images["operator"])]
    where = ["--namespace", NAMESPACE, "--wait", "--timeout", "3m"]
    with tempfile.TemporaryDirectory(prefix="sergas-demo-") as folder:
        # The dependencies are switched off, and Helm still wants to see them.
        chart = Path(folder) / CHART.name
        subprocess.run([sys.executable, str(CHART_STUBS), str(chart)], check=True, capture_output=True)
        stage.kube.helm("upgrade", "--install", RELEASE, str(chart), *where, *values)
    return "installed" if first else "upgraded"


def install_crd(stage: Stage) -> None:
    """Create the CRD where there is none, and bring one that may be changed up to this checkout's: Helm never does.

    On a cluster that is somebody's own, one that the demo did not create is left as it is. The chart's own check ends
    the installation, with what to do, where that one lacks a field.
    """
    definition: Object = yaml.safe_load(CRD.read_text(encoding="utf-8"))
    collection = path("apiextensions.k8s.io/v1", "", "customresourcedefinitions")
    if not stage.kube.create(collection, marked(definition, DEMO)):
        found = stage.kube.get(f"{collection}/{definition['metadata']['name']}")
        if owns(found, DEMO) or stage.cluster != "existing":
            stage.kube.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))

    def look() -> None:
        expect(stage.kube.get("/apis/monitoring.sergas.com/v1alpha1"), "the API server does not serve it yet")

    until("The API of the CRD", look, seconds=60)


def image_values(reference: str) -> list[str]:
    """Helm's arguments for an image such as `ghcr.io/sergas/sergas-operator:dev-0123456789ab`."""
    name, _, tag = reference.rpartition(":")
    registry, _, repository = name.partition("/")
    values = {"registry": registry, "repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}
    return [word for key, value in values.items() for word in ("--set-string", f"operator.image.{key}={value}")]


def start_application(stage: Stage, say: Telling) -> str:
    """Run the application with its load, and the receivers' far end; write the Secrets the receivers need."""
    stage.kube.apply(*labelled(receiver_secrets(stage.kube)))
    stage.kube.apply(*labelled([*far_end(stage.images["sink"]), *application(stage.images["app"])]))

    def look() -> str:
        deployments = stage.kube.items(path("apps/v1", DEMO_NAMESPACE, "deployments"))
        waiting = [item["metadata"]["name"] for item in deployments if not rolled_out(item)]
        expect(deployments and not waiting, f"waiting for {', '.join(waiting)}")
        return ", ".join(item["metadata"]["name"] for item in deployments)

    started = until("The start of the application and the sink", look, seconds=120, show=say)
    stage.app.clear_faults()
    stage.sink.clear_faults()
    return started


def rolled_out(deployment: Object) -> bool:
    """Whether a Deployment's newest pods, and no others, are ready."""
    status = deployment.get("status") or {}
    observed = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "replicas")}
    return observed and counts == {deployment["spec"]["replicas"]}


def apply_monitoring(stage: Stage, say: Telling) -> str:
    """`kubectl apply` the SergasMonitoring and wait until its status says Ready."""
    stage.kube.apply(sergas_monitoring(), namespace=NAMESPACE, arguments=["--validate=strict"])
    found = until(
        "Ready",
        lambda: monitoring.settled(stage.kube, NAMESPACE, NAME),
        seconds=READY_SECONDS,
        show=say,
    )
    status = found["status"]
    return (
        f"Prometheus {status['prometheus']['ready']}, Alertmanager {status['alertmanager']['ready']}, "
        f"receivers {status['receiversReady']}"
    )


def _cluster(*arguments: str, capture: bool = False) -> str:
    command = [sys.executable, str(CLUSTER_COMMAND), *arguments]
    done = subprocess.run(
        command, env=environment(), stdout=subprocess.PIPE if capture else None, text=True, check=False
    )
    if done.returncode:
        raise StoryError(
            f"`python tests/e2e/cluster {' '.join(arguments)}` ended with {done.returncode}; it says why above."
        )
    return done.stdout or ""
