"""The store changed underneath the mount: what is seen then is open, but the mount lives on."""
import contextlib
import os
import subprocess

import pytest

from harness import TEXT


def assert_alive(mount):
    mount.drop(TEXT, "alive.txt", "a cat")
    mount.done(TEXT, "alive")


def test_a_folder_moved_below_its_own_child(kinofs):
    """The kernel knows the child below the folder, and finds the folder below the child."""
    mount = kinofs()
    tree = os.path.join(mount.tree, TEXT)
    os.makedirs(mount.path(TEXT, "outer", "inner"))
    inner = os.open(mount.path(TEXT, "outer", "inner"), os.O_RDONLY)
    os.rename(tree + "/outer/inner", tree + "/inner")
    os.rename(tree + "/outer", tree + "/inner/outer")
    try:
        assert os.listdir(inner) == ["outer"]
        with contextlib.suppress(OSError):
            os.listdir(mount.path(TEXT, "outer", "inner", "outer"))
        assert os.listdir(mount.path(TEXT, "inner")) == ["outer"]
        assert os.listdir(mount.path(TEXT, "inner", "outer")) == []
    finally:
        os.close(inner)
    assert_alive(mount)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_folder_mounted_on_its_own_child(kinofs):
    mount = kinofs()
    os.makedirs(mount.path(TEXT, "outer", "inner"))
    outer = os.path.join(mount.tree, TEXT, "outer")
    subprocess.run(["mount", "--bind", outer, outer + "/inner"], check=True)
    try:
        with open(mount.path(TEXT, "outer", "inner", "notes.md"), "w", encoding="ascii") as file:
            file.write("mine")
        assert mount.read(TEXT, "outer/notes.md") == "mine"
        assert sorted(os.listdir(mount.path(TEXT, "outer", "inner"))) == ["inner", "notes.md"]
        assert os.listdir(mount.path(TEXT, "outer", "inner", "inner")) == []
        assert_alive(mount)
    finally:
        subprocess.run(["umount", outer + "/inner"], check=True)
