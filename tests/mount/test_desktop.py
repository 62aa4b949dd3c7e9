"""A desktop at work on the mount: its file manager, thumbnails, its trash, what it looks for."""
import configparser
import contextlib
import hashlib
import importlib.machinery
import importlib.util
import os
import statistics
import subprocess
import sys
import time
import urllib.parse

import pytest

from desk import BLACK, SCREEN, SMALL, Desk, require
from harness import HAILUO_02, HAILUO_23, KINOFS, PATIENCE, ROOT, TEXT, png

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
    assert names[1] - names[0] == {".hidden", ".kinofs", ".xdg-volume-info", ".directory"}


def test_the_mount_has_a_name_and_an_icon_beside_other_places(mount):
    """By the files that gvfs and KDE read."""
    found = {}
    for name in (".xdg-volume-info", ".directory"):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(mount.read(name))
        found.update({section: dict(parser[section]) for section in parser.sections()})
    assert found == {"Volume Info": {"name": os.path.basename(mount.root), "icon": "folder-videos"},
                     "Desktop Entry": {"icon": "folder-videos"}}


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
                assert os.path.lexists(os.path.join(folder, name)) == (
                    folder == folders[0] and name in (".xdg-volume-info", ".directory"))
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


# ------------------------------------------------------------------ its menus and emblems

ACTION = os.path.join(ROOT, "contrib/file-manager/kinofs-action")


@pytest.fixture(scope="module")
def extension():
    """The extension of Nautilus and the others, of which none is needed for what it decides."""
    spec = importlib.util.spec_from_loader("kinofs_files", importlib.machinery.SourceFileLoader(
        "kinofs_files", os.path.join(ROOT, "contrib/file-manager/kinofs_files.py")))
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def test_menus_and_emblems_are_those_of_the_jobs(mount, extension):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "bad.txt", "bad")
    mount.wait_state(TEXT, "bad", "failed")
    mount.drop(TEXT, "list.jsonl", '{"prompt": "a cat"}\n{"prompt": "a cat"}\n')
    mount.wait_state(TEXT, "list-0002", "held")
    mount.drop(TEXT, "cat.txt", "a small cat")
    mount.done(TEXT, "cat")
    mount.drop(TEXT, "summer/copy.txt", "a small cat")
    mount.wait_state(TEXT, "summer/copy", "held")
    mount.drop(HAILUO_23, "dog_end.txt", "a dog")
    mount.wait_state(HAILUO_23, "dog_end", "waiting")
    mount.note(TEXT, "bad")
    roots = extension.mounts()
    assert mount.root in roots

    def offered(*paths):
        return {verb: for_what for verb, _, for_what in
                extension.menu([mount.path(path) for path in paths], roots)}
    ended = ["again", "show"]
    for path, verbs in ((TEXT + "/cat.txt", ended), (TEXT + "/jobs/cat.json", ended),
                        (TEXT + "/out/cat.mp4", ended), ("out/cat.mp4", ended),
                        (TEXT + "/out/bad.error.txt", ended), (TEXT + "/README.txt", []),
                        (TEXT + "/summer/copy.txt", ["withdraw", "release", "show"]),
                        (HAILUO_23 + "/dog_end.txt", ["withdraw", "show"]),
                        (TEXT + "/summer", []), ("README.txt", [])):
        assert list(offered(path)) == verbs, path
    both = offered(TEXT + "/cat.txt", TEXT + "/summer/copy.txt")
    assert both["again"] == [mount.path(TEXT, "cat.txt")]
    assert both["release"] == [mount.path(TEXT, "summer/copy.txt")]
    picture = mount.outside("cat.png", png())
    assert [verb for verb, _, _ in extension.menu([picture], roots)] == ["animate"]
    assert extension.menu([picture], []) == []

    watch = extension.Watch(mount.root)
    assert watch.look() and not watch.look()
    for path, emblem in ((TEXT + "/bad.txt", "error"), (TEXT + "/out/bad.error.txt", "error"),
                         (TEXT + "/jobs/bad.json", "error"), (TEXT + "/cat.txt", None),
                         (TEXT + "/summer/copy.txt", "held"), (TEXT + "/copy.txt", None),
                         (TEXT + "/out/cat.mp4", None), (TEXT + "/bad.odt", None),
                         (TEXT + "/list.jsonl", "held"),
                         (HAILUO_23 + "/dog_end.txt", None)):
        assert extension.emblem(path, watch.states) == emblem, path
    mount.sim.faults({"on": "poll", "do": "http", "value": 500, "times": 0})
    for name, content in (("fox.png", png()), ("fox_end.png", png(80)), ("fox.txt", "a fox")):
        mount.drop(HAILUO_02, name, content)
    mount.wait_state(HAILUO_02, "fox", "running")
    assert watch.look()
    for name in ("fox.png", "fox_end.png", "fox.txt", "jobs/fox.json"):
        assert extension.emblem(HAILUO_02 + "/" + name, watch.states) == "running", name


