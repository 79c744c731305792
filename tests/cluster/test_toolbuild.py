import dataclasses
import json
import re

import pytest
from sergas_cluster import paths, pins, sources, toolbuild
from sergas_cluster.errors import ClusterError

UNIT = pins.Unit("probe", "probe", (("one", "./one"), ("two", "./two")), "example.com/probe")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A tool module of two programs, and a Go that writes the package's name instead of compiling it."""
    monkeypatch.setattr(paths, "TOOLS_SOURCE", tmp_path / "tools")
    monkeypatch.setattr(paths, "BIN", tmp_path / "bin")
    monkeypatch.setattr(pins, "UNITS", (UNIT,))
    monkeypatch.setattr(toolbuild, "go_version", lambda: "go1.26.8")
    folder = tmp_path / "tools" / "probe"
    for package in ("one", "two"):
        (folder / package).mkdir(parents=True)
        (folder / package / "main.go").write_text("package main\n")
    (folder / "go.mod").write_text("module probe\n\nrequire example.com/probe v1.2.3\n")
    (folder / "go.sum").write_text("sums\n")
    return folder


@pytest.fixture
def builds(monkeypatch):
    """What was compiled, in order."""
    done = []

    def compile_one(argv, what, **_):
        done.append(argv[-1])
        argv[-2].write_text(argv[-1])

    monkeypatch.setattr(toolbuild, "output", compile_one)
    return done


def test_building_again_compiles_nothing(module, builds):
    toolbuild.build(["probe"])
    toolbuild.build(["probe"])
    assert builds == ["./one", "./two"]


def test_built_programs_are_linked_into_the_checkout(module, builds):
    built = toolbuild.build(["probe"])
    assert (paths.BIN / "one").resolve() == built["one"]
    assert (paths.BIN / "one").read_text() == "./one"


def test_a_link_to_an_older_build_is_replaced(module, builds):
    toolbuild.build(["probe"])
    (module / "go.sum").write_text("other sums\n")
    built = toolbuild.build(["probe"])
    assert (paths.BIN / "two").readlink() == built["two"]


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "one/main.go"])
def test_the_key_follows_every_source_that_decides_the_bytes(module, name):
    before = toolbuild.key(UNIT)
    (module / name).write_text((module / name).read_text() + "\n// changed\n")
    assert toolbuild.key(UNIT) != before


def test_the_key_follows_the_go_version(module, monkeypatch):
    before = toolbuild.key(UNIT)
    monkeypatch.setattr(toolbuild, "go_version", lambda: "go1.27.0")
    assert toolbuild.key(UNIT) != before


def test_a_build_that_fails_half_way_publishes_nothing(module, monkeypatch):
    def fail_on_second(argv, what, **_):
        if argv[-1] == "./two":
            raise ClusterError("no space left")
        argv[-2].write_text("half")

    monkeypatch.setattr(toolbuild, "output", fail_on_second)
    with pytest.raises(ClusterError):
        toolbuild.build(["probe"])
    assert [entry.name for entry in paths.tools().iterdir()] == [".lock"]


def test_what_a_killed_build_left_is_cleared_by_the_next(module, builds):
    left = paths.tools() / ".building-left"
    left.mkdir(parents=True)
    toolbuild.build(["probe"])
    assert not left.exists()


def test_asking_for_a_key_leaves_the_build_of_another_process_alone(module):
    running = paths.tools() / ".building-of-another"
    running.mkdir(parents=True)
    toolbuild.key(UNIT)
    assert running.exists()


def test_a_unit_that_lacks_a_program_is_built_again(module, builds):
    (toolbuild.build(["probe"])["two"]).unlink()
    assert toolbuild.build(["probe"])["two"].exists()


def test_where_a_part_ends_counts_in_a_digest():
    assert toolbuild.digest([b"ab", b"c"]) != toolbuild.digest([b"a", b"bc"])
    assert re.fullmatch("[0-9a-f]{12}", toolbuild.digest([b""]))


def test_another_platform_is_refused_with_what_works_there(monkeypatch):
    monkeypatch.setattr(toolbuild.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(toolbuild.platform, "machine", lambda: "arm64")
    with pytest.raises(ClusterError) as refused:
        toolbuild.require_linux()
    assert str(refused.value) == (
        "the packaged cluster runs on Linux on x86_64, this is Darwin on arm64;"
        " run with CLUSTER=kind where there is Docker, or use a Linux machine or virtual machine"
    )


def test_a_machine_without_go_is_told_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(toolbuild, "_GO_VERSION", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError) as refused:
        toolbuild.go_version()
    assert str(refused.value) == ("Go is missing: install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH")


def test_a_module_is_built_with_the_files_its_archive_lacks(module, monkeypatch, tmp_path):
    archive = tmp_path / "module-cache"
    (archive / "ui").mkdir(parents=True)
    (archive / "ui" / "web.go").write_text("package ui\n")
    (archive / "ui").chmod(0o555)  # as Go leaves its module cache
    unit = pins.Unit("probe", "probe", (("one", "example.com/probe/one"),), "example.com/probe", absent=("ui/dist/a",))
    monkeypatch.setattr(pins, "UNITS", (unit,))
    built_with = {}

    def go(argv, what, *, cwd, **_):
        if argv[1] == "mod":
            return json.dumps({"Dir": str(archive)})
        source = (
            cwd / re.search("^replace example.com/probe => (.*)$", (cwd / "go.mod").read_text(), re.M)[1]
        ).resolve()
        built_with.update({str(p.relative_to(source)): p.read_text() for p in source.rglob("*") if p.is_file()})
        argv[-2].write_text("program")
        return ""

    monkeypatch.setattr(sources, "output", go)
    monkeypatch.setattr(toolbuild, "output", go)
    toolbuild.build(["probe"])
    assert built_with["ui/web.go"] == "package ui\n"
    assert "ui/dist/a" in built_with


def test_the_key_follows_the_files_that_a_module_lacks(module):
    assert toolbuild.key(dataclasses.replace(UNIT, absent=("ui/dist/a",))) != toolbuild.key(UNIT)
