"""out/ of the mount point beyond its promises (test_semantics.py): names, changes through both of a
file's places, a first look, what programs make of it."""
import errno
import os
import random
import shutil
import subprocess

import pytest

from desk import require
from harness import FLAT, HAILUO_02, TEXT

pytestmark = pytest.mark.tsan


def places(mount):
    """The files in the out/ of all models by their inode: paths in the mount."""
    found = {}
    for folder, folders, names in os.walk(mount.tree):
        folders[:] = [name for name in folders if name[0] != "."]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), mount.tree)
            if "/out/" in path:
                found.setdefault(os.lstat(os.path.join(folder, name)).st_ino, []).append(path)
    return found


def shown(mount):
    """Which file each name in out/ is."""
    found, known = {}, places(mount)
    with os.scandir(mount.path("out")) as entries:
        for entry in entries:
            assert entry.is_file(follow_symlinks=False)
            paths = known.get(entry.stat(follow_symlinks=False).st_ino, [entry.inode()])
            same = [path for path in paths if str(path).endswith("/" + entry.name)]
            found[entry.name] = (same or paths)[0]
    return found


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
    assert shown(mount) == {
        "cat.mp4": videos[0],
        "cat.minimax-hailuo-02.mp4": videos[1],
        "cat.02-text-to-video-pro.mp4": videos[2],
        "cat.02-text-to-video-pro.2.mp4": videos[3],
        "cat.2.mp4": videos[4]}
    os.unlink(mount.path(videos[0]))
    # nobody else's name changes
    assert "cat.mp4" not in shown(mount) and len(shown(mount)) == 4
    os.rename(mount.path(videos[1]), mount.path(videos[0]))
    assert shown(mount)["cat.mp4"] == videos[0] and len(shown(mount)) == 4


def test_a_long_name_is_cut_for_the_models_between_characters(kinofs):
    mount = kinofs(start=False)
    name = "é" * 125 + ".mp4"  # 254 bytes
    put(mount, TEXT + "/out/" + name, FLAT + "/out/" + name)
    mount.start()
    assert set(shown(mount)) == {name, "é" * 116 + ".minimax-hailuo-02.mp4"}
    for entry in shown(mount):
        assert os.path.getsize(mount.path("out", entry)) == 5


def test_only_results_and_notes_are_shown(kinofs):
    mount = kinofs(start=False)
    put(mount, TEXT + "/out/cat.txt", TEXT + "/out/.cat.mp4", TEXT + "/out/cat.mp4.part",
        TEXT + "/cat.mp4", "cat.mp4", TEXT + "/summer/out/cat.mp4", TEXT + "/out/CAT.MOV",
        TEXT + "/out/cat.png", TEXT + "/out/cat.mp3", TEXT + "/out/cat.bin",
        TEXT + "/out/cat.error.txt", TEXT + "/out/.hidden/cat.webm")
    os.symlink("cat.mp4", os.path.join(mount.tree, TEXT, "out", "link.mp4"))
    os.makedirs(os.path.join(mount.tree, TEXT, "out", "folder.mp4"))
    mount.start()
    assert shown(mount) == {name: TEXT + "/out/" + name
                            for name in ("CAT.MOV", "cat.png", "cat.mp3", "cat.error.txt")}


def test_what_the_user_does_in_out_is_followed(mount):
    assert shown(mount) == {}
    out = mount.path(TEXT, "out")
    mount.drop(TEXT, "out/a.mp4", "a")
    mount.drop(TEXT, "out/b.part", "b")
    os.rename(out + "/b.part", out + "/b.mp4")
    os.link(out + "/a.mp4", out + "/c.mp4")
    assert set(shown(mount)) == {"a.mp4", "b.mp4", "c.mp4"}
    assert os.stat(out + "/a.mp4").st_nlink == 2
    os.rename(out + "/a.mp4", out + "/b.mp4")
    os.rename(out + "/c.mp4", mount.path(FLAT, "out", "c.mp4"))
    assert shown(mount) == {"b.mp4": TEXT + "/out/b.mp4", "c.mp4": FLAT + "/out/c.mp4"}
    os.rename(out + "/b.mp4", mount.path("b.mp4"))
    assert shown(mount) == {"c.mp4": FLAT + "/out/c.mp4"}
    os.rename(mount.path("b.mp4"), out + "/b.mp4")
    os.mkdir(out + "/d")
    os.rename(out + "/b.mp4", out + "/d/b.mp4")
    os.rename(out + "/d", mount.path("d"))
    assert shown(mount) == {"c.mp4": FLAT + "/out/c.mp4"}
    os.rename(mount.path("d"), out + "/e")
    assert shown(mount) == {"c.mp4": FLAT + "/out/c.mp4", "b.mp4": TEXT + "/out/e/b.mp4"}
    os.mknod(out + "/f.mp4", 0o600)  # as a file server makes one
    assert set(shown(mount)) == {"b.mp4", "c.mp4", "f.mp4"}
    for name in "ghijk":
        mount.drop(TEXT, "out/%s.mp4" % name, name)
    os.symlink("e/b.mp4", out + "/new")  # as `ln -sf` does
    os.rename(out + "/new", out + "/k.mp4")
    assert sorted(os.listdir(mount.path("out"))) == [name + ".mp4" for name in "bcfghij"]


