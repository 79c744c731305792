"""`make chart-real` sees what would go wrong with the real dependencies. Here they are small charts made wrong."""

import subprocess
import sys

import pytest
import yaml

from charts import real_checks
from charts.dependency_values import Dependency, leaves
from charts.helm import ROOT
from charts.real import STACK
from tests.chart.small_charts import DATASOURCES, FILE_MONITOR, POD, RULE, SERVICE


@pytest.mark.parametrize("check", real_checks.CHECKS, ids=lambda check: check.__name__)
def test_nothing_is_said_where_nothing_is_wrong(check, case):
    assert list(check(case())) == []


PROBLEMS = {
    real_checks.every_object_fits_its_schema: (
        {"rule.yaml": RULE.replace("groups: [{name: g,", "groups: [{nome: g,")},
        "additional properties 'nome' not allowed",
    ),
    real_checks.promtool_accepts_every_rule: (
        {"rule.yaml": RULE.replace("== 0", "== ")},
        'group "stack/g", rule 1, "A": could not parse expression',
    ),
    real_checks.rules_and_datasources_meet_the_names_our_operator_gives: (
        {"rule.yaml": RULE.replace("sergas-prometheus", "sergas-operator")},
        'rules ask for job="sergas-operator", which no ServiceMonitor gives',
    ),
    real_checks.dashboard_links_name_a_service_of_grafana: (
        {"service.yaml": SERVICE.replace("sergas-grafana", "grafana")},
        "alerts link to http://sergas-grafana.monitoring, and no Service has that name",
    ),
    real_checks.no_object_is_rendered_twice: (
        {"again.yaml": RULE},
        "PrometheusRule monitoring/stack is rendered 2 times",
    ),
    real_checks.both_helms_render_the_same: (
        {"rule.yaml": RULE.replace("name: g,", "name: '{{ .Capabilities.HelmVersion.Version }}',")},
        "Helm 4 renders other objects than Helm 3",
    ),
    real_checks.the_release_fits_a_secret: (
        {"pod.yaml": POD.replace("annotations: null", "annotations: {a: '{{ randBytes 2000000 }}'}")},
        "bytes, and a Secret holds 1048576",
    ),
}


@pytest.mark.parametrize("check", PROBLEMS, ids=lambda check: check.__name__)
def test_a_problem_of_the_stack_is_told(check, case):
    templates, told = PROBLEMS[check]
    assert told in "\n".join(check(case(templates)))


def test_datasources_of_another_name_are_told(case):
    rendered = case({"datasources.yaml": DATASOURCES.replace("sergas-prometheus", "stack-prometheus")})
    assert next(real_checks.rules_and_datasources_meet_the_names_our_operator_gives(rendered)) == (
        "Grafana's datasources are ['http://sergas-alertmanager.monitoring:9093/',"
        " 'http://stack-prometheus.monitoring:9090/'], not ['http://sergas-alertmanager.monitoring:9093/',"
        " 'http://sergas-prometheus.monitoring:9090/']"
    )


def test_a_rule_that_selects_by_other_labels_is_told(case):
    rendered = case({"rule.yaml": RULE.replace('namespace="monitoring"', 'pod="x"')})
    assert next(real_checks.rules_and_datasources_meet_the_names_our_operator_gives(rendered)).startswith(
        'rules select by {job="sergas-prometheus",pod="x"}, which is none of job="sergas-alertmanager",container='
    )


def test_a_value_that_nobody_reads_is_told(case):
    rendered = case(**{STACK: {"grafana": {"admin": {"existingSecrt": "x"}}}})
    assert list(real_checks.every_value_we_hand_on_is_read(rendered)) == [
        f"{STACK} 88.5.3 reads no grafana.admin.existingSecrt"
    ]


def test_a_default_that_our_advice_has_wrong_is_told(case):
    rendered = case()
    file = rendered.chart / "charts" / STACK / "values.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("retention: 10d", "retention: 15d").replace("    tolerations: []", "    tolerance: []")
    )
    assert list(real_checks.our_advice_knows_the_stacks_defaults(rendered)) == [
        f"stack-defaults.yaml is not what {STACK} 88.5.3 has: run `make stack-defaults`",
        f"{STACK} 88.5.3 knows no prometheus.prometheusSpec.tolerations",
        f"{STACK} 88.5.3 knows no alertmanager.alertmanagerSpec.tolerations",
    ]


def test_accepts_prometheus_rule_without_groups(case):
    rendered = case(
        {"empty.yaml": RULE.replace("name: stack", "name: empty").partition("spec:")[0] + "spec: {groups: null}"}
    )
    assert list(real_checks.promtool_accepts_every_rule(rendered)) == []
    assert list(real_checks.rules_and_datasources_meet_the_names_our_operator_gives(rendered)) == []


def test_names_setting_of_the_stacks_monitors_that_differs(case):
    rendered = case()
    file = rendered.chart / "charts" / STACK / "values.yaml"
    values = yaml.safe_load(file.read_text())
    values["kubelet"]["serviceMonitor"] |= {"cAdvisorInterval": "20s", "new": True}
    file.write_text(yaml.safe_dump(values))
    assert list(real_checks.our_monitors_of_kubernetes_know_the_stacks_settings(rendered)) == [
        f"kubelet.serviceMonitor.cAdvisorInterval is '20s' in {STACK} 88.5.3",
        f"kubelet.serviceMonitor.new is only in one of {STACK} 88.5.3 and our file",
    ]


