"""Every guide can be followed: its commands are whole, its links lead somewhere, and what is not run says why."""

import re
import subprocess

import pytest

from docs import guides_run
from docs.shell_blocks import DOCS, GUIDES, Block, blocks, pages

BLOCKS = [block for page in pages() for block in blocks(page)]
FENCE = re.compile(r"^```(\S*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")
PAGE = """\
# A guide

```sh
first
```

<!-- not run here: it needs
     a moon -->

```bash
second
```

<!-- not run here: of no block -->

Text between.

<!-- a remark -->

```sh
third
```

<!-- not run here: it needs a star -->
```sh
fourth
```

```yaml
not: shell
```
"""


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return blocks(file)


def test_shell_blocks_are_found_with_their_places(page):
    assert [(block.place, block.text) for block in page] == [
        ("page.md:3", "first\n"),
        ("page.md:10", "second\n"),
        ("page.md:20", "third\n"),
        ("page.md:25", "fourth\n"),
    ]


def test_an_excuse_right_before_a_block_is_its_own_and_no_others(page):
    assert [block.excuse for block in page] == ["", "it needs a moon", "", "it needs a star"]


@pytest.mark.parametrize("block", BLOCKS, ids=[block.place for block in BLOCKS])
def test_the_shell_understands_the_block(block):
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block.place}: {done.stderr}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_of_the_page_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.relative_to(DOCS.parent)} links to {target}, which is not there"


@pytest.mark.parametrize("page", sorted(GUIDES.glob("*.md")), ids=lambda page: page.name)
def test_every_block_says_its_language_so_that_no_command_stays_unrun(page):
    opened = FENCE.findall(page.read_text(encoding="utf-8"))[::2]
    assert set(opened) <= {"sh", "python", "yaml", "promql", "sql"}


def test_there_is_a_guide_to_every_way_in():
    ways = {"helm", "argocd", "flux", "kustomize", "kind", "bring-your-own-operator", "upgrade", "uninstall"}
    assert ways <= {page.stem for page in GUIDES.glob("*.md")}


def test_the_count_of_what_is_run_names_each_block_that_is_not():
    one = [Block("a.md", 3, "true\n"), Block("a.md", 9, "false\n", "it needs a moon")]
    text = guides_run.render({"a.md": one, "b.md": [Block("b.md", 1, "true\n")], "none.md": []})
    assert "| [a.md](../guides/a.md) | 1 | 1 |\n| [b.md](../guides/b.md) | 1 | 0 |\n| together | 2 | 1 |" in text
    assert "- [a.md](../guides/a.md), line 9: it needs a moon." in text
    assert "none.md" not in text
