"""The texts of messages, rendered by Alertmanager's own tool, also with labels somebody means harm by."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from controlplane import tool
from running import alert, monitoring

from sergas_operator.desired.message_templates import message_templates
from sergas_operator.desired.message_text import check

URL = "https://alertmanager.example.com"
TEMPLATES = Path(__file__).parents[2] / "operator/sergas_operator/templates"
Render = Callable[..., str]

HOSTILE = {
    "mention": "<!channel> <!here> <@U0123> @here @channel @everyone",
    "slack link": "<http://evil.example|Runbook>",
    "slack markup": "*bold* _italic_ ~struck~ `code` ```block```",
    "html": '<script>alert(1)</script><img src=x onerror=alert(1)><a href="http://evil.example">x</a>',
    "attribute": '" onmouseover="alert(1)" x="',
    "address": "http://evil.example/login",
    "template": '{{ .ExternalURL }} {{ template "sergas.title" . }}',
    "header": "x\r\nBcc: victim@example.com\r\n\r\nbody",
    "lines": "one\ntwo\u2028three\u0085four",
    "direction": "abc\u202egnp.exe",
    "silence filter": '", severity=~".*',
}


def message(*alerts: dict[str, Any], status: str = "firing") -> dict[str, Any]:
    common = dict(set.intersection(*(set(found["labels"].items()) for found in alerts)))
    return {
        "receiver": "chat",
        "status": status,
        "alerts": [{"status": status, "fingerprint": f"{index}"} | found for index, found in enumerate(alerts)],
        "groupLabels": {},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager-0:9093",
    }


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Renders one of our templates over a message."""

    def run(name: str, data: dict[str, Any], *, kind: str = "text", external_url: str = URL) -> str:
        spec = monitoring({"alertmanager": {"externalURL": external_url}}).spec
        for key, text in message_templates(spec).items():
            (tmp_path / key).write_bytes(text)
        (tmp_path / "data.json").write_text(json.dumps(data))
        command = [
            *(tool("amtool"), "template", "render", f"--template.glob={tmp_path}/_*.tmpl"),
            *(f"--template.data={tmp_path}/data.json", f"--template.type={kind}"),
            f'--template.text={{{{ template "sergas.{name}" . }}}}',
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def fired(**annotations: str) -> dict[str, Any]:
    found = alert("HighErrorRate", "critical", namespace="crm", job="sergas-api", pod="api-1")
    links = {
        "summary": "7 % of requests to sergas-api fail",
        "description": "Find the routes that fail.",
        "runbook_url": "https://docs.example.com/HighErrorRate.md",
        "dashboard_url": "https://grafana.example.com/d/system?var-namespace=crm&x=1",
    }
    return found | {"annotations": links | annotations, "startsAt": "2026-01-02T03:04:05Z"}


SILENCE = (
    f"{URL}/#/silences/new?filter=%7Balertname%3D%22HighErrorRate%22%2C%20environment%3D%22production%22%2C%20"
    "job%3D%22sergas-api%22%2C%20namespace%3D%22crm%22%2C%20pod%3D%22api-1%22%2C%20severity%3D%22critical%22%7D"
)


def test_slack_shows_what_where_and_where_to_go_next(render: Render) -> None:
    data = message(fired())
    assert render("slack.title", data) == "[FIRING:1] HighErrorRate (critical) sergas-api in crm"
    assert render("slack.text", data) == (
        "*7 % of requests to sergas-api fail*\n"
        "Find the routes that fail.\n"
        "<https://docs.example.com/HighErrorRate.md|Runbook>  "
        "<https://grafana.example.com/d/system?var-namespace=crm&x=1|Dashboard>  "
        f"<{SILENCE}|Silence>\n"
    )


def test_slack_lists_what_was_resolved_beside_what_still_fires(render: Render) -> None:
    data = message(fired(), fired(summary="the other one"))
    data["alerts"][1]["status"] = "resolved"
    assert render("slack.text", data).splitlines()[-2:] == ["*Resolved*", "• the other one"]


@pytest.mark.parametrize(
    ("severity", "status", "color"),
    [
        ("critical", "firing", "danger"),
        ("warning", "firing", "warning"),
        ("info", "firing", "#439fe0"),
        ("unheard-of", "firing", "danger"),
        ("critical", "resolved", "good"),
    ],
)
def test_slacks_colour_is_that_of_the_severity(render: Render, severity: str, status: str, color: str) -> None:
    assert render("slack.color", message(alert("A", severity), status=status)) == color


def test_mail_says_the_same_as_text_and_as_html(render: Render) -> None:
    data = message(fired())
    assert render("email.subject", data) == "[FIRING:1] HighErrorRate (critical) sergas-api in crm"
    text = render("email.text", data)
    assert text == (
        "[FIRING:1] HighErrorRate (critical) sergas-api in crm\n\n"
        "Firing: 1\n\n"
        "* 7 % of requests to sergas-api fail\n"
        "  Find the routes that fail.\n"
        "  alertname: HighErrorRate, environment: production, job: sergas-api, namespace: crm, pod: api-1\n"
        "  since 2026-01-02 03:04:05 UTC\n"
        "  Runbook:   https://docs.example.com/HighErrorRate.md\n"
        "  Dashboard: https://grafana.example.com/d/system?var-namespace=crm&x=1\n"
        f"  Silence:   {SILENCE}\n"
    )
    page = Page.of(render("email.html", data, kind="html"))
    assert page.links == {
        "Runbook": "https://docs.example.com/HighErrorRate.md",
        "Dashboard": "https://grafana.example.com/d/system?var-namespace=crm&x=1",
        "Silence": SILENCE,
    }
    assert "7 % of requests to sergas-api fail" in page.text
    assert "since 2026-01-02 03:04:05 UTC" in page.text


def test_pagerduty_gets_the_summary_the_list_and_three_links(render: Render) -> None:
    data = message(fired(), fired(summary="the other one"))
    assert render("pagerduty.description", data) == (
        "[FIRING:2] HighErrorRate (critical) sergas-api in crm: 7 % of requests to sergas-api fail (and 1 more)"
    )
    assert "the other one\n" in render("pagerduty.firing", data)
    assert render("pagerduty.runbook", data) == "https://docs.example.com/HighErrorRate.md"
    assert render("pagerduty.dashboard", data) == "https://grafana.example.com/d/system?var-namespace=crm&x=1"
    assert render("pagerduty.silence", data) == SILENCE
    assert render("pagerduty.client_url", data) == f"{URL}/#/alerts"


def test_without_an_external_address_there_is_no_link_to_alertmanager(render: Render) -> None:
    data = message(fired())
    names = ["slack.text", "email.text", "pagerduty.silence", "pagerduty.client_url"]
    texts = [render(name, data, external_url="") for name in names]
    texts.append(render("email.html", data, kind="html", external_url=""))
    assert not [text for text in texts if "ilence" in text or "alertmanager" in text]
    assert texts[2:4] == ["", ""]


def test_an_alert_without_annotations_is_told_by_its_name(render: Render) -> None:
    data = message(alert("Bare", "warning") | {"annotations": {}})
    assert render("slack.text", data, external_url="") == "*Bare*\n\n"
    assert "* Bare\n" in render("email.text", data)
    assert render("pagerduty.description", data) == "[FIRING:1] Bare (warning): Bare"
    assert [render(f"pagerduty.{link}", data) for link in ("runbook", "dashboard")] == ["", ""]


class Page(HTMLParser):
    """The tags, links and visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: dict[str, str] = {}
        self.text = ""
        self._href = ""

    @classmethod
    def of(cls, source: str) -> Page:
        page = cls()
        page.feed(source)
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._href = dict(attrs).get("href") or "" if tag == "a" else self._href

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._href:
            self.links[data] = self._href
            self._href = ""


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A message in which every value that others write holds the same attack."""
    text = HOSTILE[request.param]
    labels = dict.fromkeys(("alertname", "namespace", "job", "pod", "instance"), text)
    found = alert("HighErrorRate", "critical") | {"annotations": {"summary": text, "description": text}}
    return message(found | {"labels": found["labels"] | labels})


def test_hostile_values_make_no_mention_markup_or_link_in_slack(render: Render, hostile: dict[str, Any]) -> None:
    title, text = render("slack.title", hostile), render("slack.text", hostile)
    silence = f"<{re.escape(URL)}/#/silences/new\\?filter=%7B[-\\w.~%]*%7D\\|Silence>"
    shown = re.sub(silence, "", text)
    assert shown != text
    assert shown.count("\n") == 3
    assert re.fullmatch(r"\*[^*\n]*\*\n[^*\n]*\n\n", shown)
    for found in (title, shown.replace("*", "")):
        assert not re.search(r"[<>*`~]|://|@(here|channel|everyone)|(^|\W)_|_(\W|$)|\r|\u202e", found)
        assert "&" not in re.sub("&(lt|gt|amp);", "", found)
    assert "\n" not in title


def test_hostile_values_add_nothing_to_the_html_of_a_mail(render: Render, hostile: dict[str, Any]) -> None:
    page = Page.of(render("email.html", hostile, kind="html"))
    clean = Page.of(render("email.html", message(fired()), kind="html"))
    assert page.tags == clean.tags
    assert page.attributes == clean.attributes
    assert set(page.links) == {"Silence"}
    assert page.links["Silence"].startswith(f"{URL}/#/silences/new?filter=%7B")
    assert "://" not in page.text


def test_hostile_values_add_no_line_to_subject_text_or_incident(render: Render, hostile: dict[str, Any]) -> None:
    for name in ("email.subject", "pagerduty.description", "pagerduty.class", "pagerduty.group"):
        assert not re.search(r"[\r\n\u2028\u0085\u202e]|://", render(name, hostile))
    text = render("email.text", hostile)
    assert len(text.splitlines()) == len(
        render("email.text", message(fired(runbook_url="", dashboard_url=""))).splitlines()
    )
    assert not re.search(r"^Bcc:", text, re.MULTILINE)


def test_a_hostile_value_stays_inside_its_quotes_in_the_link_that_silences(render: Render) -> None:
    found = alert("A", "critical", job='", severity=~".*')
    assert render("pagerduty.silence", message(found)) == (
        f"{URL}/#/silences/new?filter=%7Balertname%3D%22A%22%2C%20environment%3D%22production%22%2C%20"
        "job%3D%22%5C%22%2C%20severity%3D~%5C%22.%2A%22%2C%20severity%3D%22critical%22%7D"
    )


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "https://x.example|Click <!channel>",
        "https://x.example>\n<!channel>",
        'https://x.example" onclick="alert(1)',
        "data:text/html,x",
        "https://x.example/" + "a" * 600,
    ],
)
def test_an_annotation_that_is_no_address_becomes_no_link(render: Render, address: str) -> None:
    data = message(fired(runbook_url=address, dashboard_url=address))
    text = render("slack.text", data)
    assert "Runbook" not in text
    assert "Dashboard" not in text
    assert render("pagerduty.runbook", data) == ""
    page = Page.of(render("email.html", data, kind="html"))
    assert "onclick" not in page.attributes
    assert not [link for link in page.links.values() if not link.startswith(("https://", "#ZgotmplZ"))]


