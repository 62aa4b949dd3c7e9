"""The disk is full, cannot be written, holds a journal that is not ours to use; memory and
descriptors run out.

Real full disks are small tmpfs mounts where the tests run as root; everywhere, calls fail by
tests/preload/inject.c.
"""
import collections
import contextlib
import errno
import glob
import os
import select
import sqlite3
import subprocess
import time

import pytest

import campaign
from campaign import Control, CrashMount, Drop, preload, three_kinds
from harness import KINOFS, TEXT

pytestmark = pytest.mark.no_asan("calls fail by a preloaded library; a full disk looks the same")

SPEED = 60
LONG = os.environ.get("KINOFS_TORTURE")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return campaign.compile_preloads(str(tmp_path_factory.mktemp("preload")))


@pytest.fixture
def injected(tmp_path, libraries, start_sim):
    """A started mount whose calls can fail, its control page, its simulator."""
    made = []

    def run(start=True, speed=SPEED, **options):
        directory = tmp_path / "injected"
        os.makedirs(directory, exist_ok=True)
        control = Control(str(directory / "control"))
        sim = start_sim(seconds=0)
        mount = CrashMount(directory, sim, **{
            "config": campaign.OPEN, "expects": "error:",
            "environment": preload(libraries["speed"], libraries["inject"],
                                   KINOFS_TEST_SPEED=speed, KINOFS_TEST_CONTROL=control.path),
            **options})
        made.append(mount)
        return (mount.start() if start else mount), control, sim
    yield run
    for mount in made:
        mount.close()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MiB for the store."""
    path = str(tmp_path / "small")
    os.makedirs(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def refused(mount):
    """Starts what must not start; what it said. Nothing is mounted."""
    result = mount.run("-f", "-o", "store=" + mount.store, mount.root)
    assert result.returncode == 1, result
    assert not mount.is_mounted() and 1 <= len(result.stderr.splitlines()) <= 2, result.stderr
    return result.stderr


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


# ------------------------------------------------------------------ full

@root_only
def test_a_full_disk_reaches_the_writer_and_loses_nothing(small_disk, injected):
    mount, _, sim = injected(start=False)
    mount.store = small_disk
    mount.tree = os.path.join(small_disk, "tree")
    mount.start()
    Drop(TEXT, "before").put(mount)
    mount.done(TEXT, "before")
    with pytest.raises(OSError) as error:
        mount.drop(TEXT, "filler.bin", bytes(8 << 20))
    assert error.value.errno == errno.ENOSPC
    drop = Drop(TEXT, "during")
    drop.put(mount)  # its few bytes may have room or not
    select.select([], [], [], 0)
    os.unlink(mount.path(TEXT, "filler.bin"))
    if not drop.complete:
        drop.put(mount)
    mount.done(TEXT, "during")
    after = Drop(TEXT, "after")
    after.put(mount)
    mount.done(TEXT, "after")
    total = campaign.account_for(mount, sim, [Drop(TEXT, "before"), drop, after],
                                 bytes_of(sim.options["clip"]))
    assert total["done"] == 3


@root_only
def test_an_endless_download_fills_the_disk_and_is_thrown_away(small_disk, injected):
    mount, _, sim = injected(start=False)
    mount.store = small_disk
    mount.tree = os.path.join(small_disk, "tree")
    mount.start()
    sim.faults({"on": "download", "do": "huge"})
    drop = Drop(TEXT, "cat")
    drop.put(mount)
    mount.done(TEXT, "cat")
    assert campaign.account_for(mount, sim, [drop], bytes_of(sim.options["clip"]))["done"] == 1


@root_only
def test_videos_larger_than_the_disk_wait_for_room_and_take_none(small_disk, injected, tmp_path):
    mount, _, sim = injected(start=False)
    large = tmp_path / "large.mp4"
    padding = 4 << 20
    large.write_bytes(bytes_of(sim.options["clip"]) +
                      (8 + padding).to_bytes(4, "big") + b"free" + bytes(padding))
    sim.stop()
    sim.options["clip"] = str(large)
    sim.start()
    mount.store = small_disk
    mount.tree = os.path.join(small_disk, "tree")
    mount.start()
    drops = [Drop(TEXT, "cat"), Drop(TEXT, "dog")]
    for drop in drops:
        drop.put(mount)
        assert "It needs 4.2 MB" in mount.note(TEXT, drop.name, "waiting")
    disk = os.statvfs(small_disk)
    assert disk.f_bavail * disk.f_frsize > 1 << 20, "the downloads have kept what they took"
    mount.drop(TEXT, "small.bin", bytes(100000))
    subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
    for drop in drops:
        mount.done(TEXT, drop.name)
    assert campaign.account_for(mount, sim, drops, bytes_of(str(large)))["done"] == 2
    mount.wait(lambda: mount.out(TEXT) == ["cat.mp4", "dog.mp4"], "the notes to go")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_while_nothing_can_be_written_nothing_is_sent(injected, error):
    """The journal cannot note the intent, so there is no request; later it goes on by itself."""
    mount, control, sim = injected()
    drops = three_kinds("cat")
    for drop in drops:
        for name, content in drop.files:  # beside the mount, so that the files are whole
            mount.outside(drop.model + "/" + name, content)
    control.fail("sync", error)
    for drop in drops:
        drop.put(mount)
    mount.wait_log("the journal cannot be written")
    assert sim.creates() == [] and sim.uploads() == []
    with pytest.raises(OSError) as seen:
        control.fail("write", error)
        mount.drop(TEXT, "more.bin", b"more")
    assert seen.value.errno == error, "the writer was not told"
    control.mend()
    for drop in drops:
        mount.done(drop.model, drop.name)
    assert campaign.account_for(mount, sim, drops, bytes_of(sim.options["clip"]))["done"] == 3


def test_what_fails_unexpectedly_is_logged_with_the_path_once_a_second(injected):
    """The program sees "Input/output error" and no more; nothing of what it wrote is logged."""
    mount, control, _ = injected(speed=1)
    began = time.monotonic()
    for _ in range(20):
        control.fail("write", errno.EIO)
        with pytest.raises(OSError) as seen:
            mount.drop(TEXT, "summer/a\nb.bin", b"secret words")
        assert seen.value.errno == errno.EIO
        control.mend()
    seconds = time.monotonic() - began
    mount.wait_log("write of %s/summer/a" % TEXT)
    lines = [line for line in mount.log if "Input/output error" in line and " of " in line]
    assert 1 <= len(lines) <= 1 + seconds, lines
    assert all(line.startswith("kinofs: warning: ") for line in lines), lines
    assert "secret" not in mount.log_text()


def test_a_note_waits_for_what_runs_short(injected):
    mount, control, _ = injected()
    control.fail("rename", errno.ENFILE)
    mount.drop_bad(TEXT, "bad.txt", " ")
    mount.wait_state(TEXT, "bad", "rejected")
    mount.wait(lambda: control.failed("rename"), "the publisher to fail")
    assert not os.path.exists(mount.path(TEXT, "out/bad.error.txt"))
    control.mend()
    assert "bad" in mount.note(TEXT, "bad")


def test_a_download_that_cannot_be_stored_is_tried_until_it_can(injected):
    mount, control, sim = injected()
    sim.faults({"on": "download", "do": "delay", "value": 1})
    drop = Drop(TEXT, "cat")
    drop.put(mount)
    mount.wait(lambda: (mount.record(TEXT, "cat") or {}).get("state") == "downloading",
               "the download")
    control.fail("write", errno.ENOSPC)
    mount.wait_log("the journal cannot be written")
    assert mount.out(TEXT) == []
    control.mend()
    mount.done(TEXT, "cat")
    assert campaign.account_for(mount, sim, [drop], bytes_of(sim.options["clip"]))["done"] == 1


# ------------------------------------------------------------------ every call that may fail

def settle(mount, drop):
    """Until nothing goes on; a job that lost its timer for want of memory is woken by a restart."""
    try:
        mount.wait(mount.is_quiet_with(drop), "quiet", 8)
    except AssertionError:
        mount.restart()
        mount.wait(mount.is_quiet_with(drop), "quiet after a restart")
        return 1
    return 0


def account_loosely(mount, sim, drops, clip):
    """As account_for(), but what could not be made for want of memory may have failed, visibly."""
    total = collections.Counter()
    for drop in drops:
        creates = sim.creates(drop.mark)
        record = mount.record(drop.model, drop.name)
        told = "%s: %s %s\n%s" % (drop.mark, record, creates, mount.log_text()[-3000:])
        assert record or not drop.complete, "unaccounted for: " + told
        assert len(creates) <= 1, "created twice: " + told
        if not record:
            continue
        videos = campaign.published(mount, drop)
        if record["state"] == "done":
            assert len(videos) == 1 and creates, told
        else:
            assert record["state"] in ("unknown", "held", "rejected", "failed") and not videos, told
            assert record.get("error") or record.get("held_because"), told
            assert record["state"] == "unknown" or not creates, "paid, and not shown: " + told
        total[record["state"]] += 1
    campaign.await_no_leftovers(mount)
    campaign.assert_whole_tree(mount, clip)
    return total


@pytest.mark.parametrize("kind", ["sync", "write", "memory", "connect", "send"])
def test_a_call_that_fails_anywhere_in_a_job(injected, kind):
    """The Nth call of its kind fails, for N over the whole job; the daemon lives through all."""
    if kind == "memory" and campaign.sanitizer() in ("asan", "tsan"):
        pytest.skip("a sanitizer has an allocator of its own")
    mount, control, sim = injected()
    calls = {}
    first = three_kinds("cold") + three_kinds("warm")
    for drop in first:
        before = control.calls(kind)
        drop.put(mount)
        mount.done(drop.model, drop.name)
        calls[drop.model] = control.calls(kind) - before
    step = {"memory": 7 if LONG else 151, "write": 1 if LONG else 7,
            "sync": 1 if LONG else 2}.get(kind, 1)
    drops, stuck, hits = [], 0, 0
    error = {"memory": errno.ENOMEM, "connect": errno.ECONNREFUSED,
             "send": errno.ECONNRESET}.get(kind, errno.EIO)
    for index, number in [(index, number) for index, drop in enumerate(first[:3])
                          for number in range(0, calls[drop.model], step)]:
        drop = three_kinds("%s%d" % (kind, number))[index]
        control.fail(kind, error, after=number, times=1)
        if not drop.put(mount):
            control.mend()
            drop.put(mount)
        stuck += settle(mount, drop)
        hits += control.failed(kind)
        control.mend()
        drops.append(drop)
        assert mount.process.poll() is None, "kinofs died:\n" + mount.log_text()
    mount.restart()
    mount.wait(mount.is_quiet_with(*drops), "quiet at last")
    total = account_loosely(mount, sim, first + drops, bytes_of(sim.options["clip"]))
    assert total["done"] > len(drops) // 2, total
    assert hits > len(drops) // 2, "only %d of %d calls failed" % (hits, len(drops))
    print("%s: %d failures, %s, stuck until a restart: %d" % (kind, hits, dict(total), stuck))


# ------------------------------------------------------------------ a store that cannot be used

def used_store(mount):
    """A store with a job in its journal, unmounted."""
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    mount.unmount()
    return os.path.join(mount.store, "journal.db")


def grow(path):
    """As after some use: its schema, and its first job, stand in the first half."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executemany("INSERT INTO took VALUES ('a model', ?, 0)",
                             ((ms,) for ms in range(5000)))


