"""What lies between two states: an order while files settle, a take that ends out of turn, an end
while an answer is on its way."""
import json
import os
import sqlite3
import time

import pytest

from harness import FLAT, HAILUO_02, HAILUO_23, KEYS, OPEN_GATES, ROOT, TEXT, png

NOT_NOW = {"on": "create", "do": "http", "value": 429}


def lines(*prompts):
    return "".join(json.dumps({"prompt": prompt}) + "\n" if prompt else "\n" for prompt in prompts)


# ------------------------------------------------------------------ takes

@pytest.fixture
def slow(start_sim, kinofs):
    """A mount whose tasks run longer than any test."""
    return kinofs(sim=start_sim(seconds=60))


def test_a_take_behind_a_rejected_one_is_sent_while_the_first_still_runs(slow):
    slow.drop(TEXT, "cat.txt", "a cat")
    slow.accepted(TEXT, "cat")
    slow.drop_bad(TEXT, "cat.txt", " ")
    slow.wait_state(TEXT, "cat", "rejected", take=2)
    slow.drop(TEXT, "cat.txt", "a black cat")
    assert slow.accepted(TEXT, "cat", take=2)["take"] == 2
    assert len(slow.sim.creates()) == 2


def test_a_take_behind_a_failed_one_is_sent_while_the_first_still_runs(slow):
    slow.drop(TEXT, "cat.txt", "a cat")
    slow.accepted(TEXT, "cat")
    slow.sim.faults({"on": "create", "do": "code", "value": 422})
    slow.drop(TEXT, "cat.txt", "a black cat")
    slow.wait_state(TEXT, "cat", "failed", take=2)
    assert "submitted again" in slow.order("retry %s/cat" % TEXT)
    slow.accepted(TEXT, "cat", take=3)
    assert len(slow.sim.creates("a black cat")) == 2


@pytest.mark.parametrize("restart", (False, True))
def test_the_last_bytes_cost_nothing_while_an_older_take_still_runs(slow, restart):
    slow.drop(TEXT, "cat.txt", "a cat")
    slow.accepted(TEXT, "cat")
    slow.sim.faults({"on": "create", "do": "reset_after"})
    slow.drop(TEXT, "cat.txt", "a black cat")
    slow.wait_state(TEXT, "cat", "unknown", take=2)
    if restart:
        slow.restart()
    slow.drop_bad(TEXT, "cat.txt", " ")
    slow.wait_state(TEXT, "cat", "rejected", take=3)
    slow.drop(TEXT, "cat.txt", "a black cat")
    slow.quiet()
    assert slow.record(TEXT, "cat")["take"] == 2
    assert len(slow.sim.creates()) == 2


# ------------------------------------------------------------------ while files settle

@pytest.mark.parametrize("how", ("order", "record"))
def test_what_is_cancelled_while_it_settles_is_not_sent(kinofs, how):
    mount = kinofs(settle=0.8)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: mount.record(TEXT, "cat"), "the record")
    if how == "order":
        mount.order("cancel %s/cat" % TEXT)
    else:
        os.unlink(mount.path(TEXT, "jobs", "cat.json"))
    mount.quiet()
    assert mount.record(TEXT, "cat")["state"] == "cancelled"
    assert mount.sim.creates() == []


@pytest.mark.parametrize("model", (TEXT, FLAT))
def test_what_changes_while_it_queues_is_not_sent_as_it_was(kinofs, sim, model):
    """Its turn comes while the change settles; no limit of creates, so nothing slows it down."""
    mount = kinofs(settle=2, config={"providers": {"kie": {"creates_per_10s": 0},
                                                   "ppinfra": {"creates_per_minute": 0}}})
    sim.faults(NOT_NOW)
    prompt = mount.drop(model, "cat.txt", "a cat")
    if model == FLAT:
        mount.drop(model, "cat.png", png())
    mount.wait(sim.creates, "the refusal")
    time.sleep(3.8)  # of a pause of 4.5 to 5.5 s
    if model == FLAT:
        mount.drop(model, "cat.png", png(colour=(1, 2, 3)))
    else:
        os.unlink(prompt)
    mount.wait(lambda: mount.record(model, "cat")["settling"], "the change")
    mount.wait(lambda: not mount.record(model, "cat")["settling"], "the judgement")
    mount.quiet()
    if model == FLAT:
        before, after = [body["image"] for body in sim.bodies()]
        assert before != after
    else:
        assert len(sim.creates()) == 1 and mount.record(model, "cat")["state"] == "cancelled"


