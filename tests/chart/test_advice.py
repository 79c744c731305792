"""A value that would do nothing, or set two writers on one object, is refused with what to write instead."""

import json
import re

import pytest
import yaml

from charts.helm import CHART, RenderError, template

PREFIX = "The values need a change:\n"
STACK = "kube-prometheus-stack"

ADVICE = {
    "recording.enabled=false": (
        "slos.enabled: objectives read the recording rules, which recording.enabled switches off, so no burn rate would"
        " be known. Set recording.enabled to true or slos.enabled to false.\n"
        "- dashboards.enabled: panels read the recording rules, which recording.enabled switches off, so most of them"
        " would be empty. Set recording.enabled to true or dashboards.enabled to false."
    ),
    f"{STACK}.prometheus.enabled=true": (
        "kube-prometheus-stack.prometheus.enabled: the Sergas operator writes the Prometheus object, and a second"
        " writer would undo it at every upgrade. Set it to false and describe Prometheus in"
        " sergasMonitoring.spec.prometheus."
    ),
    f"{STACK}.alertmanager.enabled=true": (
        "kube-prometheus-stack.alertmanager.enabled: the Sergas operator writes the Alertmanager object, and a second"
        " writer would undo it at every upgrade. Set it to false and describe Alertmanager in"
        " sergasMonitoring.spec.alertmanager, receivers in sergasMonitoring.spec.receivers."
    ),
    f"{STACK}.prometheus.networkPolicy.enabled=true": (
        "kube-prometheus-stack.prometheus.networkPolicy.enabled: the policy would be written although the stack runs no"
        " Prometheus, and would cut off the one that the Sergas operator runs; write one of your own that selects"
        " app.kubernetes.io/managed-by=prometheus-operator. Remove it."
    ),
    f"{STACK}.prometheus.service.port=80": (
        "kube-prometheus-stack.prometheus.service.port: Grafana's datasource would ask Prometheus on this port, and it"
        " answers on 9090. Remove it."
    ),
    f"{STACK}.prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues=false": (
        "kube-prometheus-stack.prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues: nothing reads this while the"
        " Sergas operator runs Prometheus. Remove it and set sergasMonitoring.spec.prometheus.discovery."
    ),
    f"{STACK}.prometheus.prometheusSpec.additionalScrapeConfigs=[{{}}]": (
        "kube-prometheus-stack.prometheus.prometheusSpec.additionalScrapeConfigs: nothing reads this while the Sergas"
        " operator runs Prometheus. Remove it and write a ScrapeConfig; every one is found."
    ),
    f"{STACK}.prometheus.prometheusSpec.misspelt=1": (
        "kube-prometheus-stack.prometheus.prometheusSpec.misspelt: nothing reads this while the Sergas operator runs"
        " Prometheus. Remove it; no field of SergasMonitoring replaces it."
    ),
    f"{STACK}.prometheus.route.main.enabled=true": (
        "kube-prometheus-stack.prometheus.route.main.enabled: nothing reads this while the Sergas operator runs"
        " Prometheus. Remove it and write an HTTPRoute of your own to the Service <name>-prometheus, port 9090."
    ),
    f"{STACK}.prometheus.thanosService.enabled=true": (
        "kube-prometheus-stack.prometheus.thanosService.enabled: nothing reads this while the Sergas operator runs"
        " Prometheus. Remove it; no field of SergasMonitoring replaces it."
    ),
    f'{STACK}.alertmanager.config.global.slack_api_url="https://hooks.slack.com"': (
        "kube-prometheus-stack.alertmanager.config.global.slack_api_url: nothing reads this while the Sergas operator"
        " runs Alertmanager. Remove it and set the address and the login in each of sergasMonitoring.spec.receivers."
    ),
    f'{STACK}.namespaceOverride="metrics"': (
        "kube-prometheus-stack.namespaceOverride: the stack's rules and datasources would look for Prometheus in"
        " metrics, and the Sergas operator runs it in monitoring. Remove it and install the release into metrics."
    ),
    f'{STACK}.grafana.namespaceOverride="grafana"': (
        "kube-prometheus-stack.grafana.namespaceOverride: Grafana looks for dashboards in its own namespace grafana,"
        " where this chart's are not. Set dashboards.namespace to grafana too."
    ),
    f"{STACK}.grafana.sidecar.datasources.createPrometheusReplicasDatasources=true": (
        "kube-prometheus-stack.grafana.sidecar.datasources.createPrometheusReplicasDatasources: these datasources name"
        " pods of the stack's own Prometheus, which does not run. Remove it, and if you need them write"
        " http://prometheus-sergas-0.prometheus-operated:9090 and so on into grafana.additionalDataSources."
    ),
    f'{STACK}.prometheus.prometheusSpec.retention="90d"': (
        "kube-prometheus-stack.prometheus.prometheusSpec.retention: nothing reads this while the Sergas operator"
        " runs Prometheus. Remove it and set sergasMonitoring.spec.prometheus.retention."
    ),
    f"{STACK}.prometheus.prometheusSpec.replicas=2": (
        "kube-prometheus-stack.prometheus.prometheusSpec.replicas: nothing reads this while the Sergas operator"
        " runs Prometheus. Remove it and set sergasMonitoring.spec.prometheus.replicas."
    ),
    f'{STACK}.prometheus.prometheusSpec.nodeSelector={{"disk":"ssd"}}': (
        "kube-prometheus-stack.prometheus.prometheusSpec.nodeSelector: nothing reads this while the Sergas operator"
        " runs Prometheus. Remove it and set sergasMonitoring.spec.prometheus.scheduling.nodeSelector."
    ),
    f'{STACK}.prometheus.prometheusSpec.affinity={{"podAffinity":{{}}}}': (
        "kube-prometheus-stack.prometheus.prometheusSpec.affinity: nothing reads this while the Sergas operator"
        " runs Prometheus. Remove it; no field of SergasMonitoring replaces it."
    ),
    f"{STACK}.prometheus.podDisruptionBudget.enabled=true": (
        "kube-prometheus-stack.prometheus.podDisruptionBudget.enabled: nothing reads this while the Sergas operator"
        " runs Prometheus. Remove it and rely on the PodDisruptionBudget that the operator writes."
    ),
    f'{STACK}.prometheus.additionalServiceMonitors=[{{"name":"mine"}}]': (
        "kube-prometheus-stack.prometheus.additionalServiceMonitors: nothing reads this while the Sergas operator"
        " runs Prometheus. Remove it and write ServiceMonitors of your own; every one is found."
    ),
    f'{STACK}.alertmanager.config.receivers=[{{"name":"slack"}}]': (
        "kube-prometheus-stack.alertmanager.config.receivers: nothing reads this while the Sergas operator runs"
        " Alertmanager. Remove it and set sergasMonitoring.spec.receivers."
    ),
    f"{STACK}.kubelet.serviceMonitor.enabled=true": (
        "kube-prometheus-stack.kubelet.serviceMonitor.enabled: this chart scrapes the kubelet by kubernetesMonitors,"
        " and a second monitor would give every series twice. Set it to false, or kubernetesMonitors.create to Never."
    ),
    f'{STACK}.kubelet.serviceMonitor.cAdvisorInterval="30s"': (
        "kube-prometheus-stack.kubelet.serviceMonitor.cAdvisorInterval: nothing reads this while this chart scrapes the"
        " kubelet by kubernetesMonitors. Remove it and set kubernetesMonitors.kubelet.cAdvisorInterval."
    ),
    f'{STACK}.kubeApiServer.serviceMonitor.targetLabels=["provider"]': (
        "kube-prometheus-stack.kubeApiServer.serviceMonitor.targetLabels: nothing reads this while this chart scrapes"
        " the API server by kubernetesMonitors. Remove it and write a ServiceMonitor of your own, with"
        " kubernetesMonitors.create set to Never, if you need it."
    ),
    f"{STACK}.kubeScheduler.serviceMonitor.insecureSkipVerify=false": (
        "kube-prometheus-stack.kubeScheduler.serviceMonitor.insecureSkipVerify: nothing reads this while this chart"
        " scrapes the scheduler by kubernetesMonitors. Remove it and set"
        " kubernetesMonitors.scheduler.insecureSkipVerify."
    ),
    f'{STACK}.coreDns.serviceMonitor.bearerTokenFile="/token"': (
        "kube-prometheus-stack.coreDns.serviceMonitor.bearerTokenFile: makes the monitor name a file of Prometheus, and"
        " Prometheus uses no such monitor. Remove it and write a ServiceMonitor of your own that names a Secret, or set"
        " sergasMonitoring.spec.prometheus.discovery.allowFileAccess to true."
    ),
    f"{STACK}.kubeProxy.serviceMonitor.https=true": (
        "kube-prometheus-stack.kubeProxy.serviceMonitor.https: makes the monitor name a file of Prometheus, and"
        " Prometheus uses no such monitor. Remove it and write a ServiceMonitor of your own that names a Secret, or set"
        " sergasMonitoring.spec.prometheus.discovery.allowFileAccess to true."
    ),
    f'{STACK}.grafana.admin.existingSecret=""': (
        "kube-prometheus-stack.grafana.admin.existingSecret: is empty, so Grafana's password would change at every"
        " render. Make a Secret with the keys admin-user and admin-password and set this to its name."
    ),
    f"{STACK}.prometheusOperator.admissionWebhooks.enabled=false": (
        "kube-prometheus-stack.prometheusOperator.tls.enabled: with admissionWebhooks.enabled false nobody makes the"
        " certificate, and the Prometheus Operator would wait for it for ever. Set tls.enabled to false too."
    ),
    f'{STACK}.prometheusOperator.fullnameOverride="sergas-operator"': (
        "kube-prometheus-stack.prometheusOperator.fullnameOverride: the Prometheus Operator would share the name"
        ' "sergas-operator" with the Sergas operator. Set it to "sergas-prometheus-operator".'
    ),
    f"{STACK}.prometheusOperator.serviceMonitor.relabelings=[]": (
        "kube-prometheus-stack.prometheusOperator.serviceMonitor.relabelings: the stack's rules look for the Prometheus"
        ' Operator as job "sergas-operator", and nothing gives it that job. Add {targetLabel: job, replacement:'
        " sergas-operator}."
    ),
    'sergasMonitoring.name="crm"': (
        'kube-prometheus-stack.fullnameOverride: is "sergas" while sergasMonitoring.name is "crm"; the stack\'s rules'
        ' and datasources look for Services of that name. Set both to "crm".'
    ),
    "prometheus-postgres-exporter.enabled=true": (
        "prometheus-postgres-exporter.config: names no database. Set config.datasourceSecret.name and .key to a Secret"
        " holding the connection string, or config.datasource.host and its passwordSecret."
    ),
    'prometheus-postgres-exporter.config.datasource={"host":"db","password":"x"}': (
        "prometheus-postgres-exporter.config.datasource.password: a password in values ends up in the release's"
        " history. Put it in a Secret and set config.datasource.passwordSecret.name and .key."
    ),
    "prometheus-redis-exporter.enabled=true": (
        "prometheus-redis-exporter.redisAddress: names no Redis. Set it to an address such as redis://sergas-redis:6379,"
        " or use redisAddressConfig."
    ),
    'probes.checks=[{"name":"crm","targets":["https://crm.example.com"],"module":"http_3xx"}]': (
        'probes.checks: crm asks by the module "http_3xx", which the blackbox exporter does not have. Write one of'
        " http_2xx, tcp_connect, tls_connect, or add it to prometheus-blackbox-exporter.config.modules."
    ),
    'operator.namespaces=["crm"]': (
        "operator.namespaces: does not name monitoring, so nobody would act on the SergasMonitoring made there. Add"
        " monitoring to it, or set sergasMonitoring.create to false."
    ),
}


