"""Power cuts: what was done is recorded, and what a disk may hold of it is made and judged.

tests/power/record.c sits under kinofs and writes down each change of the store and of what is kept beside
it, each fsync and each request; tests/power/left.c makes of that what may be left when the power goes.
It is judged in two ways: offline, at every step and for every kind of loss, by reading the journal and the
tree (Judge); and by a mount that is started on it (survive()).

    tests/mount/power.py --seconds N [--seed N]     cuts of running mounts, until the time is over
    tests/mount/power.py --replay SEED              one of them again
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

import campaign
import harness
from campaign import CrashMount, Drop
from harness import FLAT, HAILUO_23, TEXT

POWER = os.path.join(harness.ROOT, "tests", "power")
LOSSES = ("all", "none", "ordered", "data", "random")
OP = struct.Struct("=IIIIQQQQ")
ROOT, BEGIN, ENTRY, GONE, MOVE, WRITE, SIZE, SYNC, SEND, NOTE = range(1, 11)
UNSENT = ("waiting", "held", "queued", "uploading", "rejected", "cancelled")
SPEED = 30


def compile_tools(directory):
    """The libraries that go under kinofs, and the tool that forgets."""
    os.makedirs(directory, exist_ok=True)
    compiler = os.environ.get("CC", "cc")
    record = os.path.join(directory, "record.so")
    amnesia = os.path.join(directory, "amnesia")
    options = ["-D_GNU_SOURCE", "-I" + harness.ROOT, "-g"]
    subprocess.run([compiler, *options, "-shared", "-fPIC", "-O1", "-o", record,
                    os.path.join(POWER, "record.c"), "-ldl"], check=True)
    subprocess.run([compiler, *options, "-O2", "-o", amnesia,
                    *(os.path.join(POWER, name) for name in ("amnesia.c", "disk.c", "states.c", "left.c"))],
                   check=True)
    return {**campaign.compile_preloads(directory), "record": record, "amnesia": amnesia}


# ------------------------------------------------------------------ the record

Event = collections.namedtuple("Event", "step kind data")


def read_log(path):
    """How many steps, and what was sent and noted at which."""
    events, step, at = [], None, 0
    with open(path, "rb") as file:
        content = file.read()
    while at < len(content):
        kind, size, name, name2 = OP.unpack_from(content, at)[:4]
        at += OP.size + name + name2
        if step is not None:
            step += 1
        if kind == BEGIN:
            step = 0
        if kind in (SEND, NOTE):
            events.append(Event(step, kind, content[at:at + size]))
        at += size
    return step or 0, events


class PowerMount(CrashMount):
    """A mount whose doings are recorded, and whose power can be cut."""

    def __init__(self, directory, sim, tools, **options):
        super().__init__(directory, sim, **{"config": {**campaign.OPEN, "provenance": "mark"},
                                             **options})
        self.tools = tools
        self.log_path = None
        self.lives = self.boots = 0
        self.boot_path = os.path.join(self.directory, "boot")
        self.boot()
        self.roots = [self.store, os.path.join(self.home, "state")]
        for root in self.roots:
            os.makedirs(root, exist_ok=True)
        for model in self.built_in():  # of some, folders are made; more steps would tell no more
            if model not in harness.MODELS:
                os.makedirs(os.path.join(self.tree, model, "out"))

    def built_in(self):
        return [model["$id"] for model in json.loads(self.run("models", "--json").stdout)]

    def prepare(self, cut=0):
        """The next life has a log of its own; cut: the step that is not done any more."""
        self.lives += 1
        self.log_path = os.path.join(self.directory, "record-%d" % self.lives)
        self.extra_environment = campaign.preload(
            self.tools["speed"], self.tools["record"], KINOFS_TEST_SPEED=SPEED,
            KINOFS_POWER_BOOT=self.boot_path, KINOFS_POWER_LOG=self.log_path, KINOFS_POWER_ROOTS=":".join(self.roots),
            KINOFS_POWER_CUT=cut)

    def boot(self):
        """The machine starts anew."""
        self.boots += 1
        with open(self.boot_path, "w", encoding="utf-8") as file:
            file.write("boot-%d\n" % self.boots)

    def close(self):
        try:
            super().close()
        finally:
            for _ in self.mount_ids():  # a dead one as well
                subprocess.run(["fusermount3", "-u", "-z", self.root], check=False)

    def record_note(self, **words):
        """Whatever is recorded from here on came after this."""
        data = json.dumps(words).encode()
        with open(self.log_path, "ab", buffering=0) as file:
            file.write(OP.pack(NOTE, len(data), 0, 0, 0, 0, 0, 0) + data)

    def lose(self, loss, seed):
        """After its death: what is not synced is lost."""
        subprocess.run([self.tools["amnesia"], "cut", self.log_path, loss, str(seed)], check=True)
        self.boot()

    def save_synced(self, model, name, content, sync=os.fsync):
        """As an editor saves that means it: written, synced, and the folder too."""
        path = self.path(model, name)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.write(fd, content)
            sync(fd)
        finally:
            os.close(fd)
        fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync(fd)
        finally:
            os.close(fd)
        self.record_note(synced=os.path.join("tree", model, name),
                         sha256=hashlib.sha256(content).hexdigest())


# ------------------------------------------------------------------ the work

class Work:
    """Some of all that a user does; each act is tried, and may meet the end of the power."""

    def __init__(self, mount, name):
        self.mount = mount
        self.drops = {
            "text": Drop(TEXT, name + "-text"),
            "upload": Drop(HAILUO_23, name + "-upload", pictures=True, distinct=name.encode()),
            "inline": Drop(FLAT, name + "-inline", pictures=True),
            "moved": Drop(TEXT, name + "-moved"),
            "withdrawn": Drop(TEXT, name + "-withdrawn"),
            "forgotten": Drop(TEXT, name + "-forgotten"),
        }
        self.marks = {key: drop.mark for key, drop in self.drops.items()}
        self.batch = ["intent line %d of %s." % (number, name) for number in range(2)]
        self.name = name
        self.dead = False

    def acts(self):
        return [self.save, self.drop("forgotten"), self.drop("text"), self.drop("upload"),
                self.drop_batch, self.withdraw, self.drop("moved"), self.drop("inline"),
                self.forget, self.move, self.save_again]

    def run(self):
        """False: it died on the way."""
        for act in self.acts():
            try:
                act()
            except OSError:
                pass
            except AssertionError:
                if not self.mount.has_died():
                    raise
            if self.mount.has_died():
                return False
        return True

    def drop(self, key):
        return lambda: self.drops[key].put(self.mount)

    def drop_batch(self):
        lines = "".join(json.dumps({"prompt": text}) + "\n" for text in self.batch)
        self.mount.drop(TEXT, self.name + "-list.jsonl", lines)

    def save(self):
        self.mount.save_synced(TEXT, "notes-%s.md" % self.name, b"first " * 2000)

    def save_again(self):
        self.mount.save_synced(TEXT, "more-%s.md" % self.name, b"second " * 2000, os.fdatasync)

    def withdraw(self):
        """Cancelled while it settles."""
        drop = self.drops["withdrawn"]
        drop.put(self.mount)
        self.mount.live_until(lambda: self.mount.record(TEXT, drop.name))
        answer = self.mount.order("cancel %s/%s.txt\n" % (TEXT, drop.name))
        if "cancelled" in answer:
            self.mount.record_note(cancelled=drop.name)

    def move(self):
        """Renamed while it is on its way."""
        name = self.drops["moved"].name
        os.rename(self.mount.path(TEXT, name + ".txt"), self.mount.path(TEXT, name + "2.txt"))

    def forget(self):
        """Unless the power went while it was sent: nobody knows of it then."""
        drop = self.drops["forgotten"]
        state = lambda: (self.mount.record(TEXT, drop.name) or {}).get("state")
        if self.mount.live_until(lambda: state() in ("done", "unknown")) and state() == "done":
            self.mount.record_note(forgetting=drop.name)
            os.unlink(self.mount.path(TEXT, "jobs", drop.name + ".json"))
            self.mount.record_note(forgotten=drop.name)


# ------------------------------------------------------------------ judged without a mount

class Judge:
    """What must hold of every state that the disk may be in."""

    def __init__(self, mount, work, clip, earlier=None):
        self.steps, self.events = read_log(mount.log_path)
        self.state_name = os.listdir(os.path.join(mount.home, "state", "kinofs", "stores"))
        self.clip = clip
        self.sent, self.polled, self.notes = {}, {}, []
        marks = list(work.marks.values()) + work.batch
        for event in self.events:
            if event.kind == NOTE:
                self.notes.append((event.step, json.loads(event.data)))
                continue
            for mark in marks:
                if mark.encode() in event.data:
                    self.sent.setdefault(mark, event.step)
            asked = re.match(rb"GET \S*(?:taskId|task_id)=([\w-]+)", event.data)
            if asked:
                self.polled.setdefault(asked[1].decode(), event.step)
        if earlier:  # the life before, of which nothing was lost; its drops came again
            self.sent.update((mark, 0) for mark in earlier.sent)
            self.polled.update((task, 0) for task in earlier.polled)
            self.notes = [(0, note) for _, note in earlier.notes
                          if "synced" in note] + self.notes

    def when(self, key):
        return [(step, note) for step, note in self.notes if key in note]

    def check(self, step, directory):
        """The problems of one state."""
        store, state = os.path.join(directory, "0"), os.path.join(directory, "1")
        rows = self.read_rows(os.path.join(store, "journal.db"))
        if isinstance(rows, str):
            return [rows]
        return [*self.check_orders(step, rows), *self.check_results(store, rows),
                *self.check_notes(step, store, rows), *self.check_run(step, store, state)]

    @staticmethod
    def read_rows(path):
        if not os.path.exists(path) or not os.path.getsize(path):
            return []
        database = sqlite3.connect(path)
        try:
            sound = database.execute("PRAGMA quick_check").fetchone()[0]
            if sound != "ok":
                return "the journal is damaged: " + sound
            if not database.execute("PRAGMA user_version").fetchone()[0]:
                return []
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM job")]
        except sqlite3.DatabaseError as error:
            return "the journal cannot be read: %s" % error
        finally:
            database.close()

    def forgetting(self, mark, step):
        return any(note["forgetting"] in mark and at <= step for at, note in
                   self.when("forgetting"))

    def check_orders(self, step, rows):
        for mark, at in self.sent.items():
            if at <= step and not self.forgetting(mark, step) and not any(
                    row["request"] and mark in row["request"] and row["submitted"] and
                    row["state"] not in UNSENT for row in rows):
                yield "sent, and the journal does not know: %s" % mark
        for task, at in self.polled.items():
            if at <= step and not any(row["task"] == task for row in rows):
                yield "asked after, and the journal does not have it: task %s" % task

    def check_results(self, store, rows):
        named = set()
        for row in rows:
            for output in json.loads(row["outputs"] or "[]"):
                if "file" in output:
                    named.add(output["file"])
                    path = os.path.join(store, "tree", output["file"])
                    if row["state"] == "done" and not os.path.exists(path):
                        yield "done, and not there: %s" % output["file"]
        forgets = bool(self.when("forgetting"))
        for folder, _, names in os.walk(os.path.join(store, "tree")):
            for name in names:
                path = os.path.join(folder, name)
                if not name.endswith(".mp4") or os.path.islink(path):
                    continue
                if campaign.film_as_it_came(path) != self.clip:
                    yield "half a video: %s" % path
                if os.path.relpath(path, os.path.join(store, "tree")) not in named and \
                        not (forgets and "forgotten" in name):
                    yield "a video of nobody: %s" % path

    def check_notes(self, step, store, rows):
        state = {os.fsdecode(row["stem"]): row for row in rows}
        for at, note in self.notes:
            if at > step:
                break
            if "synced" in note:
                path = os.path.join(store, note["synced"])
                if not os.path.exists(path) or \
                        harness.sha256(campaign.clip_content(path)) != note["sha256"]:
                    yield "saved and synced, and lost: %s" % path
            elif "cancelled" in note:
                row = state.get(note["cancelled"])
                if row and row["state"] != "cancelled":
                    yield "cancelled, and %s again" % row["state"]
            elif "forgotten" in note:
                row = state.get(note["forgotten"])
                if not row or not row["forgotten"]:
                    yield "forgotten, and remembered again"

    def check_run(self, step, store, state):
        """While it is mounted, the three that say which run this is agree."""
        begin = self.when("mounted")[0][0]
        end = [at for at, _ in self.when("ending")] or [self.steps + 1]
        if not begin <= step < end[0]:
            return
        database = sqlite3.connect(os.path.join(store, "journal.db"))
        generation = database.execute("SELECT generation FROM run").fetchone()[0]
        database.close()
        files = [os.path.join(store, "run")]
        files += [os.path.join(state, "kinofs", "stores", name) for name in self.state_name]
        for path in files:
            text = campaign.clip_content(path).decode() if os.path.exists(path) else "nothing"
            if text.split()[:1] != [str(generation)]:
                yield "%s says %r, not generation %d" % (path, text, generation)


def different_files(one, other):
    """What differs, but for what is written through a mapping."""
    paths = [{os.path.relpath(os.path.join(folder, name), root)
              for folder, folders, names in os.walk(root) for name in folders + names}
             for root in (one, other)]
    different = sorted(paths[0] ^ paths[1])
    for path in paths[0] & paths[1]:
        here, there = os.path.join(one, path), os.path.join(other, path)
        if os.path.islink(here) or os.path.isdir(here) or path in ("writing", "journal.db-shm"):
            continue
        if campaign.clip_content(here) != campaign.clip_content(there):
            different.append(path)
    return different


def judge_all(mount, work, clip, seed, every=1, losses=LOSSES, limit=5, earlier=None):
    """Every state of the last life of a mount: how many, and what is wrong with which."""
    judge = Judge(mount, work, clip, earlier)
    problems, count = [], 0
    directory = tempfile.mkdtemp(prefix="kinofs-power-", dir="/dev/shm")
    tool = subprocess.Popen([mount.tools["amnesia"], "each", mount.log_path, directory, str(seed),
                             str(every), *losses], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    try:
        for line in tool.stdout:
            step = int(line.split()[0])
            if step == judge.steps:
                whole = [different_files(root, os.path.join(directory, str(number)))
                         for number, root in enumerate(mount.roots)]
            problems += ["step %s: %s" % (line.strip(), problem)
                         for problem in judge.check(step, directory)]
            count += 1
            if len(problems) >= limit:
                break
            tool.stdin.write("\n")
            tool.stdin.flush()
        else:
            assert tool.wait() == 0, "amnesia failed"
            assert whole == [[], []], "the record is not whole: %s" % whole
    finally:
        tool.kill()
        tool.wait()
        shutil.rmtree(directory)
    return judge, count, problems


# ------------------------------------------------------------------ judged by a mount that goes on

KILLED_AT = 330
STEPS = 950  # about what a life has, its end included
HOLDS = "journal is not the one"


class Survivor:
    """A mount whose power goes, up to three times more while it recovers."""

    def __init__(self, directory, sim, tools, clip, seed):
        self.dice = random.Random(seed)
        self.seed, self.sim, self.clip = seed, sim, clip
        self.mount = PowerMount(directory, sim, tools)
        self.work = Work(self.mount, "s%d" % seed)
        self.logs, self.cuts, self.may_hold = [], 0, False

    def is_quiet(self):
        return all(not job["settling"] and job["state"] in campaign.ENDED + ("held", "waiting")
                   for job in self.mount.jobs())

    def live(self, cut, work):
        """A life that ends by a power cut, or at the latest with a clean end and a cut behind it."""
        mount = self.mount
        mount.prepare(cut)
        self.logs.append(mount.log_path)
        mounted = mount.try_start()
        if mounted:
            mount.record_note(mounted=True)
            going_on = not work or self.work.run()
            if going_on and mount.live_until(self.is_quiet):
                mount.record_note(ending=True)
                self.may_hold = True
                mount.leave()
            elif mount.process is not None:
                mount.bury()
        else:
            self.may_hold = True
        loss, seed = self.dice.choice(LOSSES), self.dice.getrandbits(32)
        mount.lose(loss, seed)
        self.cuts += 1

    def run(self):
        """What was ordered and done; AssertionError: what must not be."""
        mount = self.mount
        try:
            self.live(self.dice.randint(1, STEPS), True)
            for _ in range(self.dice.choice((0, 0, 1, 1, 2, 3))):
                self.live(self.dice.randint(1, 200), False)
            mount.prepare()
            self.logs.append(mount.log_path)
            mount.start()
            mount.record_note(mounted=True)
            for drop in self.work.drops.values():
                if not drop.complete:
                    drop.put(mount)
            mount.quiet(besides=self.work.drops)
            mount.wait(self.is_quiet, "quiet after %d power cuts" % self.cuts)
            total = self.account()
        finally:
            mount.close()
        shutil.rmtree(mount.directory)
        return total

    def notes(self):
        for path in self.logs:
            for event in read_log(path)[1]:
                if event.kind == NOTE:
                    yield json.loads(event.data)

    def account(self):
        """By the journal's rows; a record shows only one take."""
        mount, total = self.mount, collections.Counter(cuts=self.cuts)
        rows, notes = Judge.read_rows(os.path.join(mount.store, "journal.db")), list(self.notes())
        assert isinstance(rows, list), rows
        told = "\njobs:\n%s\nlog:\n%s" % (
            "\n".join(harness.summary(job) for job in mount.jobs()), mount.log_text())
        for mark in list(self.work.marks.values()) + self.work.batch:
            creates = self.sim.creates(mark)
            assert len(creates) <= 1, "ordered twice: %s%s" % (creates, told)
            if not creates or ("-forgotten" in mark and
                               any("forgetting" in note for note in notes)):
                continue
            mine = [row for row in rows if mark in (row["request"] or "") and row["submitted"]]
            states = [row["state"] for row in mine]
            task = creates[0]["task"]
            assert len(mine) == 1, "sent, and %d rows of it: %s%s" % (len(mine), creates, told)
            assert states[0] in ("done", "unknown"), "%s is %s%s" % (mark, states, told)
            total["orders"] += 1
            total[states[0]] += 1
            if states[0] == "done":
                assert mine[0]["task"] == task, told
                assert [campaign.film_as_it_came(os.path.join(mount.tree, output["file"]))
                        for output in json.loads(mine[0]["outputs"])] == [self.clip], "no video" + told
        for note in notes:
            if "cancelled" in note:
                assert not self.sim.creates(self.work.marks["withdrawn"]), "ordered" + told
            if "synced" in note:
                path = os.path.join(mount.store, note["synced"])
                assert os.path.exists(path) and harness.sha256(
                    campaign.clip_content(path)) == note["sha256"], "lost: " + path
        assert self.may_hold or HOLDS not in mount.log_text(), told
        for folder, _, names in os.walk(mount.tree):  # a note may be lost: the record says it too
            for name in names:
                assert not name.endswith(".mp4") or self.clip == campaign.film_as_it_came(
                    os.path.join(folder, name)), "half a video: " + name
        return total


