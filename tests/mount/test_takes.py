"""The same bytes cost nothing; new bytes are a new take; nothing is overwritten or deleted."""
import errno
import os
import shutil
import subprocess

import pytest

from harness import FLAT, HAILUO_23, TEXT, png, sha256

pytestmark = pytest.mark.tsan


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def latest(mount):
    folder = mount.path(TEXT, "out", ".latest")
    return {name: os.readlink(os.path.join(folder, name)).removeprefix("../")
            for name in os.listdir(folder) if "." in name}


def test_the_newest_take_has_a_name_that_stays(mount):
    """So that make(1) knows when there is nothing to do."""
    makefile = mount.outside("Makefile", "out/.latest/cat.mp4: cat.txt\n\tfalse\n")

    def is_made():
        return subprocess.run(["make", "-q", "-f", makefile], cwd=mount.path(TEXT),
                              check=False).returncode == 0
    mount.drop(TEXT, "cat.txt", "a cat")
    assert not is_made() and latest(mount) == {}
    mount.done(TEXT, "cat")
    assert is_made()
    mount.drop(TEXT, "cat.txt", "another cat")
    assert not is_made()
    mount.done(TEXT, "cat", take=2)
    assert is_made() and latest(mount) == {"cat.mp4": "cat.2.mp4"}
    folder, out = mount.path(TEXT, "out", ".latest"), mount.path(TEXT, "out")
    assert content_of(folder + "/cat.mp4") == content_of(out + "/cat.2.mp4")
    assert os.lstat(folder + "/cat.mp4").st_mtime == os.stat(out + "/cat.2.mp4").st_mtime
    assert ".latest" not in os.listdir(out)
    for call in (lambda: os.unlink(folder + "/cat.mp4"), lambda: os.mkdir(folder + "/new"),
                 lambda: os.rename(folder + "/cat.mp4", out + "/new.mp4")):
        with pytest.raises(PermissionError):
            call()
    os.unlink(out + "/cat.2.mp4")
    assert latest(mount) == {"cat.mp4": "cat.mp4"}
    os.rename(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "lynx.txt"))
    mount.quiet()
    mount.wait(lambda: latest(mount) == {"lynx.mp4": "cat.mp4"}, "the job to go with its files")
    os.unlink(out + "/cat.mp4")
    assert latest(mount) == {} and not os.path.lexists(folder + "/lynx.mp4")


def test_the_newest_takes_of_a_batch_and_of_a_folder_are_listed(mount):
    mount.drop(TEXT, "summer/list.jsonl",
               "".join('{"prompt": "cat %d"}\n' % number for number in range(70)))
    for number in (1, 69, 70):
        mount.done(TEXT, "summer/list-%04d" % number)
    mount.wait(lambda: len(mount.out(TEXT, "summer")) == 70, "all videos")
    folder = mount.path(TEXT, "out", ".latest")
    assert os.listdir(folder) == ["summer"]
    names = os.listdir(folder + "/summer")
    assert sorted(names) == ["list-%04d.mp4" % number for number in range(1, 71)]
    for name in names:
        assert os.path.samefile(folder + "/summer/" + name, mount.path(TEXT, "out/summer", name))


def test_what_changes_no_byte_costs_nothing(mount):
    """chmod, utimens, an identical rewrite by cp, a rename away and back, an identical mv."""
    cat = mount.drop(TEXT, "cat.txt", "a cat")
    again = mount.outside("cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    changes = (
        lambda: os.chmod(cat, 0o600),
        lambda: os.utime(cat),
        lambda: os.utime(cat, (1, 1)),
        lambda: mount.drop(TEXT, "cat.txt", "a cat"),
        lambda: shutil.copy2(again, cat),
        lambda: (os.rename(cat, mount.path(TEXT, "cat.bak")),
                 os.rename(mount.path(TEXT, "cat.bak"), cat)),
        lambda: (shutil.copyfile(again, mount.path(TEXT, "new.tmp")),
                 os.rename(mount.path(TEXT, "new.tmp"), cat)),
        lambda: content_of(cat),
        lambda: os.close(os.open(cat, os.O_RDWR)),
    )
    for change in changes:
        change()
        mount.quiet()
    assert mount.done(TEXT, "cat")["take"] == 1
    assert len(mount.sim.creates()) == 1 and mount.out(TEXT) == ["cat.mp4"]


