{{/* Values that would do nothing without a word, or set two writers on one object. Each message says what to write
instead. All are collected, so that one run shows them all. */}}
{{- define "sergas-monitoring.advice" -}}
{{- $problems := list -}}
{{- range $part := list "stackOwners" "stackMovedSettings" "stackMonitors" "stackFiles" "stackNames" "grafana" "webhooks" "exporters" "namespaces" "objectives" "registries" "probes" "crd" -}}
{{- range splitList "\n" (include (printf "sergas-monitoring.advice.%s" $part) $) -}}
{{- with trim . -}}{{- $problems = append $problems (printf "- %s" .) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- printf "\nThe values need a change:\n%s\n" (join "\n" $problems) | fail -}}
{{- end -}}
{{- end -}}

{{/* Objects the operator writes must not be written by kube-prometheus-stack too. */}}
{{- define "sergas-monitoring.advice.stackOwners" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- if $stack.enabled -}}
{{- if dig "prometheus" "enabled" false $stack }}
kube-prometheus-stack.prometheus.enabled: the Sergas operator writes the Prometheus object, and a second writer would undo it at every upgrade. Set it to false and describe Prometheus in sergasMonitoring.spec.prometheus.
{{- end }}
{{- if dig "alertmanager" "enabled" false $stack }}
kube-prometheus-stack.alertmanager.enabled: the Sergas operator writes the Alertmanager object, and a second writer would undo it at every upgrade. Set it to false and describe Alertmanager in sergasMonitoring.spec.alertmanager, receivers in sergasMonitoring.spec.receivers.
{{- end }}
{{- end -}}
{{- end -}}

