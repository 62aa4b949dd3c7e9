#!/usr/bin/python3
"""Random sequences of system calls by several processes, the same at any place.

    tests/mount/hands.py --seed N [--steps N] [--first N] FOLDER    does them, a line of JSON each
    tests/mount/hands.py --seed N [--steps N] MOUNTED PLAIN         compares two folders, and shrinks
    tests/mount/hands.py --replay FILE MOUNTED PLAIN                the steps of a file

What a step does never depends on how one before it ended, so any part of a sequence can be done
again: at another place (test_hands.py compares a mount with a plain folder), or while others change
the same files (test_underneath.py). One process does one step at a time, and the next may be
another's, with descriptors of its own; the last of them is another user's, if root runs it.
"""
import argparse
import ctypes
import errno
import fcntl
import json
import mmap
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import zlib

PROCESSES, SLOTS, NOBODY = 3, 4, 65534
OTHERS = True  # False: where only one user may enter
NAMES = ("a", "b", "c", "d")
MODES = (0o644, 0o600, 0o666, 0o777, 0o755, 0o700, 0o400, 0o000, 0o4755, 0o2775, 0o1777)
ACCESS = (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR, os.O_RDWR)
MORE = (os.O_CREAT, os.O_CREAT, os.O_TRUNC, os.O_EXCL, os.O_APPEND, os.O_NOFOLLOW, os.O_DIRECTORY)
SIZES = (0, 1, 100, 4095, 4096, 5000, 70000, 300000)
LONG = ("n" * 255, "n" * 256)
SHRINK_SECONDS = 60

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def content(size, number):
    return bytes([number % 251 + 1]) * size


def digest(data):
    return [len(data), zlib.crc32(data)]


def looks(st):
    """What must be the same in both places."""
    size = None if stat.S_ISDIR(st.st_mode) else st.st_size
    return [oct(st.st_mode), st.st_nlink, st.st_uid, st.st_gid, size]


# ------------------------------------------------------------------ a process