def test_a_retry_while_the_last_take_settles_leaves_nothing_settling(kinofs):
    mount = kinofs(settle=0.8)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: mount.record(TEXT, "cat")["settling"], "the drop")
    mount.order("retry %s/cat" % TEXT)
    mount.done(TEXT, "cat", take=2)
    mount.quiet()
    assert not [job for job in mount.jobs() if job["settling"]]
    mount.restart()
    mount.quiet()
    assert len(mount.sim.creates()) == 2


# ------------------------------------------------------------------ batches

def test_a_removed_batch_withdraws_the_lines_behind_a_blank_one_too(kinofs):
    mount = kinofs(keys={})
    mount.drop(TEXT, "list.jsonl", lines("one", "", "three", "four"))
    for name in ("list-0001", "list-0003", "list-0004"):
        mount.wait_state(TEXT, name, "held")
    os.unlink(mount.path(TEXT, "list.jsonl"))
    mount.wait_state(TEXT, "list-0001", "cancelled")
    for name in ("list-0003", "list-0004"):
        mount.wait(lambda name=name: mount.record(TEXT, name)["state"] == "cancelled", name)


@pytest.mark.parametrize("what", ("file", "folder"))
def test_a_renamed_batch_keeps_its_takes(mount, what):
    mount.drop(TEXT, "a/list.jsonl", lines("one", "", "two"))
    for name in ("a/list-0001", "a/list-0003"):
        mount.done(TEXT, name)
    if what == "file":
        os.rename(mount.path(TEXT, "a/list.jsonl"), mount.path(TEXT, "a/other.jsonl"))
    else:
        os.rename(mount.path(TEXT, "a"), mount.path(TEXT, "b"))
    mount.quiet()
    mount.quiet()
    assert len(mount.sim.creates()) == 2
    assert mount.job_names() == (["a/other-0001", "a/other-0003"] if what == "file" else
                                 ["b/list-0001", "b/list-0003"])


# ------------------------------------------------------------------ notes

def test_the_note_of_a_job_goes_with_its_name(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "failed")
    mount.note(TEXT, "cat")
    os.rename(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "tiger.txt"))
    mount.wait(lambda: mount.out(TEXT) == ["tiger.error.txt"], "the note's new name")
    assert mount.note(TEXT, "tiger").startswith("tiger failed")


# ------------------------------------------------------------------ caps

def test_a_retry_without_files_keeps_to_the_cap(kinofs):
    mount = kinofs(config={**OPEN_GATES, "caps": {"jobs_per_day": 1}})
    cat = mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    os.unlink(cat)
    mount.quiet()
    mount.order("retry %s/cat" % TEXT)
    mount.wait_state(TEXT, "cat", "held", take=2)
    assert len(mount.sim.creates()) == 1


def test_a_raised_cap_lets_go_at_the_next_start(kinofs):
    mount = kinofs(config={**OPEN_GATES, "caps": {"credits_per_job": 1}})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "held")
    mount.unmount()
    mount.configure(OPEN_GATES)
    mount.start()
    mount.done(TEXT, "cat")


# ------------------------------------------------------------------ many at once, again and again

def test_four_pictures_are_uploaded_at_once(mount):
    mount.sim.faults({"on": "upload", "do": "delay", "value": 1, "times": 0})
    for number in range(12):
        mount.drop(HAILUO_23, "cat%d.png" % number, png(colour=(number, 1, 2)))
        mount.drop(HAILUO_23, "cat%d.txt" % number, "a cat")
    for number in range(12):
        mount.accepted(HAILUO_23, "cat%d" % number)
    times = sorted(entry["t"] for entry in mount.sim.uploads())
    assert len(times) == 12
    assert all(later - first > 0.8 for first, later in zip(times, times[4:])), times


