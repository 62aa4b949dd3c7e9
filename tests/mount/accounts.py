"""What may have been ordered, and what was: the money side of the reference model."""
import collections
import json
import time

from reference import canonical, with_digests


class Book:
    """The simulator's log, read as it grows: the order and the time of each accepted task."""

    def __init__(self, sim):
        self.sim = sim
        self.file = None
        self.rest = ""
        self.tasks = {}                       # task to order
        self.accepted = collections.Counter() # order to how often
        self.closed = {}                      # order to the time after which none may come
        self.late = set()                     # those that had come before, and were answered after

    def read(self):
        if not self.file:
            self.file = open(self.sim.log_path, encoding="utf-8")  # closed by close()
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        for line in lines:
            entry = json.loads(line)
            if entry["method"] != "POST" or not entry["task"]:
                continue
            body = entry["body"]
            if entry["path"].startswith("/v3/async/"):
                order = canonical(entry["path"][len("/v3/async/"):], with_digests(body))
            else:
                order = canonical(body["model"], with_digests(body["input"]))
            self.tasks[entry["task"]] = order
            if not self.accepted[order] and entry["t"] <= self.closed.get(order, 0):
                self.late.add(order)  # the log has it when it was answered, "t" when it came
            self.accepted[order] += 1
        return self.accepted

    def catch_up(self):
        """Everything that had reached the simulator before now."""
        for _ in range(3):
            self.sim.stats()
        return self.read()

    def close(self):
        if self.file:
            self.file.close()


class Ledger:
    """What may have been ordered, by the rules; it learns from the jobs before and after a step.

    own: what the files of a job say; order: that with the defaults.json of its folder.
    """

    def __init__(self, book):
        self.book = book
        self.jobs = {}
        self.allowed = collections.Counter()
        self.anew = {}          # owns saved again after an end: to how often they were ordered then
        self.copied = set()     # owns that stood in two places at once
        self.owns = {}          # order to the owns it was made of
        self.asked = set()      # orders a user asked for by name
        self.emptied = set()    # jobs that may be held, and whose files a rename took
        self.retried = set()    # jobs of which one more take was asked for since all was quiet
        self.ended = {}         # orders forgotten or cancelled: to the step
        self.ended_own = {}     # owns of these, with whatever defaults: to the step
        self.excused = set()    # owns that may be held or cancelled without a video
        self.forgotten = set()  # tasks whose record was removed
        self.lost = 0           # records of tasks without an answer, removed

    def ordered(self, own):
        """How often this was ordered, with whatever defaults."""
        return sum(count for order, count in self.book.accepted.items()
                   if own in self.owns.get(order, ()))

    def learn(self, world, moved=False):
        """After each step; moved: it was a rename or an exchange."""
        before, self.jobs = self.jobs, world.jobs()
        if moved:
            self.excuse_moved(before)
            self.allow_retried(before)
        self.emptied -= {key for key, job in self.jobs.items() if job.own}
        stands = collections.Counter(job.own for job in self.jobs.values() if job.own)
        self.copied |= {own for own, count in stands.items() if count > 1}
        for key, job in self.jobs.items():
            if not job.own:
                continue
            was = before.get(key)
            self.owns.setdefault(job.order, set()).add(job.own)
            ended = self.ended.get(job.order, self.ended_own.get(job.own, world.number))
            if job.written > ended:  # saved again
                self.ended.pop(job.order, None)
                self.ended_own.pop(job.own, None)
                self.anew[job.own] = self.ordered(job.own)
                self.allowed[job.order] = max(self.allowed[job.order],
                                              self.book.read()[job.order] + job.takes)
            elif not was or was.own != job.own or self.may_follow_defaults(job):
                self.allowed[job.order] = max(self.allowed[job.order], 1)
            if job.takes > 1 and job.order not in self.ended:
                self.allowed[job.order] = max(self.allowed[job.order],
                                              self.anew.get(job.own, 0) + job.takes)

    def may_follow_defaults(self, job):
        """Whether a job may be one not sent yet, which goes with the defaults.json of now: a copy
        that is held is one, also when what it was copied from is gone."""
        return job.order not in self.ended and (job.own in self.copied or
                                                self.ordered(job.own) in (0, self.anew.get(job.own)))

    def standing(self):
        return {job.order for job in self.jobs.values() if job.own}

    def withdraw(self):
        """Nothing is under way: what is not in the tree now is never ordered from here on."""
        for order in set(self.allowed) - self.standing() - self.asked:
            self.close(order)
        self.retried.clear()

    def close(self, order):
        self.allowed[order] = min(self.allowed[order], self.book.accepted[order])
        self.book.closed[order] = time.time()

    def ask(self, *orders):
        for order in filter(None, orders):
            self.asked.add(order)
            self.allowed[order] += 1
            self.owns.setdefault(order, set())

    def end(self, order, number, withdrawn=True):
        """Forgotten or cancelled: not again unless saved after it."""
        if not order:
            return
        self.ended[order] = number
        self.ended_own.update((own, number) for own in self.owns.get(order, ()))
        self.excused |= self.owns.get(order, set())
        if withdrawn and sum(job.order == order for job in self.jobs.values()) < 2:
            self.close(order)

    def allow_retried(self, before):
        """A retry is of what the files say when they are looked at: of what a job gets by a rename
        in the same moment, or of what it had."""
        for key in self.retried & self.jobs.keys() & before.keys():
            if self.jobs[key].own and self.jobs[key].own != before[key].own:
                self.allowed[self.jobs[key].order] += 1

    def excuse_open(self):
        """After a crash, or for what came while nothing was mounted: held is an answer."""
        self.excused |= {job.own for job in self.jobs.values()
                         if job.own and not self.ordered(job.own)}

    def excuse_moved(self, before):
        """A file of another job that is moved into a held one is not a save: it stays held."""
        changed = [key for key, job in self.jobs.items()
                   if key in before and before[key].own != job.own]
        left = before.keys() - self.jobs.keys()
        if len(changed) + len(left) > 1:
            self.excused |= {self.jobs[key].own for key in changed
                             if self.jobs[key].own and before[key].own in self.excused}
        self.excused |= {job.own for key, job in self.jobs.items()
                         if key in self.emptied and job.own}
        self.emptied |= {key for key, job in before.items() if job.own in self.excused and
                         not (key in self.jobs and self.jobs[key].own)}

    def problems(self):
        for order, count in self.book.read().items():
            if count > max(self.allowed[order], order in self.book.late):
                yield "money: accepted %d times, %d allowed: %s" % (
                    count, self.allowed[order], order)