@pytest.mark.parametrize("damage", ["garbage", "header"])
def test_a_journal_of_which_nothing_can_be_read_is_refused(kinofs, sim, damage):
    mount = kinofs(expects="journal")
    path = used_store(mount)
    whole = bytes_of(path)
    content = {"garbage": os.urandom(len(whole)),
               "header": b"not a database at al" + whole[20:]}[damage]
    with open(path, "wb") as file:
        file.write(content)
    said = refused(mount)
    assert "journal" in said and "damaged" in said, said
    assert bytes_of(path) == content, "the journal was changed"
    with open(path, "wb") as file:
        file.write(whole)
    mount.start()  # the way out: the backup
    assert mount.record(TEXT, "cat")["state"] == "done" and len(sim.creates()) == 1


@pytest.mark.parametrize("damage", ["half", "a page", "a row"])
def test_a_damaged_journal_is_kept_and_what_can_be_read_goes_on(kinofs, sim, damage):
    """The take that cannot be read is set aside with a note, and is not ordered again."""
    mount = kinofs(expects="journal")
    path = used_store(mount)
    grow(path)
    whole = bytes_of(path)
    content = {"half": whole[:len(whole) // 2 - 100],
               "a page": whole[:4096] + b"\xff" * 4096 + whole[8192:],
               "a row": whole.replace(b"done", b"dono")}[damage]
    with open(path, "wb") as file:
        file.write(content)
    mount.start()
    kept = glob.glob(path + ".damaged-*[0-9]")
    if damage == "a row":  # it is mended where it is; the log has what stood there
        assert not kept
    else:
        assert [bytes_of(name) for name in kept] == [content]
        assert kept[0] in mount.log_text()
    if damage == "half":  # the take is in the half that is left
        assert mount.record(TEXT, "cat")["state"] == "done"
    else:
        note = mount.note(TEXT, "cat", "error")
        assert "journal is damaged" in note and "MAY have been spent" in note, note
        assert mount.record(TEXT, "cat")["state"] == "unknown"
    os.mkdir(mount.directory + "/other")
    second = mount.run("-f", "-o", "store=" + mount.store, mount.directory + "/other")
    assert second.returncode == 1 and "another kinofs" in second.stderr, second
    mount.drop(TEXT, "cat.txt", "a cat")  # saved again: it may have been paid for
    mount.drop(TEXT, "dog.txt", "a dog")
    mount.done(TEXT, "dog")
    mount.quiet()
    assert len(sim.creates("a cat")) == 1
    mount.unmount()
    mount.start()  # now it is whole
    assert mount.record(TEXT, "dog")["state"] == "done" and len(sim.creates()) == 2


def test_a_journal_of_a_newer_version_is_refused(kinofs):
    mount = kinofs()
    path = used_store(mount)
    with sqlite3.connect(path) as journal:
        journal.execute("PRAGMA user_version = 99")
    journal.close()
    before = bytes_of(path)
    assert "newer" in refused(mount)
    assert bytes_of(path) == before


@root_only
def test_a_read_only_store_is_refused(kinofs):
    mount = kinofs()
    used_store(mount)
    subprocess.run(["mount", "--bind", mount.store, mount.store], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", mount.store], check=True)
        assert "ead-only" in refused(mount)
    finally:
        subprocess.run(["umount", mount.store], check=True)
    mount.start()
    assert mount.record(TEXT, "cat")["state"] == "done"


def test_a_limit_on_the_size_of_files_is_an_error_not_the_end(kinofs, libraries):
    """Under `ulimit -f` a write beyond it raises SIGXFSZ, whose default is to end the process."""
    import resource
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    mount = kinofs(start=False)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, before[1]))
    try:
        mount.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(OSError) as error:
        mount.drop(TEXT, "big.bin", bytes(8 << 20))
    assert error.value.errno == errno.EFBIG
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")


