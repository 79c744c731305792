{{/* "true" when this chart scrapes Kubernetes itself, by kubernetesMonitors.create. */}}
{{- define "sergas-monitoring.kubernetesMonitors" -}}
{{- $create := .Values.kubernetesMonitors.create -}}
{{- $stack := index .Values "kube-prometheus-stack" -}}
{{- if or (eq $create "Always") (and (eq $create "WithStack") $stack.enabled) -}}true{{- end -}}
{{- end -}}

{{/* The Secret with the token and the CA's certificate for targets of Kubernetes. */}}
{{- define "sergas-monitoring.prometheusTokenSecret" -}}
{{- .Values.kubernetesMonitors.tokenSecret.name | default (printf "%s-prometheus-token" (include "sergas-monitoring.fullname" .)) -}}
{{- end -}}

{{/* Namespace and labels of the monitors and the token, which must be where Prometheus's ServiceAccount is. */}}
{{- define "sergas-monitoring.kubernetesMonitorsMetadata" -}}
{{- $namespaces := (include "sergas-monitoring.namespaces" . | fromJson).namespaces -}}
namespace: {{ ternary .Release.Namespace (first $namespaces) (has .Release.Namespace $namespaces) }}
labels:
  {{- include "sergas-monitoring.labels" . | nindent 2 }}
  app.kubernetes.io/component: prometheus
{{- end -}}

{{/* How an endpoint of Kubernetes is reached. Call with (dict "secret" ... "insecureSkipVerify" ... "serverName" ...). */}}
{{- define "sergas-monitoring.kubernetesAccess" -}}
scheme: https
authorization:
  type: Bearer
  credentials:
    name: {{ .secret }}
    key: token
tlsConfig:
  ca:
    secret:
      name: {{ .secret }}
      key: ca.crt
  insecureSkipVerify: {{ .insecureSkipVerify }}
  {{- with .serverName }}
  serverName: {{ . }}
  {{- end }}
{{- end -}}

{{/* "true" when monitors may name files of Prometheus, or when this chart does not write the SergasMonitoring that says so. */}}
{{- define "sergas-monitoring.fileAccess" -}}
{{- $monitoring := .Values.sergasMonitoring -}}
{{- if or (not $monitoring.create) (dig "prometheus" "discovery" "allowFileAccess" false ($monitoring.spec | default dict)) -}}true{{- end -}}
{{- end -}}
