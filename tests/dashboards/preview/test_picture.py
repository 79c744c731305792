"""What a picture of a dashboard says at its head, on a wide screen and on a phone."""

import pytest

from dashboards.preview.board import read
from dashboards.preview.layout import PHONE, WIDE
from dashboards.preview.picture import question_lines
from dashboards.preview.sheet import width
from tests.dashboards.conftest import FILES


@pytest.mark.parametrize("page", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_question_is_cut_off_or_wider_than_its_page(file, page):
    board = read(file)
    lines = question_lines(board, page)
    assert " ".join(lines) == board.question
    assert all(width(line, 13) <= page.inner for line in lines)
