"""The store changed underneath the mount: what is seen then is open, but the mount lives on."""
import contextlib
import os
import subprocess
import sys

import pytest

import hands
from harness import PATIENCE, TEXT


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


def test_a_file_replaced_by_a_fifo(kinofs):
    """The kernel knows a file there and has it opened; nobody will ever come to the other end."""
    mount = kinofs()
    path = mount.drop(TEXT, "notes.md", "mine")
    os.unlink(os.path.join(mount.tree, TEXT, "notes.md"))
    os.mkfifo(os.path.join(mount.tree, TEXT, "notes.md"))
    for flags in (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY | os.O_TRUNC):
        program = "import os; os.open(%r, %d)" % (path, flags | os.O_NONBLOCK)
        subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL,
                       timeout=PATIENCE, check=False)
    assert "notes.md" in os.listdir(mount.path(TEXT))


def test_programs_at_work_while_the_store_changes_underneath(kinofs):
    """Folders are moved into each other, removed with all in them and made again with their inode
    numbers; root mounts them onto each other too. What the programs are told is open, but they are
    told something, each time, and kinofs lives on and ends when it is asked to."""
    mount = kinofs(options=["allow_other"] if os.geteuid() == 0 else [])
    work, below = mount.path(TEXT, "work"), os.path.join(mount.tree, TEXT, "work")
    os.makedirs(work + "/top", 0o777)
    os.chmod(work + "/top", 0o777)
    command = [sys.executable, hands.__file__, "--steps"]
    sequences = [[*command, "1000", "--seed", str(seed), work + "/top"] for seed in (1, 2, 3)]
    sequences += [[*command, "2000", "--seed", str(seed), "--underneath", below + "/top"]
                  for seed in (4, 5)]
    if os.geteuid() == 0:  # so that all that is mounted there goes with it
        subprocess.run(["mount", "--bind", "--make-private", below, below], check=True)
    programs = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for words in sequences]
    try:
        for program in programs:
            assert program.wait(PATIENCE) == 0, program.args
    finally:
        for program in programs:
            program.kill()
            program.wait()
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", below], check=True)
    assert_alive(mount)
    mount.terminate()
