"""A store knows itself: copies, backups, moves, what changed while unmounted; the lock; clocks.

Jobs that are not sent yet are made by a mount without keys; they go when it has keys again.
"""
import os
import shutil
import subprocess

import pytest

import harness
import ledger
from harness import TEXT
from ledger import held, once, ordered, orders, passed

pytestmark = pytest.mark.no_asan("it is about files and starts, and what is killed tells no leaks")

NAMES = ("a", "b", "c")
WORDS = {name: "the words of " + name for name in NAMES}


@pytest.fixture
def make(tmp_path, sim):
    with ledger.mounts(tmp_path, sim) as make_mount:
        yield make_mount


def with_held_jobs(make, name="one"):
    """An unmounted store with a paid job and three that wait for a key."""
    mount = make(name)
    mount.drop(TEXT, "paid.txt", "paid before")
    mount.done(TEXT, "paid", timeout=ledger.LATE)
    mount.unmount()
    mount.keys = {}
    mount.start()
    for stem, text in WORDS.items():
        mount.drop(TEXT, stem + ".txt", text)
    for stem in WORDS:
        mount.wait_state(TEXT, stem, "held", timeout=ledger.LATE)
    mount.unmount()
    mount.keys = harness.KEYS
    return mount


def copy_store(source, target):
    subprocess.run(["cp", "-a", source, target], check=True)


def all_held(mount):
    passed(mount)
    for stem in NAMES:
        held(mount, TEXT, stem, "release")
    assert mount.record(TEXT, "paid")["state"] == "done"


# ------------------------------------------------------------------ copies

@pytest.mark.parametrize("first", ["original", "copy"])
def test_of_a_store_and_its_copy_one_goes_on(make, sim, first):
    original = with_held_jobs(make)
    copy = make("two", start=False)
    copy_store(original.store, copy.store)
    for mount in (original, copy) if first == "original" else (copy, original):
        mount.start()
        passed(mount)
    all_held(copy)
    ordered(original, "paid before", *WORDS.values())
    for mount in (copy, original):  # not at the next start either
        mount.restart()
        passed(mount)
    all_held(copy)
    assert orders(sim) == once("paid before", *WORDS.values())
    # the copy is a store like any other now
    copy.drop(TEXT, "paid.txt", "paid before")
    copy.drop(TEXT, "new.txt", "new words")
    ordered(copy, "paid before", *WORDS.values(), "new words")
    assert "released" in copy.order("release %s/a" % TEXT)
    ordered(copy, "paid before", *WORDS.values(), "new words", WORDS["a"])


def test_a_store_moved_to_another_machine_holds_what_it_would_submit(make, sim, tmp_path):
    """Where no witness knows it, it may be a copy."""
    original = with_held_jobs(make)
    other = make("two", start=False, environment={"XDG_STATE_HOME": str(tmp_path / "elsewhere")})
    copy_store(original.store, other.store)
    other.start()
    all_held(other)
    ordered(other, "paid before")


def test_a_store_given_another_name_goes_on(make):
    mount = with_held_jobs(make)
    moved = make("two", start=False)
    os.rename(mount.store, moved.store)
    moved.start()
    ordered(moved, "paid before", *WORDS.values())


@pytest.mark.parametrize("crashed", [False, True], ids=["ended", "crashed"])
@pytest.mark.parametrize("how", ["anew", "in place"])
def test_a_store_put_back_from_a_backup_submits_nothing(make, sim, tmp_path, how, crashed):
    """Tree, journal and what the last run left all agree with each other."""
    mount = with_held_jobs(make)
    backup = str(tmp_path / "backup")
    copy_store(mount.store, backup)
    mount.start()
    ordered(mount, "paid before", *WORDS.values())
    for stem in NAMES:
        mount.done(TEXT, stem, timeout=ledger.LATE)
    if crashed:
        mount.kill9()
        mount.is_mounted() or subprocess.run(["fusermount3", "-u", "-z", mount.root], check=False)
    else:
        mount.unmount()
    if how == "anew":
        shutil.rmtree(mount.store)
        copy_store(backup, mount.store)
    else:
        put_back(backup, mount.store)
    mount.start()
    all_held(mount)
    mount.restart()
    all_held(mount)
    ordered(mount, "paid before", *WORDS.values())
    mount.drop(TEXT, "new.txt", "new words")
    assert "released" in mount.order("release %s/b" % TEXT)
    ordered(mount, "paid before", *WORDS.values(), "new words", WORDS["b"])


