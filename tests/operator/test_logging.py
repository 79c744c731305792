"""The operator's log: one line per record, as JSON or plain text."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from conftest import OperatorProcess
from kube import Namespace

from sergas_operator.__main__ import JsonLines, log
from sergas_operator.settings import Settings


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Puts the handlers and levels back that pytest and other tests rely on."""
    root, kopf = logging.getLogger(), logging.getLogger("kopf")
    handlers, level, kopf_level = root.handlers[:], root.level, kopf.level
    yield
    root.handlers[:], root.level, kopf.level = handlers, level, kopf_level
    root.setLevel(level)
    kopf.setLevel(kopf_level)


def test_json_line_has_time_level_logger_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    log(Settings(log_format="json"))
    logging.getLogger("sergas_operator.controller").warning("%s/%s: first line\nsecond line é", "monitoring", "sergas")
    line = json.loads(capsys.readouterr().err)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {
        "level": "warning",
        "logger": "sergas_operator.controller",
        "message": "monitoring/sergas: first line\nsecond line é",
    }


def test_json_line_has_the_exception(capsys: pytest.CaptureFixture[str]) -> None:
    log(Settings(log_format="json"))
    try:
        int("broken")
    except ValueError:
        logging.getLogger("sergas_operator").exception("the reconcile failed")
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    line = json.loads(text)
    assert line["level"] == "error"
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("ValueError: invalid literal for int() with base 10: 'broken'")


def test_plain_line_has_time_level_logger_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    log(Settings(log_format="plain"))
    logging.getLogger("sergas_operator").info("started")
    assert capsys.readouterr().err.endswith(" INFO sergas_operator: started\n")


@pytest.mark.parametrize(
    ("level", "written"),
    [("DEBUG", ["debug", "info", "warning"]), ("INFO", ["info", "warning"]), ("WARNING", ["warning"]), ("ERROR", [])],
)
def test_writes_records_of_the_level_and_above(
    capsys: pytest.CaptureFixture[str], level: str, written: list[str]
) -> None:
    log(Settings(log_format="json", log_level=level))
    for name in ("debug", "info", "warning"):
        logging.getLogger("sergas_operator").log(getattr(logging, name.upper()), "message")
    assert [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()] == written


def test_kopf_writes_only_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    log(Settings(log_format="json"))
    logging.getLogger("kopf.objects").info("Handler succeeded.")
    logging.getLogger("kopf.objects").warning("the watch failed")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["the watch failed"]
    log(Settings(log_format="json", log_level="DEBUG"))
    logging.getLogger("kopf.objects").info("Handler succeeded.")
    assert "Handler succeeded." in capsys.readouterr().err


def test_formatter_escapes_nothing_but_json() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "%d of %d replicas é", (2, 3), None)
    assert '"message": "2 of 3 replicas é"' in JsonLines().format(record)


@pytest.mark.apiserver
def test_every_line_of_the_operator_is_json(
    unserved: Namespace, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator(SERGAS_LOG_FORMAT="json", SERGAS_LOG_LEVEL="debug")
    unserved.create()
    unserved.wait_for_children()
    operator.stop()
    lines = [json.loads(line) for line in operator.log.read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    messages = [line["message"] for line in lines]
    assert "unserved/sergas: created Prometheus sergas" in messages
