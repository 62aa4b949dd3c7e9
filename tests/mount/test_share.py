"""The mount exported to other machines: handles, as file servers keep them, NFS and Samba."""
import contextlib
import ctypes
import errno
import json
import os
import subprocess

import pytest

from desk import BLACK, SMALL, free_port, listens, require, wait_for
from harness import TEXT

pytestmark = pytest.mark.no_asan("about other programs")

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


def same(path, other):
    with open(path, "rb") as one, open(other, "rb") as two:
        return one.read() == two.read()


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


# ------------------------------------------------------------------ Samba

def test_samba_shares_it(desk, clip):
    require("samba smbclient", "smbd", "smbclient")
    mount, folder = desk.mount, TEXT.replace("/", "\\")
    listing = desk.smbclient("cd %s; ls" % folder)
    assert all(name in listing for name in ("README.txt", "schema.json", "out", "jobs"))
    desk.smbclient("cd %s; put %s cat.json" % (folder, desk.source(SMALL)))
    mount.done(TEXT, "cat")
    desk.smbclient("cd %s; put %s cat.json" % (folder, desk.source(SMALL)))
    desk.sent("a small cat")

    got = mount.outside("got.mp4", "")
    desk.smbclient("cd %s\\out; get cat.mp4 %s" % (folder, got))
    assert same(got, clip)
    desk.smbclient("cd %s; get jobs\\cat.json %s" % (folder, got))
    with open(got, encoding="utf-8") as file:
        assert json.load(file)["state"] == "done"

    desk.smbclient("cd {0}; mkdir summer; rename cat.json summer\\cat.json;"
                   " put {1} draft.part; rename draft.part cat.json; del summer\\cat.json;"
                   " rmdir summer".format(folder, desk.source(BLACK)))
    mount.wait(lambda: len(mount.sim.creates()) > 1, "the other cat")
    # known as such if it was looked at before it was removed
    desk.sent("a small cat", "a big black cat", perhaps=["summer/cat"])
    assert "summer" not in os.listdir(desk.folder)
    assert "NT_STATUS_ACCESS_DENIED" in desk.smbclient("cd %s; del README.txt" % folder)
    desk.smbclient("cd %s; del cat.json" % folder)
    assert not os.path.exists(desk.target)
    desk.sent("a small cat", "a big black cat", perhaps=["summer/cat"])


# ------------------------------------------------------------------ NFS