def test_what_is_gone_underneath_the_mount_is_no_video(kinofs):
    mount = kinofs(start=False)
    put(mount, TEXT + "/out/cat.mp4")
    mount.start()
    assert set(shown(mount)) == {"cat.mp4"}
    os.unlink(os.path.join(mount.tree, TEXT, "out", "cat.mp4"))
    gone(mount, mount.path("out", "cat.mp4"))


# ------------------------------------------------------------------ both places


def links_of(file):
    return os.fstat(file.fileno()).st_nlink


def gone(mount, path):
    """The kernel may keep a name for a moment that went at the other place."""
    mount.wait(lambda: not os.path.lexists(path), "%s to be gone" % path)


def test_a_file_is_one_at_both_places(mount):
    """Attributes, content, and the number of its links while somebody has it open."""
    here, there = mount.path("out/cat.mp4"), mount.path(TEXT, "out/cat.mp4")
    mount.drop(TEXT, "out/cat.mp4", "a cat")
    assert os.listdir(mount.path("out")) == ["cat.mp4"]
    os.chmod(here, 0o600)
    os.utime(here, (5, 5))
    with open(here, "r+b") as file:
        file.write(b"the")
    assert os.lstat(here) == os.lstat(there)
    with open(there, "rb") as file, open(here, "rb") as same:
        assert file.read() == same.read() == b"theat"
        assert links_of(file) == 1
        os.link(here, mount.path("mine.mp4"))
        assert links_of(file) == 2
        os.unlink(there)
        assert links_of(file) == 1
        gone(mount, here)
        os.rename(mount.path("mine.mp4"), there)
        assert links_of(file) == 1 and os.path.samefile(here, there)
        os.unlink(here)
        assert links_of(file) == 0
        gone(mount, there)
    mount.quiet()
    assert mount.sim.creates() == []


def test_orders_by_a_name_in_out_are_about_the_file(mount):
    mount.drop(TEXT, "out/mine.mp4", "no job's")
    assert os.listdir(mount.path("out")) == ["mine.mp4"]
    for order in ("retry -n 2 out/mine.mp4", "cancel out/mine.mp4"):
        ctl = os.open(mount.path(".kinofs/ctl"), os.O_RDWR)
        with pytest.raises(FileNotFoundError):
            os.write(ctl, order.encode())
        assert "out/mine.mp4 is no result" in os.read(ctl, 9999).decode()
        os.close(ctl)


class Reference:
    """out/ as a dictionary: shown name to the path of a file, path to its content."""

    def __init__(self):
        self.files, self.names = {}, {}

    def name(self, path):
        return next((name for name, real in self.names.items() if real == path), None)

    def come(self, path, content):
        if path not in self.files:
            own, model = os.path.basename(path), path.split("/out/")[0].rpartition("/")[2]
            stem, dot, suffix = own.rpartition(".")
            taken = iter(range(1, 99))
            while own in self.names:
                number = next(taken)
                own = "%s.%s%s%s%s" % (stem, model, ".%d" % number if number > 1 else "", dot,
                                       suffix)
            self.names[own] = path
        self.files[path] = content

    def go(self, path):
        self.names.pop(self.name(path), None)
        return self.files.pop(path)

    def rename_real(self, old, new):
        if old != new:
            self.come(new, self.go(old))

    def rename_shown(self, old, new):
        """0, or what rename(2) says."""
        path, other = self.names[old], self.names.get(new)
        if path == other:
            return 0
        folder = os.path.dirname(path)
        if other and os.path.dirname(other) == folder:
            self.rename_real(path, other)
            return 0
        target = folder + "/" + new
        if target != path and target in self.files:
            return errno.EEXIST
        if other:
            self.go(other)
        content = self.go(path)
        self.files[target], self.names[new] = content, target
        return 0


