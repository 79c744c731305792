"""Every panel of every dashboard is asked of a real Prometheus that holds the example, and drawn."""

import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from dashboards.preview.board import read
from dashboards.preview.drawing import write
from dashboards.preview.example import END
from tests.dashboards.conftest import FILES

LARGEST_PICTURE = 150_000
FETCHING = {"src", "href", "xlink:href", "data"}
VOID = {"meta", "link", "br", "img", "input", "hr"}


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.stem)
def drawn(request, told, tmp_path_factory):
    """(dashboard, its folder, its answers)."""
    folder, siblings = tmp_path_factory.mktemp(request.param.stem), {"other.html": "Other & another"}
    where, answers = write(read(request.param), told, END, folder, siblings)
    assert where == str(folder / f"{read(request.param).uid}.html")
    return read(request.param), folder, answers


def test_no_query_fails_and_no_panel_is_empty(drawn):
    _, _, answers = drawn
    assert [(answer.panel.title, answer.error) for answer in answers if answer.error] == []
    assert [answer.panel.title for answer in answers if answer.empty] == []


class Reader(HTMLParser):
    """Notes what is open, what is left, and what a page would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in FETCHING]

    def handle_startendtag(self, _, attrs):
        self.fetched += [value for name, value in attrs if name in FETCHING]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_tells_every_title_and_fetches_nothing(drawn):
    board, folder, _ = drawn
    html = (folder / f"{board.uid}.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    assert all(panel.title in reader.text for panel in board.panels)
    assert "not Grafana" in reader.text
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import|<script|<iframe", html)
    assert all(place.startswith(("#", "data:image/png;base64,")) or place == "other.html" for place in reader.fetched)


def test_ids_in_a_page_are_unique_so_that_one_drawing_does_not_clip_another(drawn):
    board, folder, _ = drawn
    found = re.findall(r'<clipPath id="([^"]+)"', (folder / f"{board.uid}.html").read_text(encoding="utf-8"))
    assert len(found) == len(set(found))


def test_colours_of_paper_and_text_follow_the_page(drawn):
    board, folder, _ = drawn
    html = (folder / f"{board.uid}.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in html
    assert "fill: var(--text)" in html
    assert not re.search(r"#01000[1-5]", html)


@pytest.mark.parametrize(("suffix", "width"), [("", 1440), ("-phone", 390)])
def test_the_pictures_are_as_wide_as_the_screen_and_small_enough_for_the_docs(drawn, suffix, width):
    board, folder, _ = drawn
    content = (folder / f"{board.uid}{suffix}.png").read_bytes()
    assert len(content) < LARGEST_PICTURE
    assert Image.open(io.BytesIO(content)).width == width
