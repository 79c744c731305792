"""The git repositories that Argo CD reads: the product's, at a release, and a user's."""

import shutil
import subprocess
from pathlib import Path

from sergas_demo.kube import Object
from sergas_demo.places import CHART
from yamlfiles import write

from charts.stubs import write_stubs

IDENTITY = ("-c", "user.name=Sergas tests", "-c", "user.email=tests@sergas.example", "-c", "commit.gpgsign=false")


class Repository:
    """A git repository in a folder of its own, whose branch main Argo CD follows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def git(self, *arguments: str) -> str:
        """Run git here and return its stdout."""
        command = ["git", "-C", str(self.folder), *IDENTITY, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything that changed; the new revision."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def write(self, name: str, *objects: Object) -> None:
        """Write a file of objects."""
        write(self.folder / name, *objects)

    def revert(self) -> str:
        """`git revert` the last commit; the new revision."""
        self.git("revert", "--no-edit", "HEAD")
        return self.git("rev-parse", "HEAD")


def product(folder: Path, release: str) -> Repository:
    """The product's repository as a release would be, with stubs where the charts it depends on would be fetched."""
    made = Repository(folder)
    chart = folder / "charts" / CHART.name
    shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("charts"))
    write_stubs(chart)
    made.commit("Release")
    made.git("tag", release)
    return made
