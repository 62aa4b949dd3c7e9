"""Journals of older formats go on without an order, and what was paid before is known to be paid.

tests/mount/journals/ has one of each format, with a job in every state; the files that belong to
it are made here. Their prompts are "the words of NAME".
"""
import http.client
import json
import os
import shutil
import sqlite3
import time

import pytest

import harness
import ledger
from harness import FLAT, HAILUO_02, HAILUO_23, TEXT, png
from ledger import held_as_copy, ordered, orders, passed

pytestmark = pytest.mark.no_asan("its rules run under it in the simulated engine, which is faster")

JOURNALS = os.path.join(harness.ROOT, "tests", "mount", "journals")
TIMES = ("created", "submitted", "accepted", "finished", "changed", "links_until")

ENDED = {(TEXT, "done"): "done", (TEXT, "twice"): "twice, again", (TEXT, "summer/done"): "summer",
         (TEXT, "list-0001"): "line 1", (TEXT, "list-0002"): "line 2", (HAILUO_23, "pair"): "pair",
         (HAILUO_02, "linked"): "linked", (FLAT, "flat"): "flat"}
UNDER_WAY = ("running", "downloading")
STAYS = {(TEXT, "failed"): "failed", (TEXT, "unknown"): "unknown", (TEXT, "submitting"): "unknown",
         (TEXT, "rejected"): "rejected", (HAILUO_23, "cancelled"): "cancelled",
         (HAILUO_23, "waiting"): "waiting", (HAILUO_23, "dear"): "held", (TEXT, "found"): "held"}
OPEN = ("queued", "uploading", "settling", "keyless")  # nothing was sent of these
PROMPTS = ("done", "downloading", "failed", "found", "queued", "running", "settling", "submitting",
           "unknown")


def words(name):
    return "the words of " + name


def write(mount, model, name, content):
    path = os.path.join(mount.tree, model, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if isinstance(content, dict):
        content = json.dumps(content)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))


def write_tree(mount, clip):
    for name in PROMPTS:
        write(mount, TEXT, name + ".txt", words(name))
    write(mount, TEXT, "twice.txt", words("twice, again"))
    write(mount, TEXT, "summer/done.txt", words("summer"))
    write(mount, TEXT, "rejected.json", {"promt": "x"})
    write(mount, TEXT, "list.jsonl", "".join(
        json.dumps({"prompt": words("line %d" % number)}) + "\n" for number in (1, 2)))
    for name in ("cancelled", "waiting", "pair", "uploading"):
        write(mount, HAILUO_23, name + ".txt", words(name))
    write(mount, HAILUO_23, "pair.png", png())
    write(mount, HAILUO_23, "uploading.png", png(colour=(7, 7, 7)))
    write(mount, HAILUO_23, "dear.png", png(colour=(5, 5, 5)))
    write(mount, HAILUO_23, "dear.json", {"prompt": words("dear"), "image_url": "dear.png",
                                          "duration": "10"})
    write(mount, HAILUO_02, "linked.json", {"prompt": words("linked"), "duration": 6,
                                            "image_url": "https://example.com/cat.png"})
    write(mount, FLAT, "flat.txt", words("flat"))
    write(mount, FLAT, "flat.png", png(16, 16))
    write(mount, FLAT, "keyless.json", {"prompt": words("keyless")})
    with open(clip, "rb") as file:
        video = file.read()
    for model, name in ((TEXT, "done"), (TEXT, "twice"), (TEXT, "twice.2"), (TEXT, "summer/done"),
                        (TEXT, "list-0001"), (TEXT, "list-0002"), (TEXT, "gone"),
                        (HAILUO_23, "pair"), (HAILUO_02, "linked"), (FLAT, "flat")):
        write(mount, model, "out/%s.mp4" % name, video)


