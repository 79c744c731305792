"""The volumes that count for status: those of the replicas that the spec asks for."""

from __future__ import annotations

from collections.abc import Sequence

from sergas_operator.desired.digest import VOLUME
from sergas_operator.desired.recipients import digest_receivers
from sergas_operator.model import names
from sergas_operator.model.spec import Spec
from sergas_operator.observed.state import Volume


def volumes_in_use(spec: Spec, volumes: Sequence[Volume]) -> list[Volume]:
    """Return the volumes of wanted replicas. A replica that is gone leaves its claim behind."""
    replicas = {
        names.PROMETHEUS: spec.prometheus.replicas,
        names.ALERTMANAGER: spec.alertmanager.replicas,
        names.DIGEST: 1 if digest_receivers(spec) else 0,
    }
    return [volume for volume in volumes if volume.ordinal < replicas[volume.part]]


def requested_size(spec: Spec, volume: Volume) -> str:
    """Return the size that the spec asks for, as a quantity."""
    sizes = {names.PROMETHEUS: spec.prometheus.storage.size, names.ALERTMANAGER: spec.alertmanager.storage.size}
    return sizes.get(volume.part, VOLUME)
