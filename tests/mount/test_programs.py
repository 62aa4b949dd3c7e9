"""Saving a spec with real programs: one job each time, and none when nothing changed.

A program is a row of TABLE. All come from the packages of contrib/install-dependencies.
"""
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from typing import Callable, NamedTuple

import pytest

from desk import BLACK, SCREEN, SMALL, require, wait_for
from harness import HAILUO_23, TEXT, png, prompt_of

pytestmark = pytest.mark.no_asan("about other programs")


# ------------------------------------------------------------------ how each one saves

def command(*words):
    """{source}: a file elsewhere with the new content; {target}: where it is to go."""
    def save(desk, text):
        known = {"{source}": desk.source(text), "{target}": desk.target}
        desk.run(*(known.get(word, word) for word in words), text=text)
    return save


def script(text_of_script, shell="sh"):
    """$TEXT: the new content; $SOURCE: a file with it; $TARGET: where it is to go."""
    def save(desk, text):
        desk.run(shell, "-c", "SOURCE=$1; " + text_of_script, shell, desk.source(text), text=text)
    return save


def piped(*words):
    def save(desk, text):
        desk.run(*(desk.target if word == "{target}" else word.replace("{target}", desk.target)
                   for word in words), input=text.encode() + b"\n")
    return save


def save_tar(desk, text):
    source = desk.source(text)
    archive = source + ".tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(source, "cat.json")
    desk.run("tar", "-xf", archive)


def save_unzip(desk, text):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("cat.json", text + "\n")
    archive = desk.mount.outside("cat.zip", content.getvalue())
    desk.run("unzip", "-qo", archive)


def python(code):
    def save(desk, text):
        desk.run(sys.executable, "-c",
                 "import os; path, text = os.environ['TARGET'], os.environ['TEXT']; " + code,
                 text=text)
    return save


def save_curl(desk, text):
    desk.run("curl", "-sSf", "-o", desk.target, desk.url(text))


def save_wget(desk, text):
    desk.run("wget", "-q", "-O", desk.target, desk.url(text))


def save_vim(program, backup):
    """Opens, replaces all and writes: a back-up beside it, a copy, or none (:help backupcopy)."""
    def save(desk, text):
        desk.run(program, "-u", "NONE", "-N", "-es", "-c",
                 "set backup writebackup backupcopy=" + backup,
                 "-c", "normal ggdGi" + text, "-c", "wq!", desk.target)
    return save


def save_vim_swap(desk, text):
    """On a terminal, with a swap file beside it while it is open."""
    desk.type(["vim.tiny", "-u", "NONE", "-N", desk.target],
              (b"cat.json", b"ggdGi" + text.encode() + b"\x1b:wq\r"), text=text)


def save_nano(desk, text):
    desk.type(["nano", "--ignorercfiles", desk.target],
              (b"Exit", b"\x0b" + text.encode() + b"\x0f"),
              (b"Write", b"\r"), (b"Wrote", b"\x18"))


def save_emacs_batch(desk, text):
    desk.run("emacs", "--batch", "-Q", desk.target, "--eval",
             '(progn (erase-buffer) (insert (getenv "TEXT")) (newline) (save-buffer))', text=text)


def save_emacs(desk, text):
    """On a terminal: a lock, an auto-save file, a back-up."""
    desk.type(["emacs", "-nw", "-Q", "--eval", "(setq auto-save-interval 20)", desk.target],
              (b"cat.json", b"\x18h\x17" + text.encode() + b"\x18\x13"),
              (b"Wrote", b"\x18\x03"))


def save_ed(desk, text):
    address = "1c" if os.path.exists(desk.target) else "a"
    if address == "a":
        desk.run("ed", "-s", input=("a\n%s\n.\nw %s\nq\n" % (text, desk.target)).encode())
    else:
        desk.run("ed", "-s", desk.target, input=("1c\n%s\n.\nw\nq\n" % text).encode())


def save_scp(*flags):
    def save(desk, text):
        options = desk.ssh_options()
        desk.run("scp", *flags, *options, desk.source(text), "localhost:" + desk.target)
    return save


def save_sftp(desk, text):
    order = "put %s %s\n" % (desk.source(text), desk.target)
    desk.run("sftp", "-b", "-", *desk.ssh_options(), "localhost", input=order.encode())


