{{/* Names start with the release's name: release `sergas` gives `sergas-operator`. 44 characters leave room for suffixes. */}}
{{- define "sergas-monitoring.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- end -}}

{{/* Names of cluster-scoped objects carry the namespace, so that two releases of one name never share one. */}}
{{- define "sergas-monitoring.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "sergas-monitoring.fullname" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels of every object of the chart. `release` serves a Prometheus that selects by it. */}}
{{- define "sergas-monitoring.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: sergas-monitoring
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: sergas-monitoring
release: {{ .Release.Name }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What the operator's Deployment and Service select. Immutable in a Deployment: never add to it. */}}
{{- define "sergas-monitoring.operatorSelector" -}}
app.kubernetes.io/name: sergas-monitoring
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{/* Namespaces the operator works in, as JSON `{"namespaces": [...]}`; the release's own when none is named. */}}
{{- define "sergas-monitoring.namespaces" -}}
{{- dict "namespaces" (.Values.operator.namespaces | default (list .Release.Namespace) | uniq) | toJson -}}
{{- end -}}

{{/* An image reference from {registry, repository, tag, digest}. Call with (dict "image" ... "tag" <default tag> "root" $). A
digest takes the tag's place, or stands beside it with "keepTag" true. */}}
{{- define "sergas-monitoring.image" -}}
{{- $registry := (.root.Values.global).imageRegistry | default .image.registry -}}
{{- $name := .image.repository -}}
{{- with $registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if or .keepTag (not .image.digest) -}}
{{- $name = printf "%s:%s" $name (.image.tag | default .tag | toString) -}}
{{- end -}}
{{- with .image.digest }}{{ $name = printf "%s@%s" $name . }}{{ end -}}
{{- $name -}}
{{- end -}}

{{- define "sergas-monitoring.operatorServiceAccount" -}}
{{- if .Values.operator.serviceAccount.create -}}
{{- .Values.operator.serviceAccount.name | default (printf "%s-operator" (include "sergas-monitoring.fullname" .)) -}}
{{- else -}}
{{- .Values.operator.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Security context of the operator's pod; without IDs where the cluster assigns them. */}}
{{- define "sergas-monitoring.podSecurityContext" -}}
{{- $context := .Values.operator.podSecurityContext -}}
{{- if not .Values.operator.assignIDs -}}{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" -}}{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{- define "sergas-monitoring.prometheusServiceAccount" -}}
{{- .Values.prometheus.serviceAccount.name | default (printf "%s-prometheus" (include "sergas-monitoring.fullname" .)) -}}
{{- end -}}

{{- define "sergas-monitoring.alertmanagerServiceAccount" -}}
{{- .Values.alertmanager.serviceAccount.name | default (printf "%s-alertmanager" (include "sergas-monitoring.fullname" .)) -}}
{{- end -}}

{{/* Where Grafana is seen by people: the configured address, else the stack's Service, else nothing. */}}
{{- define "sergas-monitoring.dashboardBaseURL" -}}
{{- if .Values.alerts.dashboardBaseURL -}}
{{- trimSuffix "/" .Values.alerts.dashboardBaseURL -}}
{{- else if include "sergas-monitoring.grafanaEnabled" . -}}
{{- $grafana := dig "grafana" dict (index .Values "kube-prometheus-stack") -}}
{{- $namespace := $grafana.namespaceOverride | default .Release.Namespace -}}
{{- $port := dig "service" "port" 80 $grafana | int -}}
{{- printf "http://%s.%s%s" (include "sergas-monitoring.grafana" .) $namespace (eq $port 80 | ternary "" (printf ":%d" $port)) -}}
{{- end -}}
{{- end -}}

{{/* "true" when kube-prometheus-stack brings Grafana. Its own default is on, and a stub has no values. */}}
{{- define "sergas-monitoring.grafanaEnabled" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- if and $stack.enabled (dig "grafana" "enabled" true $stack) -}}true{{- end -}}
{{- end -}}

{{/* Name of Grafana's Service, by the rules of its chart: <release>-grafana, or the release's name alone where that holds
"grafana". */}}
{{- define "sergas-monitoring.grafana" -}}
{{- $grafana := dig "grafana" dict (index .Values "kube-prometheus-stack") -}}
{{- $name := $grafana.nameOverride | default "grafana" -}}
{{- $whole := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $grafana.fullnameOverride | default $whole | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Host and port of the blackbox exporter. Its chart calls the Service <release>-prometheus-blackbox-exporter, or by the
release's name alone where that holds the chart's. */}}
{{- define "sergas-monitoring.prober" -}}
{{- $exporter := index .Values "prometheus-blackbox-exporter" -}}
{{- $name := $exporter.nameOverride | default "prometheus-blackbox-exporter" -}}
{{- $whole := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $service := $exporter.fullnameOverride | default $whole | trunc 63 | trimSuffix "-" -}}
{{- $port := dig "service" "port" 9115 $exporter -}}
{{- .Values.probes.prober | default (printf "%s.%s:%v" $service .Release.Namespace $port) -}}
{{- end -}}

{{/* The names of objects such as [{name: registry}], parted by commas. */}}
{{- define "sergas-monitoring.names" -}}
{{- $names := list -}}
{{- range . -}}{{- $names = append $names .name -}}{{- end -}}
{{- join "," ($names | uniq) -}}
{{- end -}}