def test_changed_bytes_are_a_second_take_beside_the_first(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(TEXT, "own.txt", "mine")
    own = mount.path(TEXT, "out", "own.mp4")
    with open(own, "wb") as file:
        file.write(b"the user's own file")
    mount.done(TEXT, "cat")
    first = mount.path(TEXT, "out", "cat.mp4")
    before = os.stat(first), sha256(content_of(first))
    mount.drop(TEXT, "cat.txt", "a black cat")
    record = mount.done(TEXT, "cat", take=2)
    assert record["outputs"] == [TEXT + "/out/cat.2.mp4"]
    assert [take["take"] for take in record["earlier_takes"]] == [1]
    assert record["earlier_takes"][0]["outputs"] == [TEXT + "/out/cat.mp4"]
    after = os.stat(first), sha256(content_of(first))
    assert (after[0].st_ino, after[0].st_mtime_ns, after[1]) == (
        before[0].st_ino, before[0].st_mtime_ns, before[1])
    assert mount.done(TEXT, "own")["outputs"] == [TEXT + "/out/own.2.mp4"]
    assert latest(mount) == {"cat.mp4": "cat.2.mp4", "own.mp4": "own.2.mp4"}
    assert content_of(own) == b"the user's own file"
    assert mount.out(TEXT) == ["cat.2.mp4", "cat.mp4", "own.2.mp4", "own.mp4"]
    assert [len(mount.sim.bodies(prompt)) for prompt in ("a cat", "a black cat", "mine")] == [
        1, 1, 1]


def test_another_picture_under_the_same_name_is_a_second_take(mount):
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "cat.png", png(colour=(1, 2, 3)))
    mount.accepted(HAILUO_23, "cat")
    mount.drop(HAILUO_23, "cat.png", png(colour=(3, 2, 1)))
    mount.accepted(HAILUO_23, "cat", take=2)
    first, second = mount.sim.bodies()
    assert first["input"]["image_url"] != second["input"]["image_url"]
    mount.quiet()
    assert len(mount.sim.creates()) == 2


def test_a_take_dropped_while_another_runs_is_a_job_of_its_own(start_sim, kinofs):
    mount = kinofs(sim=start_sim(seconds=2))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    mount.drop(TEXT, "cat.txt", "a black cat")
    mount.accepted(TEXT, "cat", take=2)
    mount.done(TEXT, "cat", take=2)
    mount.wait(lambda: mount.out(TEXT) == ["cat.2.mp4", "cat.mp4"], "both videos")
    assert len(mount.sim.creates()) == 2


def test_a_failed_take_dropped_again_is_sent_again(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "failed")
    assert mount.note(TEXT, "cat")
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat", take=2)
    mount.wait(lambda: mount.out(TEXT) == [], "the note to go")
    assert len(mount.sim.creates()) == 2


def test_removal_before_submission_withdraws_the_job(kinofs):
    mount = kinofs(settle=3)
    spec = mount.drop(TEXT, "spec.json", {"prompt": "never"})
    kept = mount.drop(TEXT, "kept.txt", "kept")
    prompt = mount.drop(HAILUO_23, "waits.txt", "waits")
    mount.wait(lambda: mount.record(TEXT, "spec"), "the record")
    os.unlink(spec)
    assert mount.note(HAILUO_23, "waits", "waiting")
    os.unlink(prompt)
    mount.accepted(TEXT, "kept")
    mount.wait(lambda: not mount.record(HAILUO_23, "waits") and not mount.out(HAILUO_23),
               "the waiting job and its note to go")
    mount.quiet()
    assert mount.record(TEXT, "spec") is None and os.path.exists(kept)
    assert [body["input"]["prompt"] for body in mount.sim.bodies()] == ["kept"]


def test_removal_of_one_of_the_files_makes_the_job_wait_again(kinofs):
    mount = kinofs(settle=3)
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    os.unlink(mount.drop(HAILUO_23, "cat.png", png()))
    mount.wait_state(HAILUO_23, "cat", "waiting")
    assert "cat.png" in mount.note(HAILUO_23, "cat", "waiting")
    assert mount.sim.creates() == []


def test_removal_after_submission_changes_nothing_and_the_same_words_cost_nothing(mount):
    cat = mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    os.unlink(cat)
    mount.done(TEXT, "cat")
    assert mount.out(TEXT) == ["cat.mp4"]
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.quiet()
    assert mount.record(TEXT, "cat")["take"] == 1 and len(mount.sim.creates()) == 1
    mount.drop(TEXT, "cat.txt", "a black cat")
    mount.accepted(TEXT, "cat", take=2)
    assert len(mount.sim.creates()) == 2


