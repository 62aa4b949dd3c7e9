"""kinofs in Nautilus, Nemo, Caja and Thunar: menu items for what a job is made of and what came of
it, and emblems for what is under way, held or failed.

`make install` puts this file where each looks for extensions in Python (python3-nautilus,
nemo-python, python3-caja, thunarx-python). Which of them reads it says the folder it is in. What
they show is decided by the plain functions, which need none of them; what is chosen does
kinofs-action.
"""
import codecs
import json
import os
import re
import subprocess
import time

ACTION = "@PREFIX@/share/kinofs/file-manager/kinofs-action"

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
INPUTS = PICTURES + (".json", ".jsonl", ".txt", ".mp4", ".mov", ".mkv", ".webm", ".mp3", ".wav",
                     ".m4a", ".aac", ".ogg", ".flac")
MANY = 100  # files of one selection that are looked at

VERBS = (  # verb, label, states of a job for which it makes sense (None: any)
    ("again", "Another take", ("done", "failed", "unknown", "cancelled")),
    ("withdraw", "Withdraw", ("waiting", "held", "queued", "uploading")),
    ("release", "Let it go", ("held",)),
    ("show", "What happened", None),
)
TIPS = {
    "animate": "Makes a video of this picture by a model of kinofs, once you agree to its price",
    "again": "Orders another take, once you agree to its price",
    "withdraw": "Takes back what was not sent to the provider yet",
    "release": "Orders what is held, once you agree to its price",
    "show": "Says what happened to this job, and what can be done",
}

# Names of icons that every theme has.
EMBLEMS = {"running": "emblem-synchronizing", "held": "emblem-important",
           "error": "emblem-unreadable"}
SHOWN_AS = {"queued": "running", "uploading": "running", "submitting": "running",
            "running": "running", "downloading": "running", "held": "held",
            "rejected": "error", "failed": "error", "unknown": "error"}


# ---------------------------------------------------------------- mounts

def mounts(table="/proc/self/mounts"):
    """The folders on which a kinofs is mounted that takes orders of this user."""
    with open(table, "rb") as file:
        lines = [line.split(b" ") for line in file]
    folders = [os.fsdecode(codecs.escape_decode(words[1])[0])  # a space is \040
               for words in lines if words[2] == b"fuse.kinofs"]
    return [folder for folder in folders
            if os.access(os.path.join(folder, ".kinofs/ctl"), os.W_OK)]


def place(path, roots):
    """The mount that a path is in, and the path inside it; or (None, None)."""
    for root in sorted(roots, key=len, reverse=True):
        if path.startswith(root + "/"):
            return root, path[len(root) + 1:]
    return None, None


# ---------------------------------------------------------------- jobs

