{{/* Fields of the chart's CRD that the cluster's CRD does not know, one a line. Helm never upgrades a CRD, and the API server
drops a field it does not know, so an upgrade would seem to work and do nothing. Nothing is found where no cluster is asked. */}}
{{- define "sergas-monitoring.crd.missing" -}}
{{- $name := "sergasmonitorings.monitoring.sergas.com" -}}
{{- with lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name -}}
{{- $ours := $.Files.Get "crds/sergasmonitorings.yaml" | fromYaml -}}
{{- $want := (first $ours.spec.versions).schema.openAPIV3Schema.properties.spec -}}
{{- range .spec.versions -}}
{{- if eq .name (first $ours.spec.versions).name -}}
{{- include "sergas-monitoring.crd.missingBelow" (dict "want" $want "have" .schema.openAPIV3Schema.properties.spec "path" "spec") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The same for one schema and those below it. Call with (dict "want" <schema> "have" <schema> "path" <its path>). */}}
{{- define "sergas-monitoring.crd.missingBelow" -}}
{{- $known := .have.properties | default dict -}}
{{- $path := .path -}}
{{- range $name, $field := .want.properties -}}
{{- if hasKey $known $name -}}
{{- include "sergas-monitoring.crd.missingBelow" (dict "want" $field "have" (get $known $name) "path" (printf "%s.%s" $path $name)) -}}
{{- else }}
{{ $path }}.{{ $name }}
{{- end -}}
{{- end -}}
{{- if and .want.items .have.items -}}
{{- include "sergas-monitoring.crd.missingBelow" (dict "want" .want.items "have" .have.items "path" (printf "%s[]" $path)) -}}
{{- end -}}
{{- end -}}
