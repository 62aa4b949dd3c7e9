"""What the tests on a real mount stand on: the simulator, a mount of one's own, and media.

KINOFS_BUILD names the directory with kinofs and kinofs-sim (default: build beside tests/).
Nothing here sleeps for luck: a mount is awaited by poll(2) of the mount table, a job by poll(2)
of .kinofs/events.jsonl, a line of the log by the thread that reads it.
"""
import contextlib
import errno
import glob
import hashlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("KINOFS_BUILD", os.path.join(ROOT, "build")))
KINOFS = os.path.join(BUILD, "kinofs")
KINOFS_SIM = os.path.join(BUILD, "kinofs-sim")
SPECS = os.path.join(ROOT, "tests", "specs")

HAILUO_23 = "hailuo/2-3-image-to-video-pro"
HAILUO_02 = "hailuo/02-image-to-video-standard"
TEXT = "hailuo/02-text-to-video-pro"
SEEDANCE = "bytedance/v1-pro-image-to-video"
FLAT = "minimax-hailuo-02"
MODELS = (HAILUO_23, HAILUO_02, TEXT, SEEDANCE, FLAT)
PICTURE_MODELS = (HAILUO_23, HAILUO_02, SEEDANCE, FLAT)

SETTLE = 0.2
PATIENCE = 60  # seconds until what does not come has failed; nothing passes by being faster
KEYS = {"KIE_API_KEY": "kie-test-key-0123456789", "PPINFRA_API_KEY": "ppinfra-test-key-98765"}
KEY_VARIABLES = ("KIE_API_KEY", "KIE_AI_API_KEY", "KIEAI_API_KEY",
                 "PPINFRA_API_KEY", "PPIO_API_KEY", "NOVITA_API_KEY")
# The gates have tests of their own; everywhere else they only would cost time.
OPEN_GATES = {"providers": {"kie": {"creates_per_10s": 1000},
                            "ppinfra": {"creates_per_minute": 1000}}}

BAD_ENDS = ("failed", "unknown", "cancelled")
# "error:" is how the log names what went wrong; the rest is what must never be there at all.
SUSPICIOUS = re.compile(r"\bBUG\b|error:|Traceback|Sanitizer|runtime error|SUMMARY:")


# ------------------------------------------------------------------ media

def png(width=64, height=48, colour=(200, 30, 30)):
    """A PNG of one colour; another colour is another picture."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + bytes(colour) * width) * height
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def small_clip(path):
    """A real video, served where what it shows does not matter."""
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1",
           "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
           "-movflags", "+faststart", path)


def probe(path):
    """The seconds a video is long; fails when there is no video stream in it."""
    found = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_type",
         "-of", "json", path], check=True, capture_output=True).stdout)
    assert "video" in [stream["codec_type"] for stream in found["streams"]], path
    return float(found["format"]["duration"])


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def good_spec(model):
    """The path of the example body of the model's page."""
    with open(os.path.join(SPECS, "good", "manifest.json"), encoding="utf-8") as file:
        return next(os.path.join(SPECS, "good", entry["file"])
                    for entry in json.load(file) if entry["model"] == model)


def lines_until(process, is_last, timeout=PATIENCE):
    """All lines that a watching program prints, up to one that is_last(line)."""
    lines = []
    alarm = threading.Timer(timeout, process.kill)
    alarm.start()
    for line in process.stdout:
        lines.append(line.strip())
        if is_last(lines[-1]):
            break
    alarm.cancel()
    assert lines and is_last(lines[-1]), lines
    return lines


# ------------------------------------------------------------------ the simulator

def whole_lines(path):
    """What a file of JSON lines says, but for one that is just being written."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


class Simulator:
    """A kinofs-sim on a port of its own. Options: as on its command line, `seconds=0.2`."""

    def __init__(self, directory, **options):
        os.makedirs(directory, exist_ok=True)
        self.log_path = os.path.join(directory, "requests.log")
        self.options = {"seconds": SETTLE, "rate": 0, "log": self.log_path, **options}
        self.port = 0
        self.process = None
        self.start()

    def start(self):
        """Also after stop(): on the same port, with the same log."""
        words = [word for name, value in {**self.options, "port": self.port}.items()
                 if value is not None
                 for each in (value if isinstance(value, list) else [value])
                 for word in ("--" + name, str(each))]
        self.process = subprocess.Popen([KINOFS_SIM, *words], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"kinofs-sim listening on (http://127\.0\.0\.1:(\d+))\n", line)
        assert match, "kinofs-sim said: %r" % line
        self.url, self.port = match[1], int(match[2])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        return status

    def call(self, method, path, body=None):
        """The parsed answer of a request to /sim/…."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            assert response.status == 200, text
            return json.loads(text)
        finally:
            connection.close()

    def stats(self):
        return self.call("GET", "/sim/stats")

    def faults(self, *rules):
        """Replaces all rules; without any: clears them."""
        return self.call("POST", "/sim/faults", list(rules))

    def log(self):
        """Every request so far, as the simulator saw it."""
        return whole_lines(self.log_path)

    def creates(self, contains=""):
        """The create requests, all or those whose prompt contains this, accepted or not."""
        return [entry for entry in self.log()
                if entry["method"] == "POST" and
                (entry["path"].endswith("/createTask") or
                 entry["path"].startswith("/v3/async/")) and
                contains in prompt_of(entry["body"])]

    def bodies(self, contains=""):
        return [entry["body"] for entry in self.creates(contains)]

    def uploads(self):
        return [entry for entry in self.log() if entry["path"].endswith("-upload")]

    def polls(self, task=None):
        return [entry for entry in self.log()
                if entry["path"].endswith(("/recordInfo", "/task-result")) and
                task in (None, entry["task"])]

    def downloads(self):
        return [entry for entry in self.log()
                if entry["method"] == "GET" and not entry["path"].startswith("/sim/") and
                "/api/" not in entry["path"] and "/v3/" not in entry["path"]]


