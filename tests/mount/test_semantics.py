"""Each sentence of FILESYSTEM SEMANTICS in kinofs(1) is a promise, and has one test here."""
import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import re
import select
import shutil
import stat
import struct
import subprocess
import sys
import threading
import time

import pytest

from harness import FLAT, HAILUO_23, PATIENCE, ROOT, SETTLE, TEXT, Mount, prompt_of

pytestmark = pytest.mark.no_asan("each sentence is about the outside; the inside has its own files")

GENERATED = ("README.txt", ".hidden", TEXT + "/README.txt", TEXT + "/schema.json",
             ".kinofs/jobs.json", ".kinofs/events.jsonl", ".xdg-volume-info", ".directory",
             "gallery.html", ".kinofs/gallery.js")
FIXED = ("hailuo", TEXT, TEXT + "/out", TEXT + "/jobs", ".kinofs", ".kinofs/spending", ".kinofs/gallery", "out")
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4

libc = ctypes.CDLL(None, use_errno=True)
promises = {}


def promise(sentence):
    def keep(test):
        assert sentence not in promises, sentence
        promises[sentence] = test
        return test
    return keep


def sentences():
    """The section's, as plain text: a sentence ends with the line that ends with a full stop."""
    with open(os.path.join(ROOT, "man", "kinofs.1"), encoding="utf-8") as file:
        section = file.read().split(".Sh FILESYSTEM SEMANTICS\n")[1].split("\n.Sh ")[0]
    words, found = "", []
    for line in section.splitlines():
        macro = re.match(r"\.([A-Z][a-z]) ?(.*)", line)
        if macro:
            line = macro[2]
            if macro[1] == "Xr":
                line = re.sub(r"^(\S+) (\d)", r"\1(\2)", line)
            elif macro[1] == "Fl":
                line = "-" + line
            elif macro[1] == "Nm":
                line = "kinofs " + line
            line = re.sub(r" (Cm|Pa) ", " ", line)
        words += " " + line
        if re.search(r"\.$", line):
            found.append(re.sub(r" ([,.;])(?= |$)", r"\1", " ".join(words.split())))
            words = ""
    assert not words.strip(), words
    return found[2:]  # what the section is, comes first


def test_every_sentence_has_a_test_and_every_test_a_sentence():
    told = sentences()
    assert len(told) == len(set(told)) == len(set(promises.values()))
    assert [sentence for sentence in told if sentence not in promises] == []
    assert [sentence for sentence in promises if sentence not in told] == []


@contextlib.contextmanager
def refused(*numbers):
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno in numbers, caught.value


def sent(mount, *prompts):
    mount.quiet()
    assert [prompt_of(body) for body in mount.sim.bodies()] == list(prompts)


def rename(source, target, flags):
    if libc.renameat2(-100, os.fsencode(source), -100, os.fsencode(target), flags) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), source)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def in_process(code, *arguments, **options):
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE,
                            **options)


# ------------------------------------------------------------------ when a drop is complete

@promise("A drop is complete when no descriptor that can write to it is open and it has not"
         " changed for the settle time.")
def test_complete(mount):
    path = mount.drop(TEXT, "cat.txt", "a ")
    second = os.open(path, os.O_WRONLY | os.O_APPEND)
    reader = os.open(path, os.O_RDONLY)
    mount.quiet(besides=["cat"])
    os.write(second, b"cat")
    mount.quiet(besides=["cat"])
    assert mount.sim.creates() == []
    closed = time.time()
    os.close(second)
    mount.accepted(TEXT, "cat")
    os.close(reader)
    sent(mount, "a cat")
    assert mount.sim.creates()[0]["t"] >= closed + SETTLE - 0.01


@promise("A process that dies has closed its files.")
def test_death(mount):
    writer = in_process("import os, sys, time\n"
                        "fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)\n"
                        "os.write(fd, b'a cat'); print(flush=True); time.sleep(60)",
                        mount.path(TEXT, "cat.txt"))
    with writer:
        writer.stdout.readline()
        mount.quiet(besides=["cat"])
        assert mount.sim.creates() == []
        writer.kill()
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


@promise("A rename into place completes a drop as close(2) does.")
def test_rename_completes(mount):
    os.rename(mount.drop(TEXT, "cat.part", "a cat"), mount.path(TEXT, "cat.txt"))
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


@promise("fsync(2) completes nothing.")
def test_fsync_completes_nothing(mount):
    with open(mount.path(TEXT, "cat.txt"), "wb", buffering=0) as file:
        file.write(b"a cat")
        os.fsync(file.fileno())
        mount.quiet(besides=["cat"])
        assert mount.sim.creates() == []


@promise("An empty file starts nothing.")
def test_empty(mount):
    for name in ("cat.txt", "dog.json", "fox.png"):
        mount.drop(TEXT, name, b"")
    sent(mount)
    assert mount.jobs() == []


@promise("A mapped file counts as open for writing until munmap(2).")
def test_mapped(mount):
    with open(mount.path(TEXT, "cat.txt"), "w+b") as file:
        file.truncate(5)
        mapped = mmap.mmap(file.fileno(), 5)
    mount.quiet(besides=["cat"])
    mapped[:] = b"a cat"
    mount.quiet(besides=["cat"])
    assert mount.sim.creates() == []
    mapped.close()
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


@promise("A hard link under a job's name is a drop.")
def test_link_is_a_drop(mount):
    os.link(mount.drop(TEXT, "draft", "a cat"), mount.path(TEXT, "cat.txt"))
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


