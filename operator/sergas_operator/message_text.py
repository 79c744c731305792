"""Checks the template text of a message before Alertmanager gets it.

Alertmanager parses such text only when it sends a message: broken text loads, and then every notification
of the receiver is lost. This is the part of Go's template grammar whose errors are certain, and nothing
that depends on an alert's data: text it refuses, Alertmanager would refuse as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# Go's own functions and those of Alertmanager 0.28.
_FUNCTIONS = """
    and call html index slice js len not or print printf println urlquery eq ge gt le lt ne toUpper
    toLower title trimSpace join match safeHtml reReplaceAll stringSlice date tz since humanizeDuration
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
_KEYWORDS = """
    if range with define block template end else break continue nil true false
"""
KEYWORDS = frozenset(_KEYWORDS.split())
BLOCKS = frozenset({"if", "range", "with", "define", "block"})
# The templates Alertmanager 0.28 brings along.
_BUILT_IN = """
    __alertmanager __alertmanagerURL __description __subject __text_alert_list
    __text_alert_list_markdown discord.default.content discord.default.message discord.default.title
    email.default.html email.default.subject jira.default.description jira.default.priority
    jira.default.summary msteams.default.summary msteams.default.text msteams.default.title
    msteamsv2.default.text msteamsv2.default.title opsgenie.default.description opsgenie.default.message
    opsgenie.default.source pagerduty.default.client pagerduty.default.clientURL
    pagerduty.default.description pagerduty.default.instances pushover.default.message
    pushover.default.title pushover.default.url rocketchat.default.alias rocketchat.default.emoji
    rocketchat.default.iconurl rocketchat.default.text rocketchat.default.title
    rocketchat.default.titlelink slack.default.callbackid slack.default.fallback slack.default.footer
    slack.default.iconemoji slack.default.iconurl slack.default.pretext slack.default.text
    slack.default.title slack.default.titlelink slack.default.username sns.default.message
    sns.default.subject telegram.default.message victorops.default.entity_display_name
    victorops.default.monitoring_tool victorops.default.state_message webex.default.message
    wechat.default.agent_id wechat.default.message wechat.default.to_party wechat.default.to_tag
    wechat.default.to_user
"""
# Ours, in templates/, for whoever wants to change a part of a message.
_OURS = """
    sergas.title sergas.summary sergas.line sergas.paragraph sergas.word sergas.object
    sergas.slack.title sergas.slack.text sergas.slack.line sergas.slack.paragraph sergas.slack.word
    sergas.email.subject sergas.email.text sergas.email.html sergas.pagerduty.description
"""
BUILT_IN = frozenset((_BUILT_IN + _OURS).split())
# What `.` and `$` hold at the top of a message.
_DATA = """
    Receiver Status Alerts GroupLabels CommonLabels CommonAnnotations ExternalURL
"""
DATA = frozenset(_DATA.split())

_TRIM = re.compile(r"\A-(?=\s)|(?<=\s)-\Z")
_COMMENT = re.compile(r"\{\{(?:- )?/\*.*?\*/(?: -)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:\\[^\n]|[^"\\\n])*"|`[^`]*`)
    |(?P<character>'(?:\\[^\n]|[^'\\\n])+')
    |(?P<number>[+-]?(?:0[xXbBoO][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)i?)
    |(?P<chain>(?<=\))(?:\.[^\W\d]\w*)+)
    |(?P<field>(?:\$\w*)?(?:\.[^\W\d]\w*)+)
    |(?P<variable>\$\w*)
    |(?P<dot>\.)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>:=|[=|(),])""",
    re.VERBOSE,
)


class TextError(Exception):
    """The text is no valid template. Its message says where and what to write."""


@dataclass
class _Block:
    """An open block, and whether `.` still is the message's data inside it."""

    keyword: str
    position: int
    data_is_dot: bool
    has_else: bool = False


