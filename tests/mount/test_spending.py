"""Money while it is spent: keys and caps that change under way, what the log tells, what warns."""
import ctypes
import errno
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from harness import KEYS, OPEN_GATES, PATIENCE, SETTLE, TEXT
from test_secrets import assert_clean

pytestmark = pytest.mark.tsan


class Household:
    """A mount whose key and caps its owner changes."""

    def __init__(self, kinofs, **caps):
        self.mount = kinofs(keys={}, config=self.config(**caps))
        self.key_file = os.path.join(self.mount.home, "kie.key")
        self.renewed = 0

    @staticmethod
    def config(key_file=None, **caps):
        kie = {**OPEN_GATES["providers"]["kie"], **({"key_file": key_file} if key_file else {})}
        return {"providers": {"kie": kie}, "settle_alone_seconds": SETTLE, "caps": caps}

    def has_key(self):
        descriptor = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(descriptor, KEYS["KIE_API_KEY"].encode() + b"\n")
        os.close(descriptor)

    def hang_up(self, says="SIGHUP: keys and caps were read anew"):
        """Sends the signal; returns once it is carried out."""
        def said():
            return self.mount.log_text().count(says)
        before = said()
        self.mount.process.send_signal(signal.SIGHUP)
        self.mount.wait(lambda: said() > before, says)

    def change(self, key_file=None, **caps):
        self.mount.configure(self.config(key_file, **caps))
        self.hang_up()

    def held(self, name, *words):
        """Until the job is held with these words in its note."""
        def is_so():
            path = self.mount.path(TEXT, "out", name + ".held.txt")
            if not os.path.exists(path):
                return False
            note = self.mount.read(path)
            return all(word in note for word in words)
        self.mount.wait(is_so, "%s to be held: %s" % (name, words))


def test_sighup_reads_keys_and_caps_anew_and_lets_go_what_they_held(kinofs):
    house = Household(kinofs, credits_per_job=1)
    mount = house.mount
    mount.expects = r"config\.json: |SIGHUP: keys and caps stay"
    mount.drop(TEXT, "cat.txt", "a cat")
    house.held("cat", "no API key")
    house.has_key()
    house.change("~/kie.key", credits_per_job=1)
    house.held("cat", "cap for one job is 1 ")
    house.change("~/kie.key", credits_per_job=2)
    house.held("cat", "cap for one job is 2 ")
    house.change("~/kie.key", jobs_per_day=1)
    mount.accepted(TEXT, "cat")
    mount.drop(TEXT, "dog.txt", "a dog")
    mount.drop(TEXT, "fox.txt", "a fox")
    house.held("dog", "the cap is 1 a day")
    house.held("fox", "the cap is 1 a day")

    with open(os.path.join(mount.home, "config", "kinofs", "config.json"), "w",
              encoding="utf-8") as file:
        file.write('{"caps":\n  {"jobs_per_day": 100,}}')
    house.hang_up("SIGHUP: keys and caps stay as they were")
    assert re.search(r"config\.json: .*line 2, column 24", mount.log_text())
    os.unlink(file.name)  # which was no limit, if there was no file at the start
    house.hang_up("SIGHUP: keys and caps stay as they were")
    house.held("dog", "the cap is 1 a day")

    house.change("~/kie.key", jobs_per_day=2)
    house.held("fox", "the cap is 2 a day")  # and not the dog, which came first
    mount.accepted(TEXT, "dog")
    with open(mount.path(".kinofs/spending", os.listdir(mount.path(".kinofs/spending"))[0]),
              encoding="utf-8") as file:
        assert json.load(file)["caps"]["jobs_per_day"] == 2
    house.change(None, jobs_per_day=0)
    house.held("fox", "no API key")
    assert len(mount.sim.creates()) == 2
    assert_clean(mount)


def test_credits_and_the_doctor_look_at_the_configuration_of_a_mount_too(kinofs):
    mount = kinofs(start=False, keys={})
    other = mount.outside("mine.json", json.dumps({"providers": {"kie": {"key_file": "mine.key"}}}))
    key_file = mount.outside("mine.key", KEYS["KIE_API_KEY"])
    os.chmod(key_file, 0o600)
    mount.options.append("config=" + os.path.relpath(other))
    mount.start()
    assert os.path.realpath(json.loads(mount.read(".kinofs/mount.json"))["config"]) == other
    told = mount.run("credits").stdout  # of other tests' mounts, too
    assert re.match(r"kie +no key \(KIE_API_KEY\)\nppinfra +no key ", told), told
    assert re.search(r"^%s:\nkie +\d+ credits\nppinfra +no key .*\n" % re.escape(other), told, re.M), told
    told = mount.run("doctor").stdout
    for line in ("ok    configuration\n", "note  key for kie.ai: none", "ok    configuration %s\n" % other,
                 "ok    key for kie.ai in %s\n" % other, "note  key for PPInfra in %s: none" % other):
        assert line in told, told
    os.chmod(key_file, 0o644)
    told = mount.run("doctor")
    assert told.returncode == 1 and "WRONG configuration %s" % other in told.stdout


class Watch:
    """What inotify(7) tells of a folder: names that come (IN_CREATE) and go (IN_DELETE)."""

    CREATE, DELETE = 0x100, 0x200
    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, path):
        self.descriptor = self.libc.inotify_init1(os.O_CLOEXEC)
        assert self.libc.inotify_add_watch(self.descriptor, os.fsencode(path),
                                           self.CREATE | self.DELETE) >= 0
        self.told = []

    def until(self, mask, name):
        while (mask, name) not in self.told:
            assert select.select([self.descriptor], [], [], PATIENCE)[0], self.told
            events = os.read(self.descriptor, 65536)
            while events:
                _, bits, _, length = struct.unpack_from("iIII", events)
                self.told.append((bits, events[16:16 + length].rstrip(b"\0").decode()))
                events = events[16 + length:]
        self.told.clear()


