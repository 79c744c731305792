"""What watches databases, nodes and Kubernetes, and the databases themselves: the real programs as images, under the
names and tags of the real ones.

The exporters are built from their Go modules. PostgreSQL, Redis and the Redis exporter, of which the Go module proxy
has no version with a checksum, are Debian's packages in one system that goes by three names: a pod names the program it
runs. Users are those of the real images, so that the same manifests run with them.
"""

from pathlib import Path

from . import debianimage, pins, thirdparty, toolbuild
from .archive import Image

POSTGRES = "docker.io/library/postgres:15"
REDIS = "docker.io/library/redis:7.0"
REDIS_EXPORTER = "quay.io/oliver006/redis_exporter:v1.45.0"
DATABASES = debianimage.Recipe(
    name="databases",
    tags=(POSTGRES, REDIS, REDIS_EXPORTER),
    packages=("postgresql-15", "redis-server", "prometheus-redis-exporter"),
    finish='chroot "$1" groupmod --gid 999 postgres; chroot "$1" usermod --uid 999 postgres;'
    ' rm -rf "$1"/var/lib/postgresql/15 "$1"/etc/postgresql/15;'
    ' ln -s usr/bin/prometheus-redis-exporter "$1/redis_exporter";' + debianimage.CLEAN,
    # PostgreSQL goes without its just-in-time compiler, which is four fifths of its size.
    unwanted=(
        *debianimage.DOCUMENTS,
        "/usr/lib/x86_64-linux-gnu/libLLVM*",
        "/usr/lib/llvm-*",
        "/usr/lib/postgresql/15/lib/llvmjit*",
        "/usr/lib/postgresql/15/lib/bitcode/*",
    ),
    command=("sh",),
    environment=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin",),
)
# The registry and user of each program's real image.
PLACES = {
    "node-exporter": ("quay.io/prometheus/node-exporter", "bin/node_exporter"),
    "blackbox-exporter": ("quay.io/prometheus/blackbox-exporter", "bin/blackbox_exporter"),
    "pushgateway": ("quay.io/prometheus/pushgateway", "bin/pushgateway"),
    "postgres-exporter": ("quay.io/prometheuscommunity/postgres-exporter", "bin/postgres_exporter"),
    "kube-state-metrics": ("registry.k8s.io/kube-state-metrics/kube-state-metrics", "kube-state-metrics"),
}


def names() -> dict[str, str]:
    """Short name to full image name with tag."""
    built = {name: f"{place}:v{pins.release(name)}" for name, (place, _) in PLACES.items()}
    return built | {"postgres": POSTGRES, "redis": REDIS, "redis-exporter": REDIS_EXPORTER}


def archives() -> list[Path]:
    """The images' archives, made now where the cache lacks them (two to three minutes from nothing)."""
    bins = toolbuild.build(["exporters"])
    packed = [thirdparty.cached(name, _image(name, bins)) for name in PLACES]
    return [*packed, debianimage.archive(DATABASES)]


def _image(name: str, bins: dict[str, Path]) -> Image:
    inside = PLACES[name][1]
    return thirdparty.scratch(names()[name], {inside: bins[Path(inside).name]})