@dataclass
class _Checker:
    """Walks through the actions of one text."""

    text: str
    templates: frozenset[str]
    blocks: list[_Block] = field(default_factory=list)
    variables: set[str] = field(default_factory=lambda: {"$"})

    def run(self) -> None:
        """Raises TextError at the first error."""
        for position, action in self._actions():
            self._action(position, action)
        if self.blocks:
            block = self.blocks[-1]
            raise self._error(
                block.position, f"{{{{ {block.keyword} }}}} is never closed: write {{{{ end }}}} after it"
            )

    def _actions(self) -> Iterator[tuple[int, str]]:
        position = 0
        while (start := self.text.find("{{", position)) >= 0:
            comment = _COMMENT.match(self.text, start)
            if comment:
                position = comment.end()
                continue
            end = self._end_of_action(start + 2)
            inner = self.text[start + 2 : end]
            yield start, _TRIM.sub("", inner)
            position = end + 2

    def _end_of_action(self, start: int) -> int:
        """Where the `}}` of the action stands; braces inside strings do not count."""
        position = start
        while position < len(self.text):
            if self.text.startswith("}}", position):
                return position
            quoted = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])+'").match(self.text, position)
            position = quoted.end() if quoted else position + 1
        raise self._error(
            start - 2, '{{ is never closed: write }} after the action, or {{ "{{" }} for the braces themselves'
        )

    def _action(self, position: int, action: str) -> None:
        tokens = list(self._tokens(position, action))
        if not tokens:
            raise self._error(position, "{{ }} is empty: write what to insert, such as {{ .CommonLabels.alertname }}")
        keyword = tokens[0][1] if tokens[0][0] == "word" else ""
        self._declare(tokens)
        if keyword == "end":
            self._close(position)
        elif keyword == "else":
            self._otherwise(position, tokens)
        elif keyword in BLOCKS:
            self._operands(position, tokens[1:])
            self._open(position, keyword, tokens)
        elif keyword == "template":
            self._template(position, tokens)
        else:
            self._operands(position, tokens)

    def _tokens(self, position: int, action: str) -> Iterator[tuple[str, str]]:
        offset = 0
        while offset < len(action):
            match = _TOKEN.match(action, offset)
            if match is None:
                raise self._error(
                    position, f"{action[offset]!r} cannot stand in an action: remove it, or close the text around it"
                )
            if match.lastgroup != "space":
                yield str(match.lastgroup), match[0]
            offset = match.end()

    def _declare(self, tokens: list[tuple[str, str]]) -> None:
        signs = [index for index, (_, text) in enumerate(tokens) if text == ":="]
        for index in signs[:1]:
            self.variables |= {text for kind, text in tokens[:index] if kind == "variable"}

    def _operands(self, position: int, tokens: list[tuple[str, str]]) -> None:
        depth = 0
        for kind, text in tokens:
            depth += {"(": 1, ")": -1}.get(text, 0) if kind == "sign" else 0
            if depth < 0:
                raise self._error(position, "there is a ) without a (: remove it")
            if kind == "word" and text not in FUNCTIONS | KEYWORDS:
                raise self._error(
                    position,
                    f"there is no function {text}: write a field with a dot such as .{text}, or quote it as text",
                )
            if kind in {"variable", "field"}:
                self._name(position, text)
        if depth > 0:
            raise self._error(position, "there is a ( without a ): close it")

    def _name(self, position: int, text: str) -> None:
        root, _, rest = text.partition(".")
        if root.startswith("$") and root not in self.variables:
            raise self._error(position, f"the variable {root} is not declared: write {{{{ {root} := ... }}}} before it")
        first = rest.partition(".")[0]
        # Inside define and block, `$` is what the template was called with; elsewhere it is always the data.
        inside = any(block.keyword in {"define", "block"} for block in self.blocks)
        is_data = (root == "$" and not inside) or (not root and all(block.data_is_dot for block in self.blocks))
        if first and is_data and first not in DATA:
            raise self._error(position, f"a message has no field .{first}: write one of .{', .'.join(sorted(DATA))}")

    def _open(self, position: int, keyword: str, tokens: list[tuple[str, str]]) -> None:
        if len(tokens) == 1:
            raise self._error(
                position, f"{keyword} says nothing: write what it looks at, such as {{{{ {keyword} .Alerts }}}}"
            )
        self.blocks.append(_Block(keyword, position, data_is_dot=keyword == "if"))

    def _close(self, position: int) -> None:
        if not self.blocks:
            raise self._error(
                position, "{{ end }} closes nothing: remove it, or write {{ if }}, {{ range }} or {{ with }} before it"
            )
        self.blocks.pop()

    def _otherwise(self, position: int, tokens: list[tuple[str, str]]) -> None:
        if not self.blocks or self.blocks[-1].keyword not in {"if", "range", "with"}:
            raise self._error(position, "{{ else }} stands outside of if, range and with: remove it")
        block = self.blocks[-1]
        if block.has_else:
            raise self._error(
                position, "there is an {{ else }} after the last one: remove it, or write {{ else if }} before it"
            )
        block.has_else = len(tokens) == 1
        # In the else of range and with, `.` is what it was before the block.
        block.data_is_dot = len(tokens) == 1 or tokens[1][1] == "if"
        rest = tokens[2:] if len(tokens) > 1 and tokens[1][1] in {"if", "with"} else tokens[1:]
        self._operands(position, rest)

    def _template(self, position: int, tokens: list[tuple[str, str]]) -> None:
        if len(tokens) == 1 or tokens[1][0] != "string":
            raise self._error(position, 'template needs a quoted name: write {{ template "slack.default.title" . }}')
        name = tokens[1][1][1:-1]
        if name not in self.templates:
            raise self._error(
                position, f"there is no template {name!r}: define it in this text, or use one of Alertmanager's own"
            )
        self._operands(position, tokens[2:])

    def _error(self, position: int, problem: str) -> TextError:
        before = self.text[:position]
        line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
        return TextError(f"line {line}, column {column}: {problem}")


def check(text: str) -> None:
    """Returns when `text` can be a message's template.

    Raises:
        TextError: it cannot, with line, column and advice.
    """
    defined = re.findall(r"\{\{(?:- )?\s*(?:define|block)\s+\"([^\"]*)\"", text)
    _Checker(text, BUILT_IN | frozenset(defined)).run()
