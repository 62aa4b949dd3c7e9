"""The mount exported to other machines: handles, as file servers keep them, NFS and Samba."""
import contextlib
import ctypes
import errno
import os

import pytest

from harness import TEXT

AT_FDCWD = -100
LIBC = ctypes.CDLL(None, use_errno=True)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="open_by_handle_at(2) is root's")


class Handle(ctypes.Structure):
    """struct file_handle of name_to_handle_at(2)."""
    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]

    def __init__(self, path):
        super().__init__(bytes=128)
        mount_id = ctypes.c_int()
        if LIBC.name_to_handle_at(AT_FDCWD, os.fsencode(path), ctypes.byref(self),
                                  ctypes.byref(mount_id), 0) < 0:
            raise OSError(ctypes.get_errno(), "name_to_handle_at", path)


def forget():
    """The kernel forgets what nobody has open: the second time what was used before the first."""
    for _ in range(3):
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("2")


@contextlib.contextmanager
def reached(mount, handle):
    """The descriptor of what the handle leads to."""
    root = os.open(mount.root, os.O_RDONLY)
    fd = LIBC.open_by_handle_at(root, ctypes.byref(handle), os.O_RDONLY)
    error = ctypes.get_errno()
    os.close(root)
    if fd < 0:
        raise OSError(error, os.strerror(error))
    try:
        yield fd
    finally:
        os.close(fd)


def assert_stale(mount, handle):
    for step in (lambda: None, forget):
        step()
        with pytest.raises(OSError) as caught, reached(mount, handle) as fd:
            pytest.fail("it leads to " + os.readlink("/proc/self/fd/%d" % fd))
        assert caught.value.errno == errno.ESTALE


# ------------------------------------------------------------------ handles

@needs_root
def test_a_handle_leads_to_its_file_after_the_kernel_forgot_it(mount):
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    mount.done(TEXT, "summer/cat")
    paths = [mount.path(*parts) for parts in (
        ("README.txt",), (".hidden",), (".kinofs",), (".kinofs", "jobs.json"),
        ("hailuo",), (TEXT,), (TEXT, "README.txt"), (TEXT, "schema.json"), (TEXT, "out"),
        (TEXT, "summer"), (TEXT, "summer", "cat.txt"), (TEXT, "jobs"), (TEXT, "jobs", "summer"),
        (TEXT, "jobs", "summer", "cat.json"), (TEXT, "out", "summer", "cat.mp4"))]
    handles = {path: (Handle(path), os.stat(path).st_ino) for path in [*paths, mount.root]}
    for path, (handle, ino) in handles.items():
        forget()
        with reached(mount, handle) as fd:
            assert os.fstat(fd).st_ino == ino, path
            if os.path.isdir(path):  # found again by asking for ".."
                assert os.readlink("/proc/self/fd/%d" % fd) == path
                assert sorted(os.listdir(fd)) == sorted(os.listdir(path))
            elif "jobs" not in path:
                with open(path, "rb") as file:
                    assert os.read(fd, 1 << 20) == file.read(1 << 20)


@needs_root
def test_a_handle_follows_a_rename(mount):
    handle = Handle(mount.drop(TEXT, "summer/notes.md", "mine"))
    folder = Handle(mount.path(TEXT, "summer"))
    os.rename(mount.path(TEXT, "summer", "notes.md"), mount.path("moved.md"))
    os.rename(mount.path(TEXT, "summer"), mount.path("winter"))
    mount.drop(TEXT, "summer/notes.md", "another")
    forget()
    with reached(mount, handle) as fd:
        assert os.read(fd, 100) == b"mine"
    with reached(mount, folder) as fd:
        assert os.readlink("/proc/self/fd/%d" % fd) == mount.path("winter")
    os.rename(mount.path("moved.md"), mount.path("moved again.md"))  # while it was forgotten
    forget()
    with reached(mount, handle) as fd:
        assert os.read(fd, 100) == b"mine"


@needs_root
def test_the_handle_of_a_removed_file_leads_nowhere(mount):
    paths = [mount.drop(TEXT, "notes-%d.md" % number, "mine") for number in range(4)]
    handles = [Handle(path) for path in paths]
    forget()
    os.unlink(paths[0])
    os.unlink(paths[1])
    os.replace(mount.drop(TEXT, "new.md", "a new file"), paths[2])
    os.unlink(paths[3])
    for number in range(20):  # the store gives the inode numbers again
        mount.drop(TEXT, "other-%d.md" % number, "another")
    mount.drop(TEXT, "notes-1.md", "another")
    for handle in handles:
        assert_stale(mount, handle)


@needs_root
def test_no_handle_outlives_the_mount(mount):
    names = ["notes-%d.md" % number for number in range(20)]
    handles = [Handle(mount.drop(TEXT, name, "mine")) for name in names]
    handles.append(Handle(mount.path(TEXT, "README.txt")))
    mount.restart()
    for name in reversed(names):
        mount.read(TEXT, name)
    for handle in handles:
        assert_stale(mount, handle)


@needs_root
def test_a_handle_leads_to_no_file_that_came_underneath(mount):
    handle = Handle(mount.drop(TEXT, "notes.md", "mine"))
    forget()
    path = os.path.join(mount.tree, TEXT, "notes.md")
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write("another")
    os.rename(path + ".new", path)
    assert_stale(mount, handle)
