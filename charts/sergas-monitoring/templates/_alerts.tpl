{{/* {rules: [...]}: the rules of one alert, with its override in values; none when it is switched off.
Call with (dict "root" $ "category" <category> "alert" <entry>). */}}
{{- define "sergas-monitoring.alertRules" -}}
{{- $override := index .root.Values.alerts .alert.name | default dict -}}
{{- $levels := list (dict "alert" .alert "override" (omit $override "early")) -}}
{{- if and (hasKey $override "early") (not .alert.early) -}}
{{- include "sergas-monitoring.noSuchSlot" (dict "alert" .alert "slot" "early") | fail -}}
{{- end -}}
{{- with .alert.early -}}
{{- $own := omit $override "early" "threshold" "severity" -}}
{{- $early := dict "alert" (merge (dict) . $.alert) "override" (merge (dict) ($override.early | default dict) $own) -}}
{{- $levels = append $levels $early -}}
{{- end -}}
{{- $rules := list -}}
{{- range $level := $levels -}}
{{- $rule := include "sergas-monitoring.alertRule" (merge (dict) $level (omit $ "alert")) | fromYaml -}}
{{- if $rule.alert -}}{{- $rules = append $rules $rule -}}{{- end -}}
{{- end -}}
{{- dict "rules" $rules | toYaml -}}
{{- end -}}

{{/* One level of an alert as a Prometheus rule. Nothing when it is switched off.
Call with (dict "root" $ "category" <category> "alert" <entry> "override" <its override>). */}}
{{- define "sergas-monitoring.alertRule" -}}
{{- $override := .override -}}
{{- if ne (toString $override.enabled) "false" -}}
{{- $slots := pick .root.Values.alerts "probeRoutes" "databaseVolumes" -}}
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

{{/* Where a person who got the alert goes next. Call with what "sergas-monitoring.alertRule" takes. */}}
{{- define "sergas-monitoring.alertLinks" -}}
runbook_url: {{ printf "%s/%s.md" (trimSuffix "/" .root.Values.alerts.runbookBaseURL) .alert.name | toJson }}
{{- with include "sergas-monitoring.dashboardBaseURL" .root }}
dashboard_url: {{ printf "%s/d/%s{{ with $labels.namespace }}?var-namespace={{ . }}{{ end }}" . $.alert.dashboard | toJson }}
{{- end }}
{{- end -}}

{{/* Text with its slots, such as ${threshold} and ${probeRoutes}, filled in. Prometheus's own {{ }} stays as it is. */}}
{{- define "sergas-monitoring.fillSlots" -}}
{{- $text := .text -}}
{{- range $slot, $value := .slots -}}
{{- $text = $text | replace (printf "${%s}" $slot) (toString $value) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{- define "sergas-monitoring.noSuchSlot" -}}
{{- $known := list -}}
{{- range $slot := list "threshold" "window" "for" "severity" "early" -}}
{{- if hasKey $.alert $slot -}}{{- $known = append $known $slot -}}{{- end -}}
{{- end -}}
alerts.{{ .alert.name }}.{{ .slot }}: this alert has no {{ .slot }}. Remove the line; what can be set is {{ join ", " $known }}.
{{- end -}}
