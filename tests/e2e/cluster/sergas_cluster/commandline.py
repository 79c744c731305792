"""The verbs of `python tests/e2e/cluster`. Results go to stdout, progress to stderr."""

import argparse
import json
from collections.abc import Callable

from . import choosing, debian, handback, operatorstack, pins, toolbuild, verbs
from .errors import ClusterError
from .terminal import console, say

BUILDING = {"up", "images", "exporters", "tools", "hand-back"}
"""Verbs after which files in the checkout and in caches may be new."""
Act = Callable[[argparse.Namespace], None]


def main(arguments: list[str]) -> int:
    """Run one verb; 0, or 1 after a ClusterError was shown on stderr."""
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except ClusterError as error:
        console.print(f"error: {error}", markup=False, style="red")
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; the same command picks up where it stopped", markup=False)
        return 130
    finally:
        if options.verb in BUILDING:
            handback.give_back()
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        prog="python tests/e2e/cluster",
        description="The cluster that tests and the demo run on.",
        epilog="CLUSTER=packaged|kind|existing says which; unset: kind where a Docker engine answers, else packaged.",
    )
    verb = root.add_subparsers(required=True, metavar="verb", dest="verb")
    up = _add(verb, "up", "start the cluster, or complete and heal the one there is", _up)
    up.add_argument("--dry-run", action="store_true", help="with CLUSTER=kind: print the commands, run none")
    up.add_argument("--bare", action="store_true", help="with CLUSTER=kind: without prometheus-operator")
    _add(verb, "check", "end with 1 when root, disk, ports, Docker or a setting is missing, before building", _check)
    down = _add(verb, "down", "end the cluster and leave nothing behind", _down)
    down.add_argument("--all", action="store_true", dest="everything", help="drop its image store too")
    _json(_add(verb, "status", "what runs and where its files are; ends with 1 unless ready", _status))
    images = _add(verb, "images", "build the project's images whose inputs changed, and load them", _images)
    images.add_argument("names", nargs="*", help="operator, app, sink; default: all")
    images.add_argument("--also-as", metavar="TAG", default="", help="give them this tag too, as a release would")
    _json(images)
    exporters = _add(
        verb, "exporters", "build the images of exporters, PostgreSQL and Redis, and load them", _exporters
    )
    _json(exporters)
    tools = _add(verb, "tools", "build the pinned programs into bin/", _tools)
    tools.add_argument("names", nargs="*", help=f"groups ({', '.join(pins.GROUPS)}) or tools; default: what is needed")
    tools.add_argument("--group", choices=pins.GROUPS, help="the same, for one group")
    packages = _add(verb, "packages", "install the Debian packages that are missing", _packages)
    packages.add_argument("--gitops", action="store_true", help="those of Argo CD's tests, not the packaged cluster's")
    _add(verb, "crds", "print the folder of prometheus-operator's CRDs", lambda _: print(operatorstack.crds()))
    _add(verb, "kubeconfig", "print the path of the cluster's kubeconfig", lambda _: print(verbs.kubeconfig()))
    _add(verb, "audit", "print the API server's audit log, a JSON object a line", lambda _: verbs.audit())
    _add(verb, "guard", "end with 1 unless the current context is the cluster's", lambda _: verbs.guard())
    _add(verb, "hand-back", "under sudo: give files that root made in your folders to you", lambda _: None)
    choose = _add(verb, "choose", "print which cluster is used here", _choose)
    choose.add_argument("--quiet", action="store_true", help="do not say why")
    return root


def _add(
    group: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, act: Act
) -> argparse.ArgumentParser:
    added = group.add_parser(name, help=summary, description=summary)
    added.set_defaults(act=act)
    return added


def _json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _up(options: argparse.Namespace) -> None:
    if options.dry_run:
        verbs.show_plan()
    else:
        verbs.up(bare=options.bare)


def _check(_: argparse.Namespace) -> None:
    verbs.check()


def _down(options: argparse.Namespace) -> None:
    verbs.down(everything=options.everything)


def _status(options: argparse.Namespace) -> None:
    facts = verbs.status()
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        for name, value in facts.items():
            print(f"{name}: {value}")
    if not facts["ready"]:
        raise ClusterError("the cluster is not ready: type `make cluster`")


def _images(options: argparse.Namespace) -> None:
    names = verbs.images(options.names)
    if options.also_as:
        verbs.tag_images(names, options.also_as)
    if options.json:
        print(json.dumps(names))


def _exporters(options: argparse.Namespace) -> None:
    names = verbs.exporters()
    if options.json:
        print(json.dumps(names))


def _packages(options: argparse.Namespace) -> None:
    debian.install(debian.GITOPS if options.gitops else debian.PACKAGES)


def _tools(options: argparse.Namespace) -> None:
    names = options.names or ([options.group] if options.group else verbs.needed_groups())
    built = toolbuild.build(names)
    say(f"{len(built)} programs in bin/ are current")


def _choose(options: argparse.Namespace) -> None:
    choice = choosing.choose()
    if not options.quiet:
        say(f"using the {choice.cluster} cluster: {choice.reason}")
    print(choice.cluster)
