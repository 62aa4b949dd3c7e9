"""What kinofs costs with a million finished jobs behind it, against a thousand."""
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import time
import urllib.request

MODEL = "hailuo/02-text-to-video-pro"
HERE, LISTED = "here", 10000  # the folder that is listed, and its records: the same in each store
DAY_MS = 86400 * 1000

ROWS = """
WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end)
INSERT INTO job (model, dir, stem, take, shown, state, hold, note, settling, released, fingerprint,
 request, outputs, estimate, spent, task, created, submitted, accepted, finished, changed,
 links_until, order_key, seen)
SELECT :model, CAST(iif(:dir IS NULL, 'old/' || i / 1000, :dir) AS BLOB),
 CAST(printf('job%07d', i) AS BLOB), 1, 1, 'done', 0, 0, 0, 0, printf('%064x', i),
 '{"input":{"prompt":"wave number ' || i || '"}}',
 '[{"url":"https://example.com/' || i || '.mp4","file":"job' || i || '.mp4","bytes":1000,"published":true}]',
 35, 35, printf('task%07d', i), :then + i, :then + i, :then + i, :then + i, :then + i, 0,
 printf('%064x', i), printf('%064x', i) FROM n
"""


def fill(journal, count):
    """So many finished jobs in old folders, some months ago, and those in HERE."""
    then = int(time.time() * 1000) - 90 * DAY_MS
    base = sqlite3.connect(journal)
    base.execute("PRAGMA synchronous = OFF")
    for words in ({"first": 0, "end": count, "dir": None},
                  {"first": 8000000, "end": 8000000 + LISTED, "dir": HERE}):
        base.execute(ROWS, {"model": MODEL, "then": then, **words})
    base.commit()
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()


def median(measure, runs):
    return statistics.median(measure() for _ in range(runs))


def seconds(call, *words):
    begin = time.monotonic()
    call(*words)
    return time.monotonic() - begin


def stats(mount, names):
    for name in names:
        os.stat(os.path.join(mount, MODEL, "jobs", HERE, name + ".json"))


def run(*command):
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


class Store:
    """A store with a history, mounted as often as wanted against one simulator."""

    def __init__(self, bench, simulator, count):
        self.bench, self.simulator, self.count = bench, simulator, count
        self.place = os.path.join(bench.work, "history%d" % count)
        self.drops = 0
        with self.mount():
            pass
        fill(os.path.join(self.place, "journal.db"), count)
        with self.mount():
            pass

    def mount(self):
        url = self.simulator
        return self.bench.kinofs(
            store=self.place, point=self.place + ".mount", words=["settle=0"],
            config={"caps": {"jobs_per_day": None}},
            environment={"KINOFS_KIE_URL": url, "KINOFS_KIE_UPLOAD_URL": url})

    def accepted(self):
        with urllib.request.urlopen(self.simulator + "/sim/stats") as answer:
            return json.load(answer)["creates"]["accepted"]

    def drop(self, point):
        """Until the provider has the order."""
        self.drops += 1
        accepted = self.accepted()
        with open(os.path.join(point, MODEL, "drop%d.txt" % self.drops), "w",
                  encoding="ascii") as file:
            file.write("%d jobs, drop number %d" % (self.count, self.drops))
        while self.accepted() == accepted:
            time.sleep(0.002)

    def first_drop(self):
        with self.mount() as mount:
            return seconds(self.drop, mount.point())

    def starts(self, clean):
        took = []
        for _ in range(5):
            with self.mount() as mount:
                took.append(mount.started)
                if not clean:
                    self.drop(mount.point())
                    mount.process.send_signal(signal.SIGKILL)
                    mount.process.wait()
                    run("fusermount3", "-u", "-z", mount.point())
        return statistics.median(took[1:])  # the first follows an end of the other kind

    def measure(self, kinofs):
        with self.mount() as mount:
            root = mount.point()
            names = ["job%07d" % (8000000 + i * 7) for i in range(1000)]
            listing = ("ls", "-l", os.path.join(root, MODEL, "jobs", HERE))
            yield "stat of 1,000 records", median(lambda: seconds(stats, root, names), 5)
            yield "ls -l of %d records" % LISTED, median(lambda: seconds(run, *listing), 3)
            yield "kinofs status", median(lambda: seconds(run, kinofs, "status", root), 5)
        yield "the first drop, until it is ordered", median(self.first_drop, 5)
        yield "start after a clean end", self.starts(True)
        yield "start after kill -9", self.starts(False)


def compare(bench, simulator, kinofs, counts, say):
    few, many = (Store(bench, simulator, count) for count in counts)
    say("", "%d finished jobs  %d   ratio" % counts)
    for (what, base), (_, took) in zip(few.measure(kinofs), many.measure(kinofs)):
        say(what, "%10.1f ms %10.1f ms %8.2f" % (base * 1000, took * 1000, took / base))