def refusal(*settings):
    with pytest.raises(RenderError) as caught:
        template(settings=settings)
    return str(caught.value)


@pytest.mark.parametrize("setting", ADVICE, ids=[setting.split("=")[0] for setting in ADVICE])
def test_the_value_is_refused_with_what_to_write_instead(setting):
    assert f"{PREFIX}- {ADVICE[setting]}\n\n" in refusal(setting) + "\n"


def test_refuses_monitor_of_the_stack_that_prometheus_does_not_use():
    settings = ['kubernetesMonitors.create="Never"', f"{STACK}.kubelet.serviceMonitor.enabled=true"]
    with pytest.raises(RenderError) as refused:
        template(settings=settings)
    assert PREFIX + (
        "- kube-prometheus-stack.kubelet.serviceMonitor.enabled: this monitor names files of Prometheus, and Prometheus"
        " uses no such monitor. Set it to false, or sergasMonitoring.spec.prometheus.discovery.allowFileAccess to true."
    ) in str(refused.value)
    assert template(settings=[*settings, "sergasMonitoring.spec.prometheus.discovery.allowFileAccess=true"])


def test_accepts_setting_of_a_stacks_monitor_that_is_its_default():
    assert template(settings=[f'{STACK}.kubelet.serviceMonitor.cAdvisorInterval="10s"'])


