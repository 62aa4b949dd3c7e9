"""Whoever watches out/ sees a video and a note the moment they are there, and no crowd of lookers
ever stands in the publisher's way."""
import contextlib
import ctypes
import errno
import glob
import os
import random
import select
import struct
import subprocess
import threading
import time

import pytest

from harness import TEXT, ffmpeg, lines_until

pytestmark = pytest.mark.tsan

libc = ctypes.CDLL(None, use_errno=True)


class Fanotify:
    """A mark on the whole mount: what fatrace(8), indexers and virus scanners use."""

    CLOSE_WRITE, ADD, MOUNT, CLOEXEC, NONBLOCK = 0x8, 0x1, 0x10, 0x1, 0x2
    EVENT = struct.Struct("IBBHQii")

    def __init__(self, path):
        self.fd = libc.fanotify_init(self.CLOEXEC | self.NONBLOCK, os.O_RDONLY)
        assert self.fd >= 0, os.strerror(ctypes.get_errno())
        assert libc.fanotify_mark(self.fd, self.ADD | self.MOUNT, ctypes.c_uint64(self.CLOSE_WRITE),
                                  -100, os.fsencode(path)) == 0, os.strerror(ctypes.get_errno())

    def until(self, path, timeout=60):
        """All files that a writer let go of, up to this one."""
        poll, seen = select.poll(), []
        poll.register(self.fd, select.POLLIN)
        deadline = time.monotonic() + timeout
        while path not in seen:
            assert poll.poll((deadline - time.monotonic()) * 1000), "%s not in %s" % (path, seen)
            events = os.read(self.fd, 65536)
            while events:
                length, _, _, _, _, fd, _ = self.EVENT.unpack_from(events)
                seen.append(os.readlink("/proc/self/fd/%d" % fd))
                os.close(fd)
                events = events[length:]
        return seen

    def close(self):
        os.close(self.fd)


class Monitor:
    """gio monitor: what file managers and editors of the desktop go by."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "gio", "monitor", "-d", path], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "GIO_USE_VFS": "local", "LC_ALL": "C.UTF-8"})
        deadline = time.monotonic() + 60
        while not self.is_watching():  # it does not say so
            assert self.process.poll() is None and time.monotonic() < deadline
            select.select([], [], [], 0.02)

    def is_watching(self):
        for path in glob.glob("/proc/%d/fdinfo/*" % self.process.pid):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                if any(line.startswith("inotify ") for line in file):
                    return True
        return False

    def until(self, ending):
        """All lines up to one that ends so."""
        return lines_until(self.process, lambda line: line.endswith(ending))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="fanotify(7) marks of a mount need root")
def test_a_fanotify_mark_of_the_mount_sees_videos_and_notes_by_their_names(mount):
    with contextlib.closing(Fanotify(mount.root)) as watch:
        mount.drop_bad(TEXT, "bad.txt", " ")
        watch.until(mount.path(TEXT, "out", "bad.error.txt"))
        mount.drop(TEXT, "summer/cat.txt", "a cat")
        watch.until(mount.path(TEXT, "out", "summer", "cat.mp4"))


def test_gio_monitor_sees_videos_and_notes_come_and_go(mount):
    with contextlib.closing(Monitor(mount.path(TEXT, "out"))) as watch:
        mount.drop_bad(TEXT, "cat.txt", " ")
        watch.until("/cat.error.txt: moved in")
        mount.drop(TEXT, "cat.txt", "a cat")
        watch.until("/cat.error.txt: deleted")
        watch.until("/cat.mp4: moved in")


# ------------------------------------------------------------------ a crowd


class Crowd:
    """Threads that look at folders in every way there is until told to go."""

    def __init__(self, folders, names):
        self.names = names
        self.gone = threading.Event()
        self.looks = 0
        self.failures = []
        self.threads = [threading.Thread(target=self._run, args=(look, folder), daemon=True)
                        for folder in folders
                        for look in (self._list, self._list_long, self._look_up, self._read)]
        for thread in self.threads:
            thread.start()

    def _run(self, look, folder):
        while not self.gone.is_set():
            try:
                look(folder)
                self.looks += 1
            except OSError as error:
                if error.errno in (errno.ENOTCONN, errno.ECONNABORTED):
                    return  # unmounted under it, as it should be
                if error.errno != errno.ENOENT:
                    self.failures.append(error)
                    return

    def _list(self, folder):
        os.listdir(folder)

    def _list_long(self, folder):
        for entry in os.scandir(folder):
            entry.stat(follow_symlinks=False)

    def _look_up(self, folder):
        for name in self.names:
            with contextlib.suppress(FileNotFoundError):
                os.stat(os.path.join(folder, name))

    def _read(self, folder):
        with open(os.path.join(folder, random.choice(self.names)), "rb") as file:
            file.read()

    def leave(self):
        deadline = time.monotonic() + 60
        while self.looks <= 100 and any(thread.is_alive() for thread in self.threads):
            assert time.monotonic() < deadline, "%d looks are no crowd" % self.looks
            select.select([], [], [], 0.02)
        self.gone.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads), "someone hangs in out/"
        assert not self.failures, self.failures


def videos(mount):
    return [name for name in os.listdir(mount.path(TEXT, "out")) if name.endswith(".mp4")]


ENDS = {
    "SIGTERM": lambda mount: mount.process.terminate(),
    "SIGKILL": lambda mount: mount.process.kill(),
    "fusermount3 -u -z": lambda mount: subprocess.run(["fusermount3", "-u", "-z", mount.root],
                                                      check=True),
}


@pytest.fixture(scope="module")
def big_clip(tmp_path_factory):
    """Big enough to be passed through by a kernel that can."""
    path = str(tmp_path_factory.mktemp("clip") / "big.mp4")
    ffmpeg("-f", "lavfi", "-i", "nullsrc=size=320x240:rate=10:duration=1,geq=random(1)*255",
           "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    assert os.path.getsize(path) > 100000
    return path


@pytest.mark.parametrize("end", [None, *(pytest.param(
    end, marks=[pytest.mark.no_tsan("nothing is said of races by who is killed")]
    if end == "SIGKILL" else []) for end in ENDS)])
def test_a_crowd_in_out_while_results_arrive(kinofs, start_sim, big_clip, end):
    mount = kinofs(sim=start_sim(clip=big_clip))
    jobs = ["cat%d" % i for i in range(60)]
    everything = sorted(job + ".mp4" for job in jobs)
    crowd = Crowd([mount.path(TEXT, "out"), mount.path("out")], everything)
    try:
        for job in jobs:
            mount.drop(TEXT, job + ".txt", job)
        if end:
            mount.wait(lambda: len(videos(mount)) > 10, "some results")
            ENDS[end](mount)
            mount.killed = end == "SIGKILL"
            mount.process.wait(60)
            mount._finish(end)
            subprocess.run(["fusermount3", "-u", "-q", "-z", mount.root], check=False)
            mount.start()
        mount.wait(lambda: sorted(videos(mount)) == everything, "all results")
        mount.wait(lambda: sorted(os.listdir(mount.path("out"))) == everything,
                   "all in out/ of the mount, and no note")
    finally:
        crowd.leave()
    for job in jobs:
        mount.done(TEXT, job)
