"""What makes the mount fast changes nothing: passthrough, listings looked up ahead. Each test is
run as the kernel allows, and the plain way (-o plain_io)."""
import contextlib
import glob
import mmap
import os
import random
import re
import threading
import time

import pytest

from harness import TEXT

BYTES = 1 << 20


@pytest.fixture(params=["", "plain_io"], ids=["fast", "plain"])
def mount(request, kinofs):
    return kinofs(options=[request.param] if request.param else [])


def bytes_read(mount):
    """What the daemon has read so far, from whatever descriptor."""
    with open("/proc/%d/io" % mount.process.pid, encoding="ascii") as file:
        return int(file.readline().split()[1])


def make_video(mount, name="video.mp4"):
    """Put there underneath, as a finished download is."""
    content = random.Random(name).randbytes(BYTES)
    with open(os.path.join(mount.tree, TEXT, "out", name), "wb") as file:
        file.write(content)
    return mount.path(TEXT, "out", name), content


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_finished_video_is_read_by_the_kernel_alone_where_it_can(kinofs):
    mount = kinofs(start=False, expects=".")  # the trace shows every ENOENT
    command = mount.command()
    mount.command = lambda: command[:1] + ["-d"] + command[1:]
    mount.start()
    mount.wait_log("parallel directory operations on")
    if "passthrough on" not in mount.log_text():
        pytest.skip("this kernel has no FUSE passthrough, or not for this user")
    path, content = make_video(mount)
    before = bytes_read(mount)
    for _ in range(8):
        assert read(path) == content
    assert bytes_read(mount) - before < BYTES


def bytes_with_attributes(mount, since, listings):
    """Of so many listings, by libfuse's trace."""
    mount.wait(lambda: mount.log_text()[since:].count("RELEASEDIR") >= listings, "the trace")
    text = mount.log_text()[since:]
    asked = re.findall(r"unique: (\d+), opcode: READDIRPLUS", text)
    answers = dict(re.findall(r"unique: (\d+), success, outsize: (\d+)", text))
    return sum(int(answers[number]) for number in asked)


def test_only_who_looks_at_attributes_pays_for_them(kinofs):
    """They come with the listing then; but the kernel asks for some before it knows."""
    mount = kinofs(start=False, expects=".")
    command = mount.command()
    mount.command = lambda: command[:1] + ["-d"] + command[1:]
    mount.start()
    for name in ("names", "attributes"):
        os.mkdir(mount.path(TEXT, "out", name))
        for number in range(1000):
            with open(os.path.join(mount.tree, TEXT, "out", name, str(number)), "wb"):
                pass
    since = len(mount.log_text())
    assert len(os.listdir(mount.path(TEXT, "out", "names"))) == 1000
    assert 0 < bytes_with_attributes(mount, since, 1) < 4096
    with os.scandir(mount.path(TEXT, "out", "attributes")) as entries:
        assert sum(entry.stat().st_size for entry in entries) == 0
    assert bytes_with_attributes(mount, since, 2) > 1000 * 128


@pytest.mark.skipif(os.geteuid() != 0, reason="a user may not look into a process that holds keys")
def test_the_plain_way_asks_the_kernel_for_nothing(kinofs):
    mount = kinofs(options=["plain_io"])
    path, content = make_video(mount)
    before = bytes_read(mount)
    assert read(path) == content
    assert bytes_read(mount) - before >= BYTES


def test_a_video_being_read_can_be_written_cut_and_mapped(mount):
    path, content = make_video(mount)
    reader = os.open(path, os.O_RDONLY)
    writer = os.open(path, os.O_RDWR)
    end = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        assert os.pread(reader, BYTES, 0) == content
        os.pwrite(writer, b"HELLO", 10)
        assert os.pread(reader, 5, 10) == os.pread(writer, 5, 10) == b"HELLO"
        os.write(end, b"tail")
        assert os.stat(path).st_size == BYTES + 4
        assert os.pread(reader, 9, BYTES) == b"tail"
        with mmap.mmap(reader, 0, prot=mmap.PROT_READ) as view:
            os.pwrite(writer, b"MAPPED", 0)
            assert view[:6] == b"MAPPED"
        os.ftruncate(writer, 100000)
        assert os.fstat(reader).st_size == os.stat(path).st_size == 100000
        with open(path, "wb"):
            assert os.pread(reader, 1, 0) == b""
        os.pwrite(writer, content, 0)
        os.unlink(path)
        assert os.pread(reader, BYTES, 0) == content
    finally:
        for fd in (reader, writer, end):
            os.close(fd)