{{/* Settings of the stack that nothing reads while its Prometheus and Alertmanager are off. The real chart fills in its
own defaults before we look, so a setting counts as the user's only where it differs from the default of the pinned
version. files/moved-settings.yaml says what each key becomes. */}}
{{- define "sergas-monitoring.advice.stackMovedSettings" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- if $stack.enabled -}}
{{- $moved := .Files.Get "files/moved-settings.yaml" | fromYaml -}}
{{- $defaults := .Files.Get "files/stack-defaults.yaml" | fromYaml -}}
{{- range $part, $default := $defaults -}}
{{- $given := omit (get $stack $part | default dict) "enabled" -}}
{{- range $path := include "sergas-monitoring.changed" (dict "given" $given "default" $default "path" $part) | splitList "\n" | compact -}}
{{- $entry := include "sergas-monitoring.nearest" (dict "path" $path "moved" $moved) | fromJson }}
{{- if $entry.breaking }}
kube-prometheus-stack.{{ $path }}: {{ $entry.breaking }}. Remove it.
{{- else if $entry.instead }}
kube-prometheus-stack.{{ $path }}: nothing reads this while the Sergas operator runs {{ title $part }}. Remove it and {{ $entry.instead }}.
{{- else if not $entry.effective }}
kube-prometheus-stack.{{ $path }}: nothing reads this while the Sergas operator runs {{ title $part }}. Remove it; no field of SergasMonitoring replaces it.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Paths of all settings that differ from the default, one a line. A mapping that is empty by default is one setting. Call
with (dict "given" <values> "default" <values> "path" <where they are>). */}}
{{- define "sergas-monitoring.changed" -}}
{{- range $key, $value := .given -}}
{{- $path := printf "%s.%s" $.path $key -}}
{{- $default := get $.default $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $default) $default }}
{{ include "sergas-monitoring.changed" (dict "given" $value "default" $default "path" $path) }}
{{- else if and (not (kindIs "invalid" $value)) (or (not (hasKey $.default $key)) (ne (toJson $value) (toJson $default))) }}
{{ $path }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* {effective: ...}, {breaking: ...} or {instead: ...}: what files/moved-settings.yaml has for a path or for what is
above it. Call with (dict "path" <path> "moved" <the file>). */}}
{{- define "sergas-monitoring.nearest" -}}
{{- $found := dict -}}
{{- $above := "" -}}
{{- range $key := splitList "." .path -}}
{{- $above = printf "%s.%s" $above $key | trimPrefix "." -}}
{{- range $kind, $entries := $.moved -}}
{{- if hasKey $entries $above -}}{{- $found = dict $kind (get $entries $above) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* The stack's monitors of Kubernetes: this chart has its own in their place. */}}
{{- define "sergas-monitoring.advice.stackMonitors" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- $ours := include "sergas-monitoring.kubernetesMonitors" . -}}
{{- if $stack.enabled -}}
{{- range $key, $monitor := .Files.Get "files/kubernetes-monitors.yaml" | fromYaml -}}
{{- $given := dig $key "serviceMonitor" dict $stack -}}
{{- $path := printf "kube-prometheus-stack.%s.serviceMonitor" $key -}}
{{- if and $ours $given.enabled }}
{{ $path }}.enabled: this chart scrapes {{ $monitor.target }} by kubernetesMonitors, and a second monitor would give every series twice. Set it to false, or kubernetesMonitors.create to Never.
{{- else if and $given.enabled (not (include "sergas-monitoring.fileAccess" $)) }}
{{ $path }}.enabled: this monitor names files of Prometheus, and Prometheus uses no such monitor. Set it to false, or sergasMonitoring.spec.prometheus.discovery.allowFileAccess to true.
{{- end }}
{{- if $ours }}
{{- range $name, $value := $given }}
{{- if and (hasKey $monitor.settings $name) (ne (toJson $value) (toJson (get $monitor.settings $name))) }}
{{- $instead := printf "set kubernetesMonitors.%s.%s" $monitor.values $name }}
{{- if not (hasKey (get $.Values.kubernetesMonitors $monitor.values) $name) }}
{{- $instead = "write a ServiceMonitor of your own, with kubernetesMonitors.create set to Never, if you need it" }}
{{- end }}
{{ $path }}.{{ $name }}: nothing reads this while this chart scrapes {{ $monitor.target }} by kubernetesMonitors. Remove it and {{ $instead }}.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Settings by which a monitor of a dependency names a file of Prometheus. */}}
{{- define "sergas-monitoring.advice.stackFiles" -}}
{{- if not (include "sergas-monitoring.fileAccess" .) -}}
{{- range $path := list "kube-prometheus-stack.coreDns.serviceMonitor.bearerTokenFile" "kube-prometheus-stack.kubeDns.serviceMonitor.bearerTokenFile" "kube-prometheus-stack.kubeEtcd.serviceMonitor.bearerTokenFile" "kube-prometheus-stack.kubeEtcd.serviceMonitor.caFile" "kube-prometheus-stack.kubeEtcd.serviceMonitor.certFile" "kube-prometheus-stack.kubeEtcd.serviceMonitor.keyFile" "kube-prometheus-stack.kubeProxy.serviceMonitor.bearerTokenFile" "kube-prometheus-stack.kubeProxy.serviceMonitor.https" "kube-prometheus-stack.kube-state-metrics.prometheus.monitor.bearerTokenFile" "kube-prometheus-stack.kube-state-metrics.prometheus.monitor.http.bearerTokenFile" "kube-prometheus-stack.kube-state-metrics.prometheus.monitor.metrics.bearerTokenFile" "kube-prometheus-stack.prometheus-node-exporter.prometheus.monitor.bearerTokenFile" "prometheus-blackbox-exporter.serviceMonitor.bearerTokenFile" "prometheus-pushgateway.serviceMonitor.bearerTokenFile" "prometheus-redis-exporter.serviceMonitor.bearerTokenFile" }}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = ternary (get (default dict $value) $key) "" (kindIs "map" $value) -}}
{{- end -}}
{{- if and $value (get $.Values (splitList "." $path | first)).enabled }}
{{ $path }}: makes the monitor name a file of Prometheus, and Prometheus uses no such monitor. Remove it and write a ServiceMonitor of your own that names a Secret, or set sergasMonitoring.spec.prometheus.discovery.allowFileAccess to true.
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The stack's rules and Grafana datasources know Prometheus by names built from its fullnameOverride. */}}
{{- define "sergas-monitoring.advice.stackNames" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- $monitoring := .Values.sergasMonitoring -}}
{{- if and $stack.enabled $monitoring.create (ne ($stack.fullnameOverride | default "") $monitoring.name) }}
kube-prometheus-stack.fullnameOverride: is "{{ $stack.fullnameOverride }}" while sergasMonitoring.name is "{{ $monitoring.name }}"; the stack's rules and datasources look for Services of that name. Set both to "{{ $monitoring.name }}".
{{- end }}
{{- if and $stack.enabled $stack.namespaceOverride (ne $stack.namespaceOverride .Release.Namespace) }}
kube-prometheus-stack.namespaceOverride: the stack's rules and datasources would look for Prometheus in {{ $stack.namespaceOverride }}, and the Sergas operator runs it in {{ .Release.Namespace }}. Remove it and install the release into {{ $stack.namespaceOverride }}.
{{- end }}
{{- if include "sergas-monitoring.grafanaEnabled" . }}
{{- $grafana := dig "grafana" "namespaceOverride" "" $stack }}
{{- if and $grafana .Values.dashboards.enabled (ne $grafana (.Values.dashboards.namespace | default .Release.Namespace)) (ne (dig "grafana" "sidecar" "dashboards" "searchNamespace" "" $stack | toString) "ALL") }}
kube-prometheus-stack.grafana.namespaceOverride: Grafana looks for dashboards in its own namespace {{ $grafana }}, where this chart's are not. Set dashboards.namespace to {{ $grafana }} too.
{{- end }}
{{- if dig "grafana" "sidecar" "datasources" "createPrometheusReplicasDatasources" false $stack }}
kube-prometheus-stack.grafana.sidecar.datasources.createPrometheusReplicasDatasources: these datasources name pods of the stack's own Prometheus, which does not run. Remove it, and if you need them write http://prometheus-{{ $monitoring.name }}-0.prometheus-operated:9090 and so on into grafana.additionalDataSources.
{{- end }}
{{- end }}
{{- $operator := printf "%s-operator" (include "sergas-monitoring.fullname" .) -}}
{{- if and $stack.enabled (eq (dig "prometheusOperator" "fullnameOverride" "" $stack | default (printf "%s-operator" $stack.fullnameOverride)) $operator) }}
kube-prometheus-stack.prometheusOperator.fullnameOverride: the Prometheus Operator would share the name "{{ $operator }}" with the Sergas operator. Set it to "{{ include "sergas-monitoring.fullname" . }}-prometheus-operator".
{{- end }}
{{- if $stack.enabled }}
{{- $job := printf "%s-operator" $stack.fullnameOverride }}
{{- $jobs := list }}
{{- range dig "prometheusOperator" "serviceMonitor" "relabelings" list $stack }}
{{- if eq (.targetLabel | default "") "job" }}{{ $jobs = append $jobs .replacement }}{{ end }}
{{- end }}
{{- if not (has $job $jobs) }}
kube-prometheus-stack.prometheusOperator.serviceMonitor.relabelings: the stack's rules look for the Prometheus Operator as job "{{ $job }}", and nothing gives it that job. Add {targetLabel: job, replacement: {{ $job }}}.
{{- end }}
{{- end }}
{{- end -}}

