"""The chart's README.md lists every value and every example, and is current."""

import pytest

from charts import readme
from charts.readme import introduction, leaves, values_table
from charts.values import Value, read

PAGE = readme.FILE.read_text(encoding="utf-8")


def write(folder, text):
    file = folder / "values.yaml"
    file.write_text(text)
    return read(file)


def test_it_is_what_make_generate_writes():
    assert readme.text() == PAGE, "Run `make generate`."


@pytest.mark.parametrize("value", [value for value in read() if not value.parts], ids=lambda value: value.name)
def test_it_shows_every_value(value):
    for leaf in leaves([value]) if value.path[0] in readme.dependencies() else [value]:
        assert f"| `{readme.name(leaf)}` |" in PAGE


def test_it_shows_every_example():
    for case in readme.EXAMPLES.iterdir():
        assert f"| [{case.name}](examples/{case.name}) | " in PAGE


def test_a_comment_right_above_a_key_is_its_description(tmp_path):
    [root, first, second] = write(
        tmp_path, "# -- A part,\n# explained.\npart:\n  # -- First.\n  a: 1\n\n  # Not of b.\n\n  b: {c: 2}\n"
    )
    assert (root.name, root.description, root.parts) == ("part", "A part, explained.", True)
    assert (first.name, first.description, first.default) == ("part.a", "First.", 1)
    assert (second.name, second.description, second.default, second.parts) == ("part.b", "", {"c": 2}, False)


def test_an_indented_line_of_a_comment_is_an_example(tmp_path):
    [root, _] = write(tmp_path, "# -- A part:\n#   part: {a: 2}\n# And more.\npart:\n  # -- First.\n  a: 1\n")
    assert root.description == "A part:"
    assert introduction(root) == "A part:\n\n```yaml\npart: {a: 2}\n```\n\nAnd more."


def test_what_markdown_would_read_is_shown_as_it_is():
    shown = values_table([Value(("a", "b.c"), "x|y", ("Empty: <release>.",), parts=False)])
    assert shown.splitlines()[-1] == "| `a.b\\.c` | `x\\|y` | Empty: &lt;release>. |"