def test_all_problems_are_told_at_once():
    settings = [f"{STACK}.prometheus.enabled=true", "prometheus-redis-exporter.enabled=true"]
    told = refusal(*settings)
    assert all(ADVICE[setting] in told for setting in settings)


def test_redis_labels_are_asked_for_where_they_work():
    told = refusal(
        "prometheus-redis-exporter.enabled=true",
        'prometheus-redis-exporter.redisAddress="redis://r:6379"',
        'prometheus-redis-exporter.serviceMonitor={"enabled":true,"labels":null,"additionalLabels":{"a":"b"}}',
    )
    assert (
        "prometheus-redis-exporter.serviceMonitor.additionalLabels: makes an unreadable ServiceMonitor without labels."
        " Write them to serviceMonitor.labels." in told
    )


def test_checks_need_an_exporter_and_names_of_their_own():
    check = '{"name":"crm","targets":["https://crm.example.com"]}'
    told = refusal(f"probes.checks=[{check},{check}]", "prometheus-blackbox-exporter.enabled=false")
    assert (
        "probes.checks: nobody asks these addresses, because prometheus-blackbox-exporter.enabled is false. Set it to"
        " true, or probes.prober to the host and port of a blackbox exporter." in told
    )
    assert 'probes.checks: two checks are called "crm". Give each a name of its own.' in told


