"""out/ of the mount point beyond its promises (test_semantics.py): names, changes, a first look."""
import os

import pytest

from harness import FLAT, HAILUO_02, TEXT

pytestmark = pytest.mark.tsan


def links(mount):
    return {name: os.readlink(mount.path("out", name))[3:]
            for name in os.listdir(mount.path("out"))}


def put(mount, *paths):
    """Videos as they would be there, a second apart, the first the oldest."""
    for age, path in enumerate(paths):
        path = os.path.join(mount.tree, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"video")
        os.utime(path, (1e9 + age, 1e9 + age))


def test_videos_of_one_name_are_told_apart_by_their_models(kinofs):
    mount = kinofs(start=False)
    videos = [TEXT + "/out/cat.mp4", FLAT + "/out/cat.mp4", TEXT + "/out/summer/cat.mp4",
              TEXT + "/out/winter/cat.mp4", HAILUO_02 + "/out/cat.2.mp4"]
    put(mount, *videos)
    mount.start()
    assert links(mount) == {
        "cat.mp4": videos[0],
        "cat.minimax-hailuo-02.mp4": videos[1],
        "cat.02-text-to-video-pro.mp4": videos[2],
        "cat.02-text-to-video-pro.2.mp4": videos[3],
        "cat.2.mp4": videos[4]}
    os.unlink(mount.path(videos[0]))
    assert "cat.mp4" not in links(mount) and len(links(mount)) == 4  # nobody else's name changes
    os.rename(mount.path(videos[1]), mount.path(videos[0]))
    assert links(mount)["cat.mp4"] == videos[0] and len(links(mount)) == 4


def test_a_long_name_is_cut_for_the_models_between_characters(kinofs):
    mount = kinofs(start=False)
    name = "é" * 125 + ".mp4"  # 254 bytes
    put(mount, TEXT + "/out/" + name, FLAT + "/out/" + name)
    mount.start()
    assert set(links(mount)) == {name, "é" * 116 + ".minimax-hailuo-02.mp4"}
    for link in links(mount):
        assert os.path.getsize(mount.path("out", link)) == 5


def test_only_videos_are_shown(kinofs):
    mount = kinofs(start=False)
    put(mount, TEXT + "/out/cat.error.txt", TEXT + "/out/.cat.mp4", TEXT + "/out/cat.mp4.part",
        TEXT + "/cat.mp4", "cat.mp4", TEXT + "/summer/out/cat.mp4", TEXT + "/out/CAT.MOV")
    os.symlink("cat.mp4", os.path.join(mount.tree, TEXT, "out", "link.mp4"))
    os.makedirs(os.path.join(mount.tree, TEXT, "out", "folder.mp4"))
    mount.start()
    assert links(mount) == {"CAT.MOV": TEXT + "/out/CAT.MOV"}


def test_what_the_user_does_in_out_is_followed(mount):
    assert links(mount) == {}
    out = mount.path(TEXT, "out")
    mount.drop(TEXT, "out/a.mp4", "a")
    mount.drop(TEXT, "out/b.part", "b")
    os.rename(out + "/b.part", out + "/b.mp4")
    os.link(out + "/a.mp4", out + "/c.mp4")
    assert set(links(mount)) == {"a.mp4", "b.mp4", "c.mp4"}
    os.rename(out + "/a.mp4", out + "/b.mp4")
    os.rename(out + "/c.mp4", mount.path(FLAT, "out", "c.mp4"))
    assert links(mount) == {"b.mp4": TEXT + "/out/b.mp4", "c.mp4": FLAT + "/out/c.mp4"}
    os.rename(out + "/b.mp4", mount.path("b.mp4"))
    assert links(mount) == {"c.mp4": FLAT + "/out/c.mp4"}
    os.rename(mount.path("b.mp4"), out + "/b.mp4")
    os.mkdir(out + "/d")
    os.rename(out + "/b.mp4", out + "/d/b.mp4")
    os.rename(out + "/d", mount.path("d"))
    assert links(mount) == {"c.mp4": FLAT + "/out/c.mp4"}
    os.rename(mount.path("d"), out + "/e")
    assert links(mount) == {"c.mp4": FLAT + "/out/c.mp4", "b.mp4": TEXT + "/out/e/b.mp4"}


def test_what_is_gone_underneath_the_mount_is_no_video(kinofs):
    mount = kinofs(start=False)
    put(mount, TEXT + "/out/cat.mp4")
    mount.start()
    assert set(links(mount)) == {"cat.mp4"}
    os.unlink(os.path.join(mount.tree, TEXT, "out", "cat.mp4"))
    with pytest.raises(FileNotFoundError):
        os.lstat(mount.path("out", "cat.mp4"))
