"""What bash, zsh and fish complete: each shell is asked by the key, with the jobs of one mount."""
import fcntl
import os
import pty
import select
import subprocess
import termios
import time

import pytest

from desk import require
from harness import BUILD, FLAT, HAILUO_23, PATIENCE, ROOT, TEXT

pytestmark = pytest.mark.no_asan("what the shells make of it; --paths is in test_terminal.py")

PLACES = {"kinofs.bash": "bash-completion/completions/kinofs", "_kinofs": "zsh/site-functions/_kinofs",
          "kinofs.fish": "fish/vendor_completions.d/kinofs.fish"}
# A key inserts all that there is; then the line is handed to a function instead of being run.
SHOW = "show() { printf '%s\\0' \"$@\" END >&\"$ANSWERS\"; }; PS1='$ '; "
BASH = SHOW + ". /usr/share/bash-completion/bash_completion\n"
ZSH = SHOW + """fpath+=($SHARE/zsh/site-functions); autoload -Uz compinit; compinit -u -D; bindkey -e;\
 zstyle ':completion:all::::' completer _all_matches _complete; zle -C all complete-word _generic;\
 zstyle ':completion:all:*' insert true; bindkey '^Xa' all\n"""


@pytest.fixture
def kino(mount):
    """One job done, one failed, one held, one that waits."""
    for file, place in PLACES.items():
        place = os.path.join(mount.directory, "share", place)
        os.makedirs(os.path.dirname(place))
        os.symlink(os.path.join(ROOT, "contrib", "completions", file), place)
    mount.sim.faults({"on": "create", "do": "fail", "value": "no"})
    mount.drop(TEXT, "sad cat.txt", "a sad cat")
    mount.wait_state(TEXT, "sad cat", "failed")
    mount.drop(TEXT, "cat.json", {"prompt": "a cat"})
    mount.wait_state(TEXT, "cat", "done")
    mount.drop(TEXT, "copy.json", {"prompt": "a cat"})
    mount.wait_state(TEXT, "copy", "held")
    mount.drop(HAILUO_23, "dog.txt", "a dog")
    mount.wait_state(HAILUO_23, "dog", "waiting")
    return mount


def environment(mount, **variables):
    share = os.path.join(mount.directory, "share")
    return {**mount.environment(), "PATH": BUILD + ":" + os.environ["PATH"], "SHARE": share,
            "XDG_DATA_DIRS": share + ":/usr/share", "HOME": mount.directory, "TERM": "dumb",
            **variables}


def cases(mount):
    """In which folder, what is typed, what it becomes."""
    root, jobs, month = mount.root, mount.path(TEXT), time.strftime("%Y-%m")
    return [
        (jobs, "re", ["release", "retry"]),
        (jobs, "retry ", ["cat.json", "sad cat.txt"]),
        (jobs, "retry --failed ", ["sad cat.txt"]),
        (jobs, "retry --fa", ["--failed"]),
        (jobs, "release ", ["copy.json"]),
        (jobs, "release out/ca", ["out/cat.mp4"]),  # not a job that is held, but a file
        (jobs, "show c", ["cat.json", "copy.json"]),
        (root, "cancel ", [TEXT + "/copy.json", HAILUO_23 + "/dog.txt"]),
        (root, "wait ", [HAILUO_23 + "/dog.txt"]),
        (root, "release ~/mnt/", [jobs + "/copy.json"]),
        (root, "cancel %s/h" % root, [jobs + "/copy.json", root + "/" + HAILUO_23 + "/dog.txt"]),
        ("/", "status " + root[:-1], [root]),
        ("/", "status --state wai", ["waiting"]),
        ("/", "status --state done,wai", ["done,waiting"]),
        ("/", "spend --month " + month, [month]),  # others' mounts may have others
        ("/", "spend --by d", ["day"]),
        ("/", "check --model hailuo/02-t", ["hailuo/02-text-to-video-pro",
                                            "hailuo/02-text-to-video-standard"]),
        ("/", "-o len", ["lenient"]),
        ("/", "-o lenient,xat", ["lenient,xattr"]),
        ("/", "models upd", ["update"]),
        ("/", "models update minimax-hailuo-0", [FLAT]),
    ]


class Shell:
    """One at a terminal, that answers with what a line has become."""

    def __init__(self, mount, words, start):
        self.answers, theirs = os.pipe()
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            words, stdin=end, stdout=end, stderr=end, pass_fds=[theirs], cwd="/",
            env=environment(mount, ANSWERS=str(theirs)), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        os.close(end)
        self.type(start + "show\n")
        assert self.answer() == []

    def type(self, text):
        os.write(self.terminal, text.encode())

    def answer(self):
        said, shown, deadline = b"", b"", time.monotonic() + PATIENCE
        while not said.endswith(b"END\0"):
            assert time.monotonic() < deadline, (said, shown)
            for ready in select.select([self.answers, self.terminal], [], [], 1)[0]:
                if ready == self.answers:
                    said += os.read(ready, 4096)
                else:
                    shown += os.read(ready, 4096)
        return said.decode().split("\0")[:-2]

    def complete(self, folder, line, key):
        self.type("cd %s; show\n" % folder)
        self.answer()
        self.type("kinofs " + line + key + "\x01show \n")
        begun = len(line[:line.rfind(" ") + 1].split()) + 1
        return self.answer()[begun:]

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.answers)
        os.close(self.terminal)


def by_key(mount, words, start, key):
    shell = Shell(mount, words, start)
    try:
        return [shell.complete(folder, line, key) for folder, line, _ in cases(mount)]
    finally:
        shell.end()


def by_fish(mount):
    script = "".join("cd %s; complete -C 'kinofs %s'; echo END\n" % (folder, line)
                     for folder, line, _ in cases(mount))
    said = subprocess.run(["fish", "-c", script], env=environment(mount), capture_output=True,
                          text=True, timeout=PATIENCE, check=True).stdout
    return [[line.split("\t")[0].replace("~", mount.directory) for line in lines.splitlines()]
            for lines in said.split("END\n")[:-1]]


def test_shells_complete_mounts_models_months_and_jobs_in_the_right_state(kino):
    require("bash-completion zsh fish", "zsh", "fish")
    for name, made in (("bash", by_key(kino, ["bash", "--norc", "-i"], BASH, "\x1b*")),
                       ("zsh", by_key(kino, ["zsh", "-f", "-i"], ZSH, "\x18a")),
                       ("fish", by_fish(kino))):
        for (folder, line, wanted), found in zip(cases(kino), made, strict=True):
            assert sorted(found) == wanted, "%s, in %s: kinofs %s" % (name, folder, line)
