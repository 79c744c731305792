"""Stubs stand in for the dependencies, and never in the way of real ones."""

import shutil
import subprocess
import sys

import pytest
import yaml

from charts.helm import CHART, stubbed
from charts.stubs import write_stubs


@pytest.fixture
def chart(tmp_path):
    """A chart with nothing but its Chart.yaml."""
    shutil.copy(CHART / "Chart.yaml", tmp_path)
    return tmp_path


def test_a_stub_has_name_and_version_of_what_it_stands_for(chart):
    files = write_stubs(chart)
    written = {(stub["name"], stub["version"]) for stub in (yaml.safe_load(file.read_text()) for file in files)}
    wanted = yaml.safe_load((chart / "Chart.yaml").read_text())["dependencies"]
    assert written == {(entry["name"], entry["version"]) for entry in wanted}


def test_stubs_are_written_again_over_stubs(chart):
    assert write_stubs(chart) == write_stubs(chart)


def test_a_stub_that_is_there_is_not_touched_for_another_helm_may_read_it(chart):
    before = {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in write_stubs(chart)}
    assert {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in write_stubs(chart)} == before


def test_a_stub_of_another_version_is_replaced_and_leaves_nothing_beside_it(chart):
    [file, *_] = write_stubs(chart)
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace("version:", "version: 0.0.1 #"), encoding="utf-8")
    write_stubs(chart)
    assert file.read_text(encoding="utf-8") == whole
    assert [other.name for other in file.parent.iterdir()] == ["Chart.yaml"]


def test_a_real_archive_gets_no_stub_beside_it_and_loses_the_one_it_had(chart):
    write_stubs(chart)
    archive = chart / "charts" / "kube-prometheus-stack-88.5.3.tgz"
    archive.touch()
    assert len(write_stubs(chart)) == 4
    assert archive.exists()
    assert not (chart / "charts" / "kube-prometheus-stack").exists()


def test_a_real_unpacked_chart_is_never_overwritten(chart):
    real = chart / "charts" / "prometheus-redis-exporter" / "Chart.yaml"
    real.parent.mkdir(parents=True)
    real.write_text("name: prometheus-redis-exporter\n")
    assert len(write_stubs(chart)) == 4
    assert real.read_text() == "name: prometheus-redis-exporter\n"


def test_a_chart_whose_name_only_begins_alike_is_not_taken_for_the_dependency(chart):
    (chart / "charts").mkdir()
    (chart / "charts" / "prometheus-redis-exporter-extras-6.29.0.tgz").touch()
    assert len(write_stubs(chart)) == 5


def test_the_command_says_what_it_wrote(chart):
    command = [sys.executable, str(CHART.parent / "stubs.py"), str(chart)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"5 stubs in {chart / 'charts'}\n")


def test_rendering_ignores_what_lies_in_the_charts_folder(tmp_path):
    from_stubs = {path.parent.name for path in (stubbed() / "charts").glob("*/Chart.yaml")}
    wanted = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    assert from_stubs == {entry["name"] for entry in wanted}