class Hands:
    def __init__(self):
        self.slots = [-1] * SLOTS

    def put(self, slot, fd):
        if self.slots[slot] >= 0:
            os.close(self.slots[slot])
        self.slots[slot] = fd

    def do_open(self, slot, path, flags, mode):
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
        st = os.fstat(fd)
        if stat.S_ISFIFO(st.st_mode):  # FUSE has no open of it, so none of it outlives its name
            os.close(fd)
        else:
            self.put(slot, fd)
        return looks(st)

    def do_close(self, slot):
        fd, self.slots[slot] = self.slots[slot], -1
        os.close(fd)

    def do_dup(self, slot, other):
        self.put(other, os.dup(self.slots[slot]))

    def do_read(self, slot, size):
        return digest(os.read(self.slots[slot], size))

    def do_pread(self, slot, size, at):
        return digest(os.pread(self.slots[slot], size, at))

    def do_write(self, slot, size, number):
        return os.write(self.slots[slot], content(size, number))

    def do_pwrite(self, slot, size, number, at):
        return os.pwrite(self.slots[slot], content(size, number), at)

    def do_seek(self, slot, at, whence):
        return os.lseek(self.slots[slot], at, whence) if not self.is_folder(slot) else None

    def is_folder(self, slot):
        return stat.S_ISDIR(os.fstat(self.slots[slot]).st_mode)

    def do_store(self, slot, number):
        size = os.fstat(self.slots[slot]).st_size
        with mmap.mmap(self.slots[slot], size) as memory:
            memory[size // 2] = number % 256
            memory.flush()

    def do_ftruncate(self, slot, size):
        os.ftruncate(self.slots[slot], size)

    def do_fallocate(self, slot, mode, at, size):
        checked(libc.fallocate(self.slots[slot], mode, ctypes.c_long(at), ctypes.c_long(size)))

    def do_copy(self, slot, other, size, from_at, to_at):
        return os.copy_file_range(self.slots[slot], self.slots[other], size, from_at, to_at)

    def do_fstat(self, slot):
        return looks(os.fstat(self.slots[slot]))

    def do_fsync(self, slot):
        os.fsync(self.slots[slot])

    def do_fchmod(self, slot, mode):
        os.fchmod(self.slots[slot], mode)

    def do_futime(self, slot, seconds):
        os.utime(self.slots[slot], (seconds, seconds))
        return os.fstat(self.slots[slot]).st_mtime

    def do_list_open(self, slot):
        return sorted(os.listdir(self.slots[slot]))

    def do_flock(self, slot, how):
        fcntl.flock(self.slots[slot], how | fcntl.LOCK_NB)

    def do_lockf(self, slot, how):
        fcntl.lockf(self.slots[slot], how | fcntl.LOCK_NB, 10, 5)

    def do_reopen(self, slot, flags):
        """By proc(5), which needs no name any more."""
        os.close(os.open("/proc/self/fd/%d" % self.slots[slot], flags | os.O_NONBLOCK))

    def do_relink(self, slot, path):
        os.link("/proc/self/fd/%d" % self.slots[slot], path, follow_symlinks=True)

    do_mkdir = staticmethod(os.mkdir)
    do_rmdir = staticmethod(os.rmdir)
    do_unlink = staticmethod(os.unlink)
    do_symlink = staticmethod(os.symlink)
    do_readlink = staticmethod(os.readlink)
    do_truncate = staticmethod(os.truncate)
    do_mkfifo = staticmethod(os.mkfifo)

    @staticmethod
    def do_mknod(path, mode):
        os.mknod(path, stat.S_IFREG | mode)

    @staticmethod
    def do_rename(path, other, flags):
        checked(libc.renameat2(-100, os.fsencode(path), -100, os.fsencode(other), flags))

    @staticmethod
    def do_link(path, other):
        os.link(path, other, follow_symlinks=False)

    @staticmethod
    def do_chmod(path, mode):
        os.chmod(path, mode)

    @staticmethod
    def do_chown(path, uid, gid):
        os.lchown(path, uid, gid)

    @staticmethod
    def do_utime(path, seconds):
        os.utime(path, (seconds, seconds), follow_symlinks=False)
        return os.lstat(path).st_mtime

    @staticmethod
    def do_stat(path):
        return looks(os.stat(path))

    @staticmethod
    def do_lstat(path):
        return looks(os.lstat(path))

    @staticmethod
    def do_access(path, mode):
        return os.access(path, mode, effective_ids=True)

    @staticmethod
    def do_list(path):
        return sorted(os.listdir(path))

    @staticmethod
    def do_tree():
        """All there is, with who shares an inode with whom."""
        found, inodes = [], {}
        for folder, folders, files in os.walk("."):
            folders.sort()
            for name in sorted(folders + files):
                path = os.path.join(folder, name)
                st = os.lstat(path)
                found.append([path, inodes.setdefault(st.st_ino, path), looks(st)])
        return found

    @staticmethod
    def do_remove_all(path):  # shutil.rmtree() waits for the writer of a FIFO
        subprocess.run(["rm", "-rf", path], stderr=subprocess.DEVNULL, check=False)

    @staticmethod
    def do_bind(path, other):
        """MS_BIND, then MS_PRIVATE: shared ones would multiply."""
        checked(libc.mount(os.fsencode(path), os.fsencode(other), None, 4096, None))
        checked(libc.mount(None, os.fsencode(other), None, ctypes.c_ulong(1 << 18), None))

    @staticmethod
    def do_detach(path):
        checked(libc.umount2(os.fsencode(path), 2))

    def do(self, operation, *words):
        try:
            return getattr(self, "do_" + operation)(*words)
        except OSError as error:
            return errno.errorcode.get(error.errno, error.errno)
        except (ValueError, OverflowError) as error:
            return str(error)


# ------------------------------------------------------------------ a sequence

class Writer:
    """Steps: [process, operation, words …]."""

    def __init__(self, seed, underneath=False):
        self.dice = random.Random(seed)
        self.number = 0
        self.kinds = list(self.paths) + list(self.files)
        if underneath:
            self.kinds = list(self.below) * 4 + list(self.paths)

    def path(self):
        parts = [self.dice.choice(NAMES) for _ in range(self.dice.choice((1, 1, 2, 2, 3)))]
        if self.dice.random() < 0.01:
            parts[-1] = self.dice.choice(LONG)
        return "/".join(parts)

    def slot(self):
        return self.dice.randrange(SLOTS)

    def mode(self):
        return self.dice.choice(MODES)

    def size(self):
        return self.dice.choice(SIZES)

    def flags(self):
        flags = self.dice.choice(ACCESS)
        for more in MORE:
            if self.dice.random() < (0.5 if more == os.O_CREAT else 0.12):
                flags |= more
        # refused by newer kernels, done by older
        return flags & ~os.O_DIRECTORY if flags & os.O_CREAT else flags

    def uid(self):
        return self.dice.choice((-1, 0, NOBODY))

    paths = {
        "mkdir": ("path", "mode"), "mkdir ": ("path", "mode"), "rmdir": ("path",),
        "unlink": ("path",), "unlink ": ("path",), "rename": ("path", "path", (0, 0, 0, 1, 2)),
        "rename ": ("path", "path", (0, 0, 0, 1, 2)), "link": ("path", "path"),
        "symlink": (("a", "b/c", ".", "d", "../a"), "path"), "readlink": ("path",),
        "truncate": ("path", "size"), "mkfifo": ("path", "mode"), "mknod": ("path", "mode"),
        "chmod": ("path", "mode"), "chown": ("path", "uid", "uid"),
        "utime": ("path", (0, 1, 1000000000, 2000000000)), "stat": ("path",), "lstat": ("path",),
        "access": ("path", (0, 1, 2, 4, 6)), "list": ("path",), "tree": (),
    }
    files = {
        **{"open" + " " * i: ("slot", "path", "flags", "mode") for i in range(10)},
        "close": ("slot",), "dup": ("slot", "slot"),
        "read": ("slot", "size"), "pread": ("slot", "size", "size"),
        "write": ("slot", "size", "count"), "write ": ("slot", "size", "count"),
        "pwrite": ("slot", "size", "count", "size"), "seek": ("slot", "size", (0, 1, 2)),
        "store": ("slot", "count"), "ftruncate": ("slot", "size"),
        "fallocate": ("slot", (0, 1, 3, 16), "size", "size"),
        "copy": ("slot", "slot", "size", "size", "size"), "fstat": ("slot",), "fsync": ("slot",),
        "fchmod": ("slot", "mode"), "futime": ("slot", (0, 1, 1000000000)),
        "list_open": ("slot",), "flock": ("slot", (1, 2, 8)), "lockf": ("slot", (1, 2, 8)),
        "reopen": ("slot", (0, 1, 2, os.O_TRUNC | 1)), "relink": ("slot", "path"),
    }
    below = {
        "remove_all": ("path",), "bind": ("path", "path"), "detach": ("path",),
        "rename": ("path", "path", (0, 0, 2)), "rename ": ("path", "path", (0, 0, 2)),
        "mkdir": ("path", (0o755,)), "mkdir ": ("path", (0o755,)),
    }

    def count(self):
        self.number += 1
        return self.number

    def step(self):
        kind = self.dice.choice(self.kinds)
        words = {**self.files, **self.below, **self.paths}[kind]
        return [self.dice.randrange(PROCESSES), kind.strip()] + [
            getattr(self, word)() if isinstance(word, str) else self.dice.choice(word)
            for word in words]


def write(seed, count, underneath=False):
    writer = Writer(seed, underneath)
    return [writer.step() for _ in range(count)]


# ------------------------------------------------------------------ several processes

def serve(number, orders, answers):
    if OTHERS and number == PROCESSES - 1 and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    hands = Hands()
    for line in orders:
        answers.write(json.dumps(hands.do(*json.loads(line))) + "\n")
        answers.flush()


class Process:
    def __init__(self, number, others):
        self.number, self.others = number, others
        self.begin()

    def begin(self):
        orders, answers = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            os.close(orders[1])
            os.close(answers[0])
            for other in self.others:  # else its orders would never end while we live
                other.close()
            serve(self.number, os.fdopen(orders[0]), os.fdopen(answers[1], "w"))
            os._exit(0)
        os.close(orders[0])
        os.close(answers[1])
        self.orders, self.answers = os.fdopen(orders[1], "w"), os.fdopen(answers[0])

    def do(self, words):
        self.orders.write(json.dumps(words) + "\n")
        self.orders.flush()
        answer = self.answers.readline()
        if answer:
            return json.loads(answer)
        self.end()
        self.begin()
        return "died"  # of SIGBUS: the file was shorter than what was mapped of it

    def close(self):
        self.orders.close()
        self.answers.close()

    def end(self):
        self.close()
        os.waitpid(self.pid, 0)


def run(folder, steps):
    """Yields what came of each step."""
    os.chdir(folder)
    os.umask(0o022)
    processes = []
    for number in range(PROCESSES):
        processes.append(Process(number, processes))
    try:
        for step in steps:
            yield processes[step[0]].do(step[1:])
    finally:
        for process in processes:
            process.end()
        os.chdir("/")


# ------------------------------------------------------------------ two places

def fresh(folder):
    """A folder in a new one, for links lead out of it."""
    made = os.path.join(tempfile.mkdtemp(prefix="hands-", dir=folder), "top")
    os.mkdir(made)
    for path in (made, os.path.dirname(made)):
        os.chmod(path, 0o777)
    return made


def difference(steps, mounted, plain):
    """The first step that ends in another way, as (its number, mounted, plain), or None."""
    places = [fresh(mounted), fresh(plain)]
    last = [0, "tree"]
    with_tree = steps + [last] if steps and steps[-1] != last else steps
    try:
        results = [list(run(place, with_tree)) for place in places]
    finally:
        for place in places:
            shutil.rmtree(os.path.dirname(place))
    for number, (here, there) in enumerate(zip(*results)):
        if here != there:
            return number, here, there
    return None


def shrink(steps, mounted, plain):
    """The shortest sequence found that still differs, by leaving out ever smaller parts."""
    size = len(steps) // 2
    deadline = time.monotonic() + SHRINK_SECONDS
    while size:
        at = 0
        while at < len(steps) and time.monotonic() < deadline:
            fewer = steps[:at] + steps[at + size:]
            found = difference(fewer, mounted, plain)
            if found:
                steps = fewer[:found[0] + 1]
            else:
                at += size
        size //= 2
    return steps


def check(steps, mounted, plain, seed=None):
    """None, or a text that says where the two places differ and by which steps."""
    found = difference(steps, mounted, plain)
    if not found:
        return None
    shortest = shrink(steps[:found[0] + 1], mounted, plain)
    found = difference(shortest, mounted, plain) or found
    return "seed %s, to be replayed by hands.py --replay:\n%s\nmounted: %s\nplain:   %s" % (
        seed, "\n".join(json.dumps(step) for step in shortest), *map(json.dumps, found[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--replay", metavar="FILE")
    parser.add_argument("--underneath", action="store_true", help="as who changes the store")
    parser.add_argument("folder", nargs="+")
    options = parser.parse_args()
    steps = write(options.seed, options.steps, options.underneath)
    if options.replay:
        with open(options.replay, encoding="utf-8") as file:
            steps = [json.loads(line) for line in file]
    if len(options.folder) == 2:
        found = check(steps, *options.folder, options.seed)
        sys.exit(found)
    for step, result in zip(steps, run(options.folder[0], steps)):
        print(json.dumps([step, result]))


if __name__ == "__main__":
    main()