# ------------------------------------------------------------------ descriptors

def take_all(mount, wanted):
    """Opens files, as many as may be, up to that."""
    held = []
    with contextlib.suppress(OSError):
        while len(held) < wanted:
            held.append(os.open(mount.path("held", str(len(held))), os.O_CREAT | os.O_RDWR, 0o644))
    return held


def test_a_program_with_all_files_open_stops_no_job(kinofs, tmp_path):
    """Each is a descriptor of kinofs too, but the last ones are its own: what is closed is ordered
    once, fetched and shown, and listings go on. Who finds no descriptor is told, and loses nothing."""
    mount = kinofs(start=False)
    limited = str(tmp_path / "limited")
    with open(limited, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\nexec prlimit --nofile=96:96 "$0.real" "$@"\n')
    os.chmod(limited, 0o755)
    os.symlink(KINOFS, limited + ".real")
    mount.command = lambda: [limited, *type(mount).command(mount)[1:]]
    mount.start()
    os.mkdir(mount.path("held"))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    cat = os.open(mount.path(TEXT, "cat.txt"), os.O_WRONLY | os.O_TRUNC)
    dog = os.open(mount.path(TEXT, "dog.txt"), os.O_WRONLY | os.O_CREAT)
    held = take_all(mount, 78)
    try:
        for fd, text in ((cat, b"a cat"), (dog, b"a dog")):
            os.write(fd, text)
            os.close(fd)
            held += take_all(mount, 78 - len(held))
        assert 40 < len(held) < 78, "files a program may have"
        with pytest.raises(OSError) as refused:
            mount.drop(TEXT, "fox.txt", "a fox")
        assert refused.value.errno == errno.EMFILE
        assert sorted(os.listdir(mount.path(TEXT))) == [
            "README.txt", "cat.txt", "dog.txt", "jobs", "out", "schema.json"]
        mount.done(TEXT, "dog")
        assert "dog.mp4" in mount.out(TEXT)
    finally:
        for fd in held:
            os.close(fd)
    mount.drop(TEXT, "fox.txt", "a fox")
    mount.accepted(TEXT, "fox")
    assert [body["input"]["prompt"] for body in mount.sim.bodies()] == ["a cat", "a dog", "a fox"]
    mount.wait_log("Too many open files")


def test_the_doctor_names_parts_that_nobody_goes_on_with(tmp_path):
    incoming = tmp_path / "kinofs" / "incoming"
    incoming.mkdir(parents=True)
    for name, days in (("0badc0de-1-0.part", 30), ("2-0.part", 21), ("3-0.part", 16), ("note.tmp", 30)):
        (incoming / name).write_bytes(bytes(1000000))
        os.utime(incoming / name, (time.time() - days * 86400,) * 2)
    environment = dict(os.environ, XDG_DATA_HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    run = subprocess.run([KINOFS, "doctor"], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    notes = [line for line in run.stdout.splitlines() if "incoming" in line]
    assert len(notes) == 1 and notes[0].startswith("note  2 parts") and "(2.0 MB)" in notes[0]
    assert len(list(incoming.iterdir())) == 4