def test_a_whole_folder_removed_and_copied_again_costs_nothing(mount):
    mount.drop(TEXT, "summer/beach.txt", "waves")
    mount.accepted(TEXT, "summer/beach")
    shutil.rmtree(mount.path(TEXT, "summer"))
    mount.quiet()
    mount.drop(TEXT, "summer/beach.txt", "waves")
    mount.quiet()
    assert mount.record(TEXT, "summer/beach")["take"] == 1 and len(mount.sim.creates()) == 1


def test_a_rename_of_what_was_paid_for_costs_nothing(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(TEXT, "summer/beach.txt", "waves")
    mount.accepted(TEXT, "cat")
    mount.accepted(TEXT, "summer/beach")
    os.rename(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "tiger.txt"))
    os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
    mount.quiet()
    assert len(mount.sim.creates()) == 2


def test_removing_a_record_cancels_forgets_or_is_busy(kinofs, start_sim):
    """Not submitted: cancelled; under way: EBUSY; ended: forgotten. Files stay in any case."""
    mount = kinofs(sim=start_sim(seconds=0))
    mount.sim.faults({"on": "poll", "do": "http", "value": 503, "times": 0})  # it runs until then

    def record(model, name):
        return mount.path(model, "jobs", name + ".json")
    mount.drop(HAILUO_23, "waits.txt", "waits")
    mount.drop(TEXT, "runs.txt", "runs")
    mount.wait_state(HAILUO_23, "waits", "waiting")
    os.unlink(record(HAILUO_23, "waits"))
    mount.wait_state(HAILUO_23, "waits", "cancelled")
    mount.wait(lambda: mount.out(HAILUO_23) == [], "the note to go")
    mount.accepted(TEXT, "runs")
    with pytest.raises(OSError) as refused:
        os.unlink(record(TEXT, "runs"))
    assert refused.value.errno == errno.EBUSY
    mount.sim.faults()
    mount.done(TEXT, "runs")
    os.unlink(record(TEXT, "runs"))
    os.unlink(record(HAILUO_23, "waits"))
    assert not os.path.exists(record(TEXT, "runs"))
    assert os.listdir(mount.path(HAILUO_23, "jobs")) == os.listdir(mount.path(TEXT, "jobs")) == []
    mount.quiet()
    assert mount.out(TEXT) == ["runs.mp4"] and mount.read(TEXT, "runs.txt") == "runs"
    assert len(mount.sim.creates()) == 1


def test_the_note_of_a_job_goes_when_it_is_forgotten(mount):
    mount.drop_bad(TEXT, "cat.txt", " ")
    mount.wait_state(TEXT, "cat", "rejected")
    mount.wait(lambda: mount.out(TEXT) == ["cat.error.txt"], "the note")
    os.unlink(mount.path(TEXT, "jobs", "cat.json"))
    mount.wait(lambda: mount.out(TEXT) == [], "the note to go")


# ------------------------------------------------------------------ beside a take that still runs

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
    mount = kinofs(settle=3)
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
    """Its turn comes while the change settles: 4.5 to 5.5 s after the refusal. No limit of creates,
    so nothing slows it down."""
    mount = kinofs(settle=7, config={"providers": {"kie": {"creates_per_10s": 0},
                                                   "ppinfra": {"creates_per_minute": 0}}})
    sim.faults({"on": "create", "do": "http", "value": 429})
    prompt = mount.drop(model, "cat.txt", "a cat")
    if model == FLAT:
        mount.drop(model, "cat.png", png())
    mount.wait(sim.creates, "the refusal")
    if model == FLAT:
        mount.drop(model, "cat.png", png(colour=(1, 2, 3)))
    else:
        os.unlink(prompt)
    mount.wait(lambda: mount.record(model, "cat")["settling"], "the change")
    if model == FLAT:
        mount.accepted(model, "cat")
        before, after = [body["image"] for body in sim.bodies()]
        assert before != after
    else:
        mount.wait_state(model, "cat", "cancelled")
        assert len(sim.creates()) == 1


def test_a_retry_while_the_last_take_settles_leaves_nothing_settling(kinofs):
    mount = kinofs(settle=3)
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
