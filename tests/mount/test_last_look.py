"""What is sent is what is there: the last look before an order, and what cannot be looked at.

Writers, scratch copies under way, defaults, a stopped daemon, a machine that slept; no descriptor
left, no right to look.
"""
import contextlib
import datetime
import errno
import json
import os
import resource
import select
import signal
import threading
import time

import pytest

import campaign
import harness
import ledger
from harness import FLAT, HAILUO_02, HAILUO_23, OPEN_GATES, TEXT, png
from ledger import once, ordered, orders, passed

pytestmark = pytest.mark.no_asan("its rules run under it in the simulated engine, which is faster")

SPEED = 20
RED, BLUE = png(), png(colour=(30, 30, 200))


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return campaign.compile_preloads(str(tmp_path_factory.mktemp("preload")))


@pytest.fixture
def hasty(kinofs, libraries):
    """A mount whose pauses after a refusal are short."""
    def run(**options):
        return kinofs(environment=campaign.preload(libraries["speed"], KINOFS_TEST_SPEED=SPEED),
                      settle=0.2 * SPEED, **options)
    return run


@contextlib.contextmanager
def writing(path, first=b""):
    """A file that a program is rewriting: emptied, and with the first bytes of the new text."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(fd, first) if first else None
        yield fd
    finally:
        os.close(fd)


def refuse(sim, model):
    """Creates of this model are answered by 429, until go_on()."""
    sim.faults({"on": "create", "do": "http", "value": 429, "times": 0, "model": model})


def go_on(mount):
    """What was on the wire is answered when one of another provider has come through."""
    mount.drop(FLAT, "marker-0.json", {"prompt": "marker 0"})
    mount.done(FLAT, "marker-0", timeout=ledger.LATE)
    mount.sim.faults()


# ------------------------------------------------------------------ writers

@pytest.mark.parametrize("what", ["prompt", "picture"])
def test_a_file_is_rewritten_while_its_job_waits_out_a_refusal(hasty, sim, what):
    mount = hasty()
    model, name = (TEXT, "cat.txt") if what == "prompt" else (HAILUO_23, "cat.png")
    refuse(sim, model)
    if what == "picture":
        mount.drop(model, "cat.png", RED)
    mount.drop(model, "cat.txt", "old words")
    mount.wait(lambda: sim.creates(), "the first try", ledger.LATE)
    with writing(mount.path(model, name), b"new") as fd:
        go_on(mount)
        passed(mount)  # the pause is over
        assert orders(sim) == once()
        os.pwrite(fd, b"new words" if what == "prompt" else BLUE, 0)
    ordered(mount, "new words" if what == "prompt" else "old words")
    record = mount.done(model, "cat", timeout=ledger.LATE)
    if what == "picture":
        assert [picture["sha256"] for picture in record["pictures"]] == [harness.sha256(BLUE)]


@pytest.mark.parametrize("what", ["prompt", "picture"])
def test_a_file_is_rewritten_while_its_job_uploads(kinofs, sim, what):
    mount = kinofs()
    sim.faults({"on": "upload", "do": "delay", "value": 5})
    mount.drop(HAILUO_23, "cat.png", RED)
    mount.drop(HAILUO_23, "cat.txt", "old words")
    mount.wait(lambda: mount.record(HAILUO_23, "cat") and
               mount.record(HAILUO_23, "cat")["state"] == "uploading", "the upload", ledger.LATE)
    path = mount.path(HAILUO_23, "cat.txt" if what == "prompt" else "cat.png")
    with writing(path, b"new") as fd:
        # of a picture that is another by now it is broken off
        mount.wait(lambda: sim.uploads() or
                   what == "picture" and mount.record(HAILUO_23, "cat")["settling"],
                   "the upload's end", ledger.LATE)
        mount.drop(HAILUO_23, "after.png", png(colour=(9, 9, 9)))
        mount.drop(HAILUO_23, "after.txt", "after")
        mount.done(HAILUO_23, "after", timeout=ledger.LATE)
        assert orders(sim) == once("after")
        os.pwrite(fd, b"new words" if what == "prompt" else BLUE, 0)
    ordered(mount, "after", "new words" if what == "prompt" else "old words")
    record = mount.done(HAILUO_23, "cat", timeout=ledger.LATE)
    assert [picture["sha256"] for picture in record["pictures"]] == [
        harness.sha256(RED if what == "prompt" else BLUE)]


def test_a_queued_prompt_is_removed_while_it_waits(hasty, sim):
    mount = hasty()
    refuse(sim, TEXT)
    path = mount.drop(TEXT, "cat.txt", "old words")
    mount.wait(lambda: sim.creates(), "the first try", ledger.LATE)
    os.unlink(path)
    go_on(mount)
    passed(mount)
    ordered(mount)
    assert (mount.record(TEXT, "cat") or {"state": "cancelled"})["state"] == "cancelled"


def test_saves_while_the_daemon_is_stopped_over_the_settle_time(kinofs, sim):
    mount = kinofs(settle=5)
    names = ["cat%d" % number for number in range(12)]
    for name in names:
        mount.drop(TEXT, name + ".txt", "old words of " + name)
    mount.wait(lambda: mount.record(TEXT, names[-1]), "the records", ledger.LATE)
    mount.process.send_signal(signal.SIGSTOP)
    writers = [threading.Thread(target=mount.drop, args=(
        TEXT, name + ".txt", "new words of " + name)) for name in names]
    try:
        assert sim.creates() == [], "the machine was too slow for this test"
        for writer in writers:
            writer.start()  # its first call is not answered before the daemon goes on
        select.select([], [], [], 6)  # longer than the settle time
    finally:
        mount.process.send_signal(signal.SIGCONT)
    for writer in writers:
        writer.join()
    ordered(mount, *["new words of " + name for name in names])


def test_the_machine_sleeps_between_a_prompt_and_its_picture(kinofs, sim, tmp_path):
    """All of it comes well within the settle time, which then passes in steps too short to be sleep."""
    clocks = ledger.Clocks(str(tmp_path))
    mount = kinofs(settle=20, environment=clocks.environment)
    asleep = 0

    def sleep(seconds):
        nonlocal asleep
        asleep += seconds
        clocks.set(asleep=asleep)
        with contextlib.suppress(OSError):
            mount.order("cancel %s/nothing" % TEXT)  # wakes the engine, which looks at its clock
        return sim.creates()
    mount.drop(HAILUO_02, "cat.png", RED)
    mount.drop(HAILUO_02, "cat.txt", "a cat")
    mount.wait(lambda: mount.record(HAILUO_02, "cat"), "the record", ledger.LATE)
    sleep(3600)
    for _ in range(3):
        assert sleep(0) == []
    mount.drop(HAILUO_02, "cat.end.png", BLUE)
    mount.wait(lambda: sleep(0.25), "the order", ledger.LATE)
    assert orders(sim) == once("a cat")
    assert "end_image_url" in sim.bodies("a cat")[0]["input"]


# ------------------------------------------------------------------ scratch copies

@pytest.mark.parametrize("scratch", ["cat.png.part", ".cat.png.X7Kq2a", "cat.png.crdownload"])
def test_an_optional_picture_is_on_its_way_under_a_scratch_name(kinofs, sim, scratch):
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": 1})
    path = mount.path(FLAT, scratch)
    with writing(path, RED[:40]) as fd:
        mount.drop(FLAT, "cat.txt", "a cat")
        passed(mount, FLAT)  # another prompt by itself, later: this one's time is over as well
        assert orders(sim) == once()
        os.pwrite(fd, RED, 0)
    os.rename(path, mount.path(FLAT, "cat.png"))
    ordered(mount, "a cat")
    assert "image" in sim.bodies("a cat")[0]


@pytest.mark.parametrize("scratch", ["cat.end.png.part", ".cat.end.png.X7Kq2a"])
def test_a_last_frame_is_on_its_way_under_a_scratch_name(mount, scratch):
    path = mount.path(HAILUO_02, scratch)
    with writing(path, BLUE[:40]) as fd:
        mount.drop(HAILUO_02, "cat.png", RED)
        mount.drop(HAILUO_02, "cat.txt", "a cat")
        passed(mount)
        assert orders(mount.sim) == once()
        os.pwrite(fd, BLUE, 0)
    os.rename(path, mount.path(HAILUO_02, "cat.end.png"))
    ordered(mount, "a cat")
    assert "end_image_url" in mount.sim.bodies("a cat")[0]["input"]


def test_a_scratch_copy_that_was_given_up_holds_nobody_up(kinofs):
    """Nobody writes to it any more."""
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": 1})
    mount.drop(FLAT, "cat.png.part", RED[:40])
    mount.drop(FLAT, "cat.txt", "a cat")
    mount.done(FLAT, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")


def test_a_scratch_copy_of_another_name_holds_nobody_up(mount):
    with writing(mount.path(TEXT, "dog.txt.part"), b"a"):
        mount.drop(TEXT, "cat.txt", "a cat")
        mount.done(TEXT, "cat", timeout=ledger.LATE)


# ------------------------------------------------------------------ a prompt by itself

def alone(seconds):
    return {**OPEN_GATES, "settle_alone_seconds": seconds}


def test_a_prompt_by_itself_waits_for_its_picture(kinofs, sim):
    mount = kinofs(config=alone(3600))
    mount.drop(FLAT, "cat.txt", "a cat")
    passed(mount)
    record = mount.record(FLAT, "cat")
    assert record["state"] == "waiting" and "cat.png" in ledger.said(record), record
    assert any(letter.isdigit() for letter in " ".join(record["waiting_for"])), "until when?"
    mount.drop(FLAT, "cat.png", RED)
    mount.done(FLAT, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")
    assert "image" in sim.bodies()[-1]


def test_a_prompt_by_itself_waits_by_default(kinofs):
    """Fifteen seconds, whatever -o settle= says; what comes with its picture does not wait."""
    mount = kinofs(config=OPEN_GATES)
    mount.drop(FLAT, "cat.txt", "a cat")
    mount.drop(FLAT, "dog.png", RED)
    mount.drop(FLAT, "dog.txt", "a dog")
    mount.done(FLAT, "dog", timeout=ledger.LATE)
    record = mount.done(FLAT, "cat", timeout=ledger.LATE)
    created, submitted = (datetime.datetime.fromisoformat(record[key].replace("Z", "+00:00"))
                          for key in ("created", "submitted"))
    assert (submitted - created).total_seconds() >= 14, record
    ordered(mount, "a cat", "a dog")


def test_a_spec_beside_it_says_that_there_is_no_picture(kinofs):
    mount = kinofs(config=alone(3600))
    mount.drop(FLAT, "cat.txt", "a cat")
    passed(mount)
    assert orders(mount.sim) == once()
    mount.drop(FLAT, "cat.json", "{}")
    mount.done(FLAT, "cat", timeout=ledger.LATE)
    mount.drop(FLAT, "dog.json", {"prompt": "a dog"})
    mount.done(FLAT, "dog", timeout=ledger.LATE)
    mount.drop(TEXT, "bird.txt", "a bird")  # a model without pictures
    mount.done(TEXT, "bird", timeout=ledger.LATE)
    ordered(mount, "a cat", "a dog", "a bird")


def test_a_picture_by_itself_orders_nothing(kinofs):
    mount = kinofs(config=alone(0.2))
    for model in harness.PICTURE_MODELS:
        mount.drop(model, "cat.png", RED)
    mount.drop(FLAT, "marker-0.txt", "marker 0")
    mount.done(FLAT, "marker-0", timeout=ledger.LATE)
    ordered(mount)


# ------------------------------------------------------------------ defaults of what was not sent

def test_a_job_held_as_too_dear_goes_when_its_defaults_become_cheaper(kinofs, sim):
    mount = kinofs(config={**OPEN_GATES, "caps": {"credits_per_job": 50}})
    mount.drop(HAILUO_23, "defaults.json", {"duration": "10"})
    mount.drop(HAILUO_23, "cat.png", RED)
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.wait_state(HAILUO_23, "cat", "held", timeout=ledger.LATE)
    mount.drop(HAILUO_23, "defaults.json", {"duration": "6"})
    mount.done(HAILUO_23, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")
    assert sim.bodies()[0]["input"]["duration"] == "6"
    mount.drop(HAILUO_23, "defaults.json", {"duration": "6", "resolution": "1080P"})
    mount.drop(HAILUO_23, "cat.txt", "a cat")  # it has been sent: they come too late
    ordered(mount, "a cat")


def test_released_with_the_defaults_of_now(kinofs, sim):
    mount = kinofs(config={**OPEN_GATES, "caps": {"credits_per_job": 1}})
    mount.drop(HAILUO_23, "defaults.json", {"duration": "10"})
    mount.drop(HAILUO_23, "cat.png", RED)
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.wait_state(HAILUO_23, "cat", "held", timeout=ledger.LATE)
    mount.drop(HAILUO_23, "defaults.json", {"duration": "6"})
    mount.order("release %s/cat" % HAILUO_23)
    mount.done(HAILUO_23, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")
    assert sim.bodies()[0]["input"]["duration"] == "6"


@pytest.mark.parametrize("where", ["", "summer/"])
def test_a_queued_job_goes_with_the_defaults_of_now(hasty, sim, where):
    mount = hasty()
    refuse(sim, HAILUO_23)
    mount.drop(HAILUO_23, where + "defaults.json", {"duration": "10"})
    mount.drop(HAILUO_23, "summer/cat.png", RED)
    mount.drop(HAILUO_23, "summer/cat.txt", "a cat")
    mount.wait(lambda: sim.creates(), "the first try", ledger.LATE)
    mount.drop(HAILUO_23, where + "defaults.json", {"duration": "6"})
    go_on(mount)
    mount.done(HAILUO_23, "summer/cat", timeout=ledger.LATE)
    ordered(mount, "a cat")
    assert [entry["body"]["input"]["duration"] for entry in sim.creates("a cat")
            if entry["task"]] == ["6"]


# ------------------------------------------------------------------ what cannot be looked at

def told_of(events, job, timeout=8):
    """Reads events until one says more of a job than that it settles; an old kinofs never does."""
    poll, text, deadline = select.poll(), b"", time.monotonic() + timeout
    poll.register(events, select.POLLIN)
    while time.monotonic() < deadline:
        poll.poll(100)
        text += os.read(events, 65536)
        told = [json.loads(line) for line in text.splitlines(True) if line.endswith(b"\n")]
        if any(event["job"] == job and ledger.said(event) for event in told):
            return


def test_no_descriptor_is_left_when_a_paid_prompt_is_saved(kinofs, sim):
    mount = kinofs(expects="error:|descriptor|open files")
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat", timeout=ledger.LATE)
    save = os.open(mount.path(TEXT, "cat.txt"), os.O_WRONLY)
    new = os.open(mount.path(TEXT, "new.txt"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    events = os.open(mount.path(".kinofs/events.jsonl"), os.O_RDONLY)
    os.lseek(events, 0, os.SEEK_END)
    # what is open stays open; the next one is one too many
    limit = resource.prlimit(mount.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(mount.process.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
    try:
        with pytest.raises(OSError) as refused:
            os.open(mount.path(TEXT, "cat.txt"), os.O_RDONLY)
        assert refused.value.errno == errno.EMFILE
        for fd, text in ((save, b"a cat"), (new, b"new words")):
            os.pwrite(fd, text, 0)
            os.close(fd)
        told_of(events, "new")
        assert orders(sim) == once("a cat")
    finally:
        resource.prlimit(mount.process.pid, resource.RLIMIT_NOFILE, limit)
        os.close(events)
    mount.done(TEXT, "new", timeout=ledger.LATE)  # by itself, now that it can
    mount.drop(TEXT, "cat.txt", "a cat")
    ordered(mount, "a cat", "new words")
    assert mount.record(TEXT, "cat")["take"] == 1


@pytest.fixture
def unprivileged(tmp_path, sim, monkeypatch):
    """kinofs as an ordinary user has it: modes are in its way, also if the tests run as root."""
    if os.geteuid() == 0:
        less = "-dac_override,-dac_read_search"
        program = tmp_path / "kinofs"
        program.write_text(
            "#!/bin/sh\nexec setpriv --bounding-set=%s --inh-caps=%s -- %s \"$@\"\n" %
            (less, less, harness.KINOFS))
        program.chmod(0o755)
        monkeypatch.setattr(harness, "KINOFS", str(program))
    mount = harness.Mount(tmp_path / "user", sim, expects="error:|ermission")
    yield mount.start()
    mount.close()


def test_a_folder_cannot_be_looked_into_for_a_moment(unprivileged, sim):
    mount = unprivileged
    folder = mount.path(TEXT, "summer")
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    mount.done(TEXT, "summer/cat", timeout=ledger.LATE)
    save = os.open(mount.path(TEXT, "summer/cat.txt"), os.O_WRONLY)
    new = os.open(mount.path(TEXT, "summer/new.txt"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.chmod(folder, 0)
    try:
        with pytest.raises(PermissionError):
            os.stat(mount.path(TEXT, "summer/none.txt"))
        for fd, text in ((save, b"a cat"), (new, b"new words")):
            os.pwrite(fd, text, 0)
            os.close(fd)
        passed(mount)  # in the folder above
        record = mount.record(TEXT, "summer/new")
        assert record and ledger.said(record), "it does not say that it cannot look"
        assert mount.record(TEXT, "summer/cat")["state"] == "done"
        assert orders(sim) == once("a cat")
    finally:
        os.chmod(folder, 0o755)
    mount.done(TEXT, "summer/new", timeout=ledger.LATE)
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    ordered(mount, "a cat", "new words")
    assert mount.record(TEXT, "summer/cat")["take"] == 1


def test_a_picture_that_may_not_be_read_is_waited_for(unprivileged, sim):
    mount = unprivileged
    mount.drop(HAILUO_02, "cat.png", RED)
    mount.drop(HAILUO_02, "cat.txt", "a cat")
    mount.done(HAILUO_02, "cat", timeout=ledger.LATE)
    os.chmod(mount.path(HAILUO_02, "cat.png"), 0)
    mount.drop(HAILUO_02, "cat.txt", "a cat")
    passed(mount)
    assert orders(sim) == once("a cat")
    os.chmod(mount.path(HAILUO_02, "cat.png"), 0o644)
    mount.drop(HAILUO_02, "cat.txt", "a cat")
    ordered(mount, "a cat")
    assert mount.record(HAILUO_02, "cat")["take"] == 1


# ------------------------------------------------------------------ what cannot be counted

def without_price(mount, model):
    """A model file of the user's in the place of a built-in one."""
    path = os.path.join(harness.ROOT, "spec", "models", model + ".json")
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    del content["x-kinofs-prices"]
    folder = os.path.join(mount.home, "config", "kinofs", "models")
    os.makedirs(folder)
    with open(os.path.join(folder, "own.json"), "w", encoding="utf-8") as file:
        json.dump(content, file)


@pytest.mark.parametrize("cap", ["credits_per_day", "credits_per_month", "credits_per_job", None])
def test_a_job_whose_price_nobody_knows(kinofs, sim, cap):
    """Held while there is any cap of credits; it says so, and release lets it go."""
    mount = kinofs(start=False,
                   config={**OPEN_GATES, "caps": {cap or "jobs_per_day": 100000}})
    model = harness.SEEDANCE
    without_price(mount, model)
    mount.start()
    mount.drop(model, "cat.json", {"prompt": "a cat", "image_url": "https://example.com/cat.png"})
    if cap:
        ledger.held(mount, model, "cat", "price", cap, "release")
        passed(mount)
        mount.restart()
        ledger.held(mount, model, "cat", "price", "release")
        ordered(mount)
        assert "released" in mount.order("release %s/cat" % model)
    mount.done(model, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")
