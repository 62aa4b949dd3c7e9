#!/usr/bin/python3
"""Histories of what programs do, against a real mount and the reference model.

    tests/mount/model.py --seed N [--only rename,exchange]   one history, shrunk when it fails
    tests/mount/model.py --replay FILE                       the steps of a file, one JSON a line
    tests/mount/model.py --seconds S [--jobs N]              seeds from --seed on, for this long

What must hold, whatever was done in whatever rhythm:

money     the provider has accepted each order at most once, and once more for each time a user
          asked for it (retry, release of a copy, a record forgotten and the files saved again);
          nothing that nobody wrote; nothing that was gone, or cancelled, before a quiet moment or
          the end of a process
ordered   what stays in the tree was ordered, or its record says why not
tree      the tree holds what was put there, byte for byte
record    each job with files has a record, which shows the take of what the files say; each task
          stands in one record, with its video; videos stay
events    events.jsonl is a walk of the table of states

Nothing is judged by a clock: a wait ends when nothing moves any more, and a verdict that could
still change is asked for again until kinofs has been idle for a while.
"""
import argparse
import collections
import concurrent.futures
import ctypes
import glob
import json
import os
import re
import shutil
import sys
import tempfile
import time

import habits
import harness
from campaign import CrashMount
from harness import FLAT
from accounts import Book, Ledger
from reference import MODELS, World, canonical, content_of, useful, with_digests

MOVING = ("queued", "uploading", "submitting", "running", "downloading")
SENT = ("submitting", "running", "downloading", "done", "unknown")
ENDS = ("done", "rejected", "failed", "unknown", "cancelled")
IDLE = 6       # seconds without anything moving, before a verdict that could change is final
PATIENCE = 90  # seconds until something that moves must have come to rest
GENERATED = re.compile(r"(README\.txt|schema\.json|out|jobs)(/|$)")
ALONE = 0.5    # settle_alone_seconds, where kinofs knows the key


class Failure(Exception):
    """What does not hold: the first word says which of the promises."""

    def __init__(self, problems, at=None):
        super().__init__("\n".join(problems))
        self.kinds = {problem.split(":")[0] for problem in problems}
        self.at = at  # the number of steps done


# ------------------------------------------------------------------ the hands

libc = ctypes.CDLL(None, use_errno=True)


def exchange(a, b):
    if libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), 2) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), a)


