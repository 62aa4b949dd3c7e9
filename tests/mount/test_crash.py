"""Crashes: at every step of a job, at random moments, and with journals that are not what they were.

The process is killed by SIGKILL from inside (tests/preload/inject.c) before a chosen write, fsync, rename,
connect or send, or in the middle of a write, and started again on the same store. What must hold
then is judged from the simulator's log and the tree: campaign.account_for().
"""
import collections
import concurrent.futures
import errno
import json
import os
import random
import shutil
import sqlite3
import time

import pytest

import campaign
from campaign import Control, CrashMount, Drop, account_for, preload, three_kinds
from harness import TEXT, Simulator

pytestmark = pytest.mark.no_asan("what is killed leaks; the campaign is about processes")

SPEED = 30  # timers; a poll comes after 80 ms
WORKERS = 3
LONG = os.environ.get("KINOFS_TORTURE")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return campaign.compile_preloads(str(tmp_path_factory.mktemp("preload")))


@pytest.fixture(scope="module")
def shared_sim(tmp_path_factory, clip):
    """One simulator for many stores: its log is the account book."""
    sim = Simulator(str(tmp_path_factory.mktemp("sim")), clip=clip, seconds=0)
    yield sim
    assert sim.stop() == 0


@pytest.fixture
def stores(tmp_path, libraries, shared_sim):
    """stores(name): a mount that can be killed from inside, and its control page."""
    made = []

    def run(name, sim=shared_sim, speed=SPEED, **options):
        directory = tmp_path / name
        os.makedirs(directory)
        control = Control(str(directory / "control"))
        control.reset()
        environment = preload(libraries["speed"], libraries["inject"],
                              KINOFS_TEST_SPEED=speed, KINOFS_TEST_CONTROL=control.path)
        mount = CrashMount(directory, **{"sim": sim, "config": campaign.OPEN,
                                         "environment": environment, **options})
        made.append(mount)
        return mount, control
    yield run
    problems = []
    for mount in made:
        try:
            mount.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def in_parallel(function, items):
    """function(item) for all, a few at a time; the first failure counts."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


def clip_bytes(sim):
    return campaign.clip_content(sim.options["clip"])


# ------------------------------------------------------------------ every step

def crash_once(mount, control, drop, kill_at, torn):
    """One crash at a step of one job. Whether there was such a step."""
    control.reset(kill_at, torn)
    if mount.try_start():
        drop.put(mount)
        if mount.live_until(mount.is_quiet_with(drop)):
            if mount.leave():
                return False
        else:
            mount.bury()
    control.reset()
    mount.start()
    if not drop.complete:
        drop.put(mount)  # as a user would, whose copy was cut off
    # half a file was rejected or held; that the whole one came may still be on its way to who
    # judges it, or what was queued is withdrawn, as its files say something else
    mount.wait(mount.is_quiet_with(drop, passing=("rejected", "held", "cancelled")),
               "quiet after a crash")
    return True


@pytest.mark.parametrize("kind", ["upload", "inline", "text"])
@pytest.mark.parametrize("torn", [False, True], ids=["before", "torn"])
def test_a_crash_at_every_step_of_a_job(stores, shared_sim, kind, torn):
    """In `make test` every step but two of three plain writes; in torture all of them."""
    index = ("upload", "inline", "text").index(kind)
    plan, control = stores("plan-%s-%d" % (kind, torn))
    first = three_kinds("plan-%s-%d" % (kind, torn))[index]
    plan.start()
    first.put(plan)
    plan.wait(plan.is_quiet_with(first), "the job whose steps are counted")
    steps = control.steps()
    plan.unmount()

    chosen = [number for number, letter in enumerate(steps, 1)
              if (letter == "w" if torn else True) and
              (LONG or letter != "w" or number % (6 if torn else 3) == 0)]

    def crash(number):
        name = "%s-%d-%d" % (kind, torn, number)
        mount, page = stores(name)
        drop = three_kinds(name)[index]
        reached = crash_once(mount, page, drop, number, torn)
        counted = account_for(mount, shared_sim, [drop], clip_bytes(shared_sim)) \
            if reached else None
        mount.close()
        return counted

    results = [result for result in in_parallel(crash, chosen) if result is not None]
    assert len(results) >= len(chosen) * 3 // 4, "too few crashes happened"
    total = sum(results, collections.Counter())
    assert total["done"] > total["unknown"] > -1 and total["other"] == 0, total
    print("%s%s: %d crashes, %s" % (kind, " torn" * torn, len(results), dict(total)))


# ------------------------------------------------------------------ random moments

def test_kills_at_random_moments_with_many_jobs_in_flight(stores, start_sim):
    """Every run is killed from outside, somewhere in the work; drops go on all the while."""
    sim = start_sim(seconds=0.3)
    mount, _ = stores("random", sim=sim, speed=10)
    dice = random.Random(20261120)
    drops, rounds = [], 400 if LONG else 40
    for number in range(rounds):
        mount.start()
        if number % 3 == 0:
            fresh = three_kinds("r%d" % number)
            drops += fresh
            for drop in fresh:
                drop.put(mount)
        else:
            mount.jobs()  # it serves
        time.sleep(dice.uniform(0, 0.25))  # the random moment is what this test is about
        mount.kill9()
    mount.start()
    mount.wait(mount.is_quiet_with(*drops), "quiet after all the kills")
    total = account_for(mount, sim, drops, clip_bytes(sim))
    assert total["done"] > len(drops) // 2 and total["other"] == 0, total
    print("%d kills, %d jobs: %s" % (rounds, len(drops), dict(total)))


def test_a_dead_mount_is_cleared_at_start(stores):
    mount, _ = stores("dead")
    mount.start()
    mount.kill9()
    with pytest.raises(OSError) as error:
        os.stat(mount.path("README.txt"))
    assert error.value.errno == errno.ENOTCONN
    mount.start()
    assert len(mount.mount_ids()) == 1, "stacked on the dead one"
    mount.unmount()
    assert mount.mount_ids() == []
    os.rmdir(mount.root)  # nothing is left of it
    os.mkdir(mount.root)


# ------------------------------------------------------------------ journals that are not what they were

JOURNAL = ("journal.db", "journal.db-wal", "journal.db-shm")


def remove_journal(mount):
    for name in JOURNAL:
        path = os.path.join(mount.store, name)
        if os.path.exists(path):
            os.unlink(path)


def copy_journal(mount, directory):
    os.makedirs(directory)
    for name in JOURNAL[:2]:
        if os.path.exists(os.path.join(mount.store, name)):
            copy = shutil.copy2(os.path.join(mount.store, name), directory)
            hour_ago = time.time() - 3600  # a backup is older than a test can wait
            os.utime(copy, (hour_ago, hour_ago))


def restore_journal(mount, directory):
    remove_journal(mount)
    for name in os.listdir(directory):
        shutil.copy2(os.path.join(directory, name), mount.store)


def end(mount, crashed):
    if crashed:
        mount.kill9()
    else:
        mount.unmount()


@pytest.mark.parametrize("crashed", [False, True], ids=["ended", "crashed"])
@pytest.mark.parametrize("how", ["lost", "empty"])
def test_a_lost_journal_over_a_full_tree_submits_nothing(stores, start_sim, how, crashed):
    sim = start_sim()
    mount, _ = stores("lost", sim=sim)
    mount.start()
    drops = three_kinds("paid")
    for drop in drops:
        drop.put(mount)
    mount.wait(mount.is_quiet_with(*drops), "the jobs")
    end(mount, crashed)
    remove_journal(mount)
    if how == "empty":
        with open(os.path.join(mount.store, "journal.db"), "wb"):
            pass
    mount.start()
    for drop in drops:
        record = mount.wait_state(drop.model, drop.name, "held")
        assert "journal" in " ".join(record["held_because"]) and "release" in record["advice"]
        assert "release" in mount.note(drop.model, drop.name, "held")
        assert len(sim.creates(drop.mark)) == 1
    # the way out
    assert "released" in mount.order("release %s/%s" % (TEXT, "paid"))
    assert mount.done(TEXT, "paid")["outputs"] == [TEXT + "/out/paid.2.mp4"]
    assert [len(sim.creates(drop.mark)) for drop in drops] == [1, 1, 2]


@pytest.mark.parametrize("crashed", [False, True], ids=["ended", "crashed"])
def test_an_older_journal_submits_nothing(stores, start_sim, tmp_path, crashed):
    """Copied while a job was held by a cap, and another was not there yet; both were paid since."""
    sim = start_sim()
    mount, _ = stores("older", sim=sim,
                      config={**campaign.OPEN, "caps": {"credits_per_job": 1}})
    mount.start()
    known = Drop(TEXT, "known")
    known.put(mount)
    mount.wait_state(TEXT, "known", "held")
    mount.unmount()
    copy_journal(mount, str(tmp_path / "copy"))
    mount.configure(campaign.OPEN)
    mount.start()
    later = Drop(TEXT, "later")
    later.put(mount)
    mount.wait(mount.is_quiet_with(known, later), "both are paid")
    assert [mount.record(TEXT, name)["state"] for name in ("known", "later")] == ["done"] * 2
    end(mount, crashed)
    restore_journal(mount, str(tmp_path / "copy"))
    mount.start()
    for name in ("known", "later"):
        assert "release" in mount.wait_state(TEXT, name, "held")["advice"]
    mount.restart()  # and not at the next start either
    mount.quiet()
    for drop in (known, later):
        assert mount.record(TEXT, drop.name)["state"] == "held"
        assert len(sim.creates(drop.mark)) == 1, "paid twice"


def test_a_journal_copied_while_it_was_queued_submits_nothing(stores, start_sim, tmp_path):
    """The copy was taken of a running kinofs, between the intent and the answer."""
    sim = start_sim()
    sim.faults({"on": "create", "do": "http", "value": 429, "times": 1})
    mount, _ = stores("queued", sim=sim, speed=1)
    mount.start()
    drop = Drop(TEXT, "cat")
    drop.put(mount)
    mount.wait(lambda: (mount.record(TEXT, "cat") or {}).get("warning"), "the pause after a 429")
    copy_journal(mount, str(tmp_path / "copy"))
    assert mount.done(TEXT, "cat")
    end(mount, True)
    restore_journal(mount, str(tmp_path / "copy"))
    mount.start()
    mount.wait(mount.is_quiet_with(drop), "quiet")
    assert mount.record(TEXT, "cat")["state"] in ("held", "unknown")
    assert [entry["task"] is not None for entry in sim.creates(drop.mark)] == [False, True]


@pytest.mark.parametrize("seconds", [0, 6], ids=["at once", "later"])
def test_a_drop_closed_just_before_a_crash_is_picked_up(stores, start_sim, seconds):
    """However long nobody mounts it: more than what a checkpoint may take (fs/journal/lastrun.c)."""
    sim = start_sim()
    mount, _ = stores("just", sim=sim, settle=3600, speed=1)
    mount.start()
    drops = three_kinds("cat")
    for drop in drops:
        drop.put(mount)
    mount.kill9()
    time.sleep(seconds)  # the kernel's own time of files is what this is about
    mount.settle = 0.1
    mount.start()
    mount.wait(mount.is_quiet_with(*drops), "the drops of the moment before")
    total = account_for(mount, sim, drops, clip_bytes(sim))
    assert total["done"] == 3, total


def test_a_result_found_missing_after_a_crash_is_downloaded_again(stores, start_sim):
    """The download goes on with Range where it was cut."""
    sim = start_sim()
    sim.faults({"on": "download", "do": "truncate", "times": 1})
    mount, _ = stores("range", sim=sim, speed=1)
    mount.start()
    drop = Drop(TEXT, "cat")
    drop.put(mount)
    mount.wait(mount.is_kept, "a download cut off, and what came of it synced")
    mount.kill9()
    mount.start()
    mount.done(TEXT, "cat")
    assert account_for(mount, sim, [drop], clip_bytes(sim))["done"] == 1
    assert [bool(entry.get("range")) for entry in sim.downloads()] == [False, True]


def test_a_name_that_was_taken_after_it_was_chosen_is_not_written_over(stores, start_sim):
    """Killed between the name, which is durable, and the rename; meanwhile the user made the file."""
    sim = start_sim()
    mount, _ = stores("taken", sim=sim)
    mount.start()
    drop = Drop(TEXT, "cat")
    drop.put(mount)
    mount.done(TEXT, "cat")
    mount.unmount()
    video = os.path.join(mount.tree, TEXT, "out", "cat.mp4")
    database = sqlite3.connect(os.path.join(mount.store, "journal.db"))
    number, outputs = database.execute("SELECT id, outputs FROM job").fetchone()
    outputs = json.loads(outputs)
    assert outputs[0].pop("published")
    database.execute("UPDATE job SET state = 'downloading', finished = 0, outputs = ?",
                     (json.dumps(outputs),))
    database.commit()
    database.close()
    os.rename(video, os.path.join(mount.store, "incoming", "%d-0.part" % number))
    with open(video, "wb") as file:
        file.write(b"mine")
    mount.start()
    mount.done(TEXT, "cat")
    assert mount.out(TEXT) == ["cat.2.mp4", "cat.mp4"]
    assert campaign.clip_content(mount.path(TEXT, "out", "cat.mp4")) == b"mine"
    assert campaign.clip_content(mount.path(TEXT, "out", "cat.2.mp4")) == clip_bytes(sim)