def test_a_message_is_bounded_however_many_alerts_and_however_long(render: Render) -> None:
    long = "x" * 5000
    alerts = [fired(summary=f"{index} {long}", description=long) for index in range(200)]
    data = message(*alerts)
    title, text = render("slack.title", data), render("slack.text", data)
    assert len(title) <= 1024
    assert len(text) <= 12_000
    assert text.endswith("… 200 alerts fire, 20 of them are shown.\n")
    assert len(render("pagerduty.description", data)) <= 1024
    assert len(render("pagerduty.firing", data).encode()) <= 128 * 1024
    assert render("pagerduty.firing", data).endswith("… 200 alerts fire, 50 of them are shown.")
    assert len(render("email.subject", data)) <= 400
    mail = render("email.text", data)
    assert "Firing: 200, of which 50 are shown\n" in mail
    assert len(mail) <= 128 * 1024


def test_texts_of_users_may_build_on_ours() -> None:
    check('{{ template "sergas.slack.title" . }} {{ range .Alerts }}{{ template "sergas.summary" . }}{{ end }}')


def test_both_ways_to_silence_define_the_same_names() -> None:
    def defined(name: str) -> set[str]:
        return set(re.findall(r'define "([^"]+)"', (TEMPLATES / name).read_text()))

    assert defined("silence.tmpl") - {"sergas.silence.labels"} == defined("no-silence.tmpl")
