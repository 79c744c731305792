"""Small charts under the names of the dependencies, for tests of what looks at the real ones."""

import tarfile

import yaml

from charts import stack_defaults
from charts.helm import CHART
from charts.real import STACK, dependencies

RULE = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: stack, namespace: monitoring}
spec: {groups: [{name: g, rules: [{alert: A, expr: 'up{job="sergas-prometheus",namespace="monitoring"} == 0'}]}]}
"""
DATASOURCES = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: datasources, namespace: monitoring, labels: {grafana_datasource: "1"}}
data:
  d.yaml: |
    datasources:
      - {name: p, url: "http://sergas-prometheus.monitoring:9090/"}
      - {name: a, url: "http://sergas-alertmanager.monitoring:9093/"}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: monitoring, annotations: null}
spec:
  {{- with .Values.global.imagePullSecrets }}
  imagePullSecrets: {{ toJson . }}
  {{- end }}
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: p
      image: "{{ .Values.global.imageRegistry | default "quay.io" }}/a/b:1"
      args:
        - '--prometheus-config-reloader={{ .Values.global.imageRegistry | default "quay.io" }}/a/b:1'
        - --config-reloader-cpu-request=5m
        - --config-reloader-memory-request=1Mi
        - --config-reloader-memory-limit=1Mi
      resources: {requests: {cpu: 5m, memory: 1Mi}, limits: {memory: 1Mi}}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
FILE_MONITOR = """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: m, namespace: monitoring, annotations: null}
spec:
  selector: {}
  endpoints:
    - port: http
      bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
      tlsConfig: {caFile: /ca.crt}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: sergas-grafana, namespace: monitoring}
spec: {ports: [{port: 80}]}
"""
TEMPLATES = {"service.yaml": SERVICE, "rule.yaml": RULE, "datasources.yaml": DATASOURCES, "pod.yaml": POD}


def known_values(name):
    """A values.yaml that knows all we hand to a dependency, and what our advice compares with."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())[name]
    if name == STACK:
        values |= stack_defaults.read() | {"global": {}}
        for key, monitor in yaml.safe_load((CHART / "files" / "kubernetes-monitors.yaml").read_text()).items():
            values.setdefault(key, {}).setdefault("serviceMonitor", {}).update(monitor["settings"])
    return values


def write_archives(folder, templates):
    """Write an archive of a chart for each dependency. The stack's templates are given by file name."""
    for entry in dependencies():
        chart = folder / entry["name"]
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(
            yaml.safe_dump({"apiVersion": "v2", "icon": "https://example.com/i.svg"} | entry)
        )
        (chart / "values.yaml").write_text(yaml.safe_dump(known_values(entry["name"])))
        if entry["name"] == STACK:
            for name, text in templates.items():
                (chart / "templates" / name).write_text(text)
        with tarfile.open(folder / f"{entry['name']}-{entry['version']}.tgz", "w:gz") as archive:
            archive.add(chart, entry["name"])
    return folder
