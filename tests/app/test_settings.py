"""Settings and what is wrong with them."""

import pytest
from sergas_app.settings import Settings, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_every_variable_is_read() -> None:
    environment = {
        "SERGAS_ROLE": "agents",
        "SERGAS_HOST": "127.0.0.1",
        "SERGAS_PORT": "9000",
        "SERGAS_LOAD_RATE": "2.5",
        "SERGAS_WORKERS": "3",
        "SERGAS_ACCOUNTS": "10",
        "SERGAS_ZOHO_QUOTA": "7",
        "SERGAS_MISHAPS": "0.25",
        "SERGAS_LOG_LEVEL": "DEBUG",
        "SERGAS_FAULTS": "enabled",
    }
    assert read_settings(environment) == Settings(
        "agents", "127.0.0.1", 9000, 2.5, 3, 10, 7, 0.25, "debug", faults=True
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SERGAS_ROLE", "worker", "SERGAS_ROLE='worker' is no role: write one of all, api, agents"),
        ("SERGAS_LOAD_RATE", "fast", "SERGAS_LOAD_RATE='fast' is no number: write one, such as SERGAS_LOAD_RATE=0"),
        ("SERGAS_ACCOUNTS", "0", "SERGAS_ACCOUNTS='0' is below 1: write 1 or more"),
        ("SERGAS_WORKERS", "0", "SERGAS_WORKERS='0' is below 1: write 1 or more"),
        ("SERGAS_ZOHO_QUOTA", "0", "SERGAS_ZOHO_QUOTA='0' is below 1: write 1 or more"),
        ("SERGAS_PORT", "65536", "SERGAS_PORT='65536' is above 65535: write a port, such as SERGAS_PORT=8000"),
        ("SERGAS_FAULTS", "yes", "SERGAS_FAULTS='yes' is no switch: write one of enabled, disabled"),
        ("SERGAS_PORT", "-1", "SERGAS_PORT='-1' is below 0: write 0 or more"),
        ("SERGAS_PORT", "80.5", "SERGAS_PORT='80.5' is no whole number: write one, such as SERGAS_PORT=8000"),
        ("SERGAS_MISHAPS", "5", "SERGAS_MISHAPS='5' is above 1: write a share, such as SERGAS_MISHAPS=0.01"),
        ("SERGAS_WORKERS", "nan", "SERGAS_WORKERS='nan' is no whole number: write one, such as SERGAS_WORKERS=4"),
        (
            "SERGAS_LOG_LEVEL",
            "loud",
            "SERGAS_LOG_LEVEL='loud' is no level: write one of critical, error, warning, info, debug",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(name: str, value: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        read_settings({name: value})
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("role", "has_api", "has_agents"), [("all", True, True), ("api", True, False), ("agents", False, True)]
)
def test_a_role_has_its_parts(role: str, has_api: bool, has_agents: bool) -> None:
    settings = Settings(role)
    assert (settings.has_api, settings.has_agents) == (has_api, has_agents)