def write(path, content, slow=0):
    """As a program does that takes its time between open and close."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        half = len(content) // 2 if slow else len(content)
        os.write(fd, content[:half])
        if slow:
            time.sleep(slow)
            os.write(fd, content[half:])
    finally:
        os.close(fd)


def append(path, content):
    with open(path, "ab", buffering=0) as file:
        file.write(content)


HANDS = {
    "write": lambda at, step: write(at(step["path"]), content_of(step), step.get("slow", 0)),
    "append": lambda at, step: append(at(step["path"]), content_of(step)),
    "truncate": lambda at, step: os.truncate(at(step["path"]), step["bytes"]),
    "unlink": lambda at, step: os.unlink(at(step["path"])),
    "touch": lambda at, step: os.utime(at(step["path"])),
    "chmod": lambda at, step: os.chmod(at(step["path"]), 0o600),
    "mkdir": lambda at, step: os.mkdir(at(step["path"])),
    "rmdir": lambda at, step: os.rmdir(at(step["path"])),
    "link": lambda at, step: os.link(at(step["a"]), at(step["b"])),
    "copy": lambda at, step: shutil.copyfile(at(step["a"]), at(step["b"])),
    "rename": lambda at, step: os.rename(at(step["a"]), at(step["b"])),
    "exchange": lambda at, step: exchange(at(step["a"]), at(step["b"])),
}


# ------------------------------------------------------------------ one history

class History:
    """Runs steps on a mount of its own; Failure when a promise does not hold."""

    def __init__(self, directory, clip):
        self.sim = harness.Simulator(os.path.join(directory, "sim"), clip=clip, seconds=0.1)
        self.book = Book(self.sim)
        self.ledger = Ledger(self.book)
        self.world = World()
        self.table = state_table()
        self.videos = {}
        self.down = False
        self.crashed = False
        os.makedirs(os.path.join(directory, "kino"))
        config = dict(harness.OPEN_GATES, caps={"jobs_per_day": None})
        if knows(b"settle_alone_seconds"):
            config["settle_alone_seconds"] = ALONE
        self.mount = CrashMount(os.path.join(directory, "kino"), self.sim, config=config,
                                environment={"XDG_STATE_HOME": os.path.join(directory, "state")})

    def run(self, steps):
        done = 0
        try:
            self.mount.start()
            for done, step in enumerate([*steps, {"do": "mount", "pause": 0},
                                         {"do": "quiet", "pause": 0}], 1):
                if self.world.may(step):
                    self.take(step)
            self.mount.unmount()
            self.book.catch_up()
            self.fail(self.ledger.problems())
        except Failure as failure:
            failure.at = done
            raise
        except (AssertionError, OSError, KeyError, ValueError) as error:
            raise Failure(["broken: step %d: %s: %s" % (
                done, type(error).__name__, error)], done) from error
        finally:
            self.end()

    def end(self):
        try:
            self.mount.close()
        finally:
            self.sim.stop()
            self.book.close()

    def fail(self, problems):
        problems = list(problems)
        if problems:
            raise Failure(problems)

    def at(self, path):
        return os.path.join(self.mount.tree, path) if self.down else self.mount.path(path)

    def take(self, step):
        do = step["do"]
        if do in HANDS:
            HANDS[do](self.at, step)
        elif not self.down or do == "mount":
            getattr(self, "do_" + do)(step)
        self.world.apply(step)
        self.ledger.learn(self.world, moved=do in ("rename", "exchange"))
        if self.down:
            self.ledger.excuse_open()
        if step["pause"]:
            time.sleep(step["pause"])
        self.fail(self.ledger.problems())

    # -------- what is done to kinofs

    def do_kill(self, step):
        self.mount.kill9()
        self.crashed = True
        self.ledger.excuse_open()
        self.ended(step)

    def do_remount(self, step):
        self.mount.unmount()
        self.ended(step)

    def ended(self, step):
        """Between two lives."""
        self.book.catch_up()
        self.ledger.withdraw()
        self.down = True
        if step.get("until") != "mount":
            self.do_mount(step)

    def do_mount(self, _):
        if self.down:
            self.down = False
            self.mount.start()

    def do_fault(self, step):
        self.sim.faults(step["rule"])

    def shown(self, job):
        """The record of a job, as (record, the order it shows, the one the files say)."""
        record = self.mount.record(*job)
        files = self.ledger.jobs.get(job)
        return record, shown_order(record), files and files.order

    def do_forget(self, step):
        job = tuple(step["job"])
        record, order, files = self.shown(job)
        if not record:
            return
        try:
            os.unlink(self.mount.path(job[0], "jobs", job[1] + ".json"))
        except OSError:
            return  # under way, or gone a moment ago
        self.book.read()
        if record["state"] not in ENDS:  # only the take that was not sent yet is cancelled
            self.ledger.end(files or order, self.world.number)
            return
        takes = takes_of(record)
        tasks = {take["task"] for take in takes if take.get("task")}
        self.ledger.forgotten |= tasks
        self.ledger.lost += sum(take["state"] == "unknown" for take in takes)
        orders = {self.book.tasks[task] for task in tasks & self.book.tasks.keys()}
        for ended in orders | {order, files}:
            # words saved a moment ago, over a take that has ended, may still go
            self.ledger.end(ended, self.world.number, withdrawn=ended != files or files == order)

    def do_order(self, step):
        job, verb = tuple(step["job"]), step["verb"]
        record, order, files = self.shown(job)
        if not record:
            return
        try:
            self.mount.order("%s %s/%s" % (verb, *job))
        except OSError:
            return  # refused, so it changes nothing
        if verb == "cancel":
            self.book.read()
            self.ledger.end(files or order, self.world.number)
        elif verb == "retry" or self.book.read()[files or order]:
            self.ledger.ask(*{files, order})
            self.ledger.retried.add(job)

    # -------- the quiet moment

    def do_quiet(self, _):
        self.mount.quiet(timeout=PATIENCE)
        self.mount.wait(lambda: not any(job["settling"] or job["state"] in MOVING
                                        for job in self.mount.jobs()), "quiet", PATIENCE)
        self.book.catch_up()
        self.fail(self.tree_problems())
        self.wait_for_none(self.problems)
        self.fail(self.event_problems())
        self.ledger.withdraw()

    def wait_for_none(self, problems):
        """Until there are none, or kinofs has been idle for so long that nothing will change."""
        end = time.monotonic() + PATIENCE
        size, since = -1, 0
        while True:
            found = list(problems())
            now = time.monotonic()
            grown = os.path.getsize(self.mount.path(".kinofs/events.jsonl"))
            moves = any(job["settling"] or job["state"] in MOVING for job in self.mount.jobs())
            if moves or grown != size:
                size, since = grown, now
            if not found:
                return
            if any(problem.startswith("money") for problem in found) or \
                    now - since > IDLE or now > end:
                raise Failure(found)
            time.sleep(0.1)

    def tree_problems(self):
        found, folders = {}, set()
        for model in MODELS:
            for folder, names, files in os.walk(self.mount.path(model)):
                inside = os.path.relpath(folder, self.mount.path(model))
                inside = "" if inside == "." else inside + "/"
                names[:] = [name for name in names if not GENERATED.match(inside + name)]
                folders |= {"%s/%s%s" % (model, inside, name) for name in names}
                for name in files:
                    if not GENERATED.match(inside + name):
                        with open(os.path.join(folder, name), "rb") as file:
                            found["%s/%s%s" % (model, inside, name)] = file.read()
        wanted = {path: file.content for path, file in self.world.files.items()}
        for path in sorted(wanted.keys() | found.keys()):
            if wanted.get(path) != found.get(path):
                yield "tree: %s: %r, not %r" % (path, found.get(path), wanted.get(path))
        made = self.world.folders - set(MODELS)
        if folders != made:
            yield "tree: folders: %s, not %s" % (sorted(folders), sorted(made))

    def problems(self):
        """What may still come right: money, what is ordered, records."""
        records = {}
        for path in glob.glob(self.mount.path("**/jobs/**/*.json"), recursive=True):
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            records[record["model"], record["job"]] = record
        return [*self.ledger.problems(), *self.order_problems(records),
                *self.task_problems(records), *self.video_problems(records)]

    def order_problems(self, records):
        for key, job in sorted(self.ledger.jobs.items()):
            name = "%s/%s" % key
            record = records.get(key)
            ordered = job.own and self.ledger.ordered(job.own)
            if not record:
                if not job.empty and not (job.order in self.ledger.ended or
                                          job.own in self.ledger.excused or
                                          self.ledger.forgotten):
                    yield "record: %s has files and no record" % name
                continue
            if not job.own:
                continue
            state = record["state"]
            if state in ("held", "cancelled"):
                reason = record.get("held_because") or record.get("warning")
                if not ordered and job.own not in self.ledger.excused:
                    yield "ordered: %s is %s and was never ordered: %s" % (name, state, reason)
                elif not reason:
                    yield "record: %s is %s and does not say why" % (name, state)
            elif state == "unknown" and not self.crashed:
                yield "record: %s is unknown without a crash" % name
            elif state not in SENT:
                yield "ordered: %s" % harness.summary(record)
            elif ordered < job.takes and not self.crashed and \
                    job.own not in self.ledger.excused:
                yield "ordered: %s: %d takes of %d" % (name, ordered, job.takes)
            elif job.own not in self.ledger.owns.get(shown_order(record), ()):
                yield "record: %s shows take %d, %s, and its files say %s" % (
                    name, record["take"], shown_order(record), job.own)

    def task_problems(self, records):
        """Each task stands in one record; what has no record was forgotten or lost in a crash."""
        claimed = collections.Counter()
        unknown = self.ledger.lost
        for record in records.values():
            for take in takes_of(record):
                if take["state"] not in self.table:
                    yield "record: no such state: %s" % take["state"]
                if take.get("task"):
                    claimed[take["task"]] += 1
                unknown += take["state"] == "unknown"
        for task, count in claimed.items():
            if count > 1:
                yield "record: task %s stands in %d records" % (task, count)
            if task not in self.book.tasks:
                yield "record: the provider knows no task %s" % task
        missing = set(self.book.tasks) - set(claimed) - self.ledger.forgotten
        if len(missing) > unknown:
            yield "record: paid, and in no record: %s" % sorted(
                self.book.tasks[task] for task in missing)

    def video_problems(self, records):
        outputs = collections.Counter()
        for record in records.values():
            for take in takes_of(record):
                outputs.update(take["outputs"])
                if take["state"] == "done" and not take["outputs"]:
                    yield "record: %s is done without a video" % harness.summary(take)
        for path, count in outputs.items():
            if count > 1:
                yield "record: %s belongs to %d takes" % (path, count)
        for path in {*outputs, *self.videos}:
            try:
                size = os.path.getsize(self.mount.path(path))
            except OSError as error:
                size = error
            if isinstance(size, OSError) or not size or self.videos.get(path, size) != size:
                yield "record: the video %s: %s" % (path, size)
            else:
                self.videos[path] = size

    def event_problems(self):
        at = {}
        for event in harness.whole_lines(self.mount.path(".kinofs/events.jsonl")):
            state, before = event["state"], at.get(event["id"])
            if state not in self.table:
                yield "events: no such state: %s" % event
            elif before and before != state and state not in self.table[before]:
                yield "events: from %s to %s: %s" % (before, state, event)
            at[event["id"]] = state


def takes_of(record):
    """What a record says of each take, the one it shows first."""
    return [record, *record.get("earlier_takes", ())]


def shown_order(record):
    """The order whose request a record shows, None if it shows none."""
    request = (record or {}).get("request")
    if not request:
        return None
    if record["model"] == FLAT:
        return canonical(FLAT, with_digests(request))
    return canonical(request["model"], with_digests(request["input"]))


def state_table():
    """Each state to all that may follow, at once or later: one event may tell of several steps.

    Read from the table in fs/ itself, so that there is only one.
    """
    direct = {}
    for path in glob.glob(os.path.join(harness.ROOT, "fs", "**", "*.c"), recursive=True):
        with open(path, encoding="utf-8") as file:
            for constant, _, following in re.findall(
                    r'\[JOB_(\w+)\] = \{\s*"(\w+)",\s*(?:true|false),\s*(?:true|false),([^}]*)\}',
                    file.read()):
                direct[constant.lower()] = {name.lower() for name in
                                            re.findall(r"JOB_(\w+)", following)}
    assert "submitting" in direct, "where is the table of states?"
    for _ in direct:
        direct = {state: following.union(*(direct[name] for name in following))
                  for state, following in direct.items()}
    return direct


def knows(word):
    """Whether kinofs knows a word, say a key of its configuration."""
    with open(harness.KINOFS, "rb") as file:
        return word in file.read()


# ------------------------------------------------------------------ running and shrinking

def make_clip(directory):
    clip = os.path.join(directory, "clip.mp4")
    harness.ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1",
                   "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
                   "-movflags", "+faststart", clip)
    return clip


def run(steps, clip):
    """None, or the Failure of these steps."""
    with tempfile.TemporaryDirectory(prefix="kinofs-model-") as directory:
        try:
            History(directory, clip).run(steps)
        except Failure as failure:
            return failure
        except AssertionError as error:  # of closing the mount: its log, its exit status
            return Failure(["broken: at the end: %s" % error])
    return None


def shrink(steps, failure, clip, seconds):
    """The shortest history found in so many seconds that fails in one of the same ways."""
    end = time.monotonic() + seconds

    def try_without(first, count):
        nonlocal steps, failure
        shorter = useful(steps[:first] + steps[first + count:])
        found = run(shorter, clip)
        if not found or not found.kinds & failure.kinds:
            return False
        steps, failure = shorter[:found.at or len(shorter)], found
        return True

    steps = steps[:failure.at or len(steps)]
    size = max(1, len(steps) // 2)
    while time.monotonic() < end:
        first, removed = 0, False
        while first < len(steps) and time.monotonic() < end:
            if try_without(first, size):
                removed = True
            else:
                first += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return steps, failure


def program(steps):
    return "".join(json.dumps(step, ensure_ascii=False) + "\n" for step in steps)


def report(title, steps, failure):
    """How a failure is told: what, and the steps to put into a file for --replay."""
    return "%s\n%s\n%d steps, for tests/mount/model.py --replay FILE:\n%s" % (
        title, failure, len(steps), program(steps))


def check_seed(seed, clip, only=(), shrink_seconds=0):
    """None, or the report of a seed that fails."""
    steps = habits.write(seed, only)
    failure = run(steps, clip)
    if not failure:
        return None
    if shrink_seconds:
        steps, failure = shrink(steps, failure, clip, shrink_seconds)
    return report("seed %d%s fails" % (seed, " of " + ",".join(only) if only else ""),
                  steps, failure)


def check_long(seconds, first, clip, only=(), jobs=4, shrink_seconds=300, tell=print):
    """Seed after seed, several at once, until the time is over; how many, and the reports."""
    end = time.monotonic() + seconds
    seeds = iter(range(first, 1 << 62))
    count, reports = 0, []

    def worker():
        nonlocal count
        while time.monotonic() < end and len(reports) < 5:
            found = check_seed(next(seeds), clip, only, shrink_seconds)
            count += 1
            if found:
                reports.append(found)
                tell(found)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for task in [pool.submit(worker) for _ in range(jobs)]:
            task.result()
    return count, reports


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="these habits: %s" % " ".join(habits.HABITS))
    parser.add_argument("--replay", metavar="FILE")
    parser.add_argument("--seconds", type=float, help="seed after seed for this long")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--shrink", type=float, default=180, metavar="SECONDS")
    parser.add_argument("--show", action="store_true", help="print the history, do not run it")
    words = parser.parse_args()
    only = tuple(filter(None, words.only.split(",")))
    if words.show:
        print(program(habits.write(words.seed, only)), end="")
        return 0
    with tempfile.TemporaryDirectory(prefix="kinofs-model-") as directory:
        clip = make_clip(directory)
        if words.seconds:
            count, reports = check_long(words.seconds, words.seed, clip, only, words.jobs,
                                        words.shrink)
            print("%d histories, %d failed" % (count, len(reports)))
            return 1 if reports else 0
        if words.replay:
            with open(words.replay, encoding="utf-8") as file:
                steps = [json.loads(line) for line in file if line.startswith("{")]
            failure = run(steps, clip)
            found = failure and report(words.replay, steps, failure)
        else:
            found = check_seed(words.seed, clip, only, words.shrink)
    print(found or "holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
