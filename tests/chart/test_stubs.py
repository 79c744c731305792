"""Stubs replace the dependencies in copies of the chart, and are never installed."""

import functools
import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from charts import stubs
from charts.helm import CHART, KUBE_VERSION, ROOT, objects, stubbed, template, tool
from charts.stubs import MARKER, copy_with_stubs, remove_stubs, write_stubs
from tests.chart.small_charts import TEMPLATES, write_archives

HELMS = ["helm", "helm4"]
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}
RESOURCES = [
    {"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace", "verbs": ["get"]},
    {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["list"]},
]
# What Helm asks a cluster before it renders, and what `lookup` asks.
ANSWERS = {
    "/version": {"major": "1", "minor": "36", "gitVersion": f"v{KUBE_VERSION}"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES},
    "/api/v1/namespaces/kube-system": NAMESPACE,
    "/api/v1/namespaces/monitoring/secrets": {"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": []},
}
REFUSED = (
    "kube-prometheus-stack is a stub, so nothing of it would run. Delete the folder charts/ of the chart and run"
    " `helm dependency update` on it, or set kube-prometheus-stack.enabled to false."
)


class Cluster(BaseHTTPRequestHandler):
    """An API server of a cluster that holds nothing but its system namespace."""

    def do_GET(self):
        answer = ANSWERS.get(self.path.partition("?")[0])
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer or {"kind": "Status", "status": "Failure", "code": 404}).encode())

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def serve():
    """Serve HTTP on a free port of loopback until the test ends; the address."""
    servers = []

    def start(handler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def chart(tmp_path):
    """A chart with nothing but its Chart.yaml."""
    shutil.copy(CHART / "Chart.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def checkout(tmp_path, serve):
    """A chart as in a checkout, whose dependencies are small charts in a repository that answers."""
    archives = tmp_path / "repository"
    archives.mkdir()
    write_archives(archives, TEMPLATES)
    subprocess.run([tool("helm"), "repo", "index", str(archives)], check=True, capture_output=True)
    address = serve(functools.partial(SimpleHTTPRequestHandler, directory=str(archives)))
    target = tmp_path / "checkout" / CHART.name
    shutil.copytree(CHART, target, ignore=shutil.ignore_patterns("charts"))
    text = (target / "Chart.yaml").read_text()
    (target / "Chart.yaml").write_text(text.replace("https://prometheus-community.github.io/helm-charts", address))
    return target


def update(helm, chart, home):
    """`helm dependency update`, which needs no repository of the user's own."""
    environment = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    command = [tool(helm), "dependency", "update", str(chart)]
    subprocess.run(command, env={"PATH": "/usr/bin:/bin"} | environment, check=True, capture_output=True)


def make_demo(monkeypatch, chart, folder):
    """What `make demo` and `make chart-deps` do with the chart of a checkout."""
    monkeypatch.setattr(stubs, "CHART", chart)
    remove_stubs(chart)
    return copy_with_stubs(folder / "build" / chart.name)


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("demo_first", [True, False], ids=["demo_then_install", "install_then_demo"])
def test_installs_real_dependencies_whether_demo_ran_before_or_after(helm, demo_first, checkout, tmp_path, monkeypatch):
    if demo_first:
        make_demo(monkeypatch, checkout, tmp_path)
        update(helm, checkout, tmp_path)
    else:
        update(helm, checkout, tmp_path)
        make_demo(monkeypatch, checkout, tmp_path)
    names = {item["metadata"]["name"] for item in objects(template(chart=checkout, program=helm))}
    assert {"p", "datasources"} <= names
    assert not [file for file in (checkout / "charts").iterdir() if file.is_dir()]


def test_removes_stubs_that_an_earlier_version_left_in_the_chart(checkout, tmp_path, monkeypatch):
    left = checkout / "charts" / "kube-prometheus-stack"
    left.mkdir(parents=True)
    (left / "Chart.yaml").write_text(f"# {MARKER}\nname: kube-prometheus-stack\n")
    make_demo(monkeypatch, checkout, tmp_path)
    assert not left.exists()


@pytest.fixture
def render(tmp_path, serve):
    """Render a chart as for an installation on a cluster."""
    config = tmp_path / "kubeconfig"
    cluster = [{"name": "c", "cluster": {"server": serve(Cluster)}}]
    context = {"contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}], "current-context": "c"}
    config.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "clusters": cluster} | context))

    def run(helm, chart):
        command = [tool(helm), "template", "sergas", str(chart), "--namespace", "monitoring", "--dry-run=server"]
        off = ("prometheus-blackbox-exporter", "prometheus-pushgateway")
        command += [f"--set={name}.enabled=false" for name in off]
        command += ["--set=crds.check=false", "--disable-openapi-validation", "--kubeconfig", str(config)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("helm", HELMS)
def test_refuses_to_install_a_stub(helm, tmp_path, render):
    done = render(helm, copy_with_stubs(tmp_path / "copy" / CHART.name))
    assert done.returncode
    assert REFUSED in done.stderr


def test_installs_nothing_in_place_of_an_archive_that_lies_beside_a_stub(tmp_path, render):
    """Helm takes one of the two at random. Helm 4 would ask the cluster for all kinds of the archive."""
    chart = copy_with_stubs(tmp_path / "copy" / CHART.name)
    for archive in write_archives(tmp_path, TEMPLATES).glob("*.tgz"):
        shutil.copy(archive, chart / "charts")
    done = render("helm", chart)
    if done.returncode:
        assert REFUSED in done.stderr
    else:
        assert {"p", "datasources"} <= {item["metadata"]["name"] for item in objects(done.stdout)}


def test_a_stub_has_name_and_version_of_what_it_stands_for(chart):
    folders = write_stubs(chart)
    written = {
        (stub["name"], stub["version"])
        for stub in (yaml.safe_load((folder / "Chart.yaml").read_text()) for folder in folders)
    }
    wanted = yaml.safe_load((chart / "Chart.yaml").read_text())["dependencies"]
    assert written == {(entry["name"], entry["version"]) for entry in wanted}


def test_stubs_are_written_again_over_stubs(chart):
    assert write_stubs(chart) == write_stubs(chart)


def test_a_real_unpacked_chart_is_never_overwritten(chart):
    real = chart / "charts" / "prometheus-redis-exporter" / "Chart.yaml"
    real.parent.mkdir(parents=True)
    real.write_text("name: prometheus-redis-exporter\n")
    assert len(write_stubs(chart)) == 4
    assert real.read_text() == "name: prometheus-redis-exporter\n"


def test_a_chart_whose_name_only_begins_alike_is_not_taken_for_the_dependency(chart):
    (chart / "charts").mkdir()
    (chart / "charts" / "prometheus-redis-exporter-extras-6.29.0.tgz").touch()
    assert len(write_stubs(chart)) == 5


def test_nothing_writes_stubs_into_the_chart_itself():
    assert not [
        file for file in (ROOT / "charts").glob("*/charts/*/Chart.yaml") if MARKER in file.read_text(encoding="utf-8")
    ]


def test_rendering_ignores_what_lies_in_the_charts_folder():
    from_stubs = {path.parent.name for path in (stubbed() / "charts").glob("*/Chart.yaml")}
    wanted = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    assert from_stubs == {entry["name"] for entry in wanted}