def save_smbclient(desk, text):
    desk.smbclient("put %s %s/cat.json" % (desk.source(text), TEXT))


def save_mousepad(desk, text):
    """An editor of the desktop: saves as GIO does."""
    script_text = """
    mousepad --disable-server "$TARGET" & editor=$!
    window=$(timeout 60 xdotool search --sync --onlyvisible --pid $editor | tail -1)
    xdotool windowfocus --sync $window
    xdotool key ctrl+a; xdotool type --delay 2 "$TEXT"; xdotool key --delay 100 ctrl+s ctrl+q
    wait $editor
    """
    if not os.path.exists(desk.target):
        open(desk.target, "x", encoding="utf-8").close()
    desk.run_on_screen(script_text, text=text)


class Row(NamedTuple):
    name: str
    save: Callable
    package: str = "coreutils"
    commands: tuple = ()


TABLE = [
    Row("cp", command("cp", "{source}", "{target}")),
    Row("cp -p", command("cp", "-p", "{source}", "{target}")),
    Row("cp --remove-destination",
        command("cp", "--remove-destination", "{source}", "{target}")),
    Row("mv into the mount", command("mv", "{source}", "{target}")),
    Row("mv within the mount", script('cp "$SOURCE" draft && mv draft "$TARGET"')),
    Row("mv out of the mount and back",
        script('if [ -e "$TARGET" ]; then mv "$TARGET" "$SOURCE.out"; fi; mv "$SOURCE" "$TARGET"')),
    Row("ln of a draft", script('cp "$SOURCE" draft && ln -f draft "$TARGET" && rm draft')),
    Row("install", command("install", "-m", "640", "{source}", "{target}")),
    Row("rsync", command("rsync", "-a", "{source}", "{target}"), "rsync", ("rsync",)),
    Row("rsync --ignore-times",
        command("rsync", "-aI", "{source}", "{target}"), "rsync", ("rsync",)),
    Row("rsync --inplace",
        command("rsync", "-aI", "--inplace", "{source}", "{target}"), "rsync", ("rsync",)),
    Row("tar", save_tar, "tar", ("tar",)),
    Row("unzip", save_unzip, "unzip", ("unzip",)),
    Row("dd", piped("dd", "of={target}", "status=none")),
    Row("dd a byte at a time, synced",
        piped("dd", "of={target}", "bs=1", "oflag=sync", "status=none")),
    Row("tee", piped("tee", "{target}")),
    Row("sort -o", command("sort", "-o", "{target}", "{source}")),
    Row("sh: echo > file", script('echo "$TEXT" > "$TARGET"')),
    Row("sh: printf >> file, in pieces",
        script('[ -e "$TARGET" ] && rm "$TARGET"; for word in $TEXT; do'
               ' printf "%s " $word >> "$TARGET"; done')),
    Row("sh: here-document", script('cat > "$TARGET" <<END\n$TEXT\nEND\n')),
    Row("sh: exec 3> file", script('exec 3> "$TARGET"; for word in $TEXT; do'
                                   ' printf "%s " $word >&3; sleep 0.1; done; exec 3>&-')),
    Row("bash: a group of commands > file",
        script('{ for word in $TEXT; do /bin/echo -n "$word "; done; } > "$TARGET"', "bash"),
        "bash", ("bash",)),
    Row("sed -i", script('[ -e "$TARGET" ] || cp "$SOURCE" "$TARGET";'
                         ' sed -i "1c $TEXT" "$TARGET"'), "sed", ("sed",)),
    Row("perl -i", script('[ -e "$TARGET" ] || cp "$SOURCE" "$TARGET";'
                          ' perl -i -pe "\\$_ = qq(\\$ENV{TEXT}\\n)" "$TARGET"'),
        "perl", ("perl",)),
    Row("perl", command("perl", "-e", 'open(F, ">", $ENV{TARGET}) or die; print F $ENV{TEXT};'
                        ' close(F) or die'), "perl", ("perl",)),
    Row("perl without close", command("perl", "-e", 'open(F, ">", $ENV{TARGET}) or die;'
                                      ' print F $ENV{TEXT}'), "perl", ("perl",)),
    Row("python", python("file = open(path, 'w'); file.write(text); file.close()")),
    Row("python without close", python("open(path, 'w').write(text)")),
    Row("python, mapped", python(
        "import mmap; file = open(path, 'a+b'); file.truncate(len(text));"
        " mapped = mmap.mmap(file.fileno(), len(text)); file.close(); mapped[:] = text.encode();"
        " mapped.close()")),
    Row("python, tempfile and replace", python(
        "import tempfile; file = tempfile.NamedTemporaryFile('w', dir='.', delete=False);"
        " file.write(text); file.close(); os.replace(file.name, path)")),
    Row("node writeFileSync", command(
        "node", "-e", "require('fs').writeFileSync(process.env.TARGET, process.env.TEXT)"),
        "nodejs", ("node",)),
    Row("curl -o", save_curl, "curl", ("curl",)),
    Row("wget", save_wget, "wget", ("wget",)),
    *(Row("vim, backupcopy=" + backup, save_vim("vim.tiny", backup), "vim-tiny", ("vim.tiny",))
      for backup in ("auto", "yes", "no")),
    Row("vim on a terminal", save_vim_swap, "vim-tiny", ("vim.tiny",)),
    Row("nano", save_nano, "nano", ("nano",)),
    Row("emacs --batch", save_emacs_batch, "emacs-nox", ("emacs",)),
    Row("emacs on a terminal", save_emacs, "emacs-nox", ("emacs",)),
    Row("ed", save_ed, "ed", ("ed",)),
    Row("gio copy", command("gio", "copy", "{source}", "{target}"), "libglib2.0-bin", ("gio",)),
    Row("gio move", command("gio", "move", "{source}", "{target}"), "libglib2.0-bin", ("gio",)),
    Row("gio save", piped("gio", "save", "{target}"), "libglib2.0-bin", ("gio",)),
    Row("mousepad", save_mousepad, "mousepad " + SCREEN[0], ("mousepad", *SCREEN[1:])),
    Row("scp", save_scp(), "openssh-server openssh-client", ("sshd", "scp")),
    Row("scp -O", save_scp("-O"), "openssh-server openssh-client", ("sshd", "scp")),
    Row("sftp", save_sftp, "openssh-server openssh-client", ("sshd", "sftp")),
    Row("smbclient", save_smbclient, "samba smbclient", ("smbd", "smbclient")),
]


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_each_save_is_one_job_and_an_unchanged_one_is_none(desk, row):
    require(row.package, *row.commands)
    row.save(desk, SMALL)
    desk.mount.accepted(TEXT, "cat")
    row.save(desk, SMALL)
    desk.sent("a small cat")
    row.save(desk, BLACK)
    desk.mount.accepted(TEXT, "cat", take=2)
    desk.sent("a small cat", "a big black cat")
    assert json.loads(desk.mount.read(TEXT, "cat.json")) == json.loads(BLACK)