def prompt_of(body):
    body = body if isinstance(body, dict) else {}
    fields = body.get("input", body)
    return str(fields.get("prompt", "")) if isinstance(fields, dict) else ""


# ------------------------------------------------------------------ a mount

def summary(record):
    """One line of a job, for messages."""
    reasons = [record[key] for key in ("error", "held_because", "waiting_for", "warning")
               if key in record]
    return "%s/%s take %d: %s%s %s" % (record["model"], record["job"], record["take"],
                                       record["state"], ", settling" * record["settling"],
                                       reasons or "")


class Mount:
    """A kinofs of its own: store, configuration, mount point, log.

    `config`: the configuration; `options`: more words for -o; `keys`: variables with keys;
    `environment`: more variables. `expects`: a regular expression for the log lines that are no
    fault in this test.
    """

    def __init__(self, directory, sim, config=None, options=(), keys=None, environment=None,
                 expects=None, settle=SETTLE):
        self.directory = str(directory)
        self.root = os.path.join(self.directory, "mnt")
        self.store = os.path.join(self.directory, "store")
        self.tree = os.path.join(self.store, "tree")
        self.home = os.path.join(self.directory, "home")
        self.sim = sim
        self.options = list(options)
        self.settle = settle
        self.keys = KEYS if keys is None else keys
        self.extra_environment = environment or {}
        self.expects = expects
        self.process = None
        self.killed = False
        self.log = []
        self._log_grew = threading.Condition()
        self._reader = None
        for folder in (self.root, self.home, os.path.join(self.home, "config", "kinofs")):
            os.makedirs(folder, exist_ok=True)
        self.configure({**OPEN_GATES, "settle_alone_seconds": settle} if config is None
                       else config)

    def configure(self, config):
        """Results are as the simulator sent them, unless a test is of their marks."""
        if isinstance(config, dict):
            config = {"provenance": "off", **config}
        path = os.path.join(self.home, "config", "kinofs", "config.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def environment(self):
        variables = {name: value for name, value in os.environ.items()
                     if name not in KEY_VARIABLES}
        variables.update(HOME=self.home, XDG_CONFIG_HOME=os.path.join(self.home, "config"),
                         XDG_DATA_HOME=os.path.join(self.home, "data"),
                         XDG_STATE_HOME=os.path.join(self.home, "state"), LC_ALL="C.UTF-8")
        if self.sim:
            variables.update(KINOFS_KIE_URL=self.sim.url, KINOFS_KIE_UPLOAD_URL=self.sim.url,
                             KINOFS_PPINFRA_URL=self.sim.url)
        return {**variables, **self.keys, **self.extra_environment}

    def command(self):
        words = ["store=" + self.store, "settle=%g" % self.settle, *self.options]
        return [KINOFS, "-o", ",".join(words), self.root]

    # -------- start and end

    def start(self, timeout=PATIENCE):
        """Starts kinofs -f; returns when the mount answers."""
        with open("/proc/self/mountinfo", "rb", 0) as table:  # a buffer would keep an old one
            self.process = subprocess.Popen(
                self.command()[:1] + ["-f"] + self.command()[1:], env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True)
            self.killed = False
            self._reader = threading.Thread(target=self._read_log, args=(self.process.stderr,))
            self._reader.start()
            self._await_mount(table, time.monotonic() + timeout)
        os.stat(self.path(".kinofs/ctl"))
        return self

    def _await_mount(self, table, deadline):
        poll = select.poll()
        poll.register(table, select.POLLERR | select.POLLPRI)
        ended = os.pidfd_open(self.process.pid)
        poll.register(ended, select.POLLIN)
        try:
            while not self.is_mounted(table):
                left = deadline - time.monotonic()
                assert left > 0, "kinofs did not mount in time:\n" + self.log_text()
                poll.poll(min(left, 0.2) * 1000)  # the table's event is now and then missed
                assert self.process.poll() is None, \
                    "kinofs ended with %d:\n%s" % (self._end()[0], self.log_text())
        finally:
            os.close(ended)

    def is_mounted(self, table=None):
        with contextlib.ExitStack() as stack:
            table = table or stack.enter_context(open("/proc/self/mountinfo", "rb", 0))
            table.seek(0)
            return any(line.split()[4] == os.fsencode(self.root)
                       for line in table.readall().splitlines())

    def _read_log(self, pipe):
        for line in pipe:
            with self._log_grew:
                self.log.append(line.decode(errors="replace").rstrip("\n"))
                self._log_grew.notify_all()
        with self._log_grew:
            self._log_grew.notify_all()

    def log_text(self):
        with self._log_grew:
            return "\n".join(self.log)

    def wait_log(self, text, timeout=PATIENCE):
        """Until the log has a line with this text."""
        with self._log_grew:
            assert self._log_grew.wait_for(
                lambda: any(text in line for line in self.log), timeout), \
                "no %r in the log:\n%s" % (text, "\n".join(self.log))

    def _end(self, timeout=PATIENCE):
        """The exit status, and whether it came by itself."""
        try:
            status, late = self.process.wait(timeout), False
        except subprocess.TimeoutExpired:
            self.process.kill()
            status, late = self.process.wait(), True
        self._reader.join(timeout)
        self.process.stderr.close()
        return status, late

    def _finish(self, how):
        status, late = self._end()
        assert not late, "%s did not end kinofs:\n%s" % (how, self.log_text())
        assert status == 0 or self.killed, \
            "kinofs exited with %d:\n%s" % (status, self.log_text())
        self.process = None

    def unmount(self):
        """As a user does; checks the exit status. The publisher may be at a note in out/."""
        deadline = time.monotonic() + PATIENCE
        while True:
            result = subprocess.run(["fusermount3", "-u", self.root], capture_output=True,
                                    text=True, check=False)
            if "busy" not in result.stderr or time.monotonic() > deadline:
                break
            select.select([], [], [], 0.02)
        assert result.returncode == 0, "%s%s\n%s" % (
            result.stderr, "\n".join(self.holders()), self.log_text())
        self._finish("fusermount3 -u")

    def holders(self):
        """Who has something of the mount open, thread by thread: the publisher has a table of
        descriptors of its own."""
        found = []
        for path in glob.glob("/proc/[0-9]*/task/[0-9]*/fd/*") + \
                glob.glob("/proc/[0-9]*/task/[0-9]*/cwd"):
            with contextlib.suppress(OSError):
                target = os.readlink(path)
                if (target + "/").startswith(self.root + "/"):
                    found.append("held by %s: %s" % (path, target))
        return found

    def terminate(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        self._finish("signal %d" % signal_number)
        assert not self.is_mounted()

    def kill9(self):
        """A crash: the mount point stays behind, dead."""
        self.killed = True
        self.process.kill()
        self._finish("SIGKILL")

    def restart(self):
        if self.process:
            self.unmount()
        return self.start()

    def close(self):
        """The end of every test, a failed one too: nothing stays mounted, nothing runs."""
        problem = None
        if self.process:
            try:
                self.unmount()
            except AssertionError as error:
                problem = error
                if self.process and self.process.poll() is None:
                    self.process.kill()
                    self._end()
        if self.is_mounted():
            subprocess.run(["fusermount3", "-u", "-z", self.root], check=False)
        if problem:
            raise AssertionError(str(problem))
        suspicious = [line for line in self.log if SUSPICIOUS.search(line) and
                      not (self.expects and re.search(self.expects, line))]
        assert not suspicious, "in the log of kinofs:\n" + "\n".join(suspicious)

    # -------- files

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def drop(self, model, name, content):
        """Writes a file as cp does (a dict as JSON), making folders; OSError as close(2) says."""
        path = self.path(model, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, (dict, list)):
            content = json.dumps(content, ensure_ascii=False)
        if isinstance(content, str):
            content = content.encode()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view):]
        finally:
            os.close(fd)
        return path

    def drop_bad(self, model, name, content):
        """Drops what close(2) must refuse."""
        try:
            self.drop(model, name, content)
        except OSError as error:
            assert error.errno == errno.EINVAL, error
            return self.path(model, name)
        raise AssertionError("close(2) took %s/%s" % (model, name))

    def outside(self, name, content):
        """A file beside the mount, to be copied or moved in."""
        path = os.path.join(self.directory, "outside", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def out(self, model, folder=""):
        """The names in out/, sorted, but for what goes a moment later: the note of quiet(), and
        those of jobs that are under way."""
        return sorted(name for name in os.listdir(self.path(model, "out", folder))
                      if not re.match(r"\.?quiet-|.*\.running\.txt$", name))

    def read(self, *parts):
        with open(self.path(*parts), encoding="utf-8") as file:
            return file.read()

    def note(self, model, name, kind="error", timeout=PATIENCE):
        """The text of out/NAME.KIND.txt, which comes right after the state it tells of; at a start
        one may go and come again."""
        path = self.path(model, "out", "%s.%s.txt" % (name, kind))

        def text():
            with contextlib.suppress(FileNotFoundError):
                return self.read(path)
            return None
        return self.wait(text, "the note " + path, timeout)

    # -------- jobs

    def record(self, model, name):
        """jobs/NAME.json, or None."""
        try:
            with open(self.path(model, "jobs", name + ".json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def jobs(self):
        return json.loads(self.read(".kinofs", "jobs.json"))["jobs"]

    def wait(self, condition, what, timeout=PATIENCE):
        """Until condition() is true: asked again whenever events.jsonl grew.

        What follows an event by a moment (a note in out/) is caught by the 50 ms of poll(2).
        """
        deadline = time.monotonic() + timeout
        fd = os.open(self.path(".kinofs/events.jsonl"), os.O_RDONLY)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        try:
            os.lseek(fd, 0, os.SEEK_END)
            while True:
                result = condition()
                if result:
                    return result
                assert time.monotonic() < deadline, \
                    "still waiting for %s\njobs:\n%s\nlog:\n%s" % (
                        what, "\n".join(summary(job) for job in self.jobs()), self.log_text())
                poll.poll(50)
                while os.read(fd, 65536):
                    pass
        finally:
            os.close(fd)

    def is_kept(self):
        """Whether the journal says of a part of a result that it is durable."""
        path = os.path.join(self.store, "journal.db")
        with contextlib.closing(sqlite3.connect(path)) as journal:
            return any('"kept"' in (row[0] or "")
                       for row in journal.execute("SELECT outputs FROM job"))

    def wait_state(self, model, name, *states, take=None, timeout=PATIENCE):
        """The record of a job that has settled in one of these states.

        Fails at once when the job (the take, if one is given) has ended badly in another. A
        rejected one has not: it may be the state before the drop that is meant.
        """
        def settled():
            record = self.record(model, name)
            if not record or record["settling"] or take not in (None, record["take"]):
                return None
            if record["state"] in states:
                return record
            assert record["state"] not in BAD_ENDS, "%s, not %s" % (summary(record), states)
            return None
        return self.wait(settled, "%s/%s to be %s" % (model, name, " or ".join(states)), timeout)

    def done(self, model, name, take=None, timeout=PATIENCE):
        return self.wait_state(model, name, "done", take=take, timeout=timeout)

    def accepted(self, model, name, take=None, timeout=PATIENCE):
        """The record once the provider has taken the job: what was sent is in the log now."""
        return self.wait_state(model, name, "running", "downloading", "done", take=take,
                               timeout=timeout)

    def quiet(self, timeout=PATIENCE, besides=()):
        """Until everything dropped so far is judged and nothing is on its way to a provider.

        A bad prompt dropped last is judged last, and is never sent. `besides`: jobs that will
        not be judged yet.
        """
        self._marks = getattr(self, "_marks", 0) + 1
        name = "quiet-%d" % self._marks
        with contextlib.suppress(OSError):
            self.drop(TEXT, name + ".txt", " ")
        self.wait_state(TEXT, name, "rejected", timeout=timeout)
        self.wait(lambda: not any(job["settling"] or
                                  job["state"] in ("queued", "uploading", "submitting")
                                  for job in self.jobs() if job["job"] not in besides),
                  "quiet", timeout)
        os.unlink(self.path(TEXT, "jobs", name + ".json"))  # forgotten
        os.unlink(self.path(TEXT, name + ".txt"))

    def job_names(self):
        return sorted({job["job"] for job in self.jobs()})

    def run(self, *words, timeout=PATIENCE, **options):
        """A subcommand, or anything else of kinofs' command line."""
        return subprocess.run([KINOFS, *words], env=self.environment(), capture_output=True,
                              text=True, timeout=timeout, check=False, **options)

    def order(self, line):
        """What .kinofs/ctl answers."""
        with open(self.path(".kinofs/ctl"), "r+b", buffering=0) as ctl:
            ctl.write(line.encode())
            return ctl.read().decode()


def copy_tool(source, target, tool="cp"):
    """cp, mv or rename as a user does them; the exit status."""
    if tool == "rename":  # written under a scratch name first, as downloads are
        shutil.copyfile(source, target + ".part")
        os.rename(target + ".part", target)
        return 0
    return subprocess.run([tool, source, target], capture_output=True, check=False).returncode