def test_an_exporter_that_ignores_what_is_global_is_told_apart():
    told = refusal(
        'global={"imageRegistry":"r.example.com","imagePullSecrets":[{"name":"a"},{"name":"b"}]}',
        "prometheus-postgres-exporter.enabled=true",
        'prometheus-postgres-exporter.image={"registry":"quay.io"}',
        "prometheus-redis-exporter.enabled=true",
        'prometheus-redis-exporter.image={"repository":"oliver006/redis_exporter"}',
    )
    reads_no = "this chart does not read global."
    secrets = f"image.pullSecrets: {reads_no}imagePullSecrets. Set it to [a, b] too."
    for sentence in (
        f'prometheus-postgres-exporter.image.registry: {reads_no}imageRegistry. Set it to "r.example.com" too.',
        f"prometheus-redis-exporter.image.repository: {reads_no}imageRegistry. Set it to"
        ' "r.example.com/oliver006/redis_exporter".',
        f"prometheus-postgres-exporter.{secrets}",
        f"prometheus-redis-exporter.{secrets}",
        f"prometheus-blackbox-exporter.{secrets}",
    ):
        assert f"- {sentence}\n" in told


@pytest.mark.parametrize(
    "setting",
    [
        # Defaults of the real chart, which Helm fills in before we look.
        f'{STACK}.prometheus.prometheusSpec={{"retention":"10d","replicas":1,"shards":1,"podAntiAffinity":"soft"}}',
        f'{STACK}.alertmanager.alertmanagerSpec={{"replicas":1,"retention":"120h"}}',
        f'{STACK}.alertmanager.config={{"receivers":[{{"name":"null"}}]}}',
        # Settings that keep their effect.
        f"{STACK}.alertmanager.forceDeployDashboards=false",
        f"{STACK}.prometheus.prometheusSpec.remoteWriteDashboards=true",
        f'{STACK}.prometheus.extraSecret={{"annotations":{{"a":"b"}},"data":{{"c":"d"}}}}',
        f'{STACK}.namespaceOverride="monitoring"',
        f'{STACK}.grafana={{"enabled":false,"admin":{{"existingSecret":""}}}}',
        f'{STACK}.prometheusOperator={{"admissionWebhooks":{{"enabled":false}},"tls":{{"enabled":false}}}}',
    ],
)
def test_what_harms_nobody_is_let_through(setting):
    assert template(settings=[setting])


def test_the_stack_is_left_alone_when_it_is_off():
    settings = [setting for setting in ADVICE if setting.startswith(STACK)]
    assert template(settings=[*settings, f"{STACK}.enabled=false"])


def test_advice_names_fields_and_values_that_exist():
    moved = yaml.safe_load((CHART / "files" / "moved-settings.yaml").read_text())
    spec = json.loads((CHART / "values.schema.json").read_text())["definitions"]["sergasMonitoringSpec"]
    for words in moved["instead"].values():
        for path in re.findall(r"sergasMonitoring\.spec((?:\.\w+)+)", words):
            place = spec
            for key in path.strip(".").split("."):
                place = place.get("items", place)["properties"][key]
