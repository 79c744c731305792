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
{{- if .alert.objective -}}{{- $levels = (include "sergas-monitoring.objectiveLevels" . | fromYaml).levels -}}{{- end -}}
{{- $rules := list -}}
{{- range $level := $levels -}}
{{- $rule := include "sergas-monitoring.alertRule" (merge (dict) $level (omit $ "alert")) | fromYaml -}}
{{- if $rule.alert -}}{{- $rules = append $rules $rule -}}{{- end -}}
{{- end -}}
{{- dict "rules" $rules | toYaml -}}
{{- end -}}

{{/* {levels: [...]}: an alert on objectives once for each that is counted. Severity, for and minimum come from values
slos.<name>, unless the alert's own override gives them. Call with what "sergas-monitoring.alertRules" takes. */}}
{{- define "sergas-monitoring.objectiveLevels" -}}
{{- $levels := list -}}
{{- $override := index .root.Values.alerts .alert.name | default dict -}}
{{- range (.root.Files.Get "slos.yaml" | fromYaml).slos -}}
{{- $slo := get $.root.Values.slos .name -}}
{{- if and $.root.Values.slos.enabled $slo.enabled -}}
{{- $slots := merge (dict "slo" .name) (get . $.alert.objective) -}}
{{- $own := merge (dict "minimum" $slo.minimum "slots" $slots) (get $slo $.alert.objective) -}}
{{- $levels = append $levels (dict "alert" (merge $own $.alert) "override" $override) -}}
{{- end -}}
{{- end -}}
{{- dict "levels" $levels | toYaml -}}
{{- end -}}

{{/* One level of an alert as a Prometheus rule. Nothing when it is switched off.
Call with (dict "root" $ "category" <category> "alert" <entry> "override" <its override>). */}}
{{- define "sergas-monitoring.alertRule" -}}
{{- $override := .override -}}
{{- if ne (toString $override.enabled) "false" -}}
{{- $slots := merge (pick .root.Values.alerts "probeRoutes" "databaseVolumes") (.alert.slots | default dict) -}}
{{- $_ := set $slots "removed" (include "sergas-monitoring.removed" .root) -}}
{{- range $slot := list "threshold" "minimum" "window" "for" "severity" -}}
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
  {{- with $slots.slo -}}{{- $_ := set $own "slo" . -}}{{- end -}}
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
{{- $namespace := ternary "" "{{ with $labels.namespace }}?var-namespace={{ . }}{{ end }}" (eq (toString $.alert.dashboardNamespace) "false") }}
dashboard_url: {{ printf "%s/d/%s%s" . $.alert.dashboard $namespace | toJson }}
{{- end }}
{{- end -}}

{{/* Text with its slots, such as ${threshold} and ${probeRoutes}, filled in. Prometheus's own {{ }} stays as it is. */}}
{{- define "sergas-monitoring.fillSlots" -}}
{{- $text := .text -}}
{{- range $slot, $value := .slots -}}
{{- $text = $text | replace (printf "${%s}" $slot) (toString $value) -}}
{{- end -}}
{{- range $call := regexFindAll `full_(rate|increase)\([^\[\]]+\[[0-9a-z]+\]\)` $text -1 | uniq -}}
{{- $text = $text | replace $call (include "sergas-monitoring.fullCount" $call) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{/* PromQL for full_rate(x[5m]) or full_increase(x[1h]): what rate and increase give, with the first value of a series.

rate and increase see how samples differ, and miss the first one: three recommendations, each the first of its type, are an
increase of 0. Counters begin at 0, so the value of a series that was not there before the window is its increase. Not so
where the process is older than the window and was not scraped before it: its counters hold what happened long ago. */}}
{{- define "sergas-monitoring.fullCount" -}}
{{- $shape := `(?s)^full_(\w+)\(\s*(.+?)\s*\[(\w+)\]\)$` -}}
{{- $function := regexReplaceAll $shape . "${1}" -}}
{{- $series := regexReplaceAll $shape . "${2}" -}}
{{- $window := regexReplaceAll $shape . "${3}" -}}
{{- $seconds := include "sergas-monitoring.seconds" $window -}}
{{- $scraped := printf "process_start_time_seconds{job=~\"sergas-(api|agents)\"} < time() - %s unless on (namespace, job, instance) up offset %s" $seconds $window -}}
{{- $new := printf "%s unless %s offset %s unless on (namespace, job, instance) (%s)" $series $series $window $scraped -}}
{{- if eq $function "rate" -}}{{- $new = printf "(%s) / %s" $new $seconds -}}{{- end -}}
{{- printf "(%s or %s(%s[%s]))" $new $function $series $window -}}
{{- end -}}

{{/* A Prometheus duration, such as 1h30m, in seconds. */}}
{{- define "sergas-monitoring.seconds" -}}
{{- $units := dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800 "y" 31536000 -}}
{{- $total := 0.0 -}}
{{- range regexFindAll `[0-9]+[a-z]+` . -1 -}}
{{- $total = addf $total (mulf (regexFind `[0-9]+` .) (get $units (regexFind `[a-z]+` .))) -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{/* The end of an expression that leaves out what values alerts.removed names; empty where it names nothing. */}}
{{- define "sergas-monitoring.removed" -}}
{{- $jobs := list -}}
{{- range .Values.alerts.removed -}}
{{- $named := printf `label_replace(vector(1), "namespace", "%s", "", "")` .namespace -}}
{{- $jobs = append $jobs (printf `label_replace(%s, "job", "%s", "", "")` $named .job) -}}
{{- end -}}
{{- with $jobs -}}unless on (namespace, job) ({{ join " or " . }}){{- end -}}
{{- end -}}

{{- define "sergas-monitoring.noSuchSlot" -}}
{{- $known := list -}}
{{- range $slot := list "threshold" "minimum" "window" "for" "severity" "early" -}}
{{- if hasKey $.alert $slot -}}{{- $known = append $known $slot -}}{{- end -}}
{{- end -}}
alerts.{{ .alert.name }}.{{ .slot }}: this alert has no {{ .slot }}. Remove the line; what can be set is {{ join ", " $known }}.
{{- end -}}
