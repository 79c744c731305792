"""What the builders of children read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sergas_operator.model.spec import Monitoring
from sergas_operator.settings import Settings


@dataclass(frozen=True)
class Config:
    """A rendered configuration.

    Attributes:
        text: the YAML.
        files: the files beside it by key: secret values, message templates, the digest's configuration and token.
        hash: identifies text and templates.
    """

    text: str
    files: dict[str, bytes]
    hash: str


@dataclass(frozen=True)
class Claim:
    """The volume claim template of a running StatefulSet. `size` is a quantity; an empty class is the default."""

    size: str
    storage_class_name: str


@dataclass(frozen=True)
class Inputs:
    """The input of every builder.

    Attributes:
        monitoring: the SergasMonitoring.
        settings: the operator's settings.
        config: the rendered Alertmanager configuration.
        claims: claim templates of the StatefulSets that run, by part such as `prometheus`. They are kept as they
            are: a changed template makes prometheus-operator delete the StatefulSet with all its pods.
        smallest_volume: bytes of the smallest existing Prometheus volume; None while there is none.
    """

    monitoring: Monitoring
    settings: Settings
    config: Config
    claims: dict[str, Claim] = field(default_factory=dict)
    smallest_volume: int | None = None