{{- define "sergas-monitoring.advice.grafana" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- if and (include "sergas-monitoring.grafanaEnabled" .) (not (dig "grafana" "admin" "existingSecret" "" $stack)) }}
kube-prometheus-stack.grafana.admin.existingSecret: is empty, so Grafana's password would change at every render. Make a Secret with the keys admin-user and admin-password and set this to its name.
{{- end }}
{{- end -}}

{{- define "sergas-monitoring.advice.webhooks" -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- $operator := $stack.prometheusOperator | default dict -}}
{{- if and $stack.enabled (not (dig "admissionWebhooks" "enabled" true $operator)) (dig "tls" "enabled" true $operator) }}
kube-prometheus-stack.prometheusOperator.tls.enabled: with admissionWebhooks.enabled false nobody makes the certificate, and the Prometheus Operator would wait for it for ever. Set tls.enabled to false too.
{{- end }}
{{- end -}}

{{- define "sergas-monitoring.advice.exporters" -}}
{{- $postgres := index .Values "prometheus-postgres-exporter" -}}
{{- $source := $postgres.config | default dict -}}
{{- if and $postgres.enabled (not (dig "datasource" "host" "" $source)) (not (dig "datasourceSecret" "name" "" $source)) (not (dig "serviceMonitor" "multipleTarget" "enabled" false $postgres)) }}
prometheus-postgres-exporter.config: names no database. Set config.datasourceSecret.name and .key to a Secret holding the connection string, or config.datasource.host and its passwordSecret.
{{- end }}
{{- if dig "datasource" "password" "" $source }}
prometheus-postgres-exporter.config.datasource.password: a password in values ends up in the release's history. Put it in a Secret and set config.datasource.passwordSecret.name and .key.
{{- end }}
{{- $redis := index .Values "prometheus-redis-exporter" -}}
{{- $address := $redis.redisAddress | default "" -}}
{{- if and $redis.enabled (has $address (list "" "redis://myredis:6379")) (not (dig "redisAddressConfig" "enabled" false $redis)) (not (dig "serviceMonitor" "multipleTarget" false $redis)) }}
prometheus-redis-exporter.redisAddress: names no Redis. Set it to an address such as redis://sergas-redis:6379, or use redisAddressConfig.
{{- end }}
{{- if and $redis.enabled (dig "serviceMonitor" "additionalLabels" "" $redis) (not (dig "serviceMonitor" "labels" "" $redis)) }}
prometheus-redis-exporter.serviceMonitor.additionalLabels: makes an unreadable ServiceMonitor without labels. Write them to serviceMonitor.labels.
{{- end }}
{{- end -}}

