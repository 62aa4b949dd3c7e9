"""What the tests of money share: what was ordered, what a record says, mounts that may die, clocks.

Nothing waits by the clock to see that nothing is ordered: a last job is dropped, and when that has
come through, what was dropped before it has been judged.
"""
import collections
import contextlib
import mmap
import os
import struct
import subprocess

import campaign
import harness
from campaign import CrashMount
from harness import TEXT, prompt_of

LATE = 40  # seconds a busy machine may take for what takes one
UNDER_WAY = ("queued", "uploading", "submitting")
WORDS = ("held_because", "waiting_for", "error", "warning", "advice", "note")


def orders(sim):
    """Prompt to how often it was accepted; the markers of passed() are left out."""
    return collections.Counter(prompt_of(entry["body"]) for entry in sim.creates()
                               if entry["task"] and
                               not prompt_of(entry["body"]).startswith("marker "))


def once(*prompts):
    return collections.Counter(prompts)


def passed(mount, model=TEXT):
    """Drops a job and awaits its end: what was dropped before it has had its turn."""
    mount.markers = getattr(mount, "markers", 0) + 1
    name = "marker-%d" % mount.markers
    mount.drop(model, name + ".txt", "marker %d of %s" % (mount.markers, mount.root))
    mount.done(model, name, timeout=LATE)


def ordered(mount, *prompts):
    """When all is quiet, these prompts have been ordered, each once, and nothing else."""
    mount.quiet(timeout=LATE)
    seen, wanted = orders(mount.sim), once(*prompts)
    assert seen == wanted, "ordered too often: %s, not ordered: %s\n%s\n%s" % (
        dict(seen - wanted), dict(wanted - seen),
        "\n".join(harness.summary(job) for job in mount.jobs()), mount.log_text())


def said(record):
    """All that a record says to a person."""
    texts = (record.get(key) for key in WORDS)
    return " ".join(text if isinstance(text, str) else " ".join(text) for text in texts if text)


def prompt(record):
    """The prompt that was sent for the take a record shows."""
    return prompt_of(record["request"])


def rested(mount, model, name):
    """The record of a job that has been judged and is not on its way to the provider."""
    def at_rest():
        record = mount.record(model, name)
        if record and not record["settling"] and record["state"] not in UNDER_WAY:
            return record
        return None
    return mount.wait(at_rest, "%s/%s to come to rest" % (model, name), LATE)


def held(mount, model, name, *words):
    """The record of a job that is held; its note says these words, or will: that its video has come
    since is written after the record of the video's own job says so."""
    record = rested(mount, model, name)
    assert record["state"] == "held", harness.summary(record)
    words = [*words, "No money was spent"]
    mount.wait(lambda: all(word in mount.note(model, name, "held") for word in words),
               "the note of %s to say %s" % (name, words), LATE)
    return mount.record(model, name)


def held_as_copy(mount, model, name, earlier):
    """It is held, and the note names the earlier job, its video, and the ways on."""
    return held(mount, model, name, earlier, "out/%s.mp4" % earlier, "release", "retry")


@contextlib.contextmanager
def mounts(directory, simulator):
    """make(name, **options): a mount that may be killed. All know the same witness."""
    made = []
    state = str(directory / "state")

    def make(name="kino", start=True, environment=None, **options):
        mount = CrashMount(directory / name, **{
            "sim": simulator, "config": campaign.OPEN,
            "environment": {"XDG_STATE_HOME": state, **(environment or {})}, **options})
        made.append(mount)
        return mount.start() if start else mount
    yield make
    problems = []
    for mount in made:
        try:
            mount.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def crash(mount):
    """SIGKILL, and a new start; nothing is cleaned up in between."""
    mount.kill9()
    mount.start(timeout=LATE)


class Clocks:
    """Clocks of a kinofs under tests/preload/clocks.c that can be set while it runs."""

    def __init__(self, directory):
        library = os.path.join(directory, "clocks.so")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-g", "-o", library,
                        os.path.join(campaign.PRELOAD, "clocks.c"), "-ldl"], check=True)
        path = os.path.join(directory, "clocks")
        with open(path, "wb") as file:
            file.truncate(16)
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 16)
        self.environment = campaign.preload(library, KINOFS_TEST_CLOCKS=path)

    def set(self, wall=0, asleep=0):
        """The wall clock is ahead by `wall` seconds; the machine has slept for `asleep`."""
        struct.pack_into("qq", self.page, 0, int(1000 * wall), int(1000 * asleep))