def survive(directory, sim, tools, clip, seed):
    """(figures, None) or (figures, what went wrong)."""
    survivor = Survivor(os.path.join(directory, "s%d" % seed), sim, tools, clip, seed)
    try:
        return survivor.run(), None
    except (AssertionError, OSError, KeyError) as error:
        return collections.Counter(cuts=survivor.cuts), "seed %d: %s: %s\nkept: %s" % (
            seed, type(error).__name__, error, survivor.mount.directory)


def record_lives(directory, sim, tools, clip):
    """Two lives: one that is killed in the middle, and one that recovers and ends well. [(mount as it
    was recorded, work, judge of the life before)]."""
    mount = PowerMount(directory, sim, tools)
    work = Work(mount, os.path.basename(str(directory)))
    try:
        mount.prepare(KILLED_AT)
        assert mount.try_start(), mount.log_text()
        mount.record_note(mounted=True)
        assert not work.run(), "there are not so many steps"
        mount.bury()
        first = Judge(mount, work, clip)
        yield mount, work, None
        mount.prepare()
        mount.start()
        mount.record_note(mounted=True)
        assert work.run(), "it died:\n" + mount.log_text()
        mount.quiet(besides=[drop.name for drop in work.drops.values()])
        mount.wait(mount.is_quiet, "quiet")
        mount.record_note(ending=True)
        mount.unmount()
        yield mount, work, first
    finally:
        mount.close()