{{- define "sergas-monitoring.advice.probes" -}}
{{- $exporter := index .Values "prometheus-blackbox-exporter" -}}
{{- $modules := keys (dig "config" "modules" dict $exporter) | sortAlpha -}}
{{- $names := list -}}
{{- if not .Values.probes.prober }}
{{- if and .Values.probes.checks (not $exporter.enabled) }}
probes.checks: nobody asks these addresses, because prometheus-blackbox-exporter.enabled is false. Set it to true, or probes.prober to the host and port of a blackbox exporter.
{{- end }}
{{- range $check := .Values.probes.checks }}
{{- if and $exporter.enabled (not (has ($check.module | default "http_2xx") $modules)) }}
probes.checks: {{ $check.name }} asks by the module "{{ $check.module }}", which the blackbox exporter does not have. Write one of {{ join ", " $modules }}, or add it to prometheus-blackbox-exporter.config.modules.
{{- end }}
{{- end }}
{{- end }}
{{- range $check := .Values.probes.checks }}
{{- if has $check.name $names }}
probes.checks: two checks are called "{{ $check.name }}". Give each a name of its own.
{{- end }}
{{- $names = append $names $check.name }}
{{- end }}
{{- end -}}

{{- define "sergas-monitoring.advice.namespaces" -}}
{{- $namespaces := (include "sergas-monitoring.namespaces" . | fromJson).namespaces -}}
{{- if and .Values.sergasMonitoring.create (not (has .Release.Namespace $namespaces)) }}
operator.namespaces: does not name {{ .Release.Namespace }}, so nobody would act on the SergasMonitoring made there. Add {{ .Release.Namespace }} to it, or set sergasMonitoring.create to false.
{{- end }}
{{- end -}}

{{/* Objectives are counted from what is recorded. */}}
{{- define "sergas-monitoring.advice.objectives" -}}
{{- if and .Values.slos.enabled (not .Values.recording.enabled) }}
slos.enabled: objectives read the recording rules, which recording.enabled switches off, so no burn rate would be known. Set recording.enabled to true or slos.enabled to false.
{{- end }}
{{- if and .Values.dashboards.enabled (not .Values.recording.enabled) }}
dashboards.enabled: panels read the recording rules, which recording.enabled switches off, so most of them would be empty. Set recording.enabled to true or dashboards.enabled to false.
{{- end }}
{{- end -}}

{{/* Exporter charts that do not read what is global, in the pinned versions; blackbox reads the registry only. */}}
{{- define "sergas-monitoring.advice.registries" -}}
{{- $registry := (.Values.global).imageRegistry -}}
{{- $postgres := index .Values "prometheus-postgres-exporter" -}}
{{- if and $registry $postgres.enabled (ne (dig "image" "registry" "" $postgres) $registry) }}
prometheus-postgres-exporter.image.registry: this chart does not read global.imageRegistry. Set it to "{{ $registry }}" too.
{{- end }}
{{- $redis := index .Values "prometheus-redis-exporter" -}}
{{- if and $registry $redis.enabled (not (hasPrefix (printf "%s/" $registry) (dig "image" "repository" "" $redis))) }}
prometheus-redis-exporter.image.repository: this chart does not read global.imageRegistry. Set it to "{{ $registry }}/oliver006/redis_exporter".
{{- end }}
{{- $secrets := list -}}
{{- range (.Values.global).imagePullSecrets }}{{ $secrets = append $secrets .name }}{{ end -}}
{{- range $name := list "prometheus-postgres-exporter" "prometheus-redis-exporter" "prometheus-blackbox-exporter" }}
{{- $exporter := index $.Values $name }}
{{- if and $secrets $exporter.enabled (not (dig "image" "pullSecrets" list $exporter)) }}
{{ $name }}.image.pullSecrets: this chart does not read global.imagePullSecrets. Set it to [{{ join ", " $secrets }}] too.
{{- end }}
{{- end }}
{{- end -}}

{{/* A CRD that is older than the chart. */}}
{{- define "sergas-monitoring.advice.crd" -}}
{{- $missing := list -}}
{{- if .Values.crds.check -}}
{{- $missing = include "sergas-monitoring.crd.missing" . | trim | splitList "\n" | compact -}}
{{- end -}}
{{- with $missing }}
crds: the CRD in the cluster does not know {{ join ", " . }}, and Helm never upgrades CRDs. Run `kubectl apply --server-side --force-conflicts --filename crds/` in the chart's folder, then try again.
{{- end }}
{{- end -}}