def put_back(backup, store):
    """As rsync --inplace --delete does: every file keeps its inode."""
    for folder, folders, files in os.walk(store, topdown=False):
        there = os.path.join(backup, os.path.relpath(folder, store))
        for name in files:
            if not os.path.exists(os.path.join(there, name)):
                os.unlink(os.path.join(folder, name))
        for name in folders:
            if not os.path.exists(os.path.join(there, name)):
                os.rmdir(os.path.join(folder, name))
    for folder, _, files in os.walk(backup):
        here = os.path.join(store, os.path.relpath(folder, backup))
        os.makedirs(here, exist_ok=True)
        for name in files:
            target = os.path.join(here, name)
            shutil.copyfile(os.path.join(folder, name), target)
            shutil.copystat(os.path.join(folder, name), target)


# ------------------------------------------------------------------ while nothing was mounted

def test_files_changed_while_unmounted_go_as_they_are_now(make):
    mount = with_held_jobs(make)
    os.unlink(os.path.join(mount.tree, TEXT, "a.txt"))
    with open(os.path.join(mount.tree, TEXT, "b.txt"), "w", encoding="utf-8") as file:
        file.write("better words")
    mount.start()
    ordered(mount, "paid before", "better words", WORDS["c"])
    assert mount.record(TEXT, "a") is None or mount.record(TEXT, "a")["state"] == "cancelled"


def test_files_moved_while_unmounted_are_ordered_once_or_held(make):
    """The job that waits goes with its file, or is held under the new name; never twice."""
    mount = with_held_jobs(make)
    folder = os.path.join(mount.tree, TEXT)
    os.makedirs(os.path.join(folder, "summer"))
    for old, new in (("a.txt", "summer/a.txt"), ("paid.txt", "summer/paid.txt"),
                     ("b.txt", "c.new"), ("c.txt", "b.txt"), ("c.new", "c.txt")):
        os.rename(os.path.join(folder, old), os.path.join(folder, new))
    mount.start()
    passed(mount)
    mount.quiet(timeout=ledger.LATE)
    seen = orders(mount.sim)
    assert max(seen.values()) == 1 and seen["paid before"] == 1, seen
    for stem, text in (("b", WORDS["c"]), ("c", WORDS["b"])):
        record = mount.record(TEXT, stem)
        if record["state"] != "held":
            assert ledger.prompt(record) == text and seen[text] == 1


@pytest.mark.parametrize("change", ["corrected", "removed"])
def test_a_queued_prompt_is_changed_right_before_a_crash(make, sim, change):
    sim.faults({"on": "create", "do": "http", "value": 429, "times": 0})
    mount = make()
    mount.drop(TEXT, "cat.txt", "old words")
    mount.wait(lambda: sim.creates(), "the first try", ledger.LATE)
    if change == "corrected":
        mount.drop(TEXT, "cat.txt", "new words")
    else:
        os.unlink(mount.path(TEXT, "cat.txt"))
    mount.kill9()
    sim.faults()
    mount.start(timeout=ledger.LATE)
    if change == "corrected":
        ordered(mount, "new words")
        mount.done(TEXT, "cat", timeout=ledger.LATE)
    else:
        ordered(mount)


# ------------------------------------------------------------------ one daemon, one store

