"""The sample of mutants that `make mutants-operator` tries. It needs mutmut, which the ordinary environment lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("mutmut", reason="make mutants-operator runs it")
sys.path.insert(0, str(Path(__file__).parent))

from mutants import sample

SOURCE = '''"""Text."""

import logging

LIMIT = 3
log = logging.getLogger(__name__)


@property
def found(value):
    """Words."""
    log.warning("%s is above", value)
    return value > LIMIT
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "module.py").write_text(SOURCE)
    return tmp_path


def test_every_mutant_is_another_program(root: Path) -> None:
    found = [mutant.source for mutant in sample(root, ("code",), 100, seed=1)]
    assert len({SOURCE, *found}) == len(found) + 1
    for source in found:
        compile(source, "module.py", "exec")


def test_changes_constants_and_decorated_functions_but_no_text_for_people(root: Path) -> None:
    before = {mutant.before for mutant in sample(root, ("code",), 100, seed=1)}
    assert {"LIMIT = 3", "return value > LIMIT"} <= before
    assert not any("above" in line or "Text" in line or "Words" in line for line in before)


def test_same_seed_gives_the_same_sample(root: Path) -> None:
    keys = [[mutant.key for mutant in sample(root, ("code",), 3, seed)] for seed in (1, 1)]
    assert keys[0] == keys[1]


def test_key_stays_when_the_code_moves(root: Path) -> None:
    keys = [mutant.key for mutant in sample(root, ("code",), 100, seed=1)]
    file = root / "code" / "module.py"
    file.write_text(SOURCE.replace("LIMIT = 3", "\n\n\nLIMIT = 3"))
    assert [mutant.key for mutant in sample(root, ("code",), 100, seed=1)] == keys
