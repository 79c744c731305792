"""Template text of messages: what Alertmanager would take passes, what it would fail at is refused with its
place.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from controlplane import tool

from sergas_operator.message_text import TextError, check

GOOD = [
    "no template at all, and a } or two }}",
    "{{ .CommonLabels.alertname }}",
    '{{ .CommonLabels.anything_at_all }} {{ .GroupLabels.SortedPairs.Values | join " " }}',
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}]',
    "{{ range .Alerts }}{{ .Labels.job }}{{ .NoneOfOurBusiness }}{{ else }}{{ .Status }}{{ end }}",
    "{{- /* a comment with {{ braces }} */ -}} text",
    "{{ with .CommonAnnotations.summary }}{{ . }}{{ else with .Status }}{{ . }}{{ end }}",
    "{{ range $i, $alert := .Alerts }}{{ $i }}: {{ $alert.Labels.job }}{{ end }}",
    "{{ $n := len .Alerts }}{{ if gt $n 1 }}{{ $n }}{{ else if eq $n 1 }}one{{ else }}none{{ end }}",
    '{{ template "slack.default.title" . }}',
    '{{ define "mine" }}{{ .Anything }}{{ $.Anything }}{{ end }}{{ template "mine" .CommonLabels }}',
    "{{ (index .Alerts 0).Labels.job }} {{ (index .Alerts 0).StartsAt.Unix }}",
    "{{ \"{{ quoted }}\" }} {{ `raw }}` }} {{ '}' }}",
    '{{ reReplaceAll "(.*):.*" "$1" .ExternalURL }}',
    '{{ printf "%.2f" 1.5 }} {{ and true (not false) }} {{ print nil | printf "%v" }}',
    '{{ range .Alerts }}{{ if eq .Status "firing" }}{{ break }}{{ end }}{{ continue }}{{ end }}',
    "{{ since (index .Alerts 0).StartsAt | humanizeDuration }}",
    "{{ $x := 1 }}{{ $x = 2 }}{{ $x }}",
]

BAD = {
    "{{ .Status": (
        'line 1, column 1: {{ is never closed: write }} after the action, or {{ "{{" }} for the braces themselves'
    ),
    "a\n  {{ if .Alerts }}x": "line 2, column 3: {{ if }} is never closed: write {{ end }} after it",
    "{{ end }}": "line 1, column 1: {{ end }} closes nothing: remove it, or write {{ if }}, {{ range "
    "}} or {{ with }} before it",
    "{{ else }}": "line 1, column 1: {{ else }} stands outside of if, range and with: remove it",
    "{{ if .Alerts }}{{ else }}{{ else }}{{ end }}": (
        "line 1, column 27: there is an {{ else }} after the last one: remove it, or write {{ else if }} before it"
    ),
    "{{ .Status | shout }}": (
        "line 1, column 1: there is no function shout: write a field with a dot such as .shout, or quote it as text"
    ),
    "{{ Status }}": (
        "line 1, column 1: there is no function Status: write a field with a dot such as .Status, or quote it as text"
    ),
    "{{ .CommonLables.job }}": (
        "line 1, column 1: a message has no field .CommonLables: write one of .Alerts, "
        ".CommonAnnotations, .CommonLabels, "
        ".ExternalURL, .GroupLabels, .Receiver, .Status"
    ),
    "{{ $alert.Labels }}": "line 1, column 1: the variable $alert is not declared: write {{ $alert := ... }} before it",
    '{{ template "nope" . }}': (
        "line 1, column 1: there is no template 'nope': define it in this text, or use one of Alertmanager's own"
    ),
    "{{ template nope }}": (
        'line 1, column 1: template needs a quoted name: write {{ template "slack.default.title" . }}'
    ),
    "{{ len (.Alerts }}": "line 1, column 1: there is a ( without a ): close it",
    "{{ len .Alerts) }}": "line 1, column 1: there is a ) without a (: remove it",
    "{{ }}": "line 1, column 1: {{ }} is empty: write what to insert, such as {{ .CommonLabels.alertname }}",
    "{{ if }}x{{ end }}": "line 1, column 1: if says nothing: write what it looks at, such as {{ if .Alerts }}",
    "{{ .Status & 1 }}": "line 1, column 1: '&' cannot stand in an action: remove it, or close the text around it",
}


@pytest.mark.parametrize("text", GOOD)
def test_good_text_passes(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", BAD)
def test_bad_text_is_refused_with_its_place_and_advice(text: str) -> None:
    with pytest.raises(TextError) as error:
        check(text)
    assert str(error.value) == BAD[text]


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_alertmanagers_own_tool_agrees(text: str, tmp_path: Path) -> None:
    (tmp_path / "none.tmpl").write_text("")
    command = [tool("amtool"), "template", "render", f"--template.glob={tmp_path}/none.tmpl", f"--template.text={text}"]
    rendered = subprocess.run(command, capture_output=True, text=True, check=False)
    # `.NoneOfOurBusiness` is an alert's field, which only an alert can refuse.
    expected = text in GOOD and "NoneOfOurBusiness" not in text
    assert (rendered.returncode == 0) == expected, rendered.stderr