def test_a_removed_lock_file_lets_nobody_in(make, tmp_path):
    mount = make()
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat", timeout=ledger.LATE)
    for name in ("lock", "run"):
        if os.path.exists(os.path.join(mount.store, name)):
            os.unlink(os.path.join(mount.store, name))
    other = str(tmp_path / "other")
    os.makedirs(other)
    second = subprocess.Popen(
        [harness.KINOFS, "-f", "-o", "store=" + mount.store, other], env=mount.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        said = second.communicate(timeout=ledger.LATE)[1]
    except subprocess.TimeoutExpired:
        subprocess.run(["fusermount3", "-u", "-z", other], check=False)
        second.kill()
        second.communicate()
        pytest.fail("a second kinofs runs on the store")
    assert second.returncode == 1 and "another kinofs" in said, said
    mount.drop(TEXT, "dog.txt", "a dog")
    ordered(mount, "a cat", "a dog")


def test_mounted_read_only_it_submits_nothing(make, sim):
    mount = with_held_jobs(make)
    mount.options.append("ro")
    mount.start()
    for stem in NAMES:
        record = mount.wait(lambda stem=stem: ledger.said(mount.record(TEXT, stem)).find("key") < 0
                            and mount.record(TEXT, stem)["state"] == "held" and
                            mount.record(TEXT, stem), "another reason", ledger.LATE)
        assert "read-only" in ledger.said(record) or "-o ro" in ledger.said(record), record
    mount.unmount()
    assert orders(sim) == once("paid before")
    mount.options.remove("ro")
    mount.start()
    ordered(mount, "paid before", *WORDS.values())


def test_a_paid_job_is_not_lost_while_it_is_mounted_read_only(make, start_sim):
    sim = start_sim(seconds=1)
    mount = make(sim=sim)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat", timeout=ledger.LATE)
    mount.kill9()
    mount.options.append("ro")
    mount.start(timeout=ledger.LATE)
    mount.unmount()
    mount.options.remove("ro")
    mount.start()
    mount.done(TEXT, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")


# ------------------------------------------------------------------ a wrong clock

DAY = 24 * 3600


@pytest.mark.parametrize("moves", [
    (0, 2 * DAY, 0), (2 * DAY, 0, 2 * DAY), (2 * DAY, 0, -2 * DAY, 0)],
    ids=["ahead and back", "back and ahead", "to and fro"])
def test_a_wrong_clock_gives_nobody_a_second_day(make, sim, tmp_path, moves):
    """Nothing but the wall clock has jumped: no day has gone by."""
    clocks = ledger.Clocks(str(tmp_path))
    clocks.set(wall=moves[0])
    mount = make(environment=clocks.environment,
                 config={**harness.OPEN_GATES, "caps": {"jobs_per_day": 3}})
    for turn, wall in enumerate(moves):
        clocks.set(wall=wall)
        for number in range(3):
            mount.drop(TEXT, "w%d-%d.txt" % (turn, number), "turn %d number %d" % (turn, number))
        mount.quiet(timeout=ledger.LATE)
        assert sum(orders(sim).values()) == 3, "turn %d: %s" % (turn, orders(sim))
    assert "jobs_per_day" in mount.note(TEXT, "w1-0", "held")


def test_a_clock_set_right_while_unmounted_gives_nobody_a_second_day(make, sim, tmp_path):
    """What was sent in the future counts for today."""
    clocks = ledger.Clocks(str(tmp_path))
    clocks.set(wall=2 * DAY)
    mount = make(environment=clocks.environment,
                 config={**harness.OPEN_GATES, "caps": {"jobs_per_day": 2}})
    for number in range(2):
        mount.drop(TEXT, "early%d.txt" % number, "early %d" % number)
    ordered(mount, "early 0", "early 1")
    mount.unmount()
    clocks.set(wall=0)
    mount.start()
    mount.drop(TEXT, "late.txt", "late")
    held(mount, TEXT, "late", "jobs_per_day")
    ordered(mount, "early 0", "early 1")


def test_a_real_second_day_comes_after_a_sleep(make, sim, tmp_path):
    """The machine slept over night: all clocks but the monotonic one have gone on."""
    clocks = ledger.Clocks(str(tmp_path))
    mount = make(environment=clocks.environment,
                 config={**harness.OPEN_GATES, "caps": {"jobs_per_day": 1}})
    mount.drop(TEXT, "one.txt", "one")
    ordered(mount, "one")
    mount.drop(TEXT, "two.txt", "two")
    held(mount, TEXT, "two", "jobs_per_day")
    clocks.set(asleep=2 * DAY)
    mount.drop(TEXT, "three.txt", "three")
    mount.wait(lambda: sum(orders(sim).values()) == 2, "the next day's job", ledger.LATE)
    mount.quiet(timeout=ledger.LATE)
    assert sum(orders(sim).values()) == 2