def test_names_monitor_that_names_a_file_of_prometheus(case):
    rendered = case({"monitor.yaml": FILE_MONITOR})
    assert list(real_checks.no_monitor_names_a_file_of_prometheus(rendered)) == [
        "ServiceMonitor m has bearerTokenFile, and Prometheus does not use it",
        "ServiceMonitor m has caFile, and Prometheus does not use it",
    ]


def test_accepts_monitors_of_the_chart_without_files(case):
    rendered = case()
    assert [item for item in rendered.objects if item["kind"] == "ServiceMonitor"]
    assert list(real_checks.no_monitor_names_a_file_of_prometheus(rendered)) == []


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("quay.io/a/b:1", "quay.io/a/b:1 does not come from r.example.com"),
        ("r.example.com/quay.io/a/b:1", "r.example.com/quay.io/a/b:1 holds a second registry"),
    ],
)
def test_an_image_that_the_named_registry_would_not_have_is_told(image, told, case):
    rendered = case(
        {"pod.yaml": POD.replace('{{ .Values.global.imageRegistry | default "quay.io" }}/a/b:1', image)},
        **{"global": {"imageRegistry": "r.example.com"}},
    )
    assert list(real_checks.every_image_comes_from_the_registry_that_is_named(rendered)) == [told]


def test_a_pod_without_the_named_pull_secrets_is_told(case):
    secrets = {"global": {"imagePullSecrets": [{"name": "r"}]}}
    secrets |= {"prometheus-blackbox-exporter": {"enabled": False}}
    pod = POD.replace("with .Values.global.imagePullSecrets", "with .Values.global.nothing")
    assert list(real_checks.every_pod_may_pull_its_images(case({"pod.yaml": pod}, **secrets))) == [
        "Pod p names no imagePullSecrets"
    ]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("requests: {cpu: 5m, ", "requests: {", "container p of Pod p has no requests.cpu"),
        (", limits: {memory: 1Mi}", "", "container p of Pod p has no limits.memory"),
        ("memory-limit=1Mi", "memory-limit=0", "the reloaders of Pod p have no memory-limit"),
    ],
)
def test_names_container_without_requests_and_limits(before, after, problem, case):
    rendered = case({"pod.yaml": POD.replace(before, after)})
    assert list(real_checks.every_container_has_requests_and_limits(rendered)) == [problem]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("runAsNonRoot: true, ", "", "may run p as root"),
        ("runAsNonRoot: true, ", "runAsNonRoot: true, runAsUser: 0, ", "may run p as root"),
        ("seccompProfile: {type: RuntimeDefault}", "fsGroup: 1", "runs p without a seccomp profile"),
        ("allowPrivilegeEscalation: false, ", "", "lets p gain privileges"),
        ("capabilities: {drop: [ALL]}", "capabilities: {drop: [NET_RAW]}", "lets p keep capabilities"),
        ("allowPrivilegeEscalation", "privileged: true, allowPrivilegeEscalation", "runs p privileged"),
        ("  containers:", "  hostNetwork: true\n  containers:", "has hostNetwork"),
        ("  containers:", "  volumes: [{name: v, hostPath: {path: /}}]\n  containers:", "mounts hostPath"),
        ("      args:", "      ports: [{containerPort: 1, hostPort: 1}]\n      args:", "gives p a port of the host"),
    ],
)
def test_names_pod_that_restricted_refuses(before, after, problem, case):
    rendered = case({"pod.yaml": POD.replace(before, after)})
    assert list(real_checks.every_pod_passes_restricted(rendered)) == [f"Pod p {problem}"]


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("a.b", True),
        ("a.c", False),
        ("free.anything", True),
        ("named.only.here", True),
        ("named.whole.below", True),
        ("serviceMonitor.misspelt", False),
        ("config.any", True),
        ("inner.key", True),
        ("inner.other", False),
        ("grafana.ini.any", True),
    ],
)
def test_a_value_is_read_where_a_file_or_a_template_names_it(path, read):
    templates = (
        "{{ .Values.named.only.here }}{{ toYaml .Values.named.whole }}{{ with .Values.serviceMonitor }}"
        '{{ index .Values "grafana" }}{{ toYaml .Values.config }}'
    )
    inner = Dependency("1", {"key": 1}, "", {})
    chart = Dependency("1", {"a": {"b": 1}, "free": {}}, templates, {"inner": inner})
    assert chart.reads(tuple(path.split("."))) == read


def test_what_is_set_is_told_by_its_paths_from_the_root():
    assert list(leaves({"a": {"b": 1, "c": {}}, "d": [1]})) == [("a", "b"), ("a", "c"), ("d",)]


def test_without_a_repository_it_says_how_to_name_archives(tmp_path):
    """Helm is told of a proxy where nobody listens, so that no repository can be reached from anywhere."""
    done = subprocess.run(
        [sys.executable, "-m", "charts.chart_real"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith('No Helm repository answered: Get "https://prometheus-community.github.io/')
    assert done.stderr.endswith(
        "\nName a folder that holds the archives instead: make chart-real KPS_ARCHIVES=/path/to/archives\n"
    )
