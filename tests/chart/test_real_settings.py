"""`make chart-real` finds every setting of the stack that would do nothing. Here the stack is a small chart."""

import pytest

from charts import real_settings

# What moved-settings.yaml says that the stack still reads.
EFFECTS = """\
{{ toJson .Values.alertmanager.forceDeployDashboards }}
{{ toJson .Values.prometheus.prometheusSpec.remoteWriteDashboards }}
{{ toJson .Values.prometheus.prometheusSpec.ignoreNamespaceSelectors }}
{{ with .Values.prometheus.extraSecret }}{{ if .data }}{{ toJson . }}{{ end }}{{ end }}
{{ with .Values.alertmanager.extraSecret }}{{ if .data }}{{ toJson . }}{{ end }}{{ end }}
"""


@pytest.fixture
def chart(case):
    """Our chart with a stack whose object holds what these templates read."""

    def make(reads):
        head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: read}\ndata:\n  read: |\n"
        text = "".join(f"    {line}\n" for line in reads.splitlines())
        return case({"read.yaml": head + text}).chart

    return make


def kinds(found):
    return {".".join(setting.path): setting.kind for setting in found}


def test_says_what_becomes_of_each_setting(chart):
    folder = chart(EFFECTS)
    found = real_settings.settings(folder)
    assert list(real_settings.problems(folder, found)) == []
    assert {
        "prometheus.prometheusSpec.retention": "replaced",
        "prometheus.prometheusSpec.remoteWriteDashboards": "effective",
        "prometheus.extraSecret.annotations": "effective",
        "prometheus.thanosService.port": "refused",
        "prometheus.service.port": "breaking",
    }.items() <= kinds(found).items()
    assert "prometheus.enabled" not in kinds(found)


def test_names_setting_that_nobody_reads_and_nobody_refuses(chart):
    reads = EFFECTS.replace("{{ toJson .Values.alertmanager.forceDeployDashboards }}", "")
    folder = chart(reads)
    assert list(real_settings.problems(folder, real_settings.settings(folder))) == [
        "alertmanager.forceDeployDashboards has no effect, and nothing says so"
    ]


def test_names_refused_setting_that_has_an_effect(chart):
    folder = chart(EFFECTS + "{{ .Values.prometheus.prometheusSpec.retention }}\n{{ .Values.prometheus.agentMode }}\n")
    assert list(real_settings.problems(folder, real_settings.settings(folder))) == [
        "prometheus.agentMode has an effect, and our advice says that nothing reads it",
        "prometheus.prometheusSpec.retention has an effect, and our advice says that nothing reads it",
    ]


def test_table_has_one_line_for_settings_that_agree():
    found = [
        real_settings.Setting(("prometheus", "thanosService", "port"), "refused", "no field replaces it"),
        real_settings.Setting(("prometheus", "thanosService", "type"), "refused", "no field replaces it"),
        real_settings.Setting(("prometheus", "agentMode"), "refused", "no field replaces it"),
        real_settings.Setting(("prometheus", "prometheusSpec", "image", "tag"), "replaced", "set prometheus.image"),
    ]
    assert real_settings.table(found).splitlines() == [
        "effective: 0",
        "breaking: 0",
        "replaced: 1",
        "  prometheus.prometheusSpec.image.tag: set prometheus.image",
        "refused: 3",
        "  prometheus.thanosService.* (2)",
        "  prometheus.agentMode",
        "ignored: 0",
    ]