def test_the_same_picture_of_many_jobs_is_uploaded_a_few_times_at_most(mount):
    mount.sim.faults({"on": "upload", "do": "delay", "value": 0.5, "times": 0})
    mount.drop(HAILUO_02, "pics/cat.png", png())
    for number in range(20):
        mount.drop(HAILUO_02, "cat%d.json" % number,
                   {"prompt": "a cat", "image_url": "pics/cat.png"})
    for number in range(20):
        mount.accepted(HAILUO_02, "cat%d" % number)
    assert len(mount.sim.uploads()) <= 4


def test_the_pause_before_a_create_that_is_never_taken_grows(mount):
    mount.sim.faults({**NOT_NOW, "times": 2})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat", timeout=30)
    first, second, third = [entry["t"] for entry in mount.sim.creates()]
    assert third - second > 1.5 * (second - first)


def test_a_video_that_cannot_be_published_is_not_downloaded_again(mount):
    in_the_way = mount.path(TEXT, "out", "summer")
    with open(in_the_way, "wb") as file:
        file.write(b"a file where a folder is needed")
    mount.expects = "cannot publish"
    mount.drop(TEXT, "summer/beach.txt", "waves")
    mount.wait(lambda: "out/" in str((mount.record(TEXT, "summer/beach") or {}).get("warning")),
               "the warning")
    os.unlink(in_the_way)
    mount.done(TEXT, "summer/beach")
    assert len(mount.sim.downloads()) == 1


# ------------------------------------------------------------------ ends and starts

def test_a_video_that_was_named_and_is_nowhere_is_fetched_again(mount):
    """As a power failure may leave it, when the part file's own entry was not on the disk yet."""
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    mount.unmount()
    os.unlink(os.path.join(mount.tree, TEXT, "out", "cat.mp4"))
    journal = sqlite3.connect(os.path.join(mount.store, "journal.db"))
    journal.execute("UPDATE job SET state = 'downloading',"
                    " outputs = json_remove(outputs, '$[0].published')")
    journal.commit()
    journal.close()
    mount.start()
    mount.done(TEXT, "cat")
    assert mount.out(TEXT) == ["cat.mp4"]
    assert len(mount.sim.creates()) == 1 and len(mount.sim.downloads()) == 2


def test_an_answer_on_its_way_is_awaited_when_it_is_unmounted(mount):
    mount.sim.faults({"on": "create", "do": "delay", "value": 1.5})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "submitting")
    mount.restart()
    mount.done(TEXT, "cat")
    assert len(mount.sim.creates()) == 1


@pytest.mark.parametrize("state", ("running", "downloading", "held"))
def test_a_job_whose_model_file_is_gone_goes_on_when_it_is_back(kinofs, start_sim, state):
    mount = kinofs(start=False, sim=start_sim(seconds=3), keys={} if state == "held" else None)
    own = os.path.join(mount.home, "config", "kinofs", "models", "my", "own.json")
    with open(os.path.join(ROOT, "spec", "models", FLAT + ".json"), encoding="utf-8") as file:
        model = {**json.load(file), "$id": "my/own"}
    os.makedirs(os.path.dirname(own))
    with open(own, "w", encoding="utf-8") as file:
        json.dump(model, file)
    if state == "downloading":
        mount.sim.faults({"on": "download", "do": "http", "value": 503, "times": 0})
    mount.start()
    mount.drop("my/own", "cat.txt", "a cat")
    mount.wait_state("my/own", "cat", state)
    mount.unmount()
    os.rename(own, own + ".gone")
    mount.start()
    mount.quiet()
    job, = mount.jobs()
    assert job["state"] == state and "model file is gone" in json.dumps(job)
    mount.unmount()
    os.rename(own + ".gone", own)
    mount.sim.faults()
    mount.keys = KEYS
    mount.start()
    if state == "held":
        mount.order("release my/own/cat")
    mount.done("my/own", "cat")
    assert len(mount.sim.creates()) == 1
