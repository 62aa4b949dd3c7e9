"""A store on another filesystem than a local disk, and its journal apart: -o journal=DIR.

bindfs stands for what a store may lie on that is not a local disk: sshfs, and by the same code NFS and
CIFS, which tests/unit/test_filesystem.c tells.
"""
import os
import subprocess

import pytest

import ledger
from harness import TEXT
from ledger import held, orders, once, passed

pytestmark = pytest.mark.no_asan("it is about starts and what they refuse; bindfs is not ours")


@pytest.fixture
def far(tmp_path):
    """A folder on another FUSE filesystem."""
    behind, front = tmp_path / "behind", tmp_path / "far"
    behind.mkdir()
    front.mkdir()
    subprocess.run(["bindfs", "--no-allow-other", str(behind), str(front)], check=True)
    yield str(front)
    subprocess.run(["fusermount3", "-u", "-z", str(front)], check=True)


@pytest.fixture
def make(tmp_path, far, sim):
    """make(NAME, journal=DIR): a machine of that name, whose store is the far one."""
    with ledger.mounts(tmp_path, sim) as make_mount:
        def machine(name, journal=None, store=os.path.join(far, "store"), start=True):
            mount = make_mount(name, start=False, options=["journal=" + journal] if journal else [],
                               environment={"XDG_STATE_HOME": str(tmp_path / name / "state")})
            mount.store, mount.tree = store, os.path.join(store, "tree")
            return mount.start() if start else mount
        yield machine


def refused(mount):
    """What it says instead of mounting."""
    result = mount.run(*mount.command()[1:])
    assert result.returncode == 1 and not mount.is_mounted(), result
    return result.stderr


def test_a_store_without_a_local_disk_needs_its_journal_apart(make):
    said = refused(make("one", start=False))
    assert "FUSE" in said and "-o journal=DIR" in said and "local disk" in said, said


def test_a_journal_may_lie_on_fuse_when_the_user_says_so(make, sim, far):
    """With a warning: they know what is behind it."""
    mount = make("one", journal=os.path.join(far, "store"))
    mount.wait_log("only if that is on a disk of this machine")
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat", timeout=ledger.LATE)
    assert os.path.exists(os.path.join(mount.store, "journal.db"))
    mount.unmount()
    assert orders(sim) == once("a cat")


def test_machines_share_a_store_and_order_only_their_own(make, sim, tmp_path, far):
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    one = make("one", journal=first)
    one.drop(TEXT, "cat.txt", "a cat")
    one.done(TEXT, "cat", timeout=ledger.LATE)
    assert one.out(TEXT) == ["cat.mp4"]
    here = set(os.listdir(first))
    assert {"journal.db", "events.jsonl", "run", "writing"} <= here, here
    assert sorted(os.listdir(one.store)) == ["incoming", "journals", "tree"]

    # another machine, whose journal knows of nothing: a file found is held, a file dropped is its own
    two = make("two", journal=second)
    held(two, TEXT, "cat", "release")
    two.drop(TEXT, "dog.txt", "a dog")
    two.done(TEXT, "dog", timeout=ledger.LATE)
    # the first is killed when the other has just saved something: no last drop of its own
    one.kill9()
    two.drop(TEXT, "owl.txt", "an owl")
    two.done(TEXT, "owl", timeout=ledger.LATE)
    one.start(timeout=ledger.LATE)
    for name in ("dog", "owl"):
        held(one, TEXT, name, "release")
    one.drop(TEXT, "cat.txt", "a cat")  # saved again: it knows that
    one.quiet(timeout=ledger.LATE)
    for mount in (one, two):
        mount.unmount()
    assert orders(sim) == once("a cat", "a dog", "an owl")

    # the store remembers that its journal is elsewhere, and the journal whose it is
    lost = make("one", start=False)
    said = refused(lost)
    assert "is elsewhere" in said and first in said or second in said, said
    other = os.path.join(far, "other")
    make("three", journal=str(tmp_path / "third"), store=other).unmount()
    said = refused(make("one", journal=first, store=other, start=False))
    assert "belongs to another store" in said, said
    one.start()
    assert one.record(TEXT, "cat")["take"] == 1
    assert orders(sim) == once("a cat", "a dog", "an owl")


def test_a_journal_moves_out_of_its_store(make, sim, tmp_path):
    """What was paid for is still known, and nobody else can read it."""
    store, journal = str(tmp_path / "store"), str(tmp_path / "journal")
    for folder in (store, journal):
        os.mkdir(folder, 0o755)
    mount = make("one", store=store)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat", timeout=ledger.LATE)
    mount.unmount()
    mount.options = ["journal=" + journal]
    said = refused(mount)
    assert "mv %s/journal.db* %s/" % (store, journal) in said, said
    os.chmod(os.path.join(store, "journal.db"), 0o644)  # as older ones were
    os.rename(os.path.join(store, "journal.db"), os.path.join(journal, "journal.db"))
    mount.start()
    for name in os.listdir(journal):
        assert os.stat(os.path.join(journal, name)).st_mode & 0o077 == 0, name
    assert mount.record(TEXT, "cat")["state"] == "done"
    mount.drop(TEXT, "cat.txt", "a cat")
    passed(mount)
    mount.unmount()
    assert orders(sim) == once("a cat")
