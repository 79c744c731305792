import pytest
from sergas_cluster import buildcontext
from sergas_cluster.errors import ClusterError

DOCKERFILE = """\
FROM docker.io/library/python:3.11-slim AS build
COPY app/requirements.txt /tmp/
COPY --from=build /venv /venv
COPY --chown=10001:10001 \\
     library/ app/main.py /app/
COPY ["app/with space.txt", "/app/"]
RUN echo COPY nothing
"""


@pytest.fixture
def root(tmp_path):
    for name in ("app/requirements.txt", "app/main.py", "app/with space.txt", "library/a.py", "elsewhere/b.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(name)
    (tmp_path / "library/__pycache__").mkdir()
    (tmp_path / "library/__pycache__/a.pyc").write_text("compiled")
    (tmp_path / "app/Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def test_copied_sources_are_those_that_come_from_the_context():
    assert buildcontext.copied(DOCKERFILE) == [
        "app/requirements.txt",
        "library/",
        "app/main.py",
        "app/with space.txt",
    ]


def test_a_build_sees_its_dockerfile_and_what_it_copies_and_nothing_else(root, tmp_path_factory):
    target = tmp_path_factory.mktemp("context")
    buildcontext.stage(root / "app/Dockerfile", root, target)
    staged = sorted(str(file.relative_to(target)) for file in target.rglob("*") if file.is_file())
    assert staged == ["app/Dockerfile", "app/main.py", "app/requirements.txt", "app/with space.txt", "library/a.py"]


def test_the_key_follows_a_copied_file(root):
    before = buildcontext.key(root / "app/Dockerfile", root, "base")
    (root / "library/a.py").write_text("changed")
    assert buildcontext.key(root / "app/Dockerfile", root, "base") != before


def test_the_key_follows_the_executable_bit(root):
    before = buildcontext.key(root / "app/Dockerfile", root, "base")
    (root / "app/main.py").chmod(0o755)
    assert buildcontext.key(root / "app/Dockerfile", root, "base") != before


def test_the_key_follows_the_base_image(root):
    dockerfile = root / "app/Dockerfile"
    assert buildcontext.key(dockerfile, root, "one") != buildcontext.key(dockerfile, root, "two")


@pytest.mark.parametrize("name", ["elsewhere/b.py", "library/__pycache__/a.pyc"])
def test_the_key_ignores_what_the_image_does_not_hold(root, name):
    before = buildcontext.key(root / "app/Dockerfile", root, "base")
    (root / name).write_text("changed")
    assert buildcontext.key(root / "app/Dockerfile", root, "base") == before


def test_a_staged_file_has_the_same_time_in_every_checkout(root, tmp_path_factory):
    target = tmp_path_factory.mktemp("context")
    buildcontext.stage(root / "app/Dockerfile", root, target)
    assert (target / "library/a.py").stat().st_mtime == buildcontext.FILE_TIME


def test_a_copy_line_that_names_nothing_is_refused_with_its_dockerfile(root):
    (root / "app/requirements.txt").unlink()
    with pytest.raises(ClusterError) as refused:
        buildcontext.files(root / "app/Dockerfile", root)
    assert str(refused.value) == (
        "app/Dockerfile copies app/requirements.txt, which does not exist; run `make generate`"
    )