@pytest.mark.parametrize("seed", os.environ.get("KINOFS_SEEDS", "1").split())
def test_random_changes_at_both_places_agree_with_a_dictionary(mount, seed):
    draw, world = random.Random(seed), Reference()
    folders = [model + "/out" + below for model in (TEXT, FLAT) for below in ("", "/summer")]
    for model in (TEXT, FLAT):
        os.mkdir(mount.path(model, "out", "summer"))
    os.listdir(mount.path("out"))

    def path():
        return "%s/%s.mp4" % (draw.choice(folders), draw.choice("abc"))

    def step(number):
        files = sorted(world.files)
        do = draw.choice(("write", "write", "unlink", "rename", "unlink out", "rename out",
                          "rename out", "away and back")) if files else "write"
        if do == "write":
            at = path()
            mount.drop(os.path.dirname(at), os.path.basename(at), "%d" % number)
            world.come(at, "%d" % number)
        elif do == "unlink":
            at = draw.choice(files)
            os.unlink(mount.path(at))
            world.go(at)
        elif do == "rename":
            at, to = draw.choice(files), path()
            os.rename(mount.path(at), mount.path(to))
            world.rename_real(at, to)
        elif do == "unlink out":
            name = draw.choice(sorted(world.names))
            os.unlink(mount.path("out", name))
            world.go(world.names[name])
        elif do == "rename out":
            name = draw.choice(sorted(world.names))
            to = draw.choice([draw.choice("abcd") + ".mp4", *sorted(world.names)])
            before = mount.path(world.names[name])
            wanted = world.rename_shown(name, to)
            try:
                os.rename(mount.path("out", name), mount.path("out", to))
                assert wanted == 0
                if os.path.relpath(before, mount.root) not in world.files:
                    gone(mount, before)
            except OSError as error:
                assert error.errno == wanted
        else:
            name = draw.choice(sorted(world.names))
            os.rename(mount.path("out", name), mount.path("away"))
            assert name not in os.listdir(mount.path("out"))
            os.rename(mount.path("away"), mount.path("out", name))
        return do

    done = []
    for number in range(120):
        done.append(step(number))
        mount.wait(lambda: shown(mount) == world.names, "%s of %s" % (world.names, done))
        known = places(mount)
        assert sorted(path for paths in known.values() for path in paths) == sorted(world.files)
        at = draw.choice(sorted(world.files) or [None])
        if at:
            for place in (mount.path(at), mount.path("out", world.name(at))):
                with open(place, encoding="utf-8") as file:
                    assert file.read() == world.files[at], (done, place)
    mount.quiet()
    assert mount.sim.creates() == [] and mount.jobs() == []


# ------------------------------------------------------------------ programs


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          env={**os.environ, "GIO_USE_VFS": "local", "LC_ALL": "C.UTF-8"}).stdout


def test_programs_copy_move_and_trash_the_files_themselves(mount):
    require("rsync libglib2.0-bin", "rsync", "gio")
    here = mount.path("out")
    for name in ("a", "b", "c", "d"):
        mount.drop(TEXT, "out/%s.mp4" % name, name * 9)
    assert len(os.listdir(here)) == 4
    away = mount.outside("away/x", "")
    for target, copy in (("cp", ["cp", "-a", here]), ("rsync", ["rsync", "-aH", here]),
                         ("mount", ["cp", "-a", mount.root])):
        target = os.path.join(os.path.dirname(away), target)
        run(*copy, target)
        found = {name for name in os.listdir(target) if name.endswith(".mp4")} or \
            set(os.listdir(os.path.join(target, "out")))
        assert found == {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}
    for words in (["cp"], ["cp", "--remove-destination"], ["mv"], ["ln", "-f"]):
        for pair in ((here, mount.path(TEXT, "out")), (mount.path(TEXT, "out"), here)):
            result = subprocess.run([*words, *[folder + "/a.mp4" for folder in pair]],
                                    capture_output=True, text=True, check=False)
            assert result.returncode == 1 and "are the same file" in result.stderr, words
            assert mount.read("out/a.mp4") == mount.read(TEXT, "out/a.mp4") == "a" * 9
    run("mv", here + "/a.mp4", here + "/e.mp4")
    run("gio", "move", here + "/b.mp4", mount.path("b.mp4"))
    run("gio", "rename", here + "/c.mp4", "f.mp4")
    run("gio", "trash", here + "/d.mp4")
    assert sorted(os.listdir(mount.path(TEXT, "out"))) == ["e.mp4", "f.mp4"]
    assert sorted(os.listdir(here)) == ["e.mp4", "f.mp4"]
    trash = mount.path(".Trash-%d" % os.getuid())
    with open(os.path.join(trash, "info", "d.mp4.trashinfo"), encoding="utf-8") as file:
        assert "Path=out/d.mp4\n" in file.read()
    os.rename(os.path.join(trash, "files", "d.mp4"), here + "/d.mp4")  # as who restores does
    shutil.move(mount.path("b.mp4"), here)
    assert sorted(os.listdir(mount.path(TEXT, "out"))) == ["b.mp4", "d.mp4", "e.mp4", "f.mp4"]