def create(sim, name):
    """A task at the simulator as an earlier kinofs has made it; its id."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=harness.PATIENCE)
    connection.request("POST", "/api/v1/jobs/createTask", json.dumps(
        {"model": TEXT, "input": {"prompt": words(name)}}),
        {"Content-Type": "application/json",
         "Authorization": "Bearer " + harness.KEYS["KIE_API_KEY"]})
    task = json.loads(connection.getresponse().read())["data"]["taskId"]
    connection.close()
    return task


def write_journal(mount, sim, number):
    """As if its last moment was ten minutes ago, with tasks that this simulator knows."""
    path = os.path.join(mount.store, "journal.db")
    with open(os.path.join(JOURNALS, "format%d.sql" % number), encoding="utf-8") as file:
        script = file.read()
    journal = sqlite3.connect(path)
    journal.executescript(script)
    last, = journal.execute("SELECT max(changed) FROM job").fetchone()
    shift = int((time.time() - 600) * 1000) - last
    for column in TIMES:
        journal.execute("UPDATE job SET {0} = {0} + ? WHERE {0} > 0".format(column), (shift,))
    journal.execute("UPDATE upload SET at = at + ?", (shift,))
    for name in UNDER_WAY:
        journal.execute(
            "UPDATE job SET task = ?, outputs = replace(outputs, 'http://127.0.0.1:1', ?)"
            " WHERE stem = ?", (create(sim, name), sim.url, name.encode()))
    generation, = journal.execute("SELECT generation FROM run").fetchone()
    assert journal.execute("PRAGMA user_version").fetchone() == (number,)
    states = {state for state, in journal.execute("SELECT state FROM job")}
    assert len(states) == 12, states
    journal.commit()
    journal.close()
    with open(os.path.join(mount.store, "run"), "w", encoding="ascii") as file:
        file.write("%d %d ended\n" % (generation, os.stat(path).st_ino))


@pytest.fixture(params=[1, 2], ids=["format 1", "format 2"])
def upgraded(request, kinofs, sim, clip):
    """A mount on such a store."""
    mount = kinofs(start=False, config={
        **harness.OPEN_GATES, "caps": {"jobs_per_day": None, "credits_per_job": 60}})
    os.makedirs(mount.store)
    write_tree(mount, clip)
    write_journal(mount, sim, request.param)
    return mount.start()


def only_what_was_open(mount):
    """Nothing was ordered but what had not been sent, and that at most once."""
    mount.quiet(timeout=ledger.LATE)
    seen = orders(mount.sim)
    for name in UNDER_WAY:  # by the test itself
        assert seen.pop(words(name)) == 1
    assert max(seen.values(), default=0) <= 1, seen
    assert set(seen) <= {words(name) for name in OPEN}, seen


def test_an_old_journal_goes_on_without_an_order(upgraded):
    mount = upgraded
    for _ in range(2):
        only_what_was_open(mount)
        for (model, name), text in ENDED.items():
            record = mount.record(model, name)
            assert (record["state"], ledger.prompt(record)) == ("done", words(text)), record
        for (model, name), state in STAYS.items():
            assert mount.record(model, name)["state"] == state, mount.record(model, name)
        for name in UNDER_WAY:
            mount.done(TEXT, name, timeout=60)
        record = mount.record(TEXT, "twice")
        assert (record["take"], [take["take"] for take in record["earlier_takes"]]) == (2, [1])
        mount.restart()


def test_what_an_old_journal_knows_is_paid_once(upgraded):
    """The index of orders was built from the rows that were there."""
    mount = upgraded
    only_what_was_open(mount)
    before = orders(mount.sim)
    # saved again; undone; its files away and back; renamed, changed to a name of before
    mount.drop(TEXT, "done.txt", words("done") + "\n")
    mount.drop(HAILUO_02, "linked.json", {"image_url": "https://example.com/cat.png",
                                          "duration": "6", "prompt": words("linked")})
    mount.drop(TEXT, "twice.txt", words("twice, once"))
    mount.drop(TEXT, "gone.txt", words("gone"))
    mount.drop(TEXT, "unknown.txt", words("unknown"))
    mount.drop(TEXT, "list.jsonl", json.dumps({"prompt": words("line 2")}) + "\n")
    os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
    for ending in ("png", "txt"):
        os.rename(mount.path(HAILUO_23, "pair." + ending), mount.path(HAILUO_23, "two." + ending))
    passed(mount)
    mount.quiet(timeout=ledger.LATE)
    assert orders(mount.sim) == before
    assert mount.done(TEXT, "twice", timeout=ledger.LATE)["take"] == 1
    for model, name in ((TEXT, "done"), (TEXT, "gone"), (TEXT, "winter/done"), (HAILUO_23, "two")):
        mount.done(model, name, timeout=ledger.LATE)
    assert mount.record(HAILUO_23, "pair") is None


@pytest.mark.parametrize("restarted", [False, True], ids=["at once", "later"])
def test_a_copy_of_what_an_old_journal_knows_is_held(upgraded, restarted):
    mount = upgraded
    only_what_was_open(mount)
    if restarted:
        mount.restart()
    before = orders(mount.sim)
    for model, name, endings in ((TEXT, "done", ("txt",)), (HAILUO_23, "pair", ("png", "txt")),
                                 (FLAT, "flat", ("png", "txt")), (HAILUO_02, "linked", ("json",))):
        for ending in endings:
            shutil.copyfile(mount.path(model, name + "." + ending),
                            mount.path(model, "copy." + ending))
        held_as_copy(mount, model, "copy", name)
    assert orders(mount.sim) == before
    mount.drop(TEXT, "copy.txt", "other words")
    mount.done(TEXT, "copy", timeout=ledger.LATE)
    ordered(mount, *before, "other words")