class Nfs:
    """An NFS server of its own, and a client: both in user space, for few kernels of machines that
    run tests have them. What it asks of a mount is what the kernel's server asks: a handle of each
    file, by name_to_handle_at(2), and the file again, by open_by_handle_at(2)."""

    CONFIGURATION = """
        NFS_CORE_PARAM { Protocols = 4; NFS_Port = %(port)d; Bind_addr = 127.0.0.1;
                         Enable_NLM = false; Enable_RQUOTA = false; }
        NFSv4 { RecoveryRoot = "%(folder)s"; Graceless = true; Minor_Versions = 0; }
        # else a file stays open for writing after its last use; kinofs(1)
        MDCACHE { FD_LWMark_Percent = 0; LRU_Run_Interval = 1; }
        EXPORT { Export_Id = 1; Filesystem_Id = 1.1; Path = "%(root)s"; Pseudo = "/kino";
                 Protocols = 4; Transports = TCP; Access_Type = RW; Squash = No_Root_Squash;
                 SecType = sys; FSAL { Name = VFS; } }
    """

    def __init__(self, desk):
        require("nfs-ganesha nfs-ganesha-vfs libnfs-utils", "ganesha.nfsd", "nfs-ls")
        with contextlib.suppress(FileExistsError):  # where nothing has started: as systemd does
            os.symlink("/proc/self/mounts", "/etc/mtab")
        self.desk, self.mount = desk, desk.mount
        port = free_port()
        folder = os.path.dirname(desk.mount.outside("nfs/log", ""))
        configuration = desk.mount.outside("nfs/conf", self.CONFIGURATION % {
            "port": port, "folder": folder, "root": desk.mount.root})
        self.server = subprocess.Popen(
            ["ganesha.nfsd", "-F", "-f", configuration, "-L", folder + "/log",
             "-p", folder + "/pid"], env=desk.environment(), stdin=subprocess.DEVNULL)
        desk.stack.callback(self.server.wait)
        desk.stack.callback(self.server.terminate)
        wait_for(lambda: listens(port, self.server), "the NFS server")
        self.library = ctypes.CDLL("libnfs.so.13")
        for name in ("nfs_init_context", "nfs_parse_url_dir", "nfs_get_error"):
            getattr(self.library, name).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.nfs_init_context())
        desk.stack.callback(self.library.nfs_destroy_context, self.context)
        self.url = "nfs://127.0.0.1/kino/%%s?version=4&nfsport=%d" % port
        self.library.nfs_parse_url_dir(self.context, (self.url % "").encode())
        self.call("mount", b"127.0.0.1", b"/kino")

    def call(self, name, *words):
        """A function of libnfs; OSError as it says."""
        words = [os.fsencode(word) if isinstance(word, str) else word for word in words]
        result = getattr(self.library, "nfs_" + name)(self.context, *words)
        if result < 0:
            raise OSError(-result, "%s: %s" % (name, ctypes.string_at(
                self.library.nfs_get_error(self.context)).decode()))
        return result

    @contextlib.contextmanager
    def opened(self, path, flags):
        file = ctypes.c_void_p()
        self.call("open", path, flags, ctypes.byref(file))
        try:
            yield file
        finally:
            self.call("close", file)

    def put(self, path, content):
        """As cp does: made, or truncated, and written."""
        target = self.mount.path(path)
        flags = os.O_TRUNC if os.path.exists(target) else os.O_CREAT  # libnfs makes, or opens
        with self.opened(path, os.O_WRONLY | flags) as file:
            assert self.call("write", file, ctypes.c_uint64(len(content)),
                             content.encode()) == len(content)
        wait_for(lambda: target not in self.open_files(), "the server to close " + path)

    def names(self, path):
        """By a client that has not seen the folder before."""
        return sorted(line.split()[-1] for line in
                      self.desk.run("nfs-ls", self.url % path).splitlines() if line.strip())

    def open_files(self):
        folder = "/proc/%d/fd/" % self.server.pid
        for fd in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                yield os.readlink(folder + fd)

    def get(self, path):
        content = b""
        with self.opened(path, os.O_RDONLY) as file:
            part = ctypes.create_string_buffer(65536)
            while count := self.call("read", file, ctypes.c_uint64(len(part)), part):
                content += part.raw[:count]
        return content


@needs_root
def test_nfs_exports_it(desk, clip):
    mount, nfs, spec = desk.mount, Nfs(desk), os.path.join(TEXT, "cat.json")
    assert nfs.names(TEXT) == ["README.txt", "jobs", "out", "schema.json"]
    assert nfs.names(TEXT + "/out") == []
    nfs.put(spec, SMALL)
    mount.done(TEXT, "cat")
    assert nfs.names(TEXT + "/out") == ["cat.mp4"]
    nfs.put(spec, SMALL)
    desk.sent("a small cat")
    forget()  # the server comes back with handles only
    nfs.put(spec, BLACK)
    mount.accepted(TEXT, "cat", take=2)
    desk.sent("a small cat", "a big black cat")
    forget()
    with open(clip, "rb") as file:
        assert nfs.get(TEXT + "/out/cat.mp4") == file.read()
    assert json.loads(nfs.get(TEXT + "/jobs/cat.json"))["take"] == 2

    nfs.call("mkdir", TEXT + "/summer")
    nfs.call("rename", spec, TEXT + "/summer/cat.json")
    os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
    forget()
    assert nfs.get(TEXT + "/winter/cat.json") == BLACK.encode()
    mount.done(TEXT, "winter/cat", take=2)  # the job has gone along; without its files it stays there
    nfs.call("unlink", TEXT + "/winter/cat.json")
    nfs.call("rmdir", TEXT + "/winter")
    assert sorted(os.listdir(desk.folder)) == ["README.txt", "jobs", "out", "schema.json"]
    with pytest.raises(OSError) as caught:
        nfs.call("unlink", TEXT + "/README.txt")
    assert caught.value.errno == errno.EPERM
    desk.sent("a small cat", "a big black cat", job="winter/cat")
