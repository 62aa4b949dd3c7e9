"""What the proofs of tests/mount/test_{crash,faults,limits,disk,secrets}.py share.

The product has no hooks for tests: faults come from the simulator, from the forwarder below, and from
the two libraries of tests/preload/, which are compiled here and put under kinofs by LD_PRELOAD.
"""
import collections
import contextlib
import errno
import json
import mmap
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import harness

PRELOAD = os.path.join(harness.ROOT, "tests", "preload")
KINDS = ("write", "sync", "rename", "connect", "send", "memory")
STEPS = 4096
ENDED = ("done", "rejected", "failed", "unknown", "cancelled")
OPEN = {**harness.OPEN_GATES, "caps": {"jobs_per_day": None}}


# ------------------------------------------------------------------ preloaded libraries

def sanitizer():
    """The sanitizer kinofs was built with, or None."""
    needs = subprocess.run(["ldd", harness.KINOFS], capture_output=True, text=True,
                           check=True).stdout
    return next((name for name in ("asan", "tsan", "ubsan") if "lib" + name in needs), None)


def compile_preloads(directory):
    """Name to path of the libraries of tests/preload/."""
    os.makedirs(directory, exist_ok=True)
    options = ["-DNO_MEMORY_FAULTS"] if sanitizer() in ("asan", "tsan") else []
    paths = {}
    for name in ("speed", "inject"):
        paths[name] = os.path.join(directory, name + ".so")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-g", *options,
                        "-o", paths[name], os.path.join(PRELOAD, name + ".c"), "-ldl"],
                       check=True)
    return paths


def preload(*paths, **variables):
    """The environment that puts libraries under kinofs."""
    variables = {name: str(value) for name, value in variables.items()}
    if sanitizer() == "asan":
        variables["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
    return {"LD_PRELOAD": " ".join(paths), **variables}


class Control:
    """The page inject.c reads and counts in (struct control)."""
    HEAD, KIND = 24, 32
    BYTES = HEAD + KIND * len(KINDS) + STEPS

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(self.BYTES)
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), self.BYTES)

    def _get(self, at):
        return struct.unpack_from("q", self.page, at)[0]

    def _set(self, at, number):
        struct.pack_into("q", self.page, at, number)

    def reset(self, kill_at=0, torn=False):
        """Counts from zero again; nothing fails."""
        self.page[:] = bytes(self.BYTES)
        self._set(8, int(torn))
        self._set(0, kill_at)

    def steps(self):
        """A letter a step so far: w(rite) s(ync) r(ename) c(onnect) n(etwork)."""
        count = min(self._get(16), STEPS)
        start = self.HEAD + self.KIND * len(KINDS)
        return self.page[start:start + count].decode()

    def calls(self, kind):
        return self._get(self.HEAD + self.KIND * KINDS.index(kind))

    def fail(self, kind, error, after=0, times=1 << 40):
        """Lets calls fail from the one `after` more calls from now; times=0 ends it."""
        at = self.HEAD + self.KIND * KINDS.index(kind)
        self._set(at + 24, error)
        self._set(at + 16, times)
        self._set(at + 8, self._get(at) + 1 + after)

    def failed(self, kind):
        """Whether the call that was to fail has come."""
        at = self.HEAD + self.KIND * KINDS.index(kind)
        return self._get(at) >= self._get(at + 8) > 0

    def mend(self):
        for kind in range(len(KINDS)):
            self._set(self.HEAD + self.KIND * kind + 8, 0)


# ------------------------------------------------------------------ a mount that may die