def test_what_is_saved_but_still_open_waits_and_says_for_whom(desk):
    require("vim-tiny", "vim.tiny")
    mount = desk.mount

    def close():
        note = mount.note(TEXT, "cat", "waiting")
        assert "Vim, " in note and ".cat.json.swp" in note and "kinofs release" in note, note
        assert not mount.sim.creates()
        return b":q\r"
    desk.type(["vim.tiny", "-u", "NONE", "-N", desk.target],
              (b"cat.json", b"i" + SMALL.encode() + b"\x1b:w\r"), (b"written", close))
    mount.accepted(TEXT, "cat")
    desk.sent("a small cat")


# ------------------------------------------------------------------ git, moving out

def test_a_clone_and_a_checkout_are_one_job_a_changed_spec(desk):
    """In a sub-folder; what is in .git/ and README.md starts nothing."""
    require("git", "git")
    mount, origin = desk.mount, os.path.join(desk.mount.directory, "origin")
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]

    def commit(text, cwd):
        with open(os.path.join(cwd, "cat.json"), "w", encoding="utf-8") as file:
            file.write(text)
        desk.run("git", *who, "add", ".", cwd=cwd)
        desk.run("git", *who, "commit", "-qm", "a spec", cwd=cwd)
    desk.run("git", *who, "init", "-q", origin)
    mount.outside("../origin/README.md", "read me")
    commit(SMALL, origin)
    desk.run("git", *who, "checkout", "-q", "-b", "black", cwd=origin)
    commit(BLACK, origin)
    desk.run("git", *who, "checkout", "-q", "main", cwd=origin)
    clone = os.path.join(desk.folder, "summer")
    desk.run("git", "clone", "-q", origin, "summer")
    mount.accepted(TEXT, "summer/cat")
    for words in (["status"], ["checkout", "."], ["gc", "-q"], ["fsck"], ["pull", "-q"]):
        desk.run("git", *who, *words, cwd=clone)
    mount.quiet()
    assert [prompt_of(body) for body in mount.sim.bodies()] == ["a small cat"]
    desk.run("git", *who, "checkout", "-q", "black", cwd=clone)
    mount.accepted(TEXT, "summer/cat", take=2)
    mount.quiet()
    assert [prompt_of(body) for body in mount.sim.bodies()] == ["a small cat", "a big black cat"]
    assert mount.job_names() == ["summer/cat"]
    assert "clean" in desk.run("git", *who, "status", cwd=clone)


