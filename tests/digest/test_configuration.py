"""What the operator writes for the digest is what the digest reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import monitoring

from sergas_digest.settings import Config, MailReceiver, SettingsError, password, read, settings
from sergas_operator.desired.digest import CONFIG_KEY, digest_config, digest_stateful_set
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


def test_the_operators_configuration_is_read_as_it_was_meant(tmp_path: Path) -> None:
    (tmp_path / "digest.json").write_bytes(digest_config(monitoring(SPEC).spec))
    to = ("ops@example.com", "second@example.com")
    smtp = "smtp.example.com:587"
    key = "/etc/sergas-digest/mail.password"
    assert read(tmp_path / "digest.json") == Config(
        43200,
        "staging",
        (
            MailReceiver("mail", to, "alerts@example.com", smtp, True, "alerts", key),
            MailReceiver("plain", ("a@example.com",), "b@example.com", "[::1]:25", False),
        ),
    )


def test_its_files_are_mounted_where_it_looks_for_them_and_no_others() -> None:
    pod = digest_stateful_set(monitoring(SPEC), Settings())["spec"]["template"]["spec"]
    default = settings({})
    [config] = [volume["secret"] for volume in pod["volumes"]]
    assert {item["key"]: item["path"] for item in config["items"]} == {
        CONFIG_KEY: default.config.name,
        "mail.password": "mail.password",
    }
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"config": str(default.config.parent), "state": str(default.state)}
    assert pod["containers"][0]["ports"][0]["containerPort"] == default.port
    assert "env" not in pod["containers"][0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "{} cannot be read: No such file or directory"),
        ("no json", "{} is no configuration of a digest: JSONDecodeError Expecting value: line 1 column 1 (char 0)"),
        ("{}", "{} is no configuration of a digest: KeyError 'interval'"),
    ],
)
def test_a_configuration_it_cannot_use_is_named(tmp_path: Path, text: str | None, sentence: str) -> None:
    path = tmp_path / "digest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as error:
        read(path)
    assert str(error.value) == sentence.replace("{}", str(path))


def test_a_port_it_cannot_use_is_named() -> None:
    with pytest.raises(SettingsError) as error:
        settings({"SERGAS_DIGEST_PORT": "http"})
    assert str(error.value) == "SERGAS_DIGEST_PORT is 'http': set it to a port from 0 to 65535, such as 8080"


def test_a_missing_password_is_named_by_its_receiver(tmp_path: Path) -> None:
    receiver = MailReceiver("mail", ("a@example.com",), "b@example.com", "smtp:25", password_file=str(tmp_path / "no"))
    with pytest.raises(SettingsError) as error:
        password(receiver)
    assert str(error.value) == "the password of mail cannot be read: No such file or directory"
