{{/* One alert of alerts/*.yaml, with its override in values, as a Prometheus rule. Nothing when it is switched off.
Call with (dict "root" $ "category" <category> "alert" <entry>). */}}
{{- define "sergas-monitoring.alert" -}}
{{- $override := index .root.Values.alerts .alert.name | default dict -}}
{{- if ne (toString $override.enabled) "false" -}}
{{- $slots := dict "probeRoutes" .root.Values.alerts.probeRoutes -}}
{{- range $slot := list "threshold" "window" "for" "severity" -}}
{{- if hasKey $override $slot -}}
{{- if not (hasKey $.alert $slot) -}}
{{- include "sergas-monitoring.noSuchSlot" (dict "alert" $.alert "slot" $slot) | fail -}}
{{- end -}}
{{- $_ := set $slots $slot (index $override $slot) -}}
{{- else if hasKey $.alert $slot -}}
{{- $_ := set $slots $slot (index $.alert $slot) -}}
{{- end -}}
{{- end -}}
{{- $links := include "sergas-monitoring.alertLinks" . | fromYaml -}}
{{- $texts := dict "summary" .alert.summary "description" .alert.description -}}
alert: {{ .alert.name }}
expr: {{ include "sergas-monitoring.fillSlots" (dict "text" .alert.expr "slots" $slots) | trim | toJson }}
for: {{ $slots.for }}
{{- with $override.keepFiringFor }}
keep_firing_for: {{ . }}
{{- end }}
labels:
  {{- $own := dict "severity" $slots.severity "category" .category -}}
  {{- mergeOverwrite (dict) .root.Values.alerts.labels ($override.labels | default dict) $own | toYaml | nindent 2 }}
annotations:
  {{- range $key, $text := mergeOverwrite (dict) $texts $links ($override.annotations | default dict) }}
  {{ $key }}: {{ include "sergas-monitoring.fillSlots" (dict "text" $text "slots" $slots) | trim | toJson }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Where a person who got the alert goes next. Call with what "sergas-monitoring.alert" takes. */}}
{{- define "sergas-monitoring.alertLinks" -}}
runbook_url: {{ printf "%s/%s.md" (trimSuffix "/" .root.Values.alerts.runbookBaseURL) .alert.name | toJson }}
{{- with include "sergas-monitoring.dashboardBaseURL" .root }}
dashboard_url: {{ printf "%s/d/%s?var-namespace={{ $labels.namespace }}" . $.alert.dashboard | toJson }}
{{- end }}
{{- end -}}

{{/* Text with ${threshold}, ${window}, ${for}, ${severity} and ${probeRoutes} filled in. Prometheus's own {{ }} stays as it is. */}}
{{- define "sergas-monitoring.fillSlots" -}}
{{- $text := .text -}}
{{- range $slot, $value := .slots -}}
{{- $text = $text | replace (printf "${%s}" $slot) (toString $value) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{- define "sergas-monitoring.noSuchSlot" -}}
{{- $known := list -}}
{{- range $slot := list "threshold" "window" "for" "severity" -}}
{{- if hasKey $.alert $slot -}}{{- $known = append $known $slot -}}{{- end -}}
{{- end -}}
alerts.{{ .alert.name }}.{{ .slot }}: this alert has no {{ .slot }}. Remove the line; what can be set is {{ join ", " $known }}.
{{- end -}}
