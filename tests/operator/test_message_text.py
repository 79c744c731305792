"""Template texts of receivers: accepts what Alertmanager accepts, and refuses the rest with its line and column."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from controlplane import tool

from sergas_operator.desired.message_text import TextError, check, check_line

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
    '{{ now | tz "UTC" | date "15:04" }} {{ toJson .CommonLabels }} {{ dict "a" 1 }} {{ .NotificationReason }}',
    '{{ template "mattermost.default.text" . }} {{ template "slack.default.color" . }}',
]

BAD = {
    "{{ .Status": (
        'line 1, column 1: {{ is not closed: add }} after the action, or write {{ "{{" }} for the braces themselves'
    ),
    "a\n  {{ if .Alerts }}x": "line 2, column 3: {{ if }} is not closed: add {{ end }}",
    "{{ end }}": (
        "line 1, column 1: {{ end }} has no block: remove it, or add {{ if }}, {{ range }} or {{ with }} before it"
    ),
    "{{ else }}": "line 1, column 1: {{ else }} is not in an if, range or with: remove it",
    "{{ if .Alerts }}{{ else }}{{ else }}{{ end }}": (
        "line 1, column 27: the block has an {{ else }} already: remove this one, or write {{ else if }} before it"
    ),
    "{{ .Status | shout }}": (
        "line 1, column 1: the function shout does not exist: write a field with a dot, such as .shout, or quote the "
        "text"
    ),
    "{{ Status }}": (
        "line 1, column 1: the function Status does not exist: write a field with a dot, such as .Status, or quote the "
        "text"
    ),
    "{{ .CommonLables.job }}": (
        "line 1, column 1: a notification has no field .CommonLables: write one of .Alerts, .CommonAnnotations, "
        ".CommonLabels, .ExternalURL, .GroupLabels, .NotificationReason, .Receiver, .RouteLabels, .Status"
    ),
    "{{ $alert.Labels }}": "line 1, column 1: the variable $alert is not declared: add {{ $alert := ... }} before it",
    '{{ template "nope" . }}': (
        "line 1, column 1: the template 'nope' does not exist: define it in this text, or use one of Alertmanager's"
    ),
    "{{ template nope }}": (
        'line 1, column 1: template needs a quoted name: write {{ template "slack.default.title" . }}'
    ),
    "{{ len (.Alerts }}": "line 1, column 1: a ( is not closed: add a )",
    "{{ len .Alerts) }}": "line 1, column 1: a ) has no (: remove it",
    "{{ }}": ("line 1, column 1: {{ }} is empty: write a field or a function, such as {{ .CommonLabels.alertname }}"),
    "{{ if }}x{{ end }}": "line 1, column 1: if has no argument: write one, such as {{ if .Alerts }}",
    "{{ .Status & 1 }}": "line 1, column 1: '&' is not allowed in an action: remove it, or put it into quotes",
}

GOOD_LINES = [
    "#critical",
    "#{{ .CommonLabels.team }}",
    ':{{ if eq .Status "firing" }}fire{{ else }}white_check_mark{{ end }}:',
    "{{.CommonLabels.team}}@example.com",
    '{{ reReplaceAll "\\n" " " .CommonAnnotations.summary }}',
    "Überwachung",
]
CONTROL = "a line break or another control character is not possible here: write one line"
BAD_LINES = {
    "#critical\n": f"line 1, column 10: {CONTROL}",
    "ops@example.com\r\nBcc: else@example.com": f"line 1, column 16: {CONTROL}",
    "{{ .Status }}\n\tand more": f"line 1, column 14: {CONTROL}",
    "a\x00b": f"line 1, column 2: {CONTROL}",
    "a\x7fb": f"line 1, column 2: {CONTROL}",
    "#{{ .CommonLabels.team": BAD["{{ .Status"].replace("column 1", "column 2"),
}


@pytest.mark.parametrize("text", GOOD)
def test_accepts_valid_text(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", BAD)
def test_refuses_invalid_text_with_place_and_advice(text: str) -> None:
    with pytest.raises(TextError) as error:
        check(text)
    assert str(error.value) == BAD[text]


@pytest.mark.parametrize("text", GOOD_LINES)
def test_accepts_valid_line(text: str) -> None:
    check_line(text)


@pytest.mark.parametrize("text", BAD_LINES)
def test_refuses_invalid_line_with_place_and_advice(text: str) -> None:
    with pytest.raises(TextError) as error:
        check_line(text)
    assert str(error.value) == BAD_LINES[text]


def test_accepts_line_break_in_text() -> None:
    check("{{ .Status }}\n\tand more")


@pytest.mark.parametrize("text", [*GOOD, *BAD, *GOOD_LINES])
def test_agrees_with_amtool(text: str, tmp_path: Path) -> None:
    (tmp_path / "none.tmpl").write_text("")
    command = [tool("amtool"), "template", "render", f"--template.glob={tmp_path}/none.tmpl", f"--template.text={text}"]
    rendered = subprocess.run(command, capture_output=True, text=True, check=False)
    # Whether an alert has the field `.NoneOfOurBusiness` is known only when a notification is sent.
    expected = text not in BAD and "NoneOfOurBusiness" not in text
    assert (rendered.returncode == 0) == expected, rendered.stderr