class CrashMount(harness.Mount):
    """A mount that is expected to die by SIGKILL at a moment of its own choosing."""

    def mount_ids(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as table:
            return [line.split()[0] for line in table if line.split()[4] == self.root]

    def is_mounted(self, table=None):
        """Whether there is a mount that answers: not the dead one of the run before. (Its id says
        nothing: the kernel gives it to the next mount.)"""
        if not super().is_mounted(table):
            return False
        try:
            os.statvfs(self.path(".kinofs/ctl"))  # statvfs is always asked of the daemon
        except OSError as error:
            assert error.errno in (errno.ENOTCONN, errno.ENOENT), error
            return False
        return True

    def unmount(self):
        """As a user does, who tries again when somebody still has a file open."""
        deadline = time.monotonic() + harness.PATIENCE
        while True:
            result = subprocess.run(["fusermount3", "-u", self.root], capture_output=True,
                                    text=True, check=False)
            if result.returncode == 0:
                break
            assert "busy" in result.stderr and time.monotonic() < deadline, result.stderr
            select.select([], [], [], 0.01)
        self._finish("fusermount3 -u")

    def has_died(self):
        return self.process is None or self.process.poll() is not None

    def bury(self):
        """After its death: nothing but SIGKILL may have ended it."""
        if self.process is None:
            return
        status, late = self._end()
        self.process = None
        assert not late and status == -signal.SIGKILL, \
            "kinofs ended with %d, not by the kill:\n%s" % (status, self.log_text())

    def try_start(self):
        """Whether it lived long enough to be mounted."""
        try:
            self.start()
            return True
        except (AssertionError, OSError):
            if self.process is not None and self.process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(harness.PATIENCE)  # its last system call is on its way
            if self.process is not None and self.process.returncode is None:
                raise
            self._reader.join()
            status = self.process.returncode
            self.process = None
            if status != -signal.SIGKILL:
                raise
            return False

    def live_until(self, condition, timeout=harness.PATIENCE):
        """Until the condition holds (True) or it has died (False)."""
        pid = os.pidfd_open(self.process.pid)
        poll = select.poll()
        poll.register(pid, select.POLLIN)
        deadline = time.monotonic() + timeout
        try:
            while True:
                if self.process.poll() is not None:
                    return False
                with contextlib.suppress(OSError):
                    if condition():
                        return True
                if time.monotonic() > deadline:
                    raise AssertionError("kinofs neither died nor came to the end:\n" +
                                         self.log_text())
                poll.poll(10)
        finally:
            os.close(pid)

    def leave(self):
        """Unmounts; False when it died on the way out."""
        try:
            self.unmount()
        except AssertionError:
            if self.process is None or self.process.returncode != -signal.SIGKILL:
                raise
            self.process = None
            return False
        return True

    def is_quiet(self, passing=()):
        """Whether nothing is going on any more, seen at one moment; the states in passing go on."""
        return all(not job["settling"] and job["state"] not in passing and
                   job["state"] in ENDED + ("held",) for job in self.jobs())

    def is_quiet_with(self, *drops, passing=()):
        """A condition: these jobs are known, and nothing is going on any more."""
        return lambda: all(self.record(drop.model, drop.name) for drop in drops) and \
            self.is_quiet(passing)


# ------------------------------------------------------------------ a way that can be closed

class Forwarder:
    """A port in front of the simulator that can refuse connections."""

    def __init__(self, port):
        self.target = port
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.accepter = None
        self.open()

    def open(self):
        if self.server is None:
            self.server = socket.socket()
            self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.server.bind(("127.0.0.1", self.port))
        self.server.listen(64)
        self.accepter = threading.Thread(target=self._accept, args=(self.server,), daemon=True)
        self.accepter.start()

    def close(self):
        """From now on connections are refused; those that are open are cut."""
        if self.server is None:
            return
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.server = None
        self.accepter.join()

    def _accept(self, server):
        pairs = []
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                break
            try:
                there = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            pairs.append((client, there))
            for source, target in ((client, there), (there, client)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _copy(source, target):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


# ------------------------------------------------------------------ drops and what became of them

class Drop:
    """One intent: a job's name, its files, and the words by which the simulator's log knows it."""

    PICTURE = harness.png()

    def __init__(self, model, name, pictures=False, distinct=b""):
        self.model, self.name = model, name
        self.mark = "intent %s of %s." % (name, model)
        self.files = [(name + ".txt", self.mark.encode())]
        if pictures:
            # trailing bytes make another picture of it, for the cache of uploads
            self.files.insert(0, (name + ".png", self.PICTURE + distinct))
        self.complete = False

    def put(self, mount):
        """Whether every close(2) said it is there."""
        try:
            for name, content in self.files:
                mount.drop(self.model, name, content)
            self.complete = True
        except OSError:
            self.complete = False
        return self.complete


def three_kinds(name):
    """A job of each way through the engine: an upload and a create, an inline picture, text."""
    return [Drop(harness.HAILUO_23, name, pictures=True, distinct=name.encode()),
            Drop(harness.FLAT, name, pictures=True),
            Drop(harness.TEXT, name)]


Account = collections.namedtuple("Account", "creates accepted done unknown other")


def account_for(mount, sim, drops, clip_bytes):
    """The invariants of fs/README.md 2 over a quiet mount; what became of the drops, in numbers."""
    total = collections.Counter()
    for drop in drops:
        creates = [entry for entry in sim.creates(drop.mark)]
        accepted = [entry for entry in creates if entry["task"]]
        record = mount.record(drop.model, drop.name)
        told = "%s/%s: record %s\ncreates %s\nlog:\n%s" % (
            drop.model, drop.name, json.dumps(record, indent=1, ensure_ascii=False),
            json.dumps(creates, indent=1, ensure_ascii=False), mount.log_text())
        assert len(creates) <= 1, "an intent was created twice: " + told
        assert record or not drop.complete, "a drop is unaccounted for: " + told
        assert record or not accepted, "a paid task has no record: " + told
        if not record:
            continue
        videos = published(mount, drop)
        if record["state"] == "done":
            assert accepted and len(videos) == 1, "not published exactly once: " + told
            assert videos[0] == clip_bytes, "half a video: " + told
        elif record["state"] == "unknown":
            assert not videos, told
            note = mount.note(drop.model, drop.name)
            assert "MAY have been spent" in note and "retry" in note, note
        else:
            # what is left is a drop that was cut off while it was being written
            assert not drop.complete and not creates, "lost on the way: " + told
        total["creates"] += len(creates)
        total["accepted"] += len(accepted)
        total[record["state"] if record["state"] in ("done", "unknown") else "other"] += 1
    await_no_leftovers(mount)
    assert_whole_tree(mount, clip_bytes)
    return total


def await_no_leftovers(mount):
    """A note that is on its way stands in incoming/ for a moment."""
    incoming = os.path.join(mount.store, "incoming")
    mount.wait(lambda: os.listdir(incoming) == [], "incoming/ to be empty")


def published(mount, drop):
    """The contents of the videos of a job."""
    out = os.path.join(mount.tree, drop.model, "out")
    contents = []
    for name in sorted(os.listdir(out)):
        if name.split(".")[0] == drop.name and name.endswith(".mp4"):
            with open(os.path.join(out, name), "rb") as file:
                contents.append(file.read())
    return contents


def assert_whole_tree(mount, clip_bytes):
    """Nothing in any out/ but whole videos and notes."""
    for model in harness.MODELS:
        out = os.path.join(mount.tree, model, "out")
        for name in os.listdir(out):
            path = os.path.join(out, name)
            if name.endswith(".mp4"):
                with open(path, "rb") as file:
                    assert file.read() == clip_bytes, "half a file: " + path
            else:
                assert name.endswith((".error.txt", ".held.txt", ".waiting.txt",
                                      ".running.txt")), path
                assert os.path.getsize(path) > 0, "an empty note: " + path


def clip_content(path):
    with open(path, "rb") as file:
        return file.read()


def boxes(content):
    """Type, start and end of each box of a film, at its top."""
    at, found = 0, []
    while at < len(content):
        size = int.from_bytes(content[at:at + 4], "big")
        assert 8 <= size <= len(content) - at, "no box at %d" % at
        found.append((content[at + 4:at + 8], at, at + size))
        at += size
    return found


def film_as_it_came(path):
    """Without the marks of kinofs, which must be whole: else it is not what it was either."""
    content = clip_content(path)
    try:
        *before, (moov, start, _), (uuid, xmp, end) = boxes(content)
    except (AssertionError, ValueError):
        return content
    freed = [at for kind, at, _ in before
             if kind == b"free" and content[at + 12:at + 16] == b"mvhd"]
    if (moov, uuid, len(freed)) != (b"moov", b"uuid", 1) or \
            not content[xmp:end].endswith(b'<?xpacket end="r"?>\n'):
        return content
    return content[:freed[0] + 4] + b"moov" + content[freed[0] + 8:start]