ZENITY = """#!/bin/sh
case "$*" in
*--list*) cat >>"$SAID/listed"; echo "$MODEL" ;;
*--editable*) echo 'The cat stretches.' ;;
*) printf '%s\\n' "$*" >>"$SAID/asked" ;;
esac
"""
NOTIFY = """#!/bin/sh
printf '%s\\n' "$*" >>"$SAID/told"
"""


@pytest.fixture
def act(mount, tmp_path):
    """Runs an action; programs that answer stand in for zenity and the desktop's notifications."""
    for name, script in (("zenity", ZENITY), ("notify-send", NOTIFY)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)

    def run(*words, model=HAILUO_23):
        for name in ("listed", "asked", "told"):
            (tmp_path / name).write_text("")
        environment = {**mount.environment(), "SAID": str(tmp_path), "MODEL": model}
        environment["PATH"] = ":".join((str(tmp_path), os.path.dirname(KINOFS),
                                        environment["PATH"]))
        status = subprocess.run([ACTION, *words], env=environment, check=False,
                                stdin=subprocess.DEVNULL, timeout=PATIENCE).returncode
        return [status, *((tmp_path / name).read_text() for name in ("listed", "asked", "told"))]
    return run


def test_the_actions_say_the_price_order_and_tell_of_the_video(mount, act):
    os.mkdir(mount.path("album"))
    picture = mount.path("album", "my cat_end.png")
    with open(picture, "wb") as file:
        file.write(png())
    status, listed, asked, told = act("animate", picture)
    assert status == 0 and "45 credits ($0.225)" in asked, asked + told
    rows = [row.split("\t") for row in listed.splitlines()]  # a cell a line, for zenity
    assert [HAILUO_23] in rows and [TEXT] not in rows
    video = mount.path(HAILUO_23, "out/my cat end.mp4")
    assert video in told and os.path.exists(video)
    assert mount.sim.bodies()[0]["input"]["prompt"] == "The cat stretches."
    status, _, asked, told = act("again", video)
    assert status == 0 and "45 credits ($0.225)" in asked and "pay" in asked
    assert "my cat end.2.mp4" in told
    status, _, asked, told = act("animate", picture)
    assert status == 0 and "my cat end 2.mp4" not in told  # the same order is held, as a copy
    assert "ordered already" in told
    copy = mount.path(HAILUO_23, "my cat end 2.txt")
    assert act("show", copy)[0] == 0
    assert act("withdraw", copy)[0] == 0
    mount.wait_state(HAILUO_23, "my cat end 2", "cancelled")
    status, _, asked, _ = act("release", copy)
    assert status != 0 and "not held" in asked


def test_only_models_are_offered_that_a_picture_and_a_text_are_enough_for(mount, act):
    picture = mount.drop("album", "cat.png", png())
    needs_sound, needs_end = "kling-2.6/image-to-video", "vidu-q1-startend2video"

    def offered():
        status, listed, asked, _ = act("animate", picture, model="")
        assert status == 0 and not asked
        return listed.splitlines()[::2]
    models = offered()
    assert HAILUO_23 in models and HAILUO_02 in models
    assert needs_sound not in models and needs_end not in models
    mount.drop(needs_sound, "defaults.json", '{"sound": false}')
    assert set(offered()) - set(models) == {needs_sound}
    mount.quiet()
    assert mount.sim.creates() == []


def test_an_action_says_the_price_by_the_defaults_of_the_model(mount, act):
    mount.drop(HAILUO_23, "defaults.json", '{"resolution": "1080P"}')
    status, _, asked, told = act("animate", mount.drop("album", "cat.png", png()))
    assert status == 0 and "80 credits ($0.400)" in asked, asked + told
    assert mount.path(HAILUO_23, "out/cat.mp4") in told
    assert mount.sim.bodies()[0]["input"]["resolution"] == "1080P"