def test_what_is_moved_out_before_it_goes_is_withdrawn(kinofs):
    mount = kinofs(settle=4)
    spec = mount.drop(TEXT, "cat.json", SMALL)
    shutil.move(spec, os.path.join(mount.directory, "cat.json"))
    mount.quiet()
    assert mount.sim.creates() == [] and mount.jobs() == []


# ------------------------------------------------------------------ killed half-way

def kill_half_way(path, content):
    """A process that writes the first half of this, and is killed with the file open."""
    writer = subprocess.Popen(
        [sys.executable, "-c", "import os, sys, time\n"
         "fd = os.open(sys.argv[1], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)\n"
         "os.write(fd, sys.stdin.buffer.read()); print(flush=True); time.sleep(60)", path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with writer:
        writer.stdin.write(content[:len(content) // 2])
        writer.stdin.close()
        assert writer.stdout.readline() == b"\n"
        writer.kill()
    assert writer.returncode == -signal.SIGKILL


def test_half_a_spec_starts_nothing_and_gives_a_note(mount):
    kill_half_way(mount.path(TEXT, "cat.json"), SMALL.encode())
    assert "JSON" in mount.note(TEXT, "cat")
    mount.quiet()
    assert mount.record(TEXT, "cat")["state"] == "rejected" and mount.sim.creates() == []
    mount.drop(TEXT, "cat.json", SMALL)
    mount.done(TEXT, "cat")
    mount.wait(lambda: mount.out(TEXT) == ["cat.mp4"], "the note to go")
    assert len(mount.sim.creates()) == 1


def test_a_prompt_that_ends_within_a_character_starts_nothing_and_gives_a_note(mount):
    kill_half_way(mount.path(TEXT, "cat.txt"), "Käse".encode()[:2] * 2)
    kill_half_way(mount.path(TEXT, "dog.txt"), "äö".encode() + b"x" * 3)
    assert "UTF-8" in mount.note(TEXT, "dog")
    mount.quiet()
    assert mount.record(TEXT, "dog")["state"] == "rejected"


@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
def test_half_a_picture_starts_nothing_and_gives_a_note(mount, extension):
    content = png()
    if extension != "png":
        source = mount.outside("whole.png", png(width=320, height=240))
        target = os.path.join(mount.directory, "whole." + extension)
        subprocess.run(["ffmpeg", "-v", "error", "-i", source, target], check=True)
        with open(target, "rb") as file:
            content = file.read()
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    kill_half_way(mount.path(HAILUO_23, "cat." + extension), content)
    assert "cat." + extension in mount.note(HAILUO_23, "cat")
    mount.quiet()
    assert mount.sim.creates() == [] and mount.sim.uploads() == []


def test_a_transfer_that_is_killed_leaves_a_scratch_name_and_starts_nothing(desk):
    """rsync writes under a name of its own: half of a file is no spec yet."""
    require("rsync", "rsync")
    source = desk.source(SMALL + " " * (4 << 20))
    writer = subprocess.Popen(["rsync", "--bwlimit=500", source, desk.target])
    wait_for(lambda: [name for name in os.listdir(desk.folder) if name.startswith(".cat.json.")],
             "rsync to begin")
    writer.kill()
    writer.wait()
    desk.mount.quiet()
    assert desk.mount.sim.creates() == [] and desk.mount.jobs() == []