def test_what_was_written_beside_a_reader_is_read_by_all_later(mount):
    path, content = make_video(mount)
    assert read(path) == content
    with open(path, "rb") as first:
        first.read(10)
        with open(path, "r+b") as writer:
            writer.write(b"FIRST")
    with open(path, "r+b") as writer:
        assert writer.read(5) == b"FIRST"
        writer.write(b"SECOND")
        writer.flush()
        assert read(path)[:11] == b"FIRSTSECOND"
    assert read(path) == b"FIRSTSECOND" + content[11:]


def test_many_may_open_a_video_at_once_to_read_and_to_write(mount):
    path, _ = make_video(mount)
    end = time.monotonic() + 2
    problems = []

    def use(seed):
        dice = random.Random(seed)
        while time.monotonic() < end:
            try:
                fd = os.open(path, dice.choice([os.O_RDONLY, os.O_RDONLY, os.O_RDWR]))
                assert len(os.pread(fd, 4096, dice.randrange(BYTES // 2))) == 4096
                os.close(fd)
            except (OSError, AssertionError) as problem:
                problems.append(problem)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    if os.geteuid() == 0:  # a user may not look into a process that holds keys
        open_now = os.listdir("/proc/%d/fd" % mount.process.pid)
        assert len(open_now) < 60, "descriptors are left behind"


def test_a_long_listing_shows_no_attribute_older_than_itself(mount):
    folder = mount.path(TEXT, "out", "many")
    os.mkdir(folder)
    names = ["f%04d" % number for number in range(2000)]
    for name in names:
        with open(os.path.join(folder, name), "wb"):
            pass
    dice = random.Random(1)
    with os.scandir(folder) as entries:
        for number, _ in enumerate(entries):
            if number % 50 == 49:  # some of these are in the page looked up ahead
                victim = os.path.join(folder, dice.choice(names))
                with open(victim, "ab") as file:
                    file.write(b"x" * number)
                os.chmod(victim, 0o600)
    store = os.path.join(mount.tree, TEXT, "out", "many")
    for name in names:
        seen, real = os.stat(os.path.join(folder, name)), os.stat(os.path.join(store, name))
        assert (seen.st_size, seen.st_mode, seen.st_mtime_ns) == \
            (real.st_size, real.st_mode, real.st_mtime_ns), name


def test_names_changed_during_a_listing_are_what_they_are_afterwards(mount):
    folder = mount.path(TEXT, "out", "many")
    os.mkdir(folder)
    for number in range(2000):
        with open(os.path.join(folder, "f%04d" % number), "wb"):
            pass
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            with contextlib.suppress(FileNotFoundError):  # renamed since
                entry.stat(follow_symlinks=False)
            if number % 100 == 99:
                os.rename(os.path.join(folder, "f%04d" % number),
                          os.path.join(folder, "g%04d" % number))
                os.unlink(os.path.join(folder, "f%04d" % (number - 1)))
    store = os.path.join(mount.tree, TEXT, "out", "many")
    assert sorted(os.listdir(folder)) == sorted(os.listdir(store))
    for name in os.listdir(store):
        assert os.stat(os.path.join(folder, name)).st_ino == \
            os.stat(os.path.join(store, name)).st_ino
    assert not os.path.exists(os.path.join(folder, "f0098"))
    assert not os.path.exists(os.path.join(folder, "f0099"))


def resident(mount):
    """In KiB."""
    with open("/proc/%d/status" % mount.process.pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def switches(mount):
    """How often its threads have gone to sleep or been interrupted so far."""
    total = 0
    for task in glob.glob("/proc/%d/task/*/status" % mount.process.pid):
        with open(task, encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total


@pytest.mark.no_asan("a sanitizer's memory is its own")
def test_at_rest_it_holds_12_mib_and_wakes_for_nothing(kinofs):
    """8, and 4 for more than 200 models."""
    mount = kinofs()
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "done")
    mount.wait(lambda: resident(mount) <= 12 << 10, "12 MiB, not %d KiB" % resident(mount))
    quiet = []
    deadline = time.monotonic() + 60
    while not quiet or (quiet[-1] and time.monotonic() < deadline):
        before = switches(mount)
        time.sleep(2)
        quiet.append(switches(mount) - before)
    assert quiet[-1] == 0, quiet