def record_of(path, roots):
    """The record of the job that a file belongs to, or None."""
    root, inside = place(path, roots)
    if not root or "\n" in inside:
        return None
    try:
        with open(os.path.join(root, ".kinofs/ctl"), "r+b", buffering=0) as ctl:
            ctl.write(b"find " + os.fsencode(inside))
            record = codecs.escape_decode(ctl.read())[0]  # \xHH, \\
        with open(os.path.join(os.fsencode(root), record), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def menu(paths, roots):
    """What to offer for a selection: (verb, label, the paths that it is for)."""
    offered = []
    if not roots:
        return offered
    if len(paths) == 1 and paths[0].lower().endswith(PICTURES):
        offered.append(("animate", "Animate this picture …", paths))
    if not paths or len(paths) > MANY:
        return offered
    records = {}
    for path in paths:
        if not os.path.isdir(path):
            records[path] = record_of(path, roots)
    for verb, label, states in VERBS:
        fitting = [path for path, record in records.items()
                   if record and (states is None or record["state"] in states)]
        if fitting:
            offered.append((verb, label, fitting))
    return offered


# ---------------------------------------------------------------- emblems

def shown_states(root):
    """{"MODEL/NAME": "running"} of the jobs that get an emblem."""
    try:
        with open(os.path.join(root, ".kinofs/jobs.json"), encoding="utf-8") as file:
            jobs = json.load(file)["jobs"]
    except (OSError, ValueError, KeyError):
        return {}
    return {"%s/%s" % (job["model"], job["job"]): SHOWN_AS[job["state"]] for job in jobs
            if job["state"] in SHOWN_AS}


def emblem(inside, states):
    """"running", "held", "error" or None for a path inside a mount."""
    folder, name = os.path.split(inside)
    note = re.search(r"\.(error|held|running)\.txt$", name)
    if note and "out" in folder.split("/"):
        return note[1]
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in INPUTS or "out" in folder.split("/"):
        return None
    folder = re.sub(r"/jobs(?=/|$)", "", folder, count=1)
    if suffix.lower() == ".jsonl":  # of its lines, the worst
        line = re.compile(re.escape("%s/%s" % (folder, stem)) + r"-\d{4,}")
        of_lines = {shown for job, shown in states.items() if line.fullmatch(job)}
        return next((shown for shown in ("error", "held", "running") if shown in of_lines), None)
    while stem:  # "dog" of dog.end.png, dog_end.png, dog.ref2.mp4
        if "%s/%s" % (folder, stem) in states:
            return states["%s/%s" % (folder, stem)]
        stem = re.sub(r"(^|[._-])[^._-]*$", "", stem)
    return None


class Watch:
    """The states of a mount's jobs, read again when something has happened there. Nothing of the
    mount is kept open, so that it can be unmounted."""

    def __init__(self, root):
        self.root = root
        self.seen = None
        self.states = {}

    def look(self):
        """Whether states has changed."""
        try:
            info = os.stat(os.path.join(self.root, ".kinofs/events.jsonl"))
            seen = (info.st_ino, info.st_size, info.st_mtime_ns)
        except OSError:
            seen = None
        if seen == self.seen and seen is not None:
            return False
        before, self.seen = self.states, seen
        self.states = shown_states(self.root) if seen else {}
        return self.states != before


# ---------------------------------------------------------------- the file managers

HOSTS = {"nautilus-python": "Nautilus", "nemo-python": "Nemo", "caja-python": "Caja",
         "thunarx-python": "Thunarx"}
HOST = HOSTS.get(os.path.basename(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

if HOST:
    import importlib

    from gi.repository import GLib, GObject

    Host = importlib.import_module("gi.repository." + HOST)
    TICK = 2        # seconds between looks at a mount whose files are shown
    SHOWN_FOR = 60  # seconds of looks after the last file that was shown, if nothing is under way
    FILES = 5000    # of a mount that get new emblems while they are shown

    def path_of(file):
        """Of what is on this machine; else None."""
        location = file.get_location()
        return location.get_path() if location else None

    def act(_item, verb, paths):
        subprocess.Popen([ACTION, verb, *paths], start_new_session=True)

    def make_item(verb, label, paths):
        words = {"name": "kinofs::" + verb, "label": label, "icon": "video-x-generic",
                 ("tooltip" if HOST == "Thunarx" else "tip"): TIPS[verb]}
        item = Host.MenuItem(**words)
        item.connect("activate", act, verb, paths)
        return item

    class KinofsMenu(GObject.GObject, Host.MenuProvider):
        """Thunar asks for file_menu_items, the others for file_items; some name the window, too."""

        def get_file_items(self, *words):
            paths = [path_of(file) for file in words[-1]]
            if None in paths:
                return []
            return [make_item(*each) for each in menu(paths, mounts())]

        def get_file_menu_items(self, *words):
            return self.get_file_items(*words)

        def get_background_items(self, *_words):
            return []

    if hasattr(Host, "InfoProvider"):
        class KinofsEmblems(GObject.GObject, Host.InfoProvider):
            """Shows the emblems that were asked for, and new ones as jobs go on."""

            def __init__(self):
                super().__init__()
                self.roots, self.read_at = [], 0
                self.watches, self.files = {}, {}
                self.ticks, self.until = False, 0

            def update_file_info(self, file, *_words):
                now = time.monotonic()
                if now - self.read_at > TICK:
                    self.roots, self.read_at = mounts(), now
                path = path_of(file) if self.roots else None
                root, inside = place(path, self.roots) if path else (None, None)
                if root:
                    self.show(file, root, inside)
                    self.until = now + SHOWN_FOR
                    if not self.ticks:
                        self.ticks = True
                        GLib.timeout_add_seconds(TICK, self.tick)

            def show(self, file, root, inside):
                if root not in self.watches:
                    self.watches[root] = Watch(root)
                    self.watches[root].look()
                files = self.files.setdefault(root, {})
                if len(files) < FILES or inside in files:
                    files[inside] = file
                name = emblem(inside, self.watches[root].states)
                if name:
                    file.add_emblem(EMBLEMS[name])

            def tick(self):
                """Asks again for the files whose emblem is another now."""
                for root, watch in self.watches.items():
                    before = watch.states
                    if not watch.look():
                        continue
                    for inside, file in list(self.files[root].items()):
                        if emblem(inside, before) != emblem(inside, watch.states):
                            file.invalidate_extension_info()
                self.ticks = time.monotonic() < self.until or any(
                    state == "running" for watch in self.watches.values()
                    for state in watch.states.values())
                if not self.ticks:
                    self.watches, self.files = {}, {}
                return self.ticks
