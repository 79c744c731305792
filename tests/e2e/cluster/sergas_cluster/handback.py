"""Under sudo, files in the user's own folders become the user's: what root left there, no later run could change."""

import os
from pathlib import Path

from . import paths

KEPT = ("cluster", "buildah")
"""Folders of the cache that only root works with: pods' files, volumes and image layers have owners of their own."""


def give_back() -> None:
    """Hand what root created in the checkout and the user's caches to the user who typed sudo."""
    user = os.environ.get("SUDO_UID", "")
    if os.geteuid() != 0 or not user.isdigit() or user == "0":
        return
    uid, gid = int(user), int(os.environ.get("SUDO_GID", user))
    for folder in _folders():
        if _owned_by(folder.parent, uid) or _owned_by(folder, uid):
            hand_over(folder, uid, gid)


def hand_over(folder: Path, uid: int, gid: int) -> None:
    """Change the owner of what belongs to root at and below `folder`; links are not followed."""
    skipped = {paths.cache_root() / name for name in KEPT}
    for place, names, leaves in os.walk(folder):
        names[:] = [name for name in names if Path(place, name) not in skipped]
        for entry in (place, *(os.path.join(place, leaf) for leaf in (*names, *leaves))):  # noqa: PTH118  many files
            if os.lstat(entry).st_uid == 0:
                os.chown(entry, uid, gid, follow_symlinks=False)


def _folders() -> list[Path]:
    """The checkout, and the caches that its tools fill: this command's, uv's, Go's and npm's."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    go = Path(os.environ.get("GOPATH") or Path.home() / "go")
    return [paths.CHECKOUT, paths.cache_root(), base / "uv", base / "go-build", go, Path.home() / ".npm"]


def _owned_by(folder: Path, uid: int) -> bool:
    return folder.exists() and folder.stat().st_uid == uid
