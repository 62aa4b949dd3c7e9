"""A desktop at work on the mount: its file manager, thumbnails, its trash, what it looks for."""
import contextlib
import hashlib
import os
import statistics
import time
import urllib.parse

import pytest

from desk import BLACK, SCREEN, SMALL, Desk, require
from harness import TEXT

pytestmark = pytest.mark.no_asan("about other programs")


# ------------------------------------------------------------------ a file manager

def test_a_file_manager_pastes_one_job(desk):
    """pcmanfm: all of a folder copied, then pasted into the model's folder."""
    require("pcmanfm " + SCREEN[0], "pcmanfm", *SCREEN[1:])
    source = os.path.dirname(desk.source(SMALL))
    desk.run_on_screen("""
        pcmanfm "$1" & manager=$!
        window=$(timeout 60 xdotool search --sync --onlyvisible --pid $manager | tail -1)
        xdotool windowfocus --sync $window
        xdotool key --delay 300 ctrl+a ctrl+c ctrl+l
        xdotool type --delay 5 "$2"; xdotool key --delay 300 Return Escape
        timeout 60 xdotool search --sync --onlyvisible --name "$(basename "$2")"
        xdotool key ctrl+v
        for i in $(seq 1200); do [ -s "$TARGET" ] && break; sleep 0.05; done
        kill -KILL $manager""", source, desk.folder, cwd=source)
    desk.mount.accepted(TEXT, "cat")
    desk.sent("a small cat")


def thumbnail(desk, path):
    """Where the thumbnail of a file is kept (freedesktop.org's thumbnail specification)."""
    uri = "file://" + urllib.parse.quote(path)
    return os.path.join(desk.mount.home, ".cache/thumbnails/normal",
                        hashlib.md5(uri.encode()).hexdigest() + ".png")


def test_an_open_window_shows_a_result_that_arrives_and_makes_its_thumbnail(desk):
    """pcmanfm only makes thumbnails of what it shows: it has learnt of the second video."""
    require("pcmanfm ffmpegthumbnailer " + SCREEN[0], "pcmanfm", "ffmpegthumbnailer", *SCREEN[1:])
    desk.mount.drop(TEXT, "cat.json", SMALL)
    desk.mount.done(TEXT, "cat")
    videos = [desk.mount.path(TEXT, "out", name) for name in ("cat.mp4", "cat.2.mp4")]
    output = desk.run_on_screen("""
        set -x
        await() { for i in $(seq 1200); do [ -s "$1" ] && return; sleep 0.05; done; exit 1; }
        pcmanfm "$1" & manager=$!
        window=$(timeout 60 xdotool search --sync --onlyvisible --pid $manager | tail -1)
        await "$2"
        [ -e "$3" ] && exit 1
        echo "$TEXT" > "$TARGET"
        await "$3"
        kill -KILL $manager""", desk.mount.path(TEXT, "out"),
                                *(thumbnail(desk, video) for video in videos), text=BLACK)
    assert os.path.exists(videos[1]), output
    desk.sent("a small cat", "a big black cat")


# ------------------------------------------------------------------ hidden, looked for

def test_the_control_folder_is_out_of_sight(desk):
    require("libglib2.0-bin", "gio")
    assert desk.mount.read(".hidden") == ".kinofs\n"
    names = [set(line.split("\t")[0] for line in
                 desk.run("gio", "list", *words, desk.mount.root).splitlines())
             for words in ([], ["--hidden"])]
    assert names[1] == set(os.listdir(desk.mount.root))
    assert names[1] - names[0] == {".hidden", ".kinofs"}


PROBES = (".Trash", ".Trash-1000", ".xdg-volume-info", "autorun.inf", ".autorun", "autorun.sh",
          ".autostart", "autostart", "autoopen", ".autoopen", ".directory", "desktop.ini",
          "Thumbs.db", ".DS_Store", "._.DS_Store", ".Spotlight-V100", ".fseventsd", ".git", ".hg",
          ".svn", ".bzr", "CVS", ".is_audio_player", ".nomedia", "DCIM", "VIDEO_TS", "BDMV",
          "cover.jpg", "folder.jpg", ".comments", ".sh_thumbnails", ".localized", "lost+found")


def turns(mount):
    """How often the threads of kinofs have waited for something to do: once for each request."""
    count = 0
    folder = "/proc/%d/task" % mount.process.pid
    for thread in os.listdir(folder):
        with contextlib.suppress(OSError), open(  # a thread that has just ended
                os.path.join(folder, thread, "status"), encoding="ascii") as file:
            count += next(int(line.split()[1]) for line in file
                          if line.startswith("voluntary_ctxt_switches"))
    return count


def test_what_desktops_look_for_costs_no_more_than_a_fast_enoent(mount):
    folders = [mount.path(*parts) for parts in (
        (), ("hailuo",), (TEXT,), (TEXT, "out"), (TEXT, "jobs"), (".kinofs",))]
    events = mount.read(".kinofs", "events.jsonl")
    took = {"looked for": [], "any": []}
    for folder in folders:
        for number, probe in enumerate(PROBES):
            for kind, name in (("looked for", probe), ("any", "any-%d" % number)):
                before = time.perf_counter()
                assert not os.path.lexists(os.path.join(folder, name))
                took[kind].append(time.perf_counter() - before)
    assert statistics.median(took["looked for"]) < 5 * statistics.median(took["any"])
    for folder in folders[:4]:  # asked again within a second: the kernel knows
        os.path.lexists(os.path.join(folder, ".Trash"))
        before = turns(mount)
        for _ in range(500):
            os.path.lexists(os.path.join(folder, ".Trash"))
        assert turns(mount) - before < 100, folder
    mount.quiet()
    assert mount.sim.creates() == [] and mount.jobs() == []
    assert all(name not in mount.read(".kinofs", "events.jsonl")[len(events):] for name in PROBES)


# ------------------------------------------------------------------ trash

def trashed(desk):
    return desk.mount.path(".Trash-%d" % os.getuid(), "files", "cat.json")


def test_trash_and_restore_cost_nothing(desk):
    """By its own service, which finds the trash of each mount and moves a file back."""
    require("libglib2.0-bin gvfs dbus", "gio", "dbus-run-session")
    assert os.path.exists("/usr/share/gvfs/mounts/trash.mount"), "needs gvfs"
    desk.run("cp", desk.source(SMALL), desk.target)
    desk.mount.done(TEXT, "cat")
    desk.run("gio", "trash", desk.target)
    assert os.path.exists(trashed(desk)) and not os.path.exists(desk.target)
    desk.sent("a small cat")
    desk.run("dbus-run-session", "--", "sh", "-c", """
        unset GIO_USE_VFS
        gio trash --restore "$(gio trash --list | grep -F "$TARGET" | cut -f 1)" """)
    assert os.path.exists(desk.target) and not os.path.exists(trashed(desk))
    desk.sent("a small cat")
    assert desk.mount.out(TEXT) == ["cat.mp4"]


def test_what_is_trashed_before_it_goes_is_withdrawn(kinofs):
    require("libglib2.0-bin", "gio")
    mount = kinofs(settle=5)
    mount.drop(TEXT, "cat.json", SMALL)
    with contextlib.ExitStack() as stack:
        desk = Desk(mount, stack)
        desk.run("gio", "trash", desk.target)
        assert os.path.exists(trashed(desk))
    mount.quiet()
    assert mount.sim.creates() == [] and mount.jobs() == []
