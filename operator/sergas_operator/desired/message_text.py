"""Checks template text of a receiver before it is written to Alertmanager's configuration.

Alertmanager parses such text when it sends a notification, not when it loads the configuration. Invalid text
is loaded, and then every notification of the receiver fails. The checks cover the part of Go's template
grammar that does not depend on an alert's data: Alertmanager refuses every text that is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sergas_operator.desired.template_names import DATA, FUNCTIONS, TEMPLATES

_KEYWORDS = """
    if range with define block template end else break continue nil true false
"""
KEYWORDS = frozenset(_KEYWORDS.split())
BLOCKS = frozenset({"if", "range", "with", "define", "block"})
# The operator's templates, in templates/. A text can use them to change one part of a message.
_OURS = """
    sergas.title sergas.summary sergas.line sergas.paragraph sergas.word sergas.object
    sergas.slack.title sergas.slack.text sergas.slack.line sergas.slack.paragraph sergas.slack.word
    sergas.email.subject sergas.email.text sergas.email.html sergas.pagerduty.description
"""
BUILT_IN = TEMPLATES | frozenset(_OURS.split())

# The characters that the CRD refuses in fields of one line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
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
    """The text is not a valid template. The message names the line and column and says what to write."""


@dataclass
class _Block:
    """An open block. `data_is_dot` is true while `.` is the notification's data inside it."""

    keyword: str
    position: int
    data_is_dot: bool
    has_else: bool = False


