"""Writes docker-archive image tarballs with the standard library alone: no daemon, no registry.

The same inputs give the same bytes: fixed times, sorted names, root ownership. `ctr images import`, `docker load`,
`podman load` and `buildah pull docker-archive:` all read them.
Format: https://github.com/moby/docker-image-spec/blob/main/spec.md
"""

import hashlib
import io
import json
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Image:
    """What an image holds.

    Attributes:
        tags: full names with tag.
        files: path inside to source file; mode 0755.
        texts: path inside to text; mode 0644.
        links: path inside to link target.
        folders: path inside to mode.
        rootfs: a tar taken as the only layer, instead of files, texts, links and folders.
        entrypoint, command, user, workdir, environment: the image's configuration.
    """

    tags: tuple[str, ...]
    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    rootfs: Path | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    environment: tuple[str, ...] = ()


def write(image: Image, target: Path) -> None:
    """Write the image's tarball; `target` appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=target.parent) as scratch:
        layer = image.rootfs or _layer(image, Path(scratch) / "layer.tar")
        whole = Path(scratch) / "image.tar"
        _archive(image, layer, whole)
        whole.rename(target)


def _archive(image: Image, layer: Path, target: Path) -> None:
    diff_id = _sha256(layer)
    config = json.dumps(_config(image, diff_id), sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    layer_name = f"{diff_id}/layer.tar"
    manifest = [{"Config": config_name, "RepoTags": list(image.tags), "Layers": [layer_name]}]
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        _add_bytes(tar, config_name, config)
        _add_file(tar, layer_name, layer, 0o644)
        _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())


def _config(image: Image, diff_id: str) -> dict[str, object]:
    settings: dict[str, object] = {"Env": [DEFAULT_PATH, *image.environment]}
    if image.entrypoint:
        settings["Entrypoint"] = list(image.entrypoint)
    if image.command:
        settings["Cmd"] = list(image.command)
    if image.user:
        settings["User"] = image.user
    if image.workdir:
        settings["WorkingDir"] = image.workdir
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": EPOCH,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": EPOCH, "created_by": "tests/e2e/cluster"}],
    }


def _layer(image: Image, target: Path) -> Path:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, mode in sorted(_folders(image).items()):
            tar.addfile(_entry(name, tarfile.DIRTYPE, mode))
        for name, text in sorted(image.texts.items()):
            _add_bytes(tar, name.strip("/"), text.encode())
        for name, source in sorted(image.files.items()):
            _add_file(tar, name.strip("/"), source, 0o755)
        for name, goal in sorted(image.links.items()):
            entry = _entry(name.strip("/"), tarfile.SYMTYPE, 0o777)
            entry.linkname = goal
            tar.addfile(entry)
    return target


def _folders(image: Image) -> dict[str, int]:
    """Every folder of the image, parents first once sorted."""
    needed: dict[str, int] = {}
    for name in [*image.texts, *image.files, *image.links, *image.folders]:
        for parent in Path(name.strip("/")).parents:
            if str(parent) != ".":
                needed[str(parent)] = 0o755
    return needed | {name.strip("/"): mode for name, mode in image.folders.items()}


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, 0
    return entry


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = _entry(name, tarfile.REGTYPE, 0o644)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, source: Path, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = source.stat().st_size
    with source.open("rb") as content:
        tar.addfile(entry, content)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