def error_of(work, *arguments):
    with pytest.raises(OSError) as caught:
        work(*arguments)
    return errno.errorcode[caught.value.errno]


def test_from_80_percent_of_a_cap_on_a_file_in_out_warns(kinofs):
    house = Household(kinofs, jobs_per_day=5, credits_per_month=1000)
    mount, name = house.mount, "SPENDING.warning.txt"
    path = mount.path("out", name)
    house.has_key()
    house.change("~/kie.key", jobs_per_day=5, credits_per_month=1000)
    watch = Watch(mount.path("out"))
    for number in range(3):
        mount.drop(TEXT, "cat%d.txt" % number, "cat %d" % number)
    for number in range(3):
        mount.done(TEXT, "cat%d" % number)
    assert name not in os.listdir(mount.path("out")) and not os.path.exists(path)
    before = os.stat(mount.path("out")).st_mtime_ns
    mount.drop(TEXT, "cat3.txt", "cat 3")
    watch.until(Watch.CREATE, name)
    assert os.listdir(mount.path("out")).count(name) == 1
    assert os.stat(mount.path("out")).st_mtime_ns > before
    for entry in os.scandir(mount.path("out")):
        assert entry.is_file() and entry.stat().st_size, entry.name
    text = mount.read(path)
    assert os.stat(path).st_size == len(text) and os.stat(path).st_mode & 0o777 == 0o444
    assert text.startswith("Today 4 of 5 jobs are used (caps.jobs_per_day); 1 are left, until midnight.\n\n")
    for words in ("is held then", "kinofs release PATH", "SIGHUP", mount.home + "/config/kinofs/config.json"):
        assert words in text, text
    mount.wait_log("warning: Today 4 of 5 jobs are used")

    assert error_of(os.unlink, path) == "EPERM"
    assert error_of(os.rename, path, mount.path("out", "x.mp4")) == "EPERM"
    assert error_of(os.rename, mount.path("out/cat0.mp4"), path) == "EPERM"
    assert error_of(os.truncate, path, 0) in ("EPERM", "EACCES")
    assert mount.run("retry", path).returncode == 1

    house.change("~/kie.key", jobs_per_day=6, credits_per_month=1000)
    watch.until(Watch.DELETE, name)
    assert name not in os.listdir(mount.path("out")) and not os.path.exists(path)
    assert error_of(open, path, "x") == "EROFS"
    house.change("~/kie.key", jobs_per_day=6, credits_per_month=200)
    watch.until(Watch.CREATE, name)
    assert mount.read(path).startswith("This month 228 of 200 credits are used "
                                       "(caps.credits_per_month); 0 are left, until the end of the month.")
    mount.restart()
    mount.wait(lambda: os.path.exists(path), "the warning after a start")


def test_the_log_tells_of_orders_results_refusals_and_money_and_of_no_prompt(kinofs, sim):
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": SETTLE,
                           "caps": {"credits_per_day": 160}})
    prompts = {"cat": "seven sleepy cats", "dog": "one hasty dog", "fox": "an outlaw of a fox",
               "owl": "owls at noon"}
    mount.drop(TEXT, "cat.txt", prompts["cat"])
    mount.done(TEXT, "cat")
    sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "dog.txt", prompts["dog"])
    mount.wait_state(TEXT, "dog", "failed")
    sim.faults({"on": "create", "do": "reset_after"})
    mount.drop(TEXT, "fox.txt", prompts["fox"])
    mount.wait_state(TEXT, "fox", "unknown")
    mount.drop(TEXT, "owl.txt", prompts["owl"])
    mount.wait_state(TEXT, "owl", "held")
    mount.order("cancel %s/owl" % TEXT)
    mount.drop_bad(TEXT, "elk.txt", " ")
    mount.wait_state(TEXT, "elk", "rejected")
    mount.wait_log("elk take 1: ")
    said = [line.removeprefix("kinofs: ").replace(TEXT + " ", "") for line in mount.log]
    ways = [r"cat take 1: ordered, about 57 credits",
            r"cat take 1: delivered out/cat\.mp4, 57 credits, \d+ s",
            r"warning: dog take 1: refused \(code 422\): No money was spent\.",
            r"warning: fox take 1: unknown: Money MAY have been spent \(about 57 credits\): .*",
            r"owl take 1: held: About 114 credits were spent today and .* \(caps\..*\)\.",
            r"owl take 1: withdrawn: No money was spent\.",
            r"elk take 1: rejected, as it cannot be ordered so: No money was spent\."]
    assert len(said) == len(ways), said
    for line, way in zip(said, ways):
        assert re.fullmatch(way, line), (line, way)
    for secret in [*prompts.values(), *KEYS.values()]:
        assert secret not in mount.log_text()


def test_with_its_terminal_a_kinofs_in_the_foreground_ends(kinofs):
    mount = kinofs(start=False)
    ours, theirs = pty.openpty()
    command = mount.command()
    with open("/proc/self/mountinfo", "rb", 0) as table:
        mount.process = subprocess.Popen(
            [command[0], "-f", *command[1:]], env=mount.environment(), stdin=theirs,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        mount._await_mount(table, time.monotonic() + PATIENCE)  # pylint: disable=protected-access
    os.stat(mount.path(".kinofs/ctl"))
    os.close(ours)
    said = mount.process.communicate(timeout=PATIENCE)[1]
    assert (mount.process.returncode, said) == (0, b"")
    mount.process = None
    assert not mount.is_mounted()