@dataclass
class _Checker:
    """Checks the actions of one text in their order."""

    text: str
    templates: frozenset[str]
    blocks: list[_Block] = field(default_factory=list)
    variables: set[str] = field(default_factory=lambda: {"$"})

    def run(self) -> None:
        """Raises TextError at the first error."""
        for position, action in self._actions():
            self._check_action(position, action)
        if self.blocks:
            block = self.blocks[-1]
            raise self._error(block.position, f"{{{{ {block.keyword} }}}} is not closed: add {{{{ end }}}}")

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
        """The position of the action's `}}`. Braces in strings do not count."""
        position = start
        while position < len(self.text):
            if self.text.startswith("}}", position):
                return position
            quoted = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])+'").match(self.text, position)
            position = quoted.end() if quoted else position + 1
        raise self._error(
            start - 2, '{{ is not closed: add }} after the action, or write {{ "{{" }} for the braces themselves'
        )

    def _check_action(self, position: int, action: str) -> None:
        tokens = list(self._tokens(position, action))
        if not tokens:
            raise self._error(
                position, "{{ }} is empty: write a field or a function, such as {{ .CommonLabels.alertname }}"
            )
        keyword = tokens[0][1] if tokens[0][0] == "word" else ""
        self._declare_variables(tokens)
        if keyword == "end":
            self._close_block(position)
        elif keyword == "else":
            self._check_else(position, tokens)
        elif keyword in BLOCKS:
            self._check_operands(position, tokens[1:])
            self._open_block(position, keyword, tokens)
        elif keyword == "template":
            self._check_template_call(position, tokens)
        else:
            self._check_operands(position, tokens)

    def _tokens(self, position: int, action: str) -> Iterator[tuple[str, str]]:
        offset = 0
        while offset < len(action):
            match = _TOKEN.match(action, offset)
            if match is None:
                raise self._error(
                    position, f"{action[offset]!r} is not allowed in an action: remove it, or put it into quotes"
                )
            if match.lastgroup != "space":
                yield str(match.lastgroup), match[0]
            offset = match.end()

    def _declare_variables(self, tokens: list[tuple[str, str]]) -> None:
        signs = [index for index, (_, text) in enumerate(tokens) if text == ":="]
        for index in signs[:1]:
            self.variables |= {text for kind, text in tokens[:index] if kind == "variable"}

    def _check_operands(self, position: int, tokens: list[tuple[str, str]]) -> None:
        depth = 0
        for kind, text in tokens:
            depth += {"(": 1, ")": -1}.get(text, 0) if kind == "sign" else 0
            if depth < 0:
                raise self._error(position, "a ) has no (: remove it")
            if kind == "word" and text not in FUNCTIONS | KEYWORDS:
                raise self._error(
                    position,
                    f"the function {text} does not exist: write a field with a dot, such as .{text}, or quote the text",
                )
            if kind in {"variable", "field"}:
                self._check_reference(position, text)
        if depth > 0:
            raise self._error(position, "a ( is not closed: add a )")

    def _check_reference(self, position: int, text: str) -> None:
        root, _, rest = text.partition(".")
        if root.startswith("$") and root not in self.variables:
            raise self._error(position, f"the variable {root} is not declared: add {{{{ {root} := ... }}}} before it")
        first = rest.partition(".")[0]
        # In define and block, `$` is the argument of the template; elsewhere it is always the notification's data.
        inside = any(block.keyword in {"define", "block"} for block in self.blocks)
        is_data = (root == "$" and not inside) or (not root and all(block.data_is_dot for block in self.blocks))
        if first and is_data and first not in DATA:
            raise self._error(
                position, f"a notification has no field .{first}: write one of .{', .'.join(sorted(DATA))}"
            )

    def _open_block(self, position: int, keyword: str, tokens: list[tuple[str, str]]) -> None:
        if len(tokens) == 1:
            raise self._error(position, f"{keyword} has no argument: write one, such as {{{{ {keyword} .Alerts }}}}")
        self.blocks.append(_Block(keyword, position, data_is_dot=keyword == "if"))

    def _close_block(self, position: int) -> None:
        if not self.blocks:
            raise self._error(
                position, "{{ end }} has no block: remove it, or add {{ if }}, {{ range }} or {{ with }} before it"
            )
        self.blocks.pop()

    def _check_else(self, position: int, tokens: list[tuple[str, str]]) -> None:
        if not self.blocks or self.blocks[-1].keyword not in {"if", "range", "with"}:
            raise self._error(position, "{{ else }} is not in an if, range or with: remove it")
        block = self.blocks[-1]
        if block.has_else:
            raise self._error(
                position, "the block has an {{ else }} already: remove this one, or write {{ else if }} before it"
            )
        block.has_else = len(tokens) == 1
        # In the else of range and with, `.` has its value from before the block.
        block.data_is_dot = len(tokens) == 1 or tokens[1][1] == "if"
        rest = tokens[2:] if len(tokens) > 1 and tokens[1][1] in {"if", "with"} else tokens[1:]
        self._check_operands(position, rest)

    def _check_template_call(self, position: int, tokens: list[tuple[str, str]]) -> None:
        if len(tokens) == 1 or tokens[1][0] != "string":
            raise self._error(position, 'template needs a quoted name: write {{ template "slack.default.title" . }}')
        name = tokens[1][1][1:-1]
        if name not in self.templates:
            raise self._error(
                position, f"the template {name!r} does not exist: define it in this text, or use one of Alertmanager's"
            )
        self._check_operands(position, tokens[2:])

    def _error(self, position: int, problem: str) -> TextError:
        return TextError(f"{_place(self.text, position)}: {problem}")


def check(text: str) -> None:
    """Checks a template that may have several lines, such as a message's body.

    Raises:
        TextError: `text` is not a valid template.
    """
    defined = re.findall(r"\{\{(?:- )?\s*(?:define|block)\s+\"([^\"]*)\"", text)
    _Checker(text, BUILT_IN | frozenset(defined)).run()


def check_line(text: str) -> None:
    """Checks a template of one line, such as a channel or a mail address.

    The values that the template inserts are not known here and can still contain a line break.

    Raises:
        TextError: `text` is not a valid template, or contains a line break or another control character.
    """
    check(text)
    control = _CONTROL.search(text)
    if control:
        raise TextError(
            f"{_place(text, control.start())}: a line break or another control character is not possible here: "
            "write one line"
        )


def _place(text: str, position: int) -> str:
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}"