# ------------------------------------------------------------------ the campaign

def campaign_of(seeds, seconds, directory, sim, tools, clip, workers):
    """Survivors by these seeds, until the time is over; figures, and what went wrong."""
    total, found = collections.Counter(), []
    end = time.monotonic() + max(seconds, 10)

    def one(seed):
        if time.monotonic() > end or len(found) >= 5:
            return
        figures, problem = survive(directory, sim, tools, clip, seed)
        total.update(figures)
        if problem:
            found.append(problem)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, seeds))
    return total, found


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--replay", type=int)
    words = words.parse_args()
    directory = tempfile.mkdtemp(prefix="kinofs-power-")
    clip = os.path.join(directory, "clip.mp4")
    harness.small_clip(clip)
    tools = compile_tools(os.path.join(directory, "tools"))
    bytes_of_clip = campaign.clip_content(clip)
    sim = harness.Simulator(os.path.join(directory, "sim"), clip=clip, seconds=0, credits=10**9)
    states, problems = 0, []
    try:
        if words.replay is not None:
            total, problems = campaign_of([words.replay], 3600, directory, sim, tools,
                                          bytes_of_clip, 1)
        else:
            begin, number = time.monotonic(), 0
            while number == 0 or time.monotonic() < begin + words.seconds / 3:
                for mount, work, first in record_lives(
                        os.path.join(directory, "w%d" % number), sim, tools, bytes_of_clip):
                    _, count, wrong = judge_all(mount, work, bytes_of_clip, words.seed + number,
                                                earlier=first)
                    states += count
                    problems += wrong
                number += 1
            total, wrong = campaign_of(range(words.seed, words.seed + 10**6),
                                       begin + words.seconds - time.monotonic(), directory, sim,
                                       tools, bytes_of_clip, 4)
            problems += wrong
    finally:
        sim.stop()
    print("\n\n".join(problems))
    print("power: %d states read, %d losses, %d orders (%d unknown), %d violations" % (
        states, total["cuts"], total["orders"], total["unknown"], len(problems)))
    if problems:
        print("again: tests/mount/power.py --replay SEED")
    else:
        shutil.rmtree(directory)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
