"""Stubs stand in for the dependencies, and never in the way of real ones."""

import shutil
import subprocess
import sys

import pytest
import yaml

from charts.helm import CHART
from charts.stubs import RealChartError, write_stubs


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


def test_a_real_archive_is_never_hidden_by_a_stub(chart):
    archive = chart / "charts" / "kube-prometheus-stack-88.5.3.tgz"
    archive.parent.mkdir()
    archive.touch()
    with pytest.raises(RealChartError) as caught:
        write_stubs(chart)
    assert str(caught.value) == (
        f"{archive} is a real chart, and a stub beside it would hide it. Keep it: Helm renders with it as it is. To"
        f" work with stubs instead, remove {archive.parent} and run this again."
    )
    assert list(archive.parent.iterdir()) == [archive]


def test_a_real_unpacked_chart_is_never_overwritten(chart):
    real = chart / "charts" / "prometheus-redis-exporter" / "Chart.yaml"
    real.parent.mkdir(parents=True)
    real.write_text("name: prometheus-redis-exporter\n")
    with pytest.raises(RealChartError):
        write_stubs(chart)
    assert real.read_text() == "name: prometheus-redis-exporter\n"


def test_the_command_says_what_it_wrote_and_fails_beside_a_real_chart(chart):
    command = [sys.executable, str(CHART.parent / "stubs.py"), str(chart)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"5 stubs in {chart / 'charts'}\n")
    (chart / "charts" / "prometheus-pushgateway-3.8.0.tgz").touch()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
