import hashlib
import io
import json
import tarfile

import pytest
from sergas_cluster.archive import Image, write


@pytest.fixture
def image(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    return Image(
        ("example.com/thing:v1", "example.com/thing:v1.0"),
        files={"bin/thing": program},
        texts={"etc/passwd": "root:x:0:0:root:/:/none\n"},
        links={"bin/other": "thing"},
        folders={"tmp": 0o1777},
        entrypoint=("/bin/thing",),
        user="65534",
        workdir="/srv",
    )


def layer_of(archive):
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        content = tar.extractfile(manifest["Layers"][0]).read()
    return tarfile.open(fileobj=io.BytesIO(content))


def config_of(archive):
    with tarfile.open(archive) as tar:
        return json.load(tar.extractfile(json.load(tar.extractfile("manifest.json"))[0]["Config"]))


def test_the_same_image_is_the_same_bytes_whenever_it_is_written(image, tmp_path):
    write(image, tmp_path / "one.tar")
    image.files["bin/thing"].touch()
    write(image, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_an_archive_carries_every_tag(image, tmp_path):
    write(image, tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
    assert manifest[0]["RepoTags"] == ["example.com/thing:v1", "example.com/thing:v1.0"]


def test_programs_are_executable_and_owned_by_root_and_folders_keep_their_mode(image, tmp_path):
    write(image, tmp_path / "image.tar")
    with layer_of(tmp_path / "image.tar") as layer:
        program, folder = layer.getmember("bin/thing"), layer.getmember("tmp")
        assert (program.mode, program.uid, program.mtime) == (0o755, 0, 0)
        assert folder.mode == 0o1777
        assert layer.getmember("bin/other").linkname == "thing"


def test_every_parent_folder_comes_before_what_it_holds(image, tmp_path):
    write(image, tmp_path / "image.tar")
    with layer_of(tmp_path / "image.tar") as layer:
        names = layer.getnames()
    assert names.index("bin") < names.index("bin/thing")
    assert len(names) == len(set(names))


def test_the_configuration_says_how_to_run_it_and_which_layer_it_has(image, tmp_path):
    write(image, tmp_path / "image.tar")
    config = config_of(tmp_path / "image.tar")
    assert config["config"]["Entrypoint"] == ["/bin/thing"]
    assert config["config"]["User"] == "65534"
    assert config["config"]["WorkingDir"] == "/srv"
    with tarfile.open(tmp_path / "image.tar") as tar:
        layer = json.load(tar.extractfile("manifest.json"))[0]["Layers"][0]
        content = tar.extractfile(layer).read()
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(content).hexdigest()]


def test_a_root_file_system_becomes_the_layer_as_it_is(tmp_path):
    rootfs = tmp_path / "rootfs.tar"
    with tarfile.open(rootfs, "w") as tar:
        tar.addfile(tarfile.TarInfo("marker"))
    write(Image(("example.com/base:v1",), rootfs=rootfs, command=("sh",)), tmp_path / "image.tar")
    with layer_of(tmp_path / "image.tar") as layer:
        assert layer.getnames() == ["marker"]


def test_a_failed_write_leaves_no_archive(image, tmp_path):
    image.files["bin/thing"].unlink()
    with pytest.raises(FileNotFoundError):
        write(image, tmp_path / "out" / "image.tar")
    assert list((tmp_path / "out").iterdir()) == []
