"""The configuration and settings of the digest, and that the operator writes what the digest reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import monitoring

from sergas_digest import settings
from sergas_digest.config import Config, ConfigError, ConfigFile, MailReceiver, password, read, tokens
from sergas_digest.settings import SettingsError
from sergas_operator.desired.digest import CONFIG_KEY, TOKEN_KEY, digest_config, digest_stateful_set
from sergas_operator.desired.inputs import Config as AlertmanagerConfig
from sergas_operator.desired.inputs import Inputs
from sergas_operator.settings import Settings

SPEC = {
    "environment": "staging",
    "receivers": [
        {
            "name": "mail",
            "email": {
                "to": ["ops@example.com", "second@example.com"],
                "from": "alerts@example.com",
                "smarthost": "smtp.example.com:587",
                "authUsername": "alerts",
                "passwordSecretRef": {"name": "smtp", "key": "password"},
            },
        },
        {
            "name": "plain",
            "email": {
                "to": ["a@example.com"],
                "from": "b@example.com",
                "smarthost": "[::1]:25",
                "requireTLS": False,
            },
        },
        {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}},
    ],
    "routing": {"info": {"digest": "12h"}},
}


def test_reads_what_the_operator_writes(tmp_path: Path) -> None:
    (tmp_path / "digest.json").write_bytes(digest_config(monitoring(SPEC).spec))
    to = ("ops@example.com", "second@example.com")
    smtp = "smtp.example.com:587"
    key = "/etc/sergas-digest/mail.password"
    found = read(tmp_path / "digest.json")
    assert (found.interval, found.environment) == (43200, "staging")
    assert found.receivers == (
        MailReceiver("mail", to, "alerts@example.com", smtp, True, "alerts", key),
        MailReceiver("plain", ("a@example.com",), "b@example.com", "[::1]:25", False),
    )
    assert [(receiver.host, receiver.port) for receiver in found.receivers] == [("smtp.example.com", 587), ("::1", 25)]


def test_the_operator_mounts_the_files_where_the_digest_reads_them() -> None:
    inputs = Inputs(monitoring(SPEC), Settings(), AlertmanagerConfig("", {}, ""))
    pod = digest_stateful_set(inputs)["spec"]["template"]["spec"]
    default = settings.read({})
    [config] = [volume["secret"] for volume in pod["volumes"]]
    paths = {item["key"]: item["path"] for item in config["items"]}
    assert paths[CONFIG_KEY] == default.config.name
    assert paths["mail.password"] == "mail.password"
    assert paths[TOKEN_KEY] == "token"
    assert not {"plain.password", "hook.url"} & set(paths)
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"config": str(default.config.parent), "state": str(default.state)}
    assert pod["containers"][0]["ports"][0]["containerPort"] == default.port


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "the configuration {} cannot be read: No such file or directory"),
        ("no JSON", "the configuration {} is invalid: JSON is malformed: invalid character (byte 4)"),
        ("{}", "the configuration {} is invalid: Object missing required field `interval`"),
        ('{"interval": 0}', "the configuration {} is invalid: Expected `int` >= 1 - at `$.interval`"),
        (
            '{"interval": 60, "environment": "e", "receivers": [{"name": "mail", "to": []}]}',
            "the configuration {} is invalid: Expected `array` of length >= 1 - at `$.receivers[0].to`",
        ),
    ],
)
def test_names_a_configuration_that_cannot_be_used(tmp_path: Path, text: str | None, sentence: str) -> None:
    path = tmp_path / "digest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read(path)
    assert str(error.value) == sentence.replace("{}", str(path))


def test_keeps_the_last_valid_configuration_and_logs_an_error_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, token = tmp_path / "digest.json", tmp_path / "token"
    token.write_text("secret")
    valid = {"interval": 60, "environment": "e", "receivers": [], "tokenFile": str(token)}
    path.write_text(json.dumps(valid))
    file = ConfigFile(path)
    first = file.refresh()
    path.write_text("no json")
    assert [file.refresh(), file.refresh()] == [first, first]
    assert file.error.startswith(f"the configuration {path} is invalid")
    path.write_text(json.dumps(valid | {"interval": 120}))
    assert file.refresh() == Config(120, "e", (), str(token))
    assert file.error == ""
    assert [(record.levelname, record.message.split(":")[0]) for record in caplog.records] == [
        ("ERROR", f"the configuration {path} is invalid")
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "the tokenFile {} cannot be read: No such file or directory"),
        (" \n\n", "the tokenFile {} is empty: write a bearer token into it"),
    ],
)
def test_names_a_token_file_that_cannot_be_used(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as error:
        tokens(Config(60, "e", (), str(path)))
    assert str(error.value) == sentence.replace("{}", str(path))


def test_every_line_of_the_token_file_is_a_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("new\n\nold \n")
    assert tokens(Config(60, "e", (), str(tmp_path / "token"))) == (b"new", b"old")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SERGAS_DIGEST_PORT", "http", "set it to a port from 0 to 65535, such as 8080"),
        ("SERGAS_DIGEST_PORT", "65536", "set it to a port from 0 to 65535, such as 8080"),
        ("SERGAS_LOG_FORMAT", "xml", "set it to json or plain"),
        ("SERGAS_LOG_LEVEL", "info", "set it to DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_names_an_environment_variable_that_cannot_be_used(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read({name: value})
    assert str(error.value) == f"{name} is {value!r}: {sentence}"


def test_names_the_receiver_whose_password_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "no"
    receiver = MailReceiver("mail", ("a@example.com",), "b@example.com", "smtp:25", password_file=str(path))
    with pytest.raises(ConfigError) as error:
        password(receiver)
    assert str(error.value) == (f"the password file {path} of receiver mail cannot be read: No such file or directory")