@promise("A symbolic link under a job's name is a drop of the file it leads to.")
def test_symlink_is_a_drop(mount):
    mount.drop(TEXT, "draft", "a cat")
    os.symlink("draft", mount.path(TEXT, "cat.txt"))
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


@promise("A symbolic link that leads out of the mount starts nothing, and a note says so.")
def test_symlink_out(mount):
    os.symlink(mount.outside("dog.txt", "a dog"), mount.path(TEXT, "dog.txt"))
    assert content(mount.path(TEXT, "dog.txt")) == b"a dog"
    assert "leads out of the mount" in mount.note(TEXT, "dog")
    sent(mount)


@promise("A fifo under a job's name starts nothing.")
def test_fifo(mount):
    path = mount.path(TEXT, "cat.txt")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(path, "wb", buffering=0) as writer:
        writer.write(b"a cat")
    assert os.read(reader, 100) == b"a cat"
    os.close(reader)
    sent(mount)


@promise("A rewrite of the same bytes starts nothing.")
def test_rewrite(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    mount.drop(TEXT, "cat.txt", "a cat")
    sent(mount, "a cat")


@promise("A rename of a job's files takes the job along.")
def test_rename_takes_the_job_along(mount):
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    os.mkdir(mount.path(TEXT, "summer"))
    os.rename(path, mount.path(TEXT, "summer", "tom.txt"))
    record = mount.done(TEXT, "summer/tom")
    sent(mount, "a cat")
    assert record["outputs"] == [TEXT + "/out/cat.mp4"] and mount.record(TEXT, "cat") is None


@promise("A copy of a job's files under another name is held.")
def test_copy_is_held(mount):
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    shutil.copy(path, mount.path(TEXT, "tom.txt"))
    mount.wait_state(TEXT, "tom", "held")
    sent(mount, "a cat")


@promise("chmod(2), chown(2) and utimensat(2) start nothing.")
def test_attributes(mount):
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    os.chmod(path, 0o600)
    os.chown(path, os.getuid(), os.getgid())
    os.utime(path)
    sent(mount, "a cat")


@promise("A file put into the store behind the mount's back starts nothing.")
def test_behind_the_back(mount):
    with open(os.path.join(mount.tree, TEXT, "cat.txt"), "w", encoding="utf-8") as file:
        file.write("a cat")
    sent(mount)


@promise("A drop that was closed just before the mount ended is taken up by the next mount.")
def test_taken_up(kinofs):
    mount = kinofs(settle=4)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.terminate()
    assert mount.sim.creates() == []
    mount.start()
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


# ------------------------------------------------------------------ EINVAL

@promise("close(2) says EINVAL for a spec that can never be valid.")
def test_close_says_einval(mount):
    mount.drop_bad(TEXT, "cat.json", '{"prompt": ')
    mount.drop_bad(TEXT, "dog.json", {"prompt": "a dog", "no_such_field": 1})


@promise("Only the process that opened the file is told.")
def test_who_is_told(mount):
    fd = os.open(mount.path(TEXT, "cat.json"), os.O_CREAT | os.O_WRONLY)
    os.write(fd, b'{"prompt": ')
    child = in_process("import os, sys; os.close(int(sys.argv[1])); print('closed')", str(fd),
                       pass_fds=[fd])
    with child:
        assert child.stdout.read() == b"closed\n"
    with refused(errno.EINVAL):
        os.close(fd)


@promise("The bytes are stored all the same.")
def test_bad_bytes_are_stored(mount):
    path = mount.drop_bad(TEXT, "cat.json", '{"prompt": ')
    assert content(path) == b'{"prompt": '
    assert content(os.path.join(mount.tree, TEXT, "cat.json")) == b'{"prompt": '


@promise("rename(2) never fails for what a file holds.")
def test_rename_of_bad(mount):
    os.rename(mount.drop(TEXT, "draft", '{"prompt": '), mount.path(TEXT, "cat.json"))
    assert mount.note(TEXT, "cat")


# ------------------------------------------------------------------ as in any folder

@promise("rename(2) replaces a file at once: its name leads to the old file or to the new one,"
         " and is never missing.")
def test_rename_replaces(mount):
    path, seen, stop = mount.drop(TEXT, "cat.md", "0"), set(), threading.Event()

    def read():
        while not stop.is_set():
            try:
                seen.add(content(path))
            except OSError as error:
                seen.add(error.strerror.encode())
    with contextlib.ExitStack() as stack:
        readers = [threading.Thread(target=read) for _ in range(3)]
        for thread in readers:
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        for number in range(1, 200):
            os.rename(mount.drop(TEXT, "new", str(number)), path)
    assert seen and [one for one in seen if not re.fullmatch(rb"\d+", one)] == []
    assert content(path) == b"199"


@promise("Within the mount a rename leads anywhere, from one model's folder to another's too.")
def test_rename_anywhere(mount):
    path = mount.drop(TEXT, "a/b.md", "b")
    for target in (mount.path(HAILUO_23, "b.md"), mount.path(FLAT, "out", "b.md"),
                   mount.path("b.md"), mount.path("hailuo", "b.md")):
        os.rename(path, target)
        path = target
    os.rename(mount.path(TEXT, "a"), mount.path(HAILUO_23, "a"))
    assert content(path) == b"b" and os.path.isdir(mount.path(HAILUO_23, "a"))


@promise("RENAME_NOREPLACE is EEXIST where there is something.")
def test_noreplace(mount):
    cat, dog = mount.drop(TEXT, "cat.md", "cat"), mount.drop(TEXT, "dog.md", "dog")
    with refused(errno.EEXIST):
        rename(cat, dog, RENAME_NOREPLACE)
    rename(cat, mount.path(TEXT, "fox.md"), RENAME_NOREPLACE)
    assert content(dog) == b"dog" and not os.path.exists(cat)


@promise("RENAME_EXCHANGE exchanges two files.")
def test_exchange(mount):
    cat, dog = mount.drop(TEXT, "cat.md", "cat"), mount.drop(HAILUO_23, "dog.md", "dog")
    rename(cat, dog, RENAME_EXCHANGE)
    assert content(cat) == b"dog" and content(dog) == b"cat"


@promise("RENAME_WHITEOUT is EINVAL.")
def test_whiteout(mount):
    with refused(errno.EINVAL):
        rename(mount.drop(TEXT, "cat.md", "cat"), mount.path(TEXT, "dog.md"), RENAME_WHITEOUT)


@promise("A folder may be renamed while files in it are open.")
def test_folder_renamed_while_open(mount):
    with open(mount.drop(TEXT, "summer/cat.md", "a "), "r+b", buffering=0) as file:
        os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
        file.seek(0, os.SEEK_END)
        file.write(b"cat")
        assert os.fstat(file.fileno()).st_size == 5
    assert content(mount.path(TEXT, "winter", "cat.md")) == b"a cat"


@promise("A file that was removed can be read and written by who has it open.")
def test_removed_but_open(mount):
    path = mount.drop(TEXT, "cat.md", "a cat")
    with open(path, "r+b", buffering=0) as file:
        os.unlink(path)
        assert os.fstat(file.fileno()).st_nlink == 0
        file.write(b"b")
        os.ftruncate(file.fileno(), 3)
        file.seek(0)
        assert file.read() == b"b c"
    assert not os.path.exists(path)


@promise("Of many who create a name with O_EXCL one succeeds.")
def test_exclusive(mount):
    made = []

    def make(number):
        for name in range(50):
            with contextlib.suppress(FileExistsError):
                os.close(os.open(mount.path(TEXT, "lock%d.md" % name),
                                 os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                made.append((name, number))
    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in made) == list(range(50))


@promise("Writes with O_APPEND never overwrite each other.")
def test_append(mount):
    path = mount.path(TEXT, "all.md")
    code = ("import os, sys\nfd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)\n"
            "for number in range(200): os.write(fd, b'%s %d\\n' % (sys.argv[2].encode(), number))")
    for writer in [in_process(code, path, name) for name in "abcd"]:
        with writer:
            writer.wait()
    assert sorted(content(path).decode().splitlines()) == sorted(
        "%s %d" % (name, number) for name in "abcd" for number in range(200))


@promise("O_TMPFILE is EOPNOTSUPP.")
def test_tmpfile(mount):
    with refused(errno.EOPNOTSUPP):
        os.open(mount.path(TEXT), os.O_TMPFILE | os.O_WRONLY)


@promise("What one process writes, every other reads at once.")
def test_visible(mount):
    path = mount.drop(TEXT, "cat.md", "0")
    other = in_process("import os, sys\nfd = os.open(sys.argv[1], os.O_RDONLY)\n"
                       "for line in sys.stdin:\n"
                       " print(os.pread(fd, 100, 0).decode(), os.stat(sys.argv[1]).st_size,"
                       " flush=True)", path, stdin=subprocess.PIPE)
    with other, open(path, "r+b", buffering=0) as file:
        for text in ("1", "22", "333"):
            file.seek(0)
            file.write(text.encode())
            other.stdin.write(b"\n")
            other.stdin.flush()
            assert other.stdout.readline().decode() == "%s %d\n" % (text, len(text))
        other.stdin.close()


@promise("copy_file_range(2) copies within the mount.")
def test_copy_file_range(mount):
    source, target = mount.drop(TEXT, "cat.md", "a cat"), mount.path(HAILUO_23, "cat.md")
    with open(source, "rb") as file, open(target, "wb") as copy:
        assert os.copy_file_range(file.fileno(), copy.fileno(), 100) == 5
    assert content(target) == b"a cat"


@promise("fallocate(2) can punch holes, and SEEK_HOLE finds them, where the store's filesystem"
         " can.")
def test_holes(mount):
    def holes(folder):
        with open(os.path.join(folder, "holes.md"), "w+b", buffering=0) as file:
            file.write(b"x" * (1 << 20))
            if libc.fallocate(file.fileno(), 3, ctypes.c_long(65536), ctypes.c_long(65536)) < 0:
                return ctypes.get_errno()
            return [os.lseek(file.fileno(), at, how) for at, how in (
                (0, os.SEEK_HOLE), (65536, os.SEEK_DATA))], os.fstat(file.fileno()).st_size
    assert holes(mount.path(TEXT)) == holes(mount.directory)


@promise("flock(2) locks a file for all processes of the machine.")
def test_flock(mount):
    path = mount.drop(TEXT, "cat.md", "cat")
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert subprocess.run(["flock", "-n", path, "true"], check=False).returncode == 1
    assert subprocess.run(["flock", "-n", path, "true"], check=False).returncode == 0


@promise("fcntl(2) locks parts of one.")
def test_fcntl(mount):
    path = mount.drop(TEXT, "cat.md", "0123456789")
    code = ("import fcntl, os, sys\nfile = open(sys.argv[1], 'r+b')\n"
            "for start in (0, 5):\n try:\n  fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 5,"
            " start); print('free')\n except BlockingIOError: print('locked')")
    with open(path, "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 5, 5)
        with in_process(code, path) as other:
            assert other.stdout.read() == b"free\nlocked\n"


@promise("Names are up to 255 bytes, of anything but a slash and NUL.")
def test_names(mount):
    every = bytes(range(1, 256)).replace(b"/", b"")
    folder = os.fsencode(mount.path(TEXT))
    for name in (every, b"n" * 255, b"\xff\n", "ä".encode() * 127):
        with open(folder + b"/" + name, "wb") as file:
            file.write(name)
        assert name in os.listdir(folder) and content(folder + b"/" + name) == name
    with refused(errno.ENAMETOOLONG):
        os.mkdir(folder + b"/" + b"n" * 256)


@promise("A listing shows every name that stays while it is read, once.")
def test_listing(mount):
    folder = mount.path(TEXT, "many")
    os.mkdir(folder)
    stay = {"stays-%d" % number for number in range(2000)}
    for name in stay:
        os.close(os.open(os.path.join(folder, name), os.O_CREAT))
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            path = os.path.join(folder, "goes")
            os.close(os.open(path, os.O_CREAT))
            os.unlink(path)
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(20):
            seen = [name for name in os.listdir(folder) if name != "goes"]
            assert len(seen) == len(stay) and set(seen) == stay
    finally:
        stop.set()
        thread.join()


@promise("The umask of who makes a file applies.")
def test_umask(mount):
    subprocess.run(["sh", "-c", "umask 027; echo > cat.md; mkdir summer"], cwd=mount.path(TEXT),
                   check=True)
    assert stat.S_IMODE(os.stat(mount.path(TEXT, "cat.md")).st_mode) == 0o640
    assert stat.S_IMODE(os.stat(mount.path(TEXT, "summer")).st_mode) == 0o750


@promise("Times are kept as exactly as in the store.")
def test_times(mount):
    path = mount.drop(TEXT, "cat.md", "cat")
    beside = mount.outside("cat.md", "cat")
    for one in (path, beside):
        os.utime(one, ns=(1_234_567_890_123_456_789, 987_654_321_987_654_321))
    assert os.stat(path).st_mtime_ns == os.stat(beside).st_mtime_ns
    assert os.stat(path).st_atime_ns == os.stat(beside).st_atime_ns


@promise("statfs(2) tells the space of the filesystem that holds the store.")
def test_statfs(mount):
    own, store = os.statvfs(mount.root), os.statvfs(mount.store)
    assert (own.f_blocks * own.f_frsize, own.f_files, own.f_namemax) == (
        store.f_blocks * store.f_frsize, store.f_files, store.f_namemax)


@promise("A file of yours has the inode number that it has in the store.")
def test_inode_numbers(mount):
    mount.drop(TEXT, "summer/cat.md", "cat")
    for path in ("summer", "summer/cat.md", "out"):
        assert os.stat(mount.path(TEXT, path)).st_ino == os.stat(
            os.path.join(mount.tree, TEXT, path)).st_ino
    listed = {entry.name: entry.inode() for entry in os.scandir(mount.path(TEXT, "summer"))}
    assert listed == {"cat.md": os.stat(mount.path(TEXT, "summer", "cat.md")).st_ino}


@promise("A generated file has an inode number with the highest bit set.")
def test_generated_inode_numbers(mount):
    numbers = [os.stat(path).st_ino for path in (*generated(mount), mount.path(TEXT, "jobs"))]
    assert all(number >> 63 for number in numbers) and len(set(numbers)) == len(numbers)


@promise("Inode numbers survive a rename and a remount.")
def test_inode_numbers_stay(mount):
    path = mount.drop(TEXT, "cat.md", "cat")
    os.mkdir(mount.path(TEXT, "summer"))
    names = (TEXT + "/README.txt", TEXT + "/summer/cat.md", TEXT + "/out", TEXT + "/jobs")
    number = os.stat(path).st_ino
    os.rename(path, mount.path(names[1]))
    before = [os.stat(mount.path(name)).st_ino for name in names]
    mount.restart()
    assert before[1] == number
    assert [os.stat(mount.path(name)).st_ino for name in names] == before


@promise("Extended attributes are ENOTSUP.")
def test_xattr(mount):
    path = mount.drop(TEXT, "cat.md", "cat")
    for call in (lambda: os.setxattr(path, "user.a", b"1"), lambda: os.getxattr(path, "user.a")):
        with refused(errno.ENOTSUP):
            call()


@promise("With -o xattr, those of the user namespace are kept as the store's filesystem can, and"
         " others are ENOTSUP.")
def test_xattr_kept(kinofs):
    mount = kinofs(options=["xattr"])
    path = mount.drop(TEXT, "cat.md", "cat")
    beside = os.path.join(mount.store, "beside")
    with open(beside, "wb"):
        pass
    try:
        os.setxattr(beside, "user.a", b"1")
    except OSError as error:
        assert error.errno == errno.ENOTSUP
        with refused(errno.ENOTSUP):
            os.setxattr(path, "user.a", b"1")
        return
    for at in (beside, path):  # the same answers
        os.setxattr(at, "user.a", b"12")
        os.setxattr(at, "user.b", b"", os.XATTR_CREATE)
        with refused(errno.EEXIST):
            os.setxattr(at, "user.a", b"2", os.XATTR_CREATE)
        with refused(errno.ENODATA):
            os.setxattr(at, "user.c", b"2", os.XATTR_REPLACE)
        assert os.getxattr(at, "user.a") == b"12" and os.getxattr(at, "user.b") == b""
        assert libc.getxattr(os.fsencode(at), b"user.a", ctypes.create_string_buffer(1), 1) == -1
        assert ctypes.get_errno() == errno.ERANGE
        os.removexattr(at, "user.b")
        with refused(errno.ENODATA):
            os.getxattr(at, "user.b")
        assert os.listxattr(at) == ["user.a"]
    os.symlink("cat.md", mount.path(TEXT, "link"))
    assert os.listxattr(mount.path(TEXT, "link"), follow_symlinks=False) == []
    for name in ("security.a", "trusted.a"):
        with refused(errno.ENOTSUP, errno.EPERM, errno.ENODATA):
            os.getxattr(path, name)
        with refused(errno.ENOTSUP, errno.EPERM):
            os.setxattr(path, name, b"1")
    generated_path = mount.path("README.txt")
    assert os.listxattr(generated_path) == [] and os.listxattr(mount.root) == []
    with refused(errno.EPERM, errno.EACCES):
        os.setxattr(generated_path, "user.a", b"1")
    subprocess.run(["cp", "-a", path, path + ".copy"], check=True)
    mount.restart()
    assert os.getxattr(path, "user.a") == os.getxattr(path + ".copy", "user.a") == b"12"


@promise("The mount is nosuid and nodev.")
def test_flags(mount):
    flags = os.statvfs(mount.root).f_flag
    assert flags & os.ST_NOSUID and flags & os.ST_NODEV


@promise("With -o ro, every change is EROFS.")
def test_read_only(kinofs):
    mount = kinofs()
    path = mount.drop(TEXT, "cat.md", "cat")
    mount.unmount()
    mount.options.append("ro")
    mount.start()
    for change in (lambda: os.open(path, os.O_WRONLY), lambda: os.unlink(path),
                   lambda: os.mkdir(mount.path("new")), lambda: os.rename(path, path + "2"),
                   lambda: os.chmod(path, 0o600), lambda: os.symlink("a", mount.path("b"))):
        with refused(errno.EROFS):
            change()
    assert content(path) == b"cat"


# ------------------------------------------------------------------ generated files

def generated(mount):
    """Their paths, a record's last."""
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    return [mount.path(name) for name in (*GENERATED, TEXT + "/jobs/cat.json")]


@promise("Writing to a generated file is EPERM.")
def test_generated_write(mount):
    for path in generated(mount):
        for call in (lambda: os.open(path, os.O_WRONLY), lambda: os.open(path, os.O_RDWR),
                     lambda: os.truncate(path, 0), lambda: os.chmod(path, 0o666),
                     lambda: os.open(path, os.O_RDONLY | os.O_TRUNC)):
            with refused(errno.EPERM, *([] if os.geteuid() == 0 else [errno.EACCES])):
                call()


@promise("Removing one is EPERM, but for a record.")
def test_generated_unlink(mount):
    *rest, record = generated(mount)
    mount.done(TEXT, "cat")
    for path in rest:
        with refused(errno.EPERM):
            os.unlink(path)
    os.unlink(record)
    assert not os.path.exists(record)


@promise("A hard link to one is EPERM.")
def test_generated_link(mount):
    for path in generated(mount):
        with refused(errno.EPERM):
            os.link(path, mount.path(TEXT, "link"))


@promise("Renaming one is EPERM.")
def test_generated_rename(mount):
    for path in generated(mount):
        with refused(errno.EPERM):
            os.rename(path, mount.path(TEXT, "renamed"))


@promise("A rename over one is EPERM.")
def test_generated_replace(mount):
    paths = generated(mount)
    mine = mount.drop(TEXT, "mine.md", "mine")
    for path in paths:
        with refused(errno.EPERM):
            os.rename(mine, path)
    assert content(mine) == b"mine"


@promise("Removing or renaming a model's folder, out/, jobs/ or .kinofs/ is EBUSY.")
def test_fixed(mount):
    for name in FIXED:
        with refused(errno.EBUSY):
            os.rmdir(mount.path(name))
        with refused(errno.EBUSY):
            os.rename(mount.path(name), mount.path("elsewhere"))


@promise("Making something in jobs/ or .kinofs/ is EPERM.")
def test_making(mount):
    for folder in (TEXT + "/jobs", ".kinofs"):
        path = mount.path(folder, "new")
        for call in (lambda: os.open(path, os.O_CREAT | os.O_WRONLY), lambda: os.mkdir(path),
                     lambda: os.symlink("a", path), lambda: os.mkfifo(path),
                     lambda: os.link(mount.drop(TEXT, "a.md", "a"), path)):
            with refused(errno.EPERM):
                call()


@promise("A generated file has the size that stat(2) says.")
def test_generated_size(mount):
    paths = generated(mount)
    mount.done(TEXT, "cat")
    mount.quiet()
    for path in paths:
        assert len(content(path)) == os.stat(path).st_size, path


@promise("Who reads one sees it as it was when it was opened.")
def test_generated_version(mount):
    paths = generated(mount)
    for path in (paths[4], paths[-1]):
        before = content(path)
        with open(path, "rb", buffering=0) as file:
            first = file.read(10)
            take = mount.record(TEXT, "cat")["take"] + 1
            mount.drop(TEXT, "cat.txt", "another cat, %d" % take)
            mount.accepted(TEXT, "cat", take=take)
            assert first + file.read() == before != content(path)


@promise("README.txt and schema.json bear the time of the mount.")
def test_generated_times(kinofs):
    before = time.time()
    mount = kinofs()
    for name in GENERATED[:4]:
        assert before - 0.1 <= os.stat(mount.path(name)).st_mtime <= time.time()


@promise(".kinofs/ctl takes one order in each write(2).")
def test_orders(mount):
    mount.drop(HAILUO_23, "a.txt", "a")
    mount.drop(HAILUO_23, "b.txt", "b")
    for name in "ab":
        mount.wait_state(HAILUO_23, name, "waiting")
    with open(mount.path(".kinofs/ctl"), "r+b", buffering=0) as ctl:
        with refused(errno.EINVAL):
            ctl.write(b"cancel %s/a.txt\ncancel %s/b.txt\n" % ((HAILUO_23.encode(),) * 2))
        assert {job["state"] for job in mount.jobs()} == {"waiting"}
        for name in "ab":
            ctl.write(("cancel %s/%s.txt\n" % (HAILUO_23, name)).encode())
            mount.wait_state(HAILUO_23, name, "cancelled")


@promise("poll(2) of .kinofs/events.jsonl waits for the next line.")
def test_poll(mount):
    mount.quiet()
    fd = os.open(mount.path(".kinofs/events.jsonl"), os.O_RDONLY)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    try:
        while os.read(fd, 65536):
            pass
        while poll.poll(300):  # what still came of the past
            os.read(fd, 65536)
        mount.drop(TEXT, "cat.txt", "a cat")
        seen = b""
        while b'"cat"' not in seen:
            assert poll.poll(60000), seen
            seen += os.read(fd, 65536)
    finally:
        os.close(fd)


# ------------------------------------------------------------------ results

@promise("A result is whole when its name appears.")
def test_whole(mount, clip):
    path = mount.path(TEXT, "out", "cat.mp4")
    mount.drop(TEXT, "cat.txt", "a cat")
    deadline = time.monotonic() + 60
    while not os.path.exists(path):
        assert time.monotonic() < deadline
    assert content(path) == content(clip)


@promise("inotify(7) tells of it by IN_MOVED_TO, and of a note.")
def test_moved_to(mount):
    watch = libc.inotify_init1(os.O_CLOEXEC)
    assert libc.inotify_add_watch(watch, os.fsencode(mount.path(TEXT, "out")), 0xfff) >= 0
    events, seen = b"", {}
    mount.drop(TEXT, "cat.txt", "a cat")
    with contextlib.suppress(OSError):
        mount.drop(TEXT, "dog.json", "{")
    deadline = time.monotonic() + 60
    while not {"cat.mp4", "dog.error.txt"} <= set(seen):
        assert select.select([watch], [], [], deadline - time.monotonic())[0], seen
        events = os.read(watch, 65536)
        while events:
            mask, length = (int.from_bytes(events[at:at + 4], "little") for at in (4, 12))
            name = events[16:16 + length].rstrip(b"\0").decode()
            seen.setdefault(name, mask)
            events = events[16 + length:]
    os.close(watch)
    assert seen["cat.mp4"] == seen["dog.error.txt"] == 0x80  # the first that is told


@promise("A result never replaces a file.")
def test_never_replaces(mount):
    mine = mount.drop(TEXT, "out/cat.mp4", "mine")
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    assert content(mine) == b"mine" and mount.out(TEXT) == ["cat.2.mp4", "cat.mp4"]


@promise("Renaming, moving and removing in out/ changes no job.")
def test_out_is_free(mount):
    for name in ("cat", "dog", "fox"):
        mount.drop(TEXT, name + ".txt", name)
        mount.accepted(TEXT, name)
    for name in ("cat", "dog", "fox"):
        mount.done(TEXT, name)
    before = [mount.record(TEXT, name)["state"] for name in ("cat", "dog", "fox")]
    os.unlink(mount.path(TEXT, "out", "cat.mp4"))
    os.rename(mount.path(TEXT, "out", "dog.mp4"), mount.path(TEXT, "out", "hound.mp4"))
    os.rename(mount.path(TEXT, "out", "fox.mp4"), mount.path("fox.mp4"))
    mount.restart()
    sent(mount, "cat", "dog", "fox")
    assert [mount.record(TEXT, name)["state"] for name in ("cat", "dog", "fox")] == before
    assert mount.out(TEXT) == ["hound.mp4"]


@promise("A folder missing in out/ is made again for the next result.")
def test_out_folder(mount):
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    mount.done(TEXT, "summer/cat")
    shutil.rmtree(mount.path(TEXT, "out", "summer"))
    mount.drop(TEXT, "summer/cat.txt", "a black cat")
    mount.done(TEXT, "summer/cat", take=2)
    assert mount.out(TEXT, "summer") in (["cat.2.mp4"], ["cat.mp4"])


@promise("Files of yours in out/ start nothing.")
def test_mine_in_out(mount):
    for name in ("cat.json", "cat.txt", "deep/cat.txt"):
        mount.drop(TEXT, "out/" + name, '{"prompt": "a cat"}')
    sent(mount)
    assert mount.jobs() == []


# ------------------------------------------------------------------ out/ of the mount point

def shows(mount, *names):
    """Nothing but these, once the notes of jobs that were under way have gone."""
    mount.wait(lambda: set(os.listdir(mount.path("out"))) == set(names), "%s in out/" % (names,))


def done(mount, model, *names):
    for name in names:
        mount.drop(model, name + ".txt", name)
    for name in names:
        mount.done(model, name)


@promise("In out/ of the mount point every result and every note in the out/ of any model is shown,"
         " the file itself: removed here, it is removed there.")
def test_overview(mount):
    done(mount, TEXT, "cat", "summer/beach")
    mount.drop_bad(FLAT, "dog.txt", " ")
    mount.note(FLAT, "dog")
    shown = {"cat.mp4": TEXT + "/out/cat.mp4", "beach.mp4": TEXT + "/out/summer/beach.mp4",
             "dog.error.txt": FLAT + "/out/dog.error.txt"}
    shows(mount, *shown)
    for name, path in shown.items():
        here, there = os.lstat(mount.path("out", name)), os.lstat(mount.path(path))
        assert here == there and stat.S_ISREG(here.st_mode) and here.st_nlink == 1
        assert content(mount.path("out", name)) == content(mount.path(path)) != b""
    os.unlink(mount.path("out/cat.mp4"))
    mount.wait(lambda: not os.path.exists(mount.path(TEXT, "out/cat.mp4")), "it to be removed")


@promise("It follows what is renamed, moved and removed there.")
def test_overview_follows(mount):
    done(mount, TEXT, "cat", "dog", "summer/fox")
    shows(mount, "cat.mp4", "dog.mp4", "fox.mp4")
    out = mount.path(TEXT, "out")
    os.rename(out + "/cat.mp4", out + "/lion.mp4")
    os.rename(out + "/summer", out + "/winter")
    os.unlink(out + "/dog.mp4")
    assert sorted(os.listdir(mount.path("out"))) == ["fox.mp4", "lion.mp4"]
    assert os.path.exists(mount.path("out/lion.mp4")) and os.path.exists(mount.path("out/fox.mp4"))


@promise("Sorted by time, the newest result is the first.")
def test_overview_order(mount):
    for name in ("cat", "bear", "ant"):
        done(mount, TEXT, name)
    shows(mount, "cat.mp4", "bear.mp4", "ant.mp4")
    assert subprocess.run(["ls", "-t", mount.path("out")], capture_output=True, text=True,
                          check=True).stdout.split() == ["ant.mp4", "bear.mp4", "cat.mp4"]


@promise("inotify(7) tells of a new one by IN_CREATE, of a note that goes by IN_DELETE.")
def test_overview_events(mount):
    watch = libc.inotify_init1(os.O_CLOEXEC)
    assert libc.inotify_add_watch(watch, os.fsencode(mount.path("out")), 0x300) >= 0
    seen = []
    mount.drop_bad(TEXT, "cat.txt", " ")
    mount.note(TEXT, "cat")
    done(mount, TEXT, "cat")
    while len(seen) < 3:
        assert select.select([watch], [], [], PATIENCE)[0], seen
        events = os.read(watch, 65536)
        while events:
            mask, _, length = struct.unpack_from("III", events, 4)
            name = events[16:16 + length].rstrip(b"\0").decode()
            if not name.endswith(".running.txt"):
                seen.append((mask, name))
            events = events[16 + length:]
    os.close(watch)
    assert seen == [(0x100, "cat.error.txt"), (0x200, "cat.error.txt"), (0x100, "cat.mp4")]


@promise("Removing or renaming one in it does so in its own folder, also over one that was shown by"
         " the new name.")
def test_overview_changes(mount):
    for path in (TEXT + "/out/summer/a.mp4", FLAT + "/out/b.mp4", TEXT + "/out/c.mp4"):
        mount.drop(os.path.dirname(path), os.path.basename(path), path)
    out, summer = mount.path("out"), mount.path(TEXT, "out", "summer")
    assert sorted(os.listdir(out)) == ["a.mp4", "b.mp4", "c.mp4"]
    os.unlink(out + "/c.mp4")
    assert not os.path.lexists(mount.path(TEXT, "out", "c.mp4"))
    os.rename(out + "/a.mp4", out + "/d.mp4")
    assert os.listdir(summer) == ["d.mp4"]
    mount.wait(lambda: not os.path.lexists(summer + "/a.mp4"), "the old name to go")
    os.rename(out + "/d.mp4", out + "/b.mp4")
    assert os.listdir(summer) == ["b.mp4"] and os.listdir(mount.path(FLAT, "out")) == []
    assert os.listdir(out) == ["b.mp4"]
    assert content(out + "/b.mp4") == (TEXT + "/out/summer/a.mp4").encode()


@promise("One that was moved out of it goes back to its folder when it is moved in again.")
def test_overview_returns(mount):
    mount.drop(TEXT, "out/summer/cat.mp4", "cat")
    mount.drop(FLAT, "out/cat.mp4", "another")
    assert len(os.listdir(mount.path("out"))) == 2
    os.rename(mount.path("out/cat.mp4"), mount.path("cat.mp4"))
    mount.restart()
    assert len(os.listdir(mount.path("out"))) == 1
    os.rename(mount.path("cat.mp4"), mount.path("out", "lynx.mp4"))
    assert content(mount.path(TEXT, "out", "summer", "lynx.mp4")) == b"cat"


@promise("Making something in it, or moving in something else, is EROFS.")
def test_overview_makes_nothing(mount):
    mount.drop(TEXT, "out/cat.mp4", "cat")
    mine, new = mount.drop(TEXT, "mine.mp4", "mine"), mount.path("out/new.mp4")
    for call in (lambda: os.rename(mine, mount.path("out/cat.mp4")), lambda: os.rename(mine, new),
                 lambda: os.mkdir(new), lambda: os.symlink("a", new), lambda: os.link(mine, new),
                 lambda: os.open(new, os.O_CREAT | os.O_WRONLY)):
        with refused(errno.EROFS):
            call()
    assert os.listdir(mount.path("out")) == ["cat.mp4"] and content(mine) == b"mine"


@promise("A name there that is no result's or note's is EINVAL, one that the file's folder has"
         " already EEXIST.")
def test_overview_names(mount):
    mount.drop(TEXT, "out/dog.mp4", "dog")
    mount.drop(TEXT, "out/cat.mp4", "cat")
    os.listdir(mount.path("out"))
    mount.drop(FLAT, "out/cat.mp4", "another")
    assert len(os.listdir(mount.path("out"))) == 3
    with refused(errno.EINVAL):
        os.rename(mount.path("out/dog.mp4"), mount.path("out/dog"))
    os.unlink(mount.path(TEXT, "out/cat.mp4"))
    other = mount.drop(FLAT, "out/fox.mp4", "fox")
    with refused(errno.EEXIST):  # shown as cat.MODEL.mp4
        os.rename(mount.path("out/fox.mp4"), mount.path("out/cat.mp4"))
    assert content(other) == b"fox" and content(mount.path(FLAT, "out/cat.mp4")) == b"another"


# ------------------------------------------------------------------ the end of a mount

@promise("What write(2) has taken is in the store, even when kinofs is killed.")
def test_killed(mount):
    fd = os.open(mount.path(TEXT, "cat.md"), os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"a cat")
    mount.kill9()
    with contextlib.suppress(OSError):
        os.close(fd)
    assert content(os.path.join(mount.tree, TEXT, "cat.md")) == b"a cat"
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    mount.start()
    assert content(mount.path(TEXT, "cat.md")) == b"a cat"


@promise("A drop that was being written when kinofs was killed is held.")
def test_killed_while_writing(mount):
    fd = os.open(mount.path(TEXT, "cat.txt"), os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"half a ")
    mount.kill9()
    with contextlib.suppress(OSError):
        os.close(fd)
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    mount.start()
    mount.wait_state(TEXT, "cat", "held")
    assert mount.sim.creates() == []


@promise("fusermount3(1) -u is EBUSY while a file is open.")
def test_busy(mount):
    with open(mount.path("README.txt"), "rb"):
        result = subprocess.run(["fusermount3", "-u", mount.root], capture_output=True, text=True,
                                check=False)
        assert result.returncode and "busy" in result.stderr
    assert mount.is_mounted()


@promise("SIGTERM ends the mount within two seconds, with files open and jobs under way.")
def test_sigterm(kinofs, start_sim):
    mount = kinofs(sim=start_sim(seconds=600))
    for name in ("cat", "dog"):
        mount.drop(TEXT, name + ".txt", name)
        mount.accepted(TEXT, name)
    with open(mount.path("README.txt"), "rb"):
        begin = time.monotonic()
        mount.terminate()
        assert time.monotonic() - begin < 20  # two, when nothing else runs


@promise("Only the answer to an order that was just sent is awaited, for ten seconds at most.")
def test_sigterm_while_ordering(kinofs, start_sim):
    mount = kinofs(sim=start_sim(seconds=600))
    mount.sim.faults({"on": "create", "do": "delay", "value": 5})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: "submitting" in [job["state"] for job in mount.jobs()], "the order to go")
    begin = time.monotonic()
    mount.terminate()
    assert time.monotonic() - begin < 30  # ten, when nothing else runs
    mount.start()
    mount.accepted(TEXT, "cat")
    sent(mount, "a cat")


@promise("A file that was open then says ENOTCONN.")
def test_open_at_the_end(mount):
    fd = os.open(mount.path(TEXT, "cat.md"), os.O_CREAT | os.O_RDWR)
    os.write(fd, b"a cat")
    mount.terminate()
    for call in (lambda: os.write(fd, b"!"), lambda: os.fsync(fd), lambda: os.close(fd)):
        with refused(errno.ENOTCONN):
            call()
    assert content(os.path.join(mount.tree, TEXT, "cat.md")) == b"a cat"


def files_below(folder):
    return {os.path.relpath(os.path.join(at, name), folder): content(os.path.join(at, name))
            for at, _, names in os.walk(folder) for name in names}


@promise("What is in tree/ then is what was in the mount, but for what is generated.")
def test_tree(mount: Mount):
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    mount.drop(FLAT, "notes.md", "notes")
    mount.drop(".", "mine.md", "mine")
    mount.done(TEXT, "summer/cat")
    mount.quiet()
    mount.wait(lambda: os.listdir(mount.path(TEXT, "out")) == ["summer"], "the note of quiet() to go")
    shown = {path: bytes_ for path, bytes_ in files_below(mount.root).items()
             if not re.search(r"(^|/)(README\.txt|gallery\.html|schema\.json|\.hidden|\.xdg-volume-info"
                              r"|\.directory|\.kinofs/.*|jobs/.*)$"
                              r"|^out/", path)}
    mount.terminate()
    assert files_below(mount.tree) == shown and len(shown) == 4
