"""Programs' habits: histories of steps drawn from a seed, for the reference model.

Each habit is what some program or person does with one job or more: an editor's way to save, a
rename, a copy, a batch re-sorted. Everything written has words that nothing else in the history
has, unless it was copied on purpose.
"""
import json
import random

from harness import FLAT, HAILUO_23, TEXT
from reference import MODELS, World, colour, folder_of

STEMS = "cat dog fox owl hen bee ant elk".split()
FOLDERS = ("s", "t", "t/u", "v")
DEFAULTS = {TEXT: "prompt_optimizer", HAILUO_23: "nsfw_checker", FLAT: "fast_pretreatment"}
SEGMENT = 4.0  # seconds of pauses between two quiet moments
PAUSE = 0.6


class Author:
    """Writes a history against a world of its own; nothing of it needs a mount."""

    def __init__(self, seed, only=()):
        self.random = random.Random(seed)
        self.world = World()
        self.steps = []
        self.texts = 0
        self.spent = 0.0
        self.models = self.random.choice([[TEXT], [TEXT], [TEXT, HAILUO_23], [TEXT, FLAT],
                                          list(MODELS)])
        unknown = set(only) - set(HABITS)
        assert not unknown, "no such habit: %s; there are: %s" % (
            ", ".join(unknown), " ".join(HABITS))
        self.weights = {name: weight for name, (weight, _) in HABITS.items()
                        if not only or name in only or name == "new"}

    def history(self, segments=3):
        for segment in range(segments):
            self.spent = 0.0
            for _ in range(3 if segment == 0 else 1):
                self.new()
            while self.spent < SEGMENT:
                name, = self.random.choices(list(self.weights), list(self.weights.values()))
                HABITS[name][1](self)
                self.spent += 0.05  # also when there was nothing to do it with
            self.step("quiet", pause=0)
        return self.steps

    # -------- words and names

    def step(self, do, pause=None, **words):
        """Adds a step and applies it; a step that makes no sense is left out."""
        if pause is None:
            pause = self.random.choice([0, 0, self.random.uniform(0, PAUSE),
                                        self.random.uniform(0, PAUSE),
                                        self.random.uniform(0.15, 0.3)])
        step = {"do": do, **words, "pause": round(pause, 3)}
        if not self.world.may(step):
            return False
        self.world.apply(step)
        self.steps.append(step)
        self.spent += pause + 0.05 + 0.4 * (do in ("remount", "kill"))
        return True

    def text(self):
        self.texts += 1
        return "t%04d %s" % (self.texts, self.random.choice(
            ["a cat on a roof", "waves\nand wind", "dust, slowly", "größer als ein Haus"]))

    def model(self):
        return self.random.choice(self.models)

    def folder(self, model):
        inside = [path for path in sorted(self.world.folders)
                  if (path + "/").startswith(model + "/") and "/." not in path]
        return self.random.choice([model, *inside])

    def free(self, model, folder=None):
        """The path of a job, without suffix, that has no file yet. None: no such name."""
        folder = folder or self.folder(model)
        names = [stem for stem in STEMS
                 if not any(path.startswith("%s/%s." % (folder, stem))
                            for path in self.world.files)]
        return "%s/%s" % (folder, self.random.choice(names)) if names else None

    def unit(self, suffix=""):
        """The files of some job, all of them, one at least with this suffix; [] if there is none.
        """
        units = [paths for model in self.models for paths in self.world.units(model).values()
                 if any(path.endswith(suffix) for path in paths)]
        return self.random.choice(units) if units else []

    def file(self, *suffixes):
        """Some input file, None if there is none."""
        files = [path for model in self.models for paths in self.world.units(model).values()
                 for path in paths if path.endswith(suffixes or ("",))]
        return self.random.choice(files) if files else None

    def shuffled(self, items):
        return self.random.sample(items, len(items))

    def content(self, path):
        return self.world.files[path].content

    def changed(self, path):
        """The words of a step that writes something new into a file like this one."""
        if path.endswith(".png"):
            self.texts += 1
            return {"png": colour(self.texts)}
        if path.endswith(".jsonl"):
            return {"text": json.dumps({"prompt": self.text()}) + "\n"}
        if path.endswith(".json"):
            return {"text": json.dumps({"prompt": self.text()})}
        return {"text": self.text()}

    def same(self, path):
        """The words of a step that writes what is there: a text."""
        return {"text": self.content(path).decode()}

    # -------- habits

    def new(self):
        model = self.model()
        path = self.free(model)
        if not path:
            return
        if model == TEXT and self.random.random() < 0.2:
            spec = {"prompt": self.text()}
            whole = {"model": model, "input": spec}
            self.step("write", path=path + ".json",
                      text=json.dumps(self.random.choice([spec, whole])))
            return
        suffixes = [".txt"]
        if model == HAILUO_23 or (model == FLAT and self.random.random() < 0.6):
            suffixes = self.shuffled([".txt", ".png"])
        for suffix in suffixes:
            self.step("write", path=path + suffix, **self.changed(suffix))

    def append(self):
        path = self.file(".txt")
        if path:
            self.step("append", path=path, text=" and " + self.text())

    def rewrite(self):
        path = self.file()
        if path:
            self.step("write", path=path, slow=self.random.choice([0, 0, 0.3]),
                      **self.changed(path))

    def truncate(self):
        path = self.file(".txt")
        if path and len(self.content(path)) > 8:
            self.step("truncate", path=path, bytes=8)

    def move(self, paths, target):
        """All files of a job, one by one."""
        for path in self.shuffled(paths):
            self.step("rename", a=path, b=target + "." + path.rpartition(".")[2])

    def rename(self):
        paths = self.unit()
        target = paths and self.free(self.world_model(paths[0]))
        if target:
            self.move(paths, target)
            if self.random.random() < 0.3:  # and something new takes the old name at once
                self.step("write", path=paths[0], **self.changed(paths[0]))

    def world_model(self, path):
        return self.world.split(path)[0]

    def two(self):
        """Two files of one kind in one model, or None."""
        a = self.file()
        others = [path for path in sorted(self.world.files) if a and path != a and
                  self.world.split(path) and
                  self.world_model(path) == self.world_model(a) and
                  path.rpartition(".")[2] == a.rpartition(".")[2] and
                  not path.endswith("defaults.json")]
        return (a, self.random.choice(others)) if others else None

    def over(self):
        pair = self.two()
        if pair:
            self.step("rename", a=pair[0], b=pair[1])

    def exchange(self):
        pair = self.two()
        if not pair:
            return
        if self.random.random() < 0.5:
            self.step("exchange", a=pair[0], b=pair[1])
            return
        aside = folder_of(pair[0]) + self.random.choice(
            ["/.aside", "/aside.tmp", "/yak." + pair[0].rpartition(".")[2]])
        for a, b in ((pair[0], aside), (pair[1], pair[0]), (aside, pair[1])):
            self.step("rename", a=a, b=b)

    def link(self):
        path = self.file(".txt", ".json")
        target = path and self.free(self.world_model(path))
        if target and self.step("link", a=path, b=target + "." + path.rpartition(".")[2]):
            self.step("unlink", path=self.random.choice(
                [path, target + "." + path.rpartition(".")[2]]))

    def mkdir(self):
        self.step("mkdir", path=self.model() + "/" + self.random.choice(FOLDERS), pause=0)

    def folders(self):
        """A folder to another name, often back again."""
        model = self.model()
        inside = [path for path in sorted(self.world.folders) if path.startswith(model + "/")]
        if not inside:
            self.mkdir()
            return
        a = self.random.choice(inside)
        b = folder_of(a) + "/" + self.random.choice(["s", "t", "w", "x", ".away"])
        if self.step("rename", a=a, b=b) and (b.endswith("/.away") or self.random.random() < 0.6):
            self.step("rename", a=b, b=a)

    def copy(self):
        paths = self.unit()
        target = paths and self.free(self.world_model(paths[0]))
        if not target:
            return
        for path in paths:
            self.step("copy", a=path, b=target + "." + path.rpartition(".")[2])
        if self.random.random() < 0.4:  # in order to edit the copy
            path = target + "." + paths[0].rpartition(".")[2]
            if path in self.world.files:
                self.step("write", path=path, **self.changed(path))

    def copytree(self):
        model = self.model()
        inside = [path for path in sorted(self.world.folders) if path.startswith(model + "/")]
        if not inside:
            self.mkdir()
            return
        a, b = self.random.choice(inside), model + "/copy%d" % self.random.randrange(3)
        if self.world.has(b) or (b + "/").startswith(a + "/"):
            return
        self.step("mkdir", path=b, pause=0)
        for path in sorted(self.world.files):
            if folder_of(path) == a:
                self.step("copy", a=path, b=b + path[len(a):], pause=0)

    def remove(self):
        for path in self.unit():
            self.step("unlink", path=path)

    def bring(self):
        """Removed, and the same words written again."""
        path = self.file(".txt", ".json", ".jsonl")
        if path:
            words = self.same(path)
            self.step("unlink", path=path)
            self.step("write", path=path, **words)

    def away(self):
        path = self.file()
        if path:
            name = path.rpartition("/")[2]
            aside = folder_of(path) + "/" + self.random.choice(["." + name, name + ".bak"])
            if self.step("rename", a=path, b=aside):
                self.step("rename", a=aside, b=path)

    def maybe_changed(self, path):
        return self.same(path) if self.random.random() < 0.4 else self.changed(path)

    def vim(self):
        path = self.file(".txt", ".json", ".jsonl")
        if path:
            words = self.maybe_changed(path)
            self.step("rename", a=path, b=path + "~", pause=self.random.choice([0, 0.01, 0.3]))
            self.step("write", path=path, pause=0, **words)
            self.step("unlink", path=path + "~")

    def replace(self, path, scratch):
        words = self.maybe_changed(path)
        self.step("write", path=scratch, pause=self.random.choice([0, 0.01, 0.3]), **words)
        self.step("rename", a=scratch, b=path)

    def gio(self):
        path = self.file(".txt", ".json", ".jsonl")
        if path:
            self.replace(path, folder_of(path) + "/.goutputstream-%04X" % self.texts)

    def rsync(self):
        path = self.file(".txt", ".json", ".jsonl")
        if path:
            folder, _, name = path.rpartition("/")
            self.replace(path, "%s/.%s.X%05d" % (folder, name, self.texts))

    def again(self):
        path = self.file(".txt", ".json", ".jsonl")
        if path:
            self.step("write", path=path, **self.same(path))

    def form(self):
        """The same words written down in another way."""
        path = self.file(".txt", ".json")
        if not path:
            return
        text = self.content(path).decode()
        if path.endswith(".json"):
            spec = json.loads(text)
            text = json.dumps(spec, indent=self.random.choice([None, 1, 4]),
                              ensure_ascii=self.random.random() < 0.5) + "\n"
        else:
            text = self.random.choice([
                text + "\n", text.replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n",
                "\ufeff" + text.removeprefix("\ufeff"), text.rstrip() + "  \n\n"])
        self.step("write", path=path, text=text)

    def undo(self):
        """Other words, and the ones before again."""
        path = self.file(".txt", ".json")
        if path:
            before = self.same(path)
            self.step("write", path=path, **self.changed(path))
            self.step("write", path=path, **before)

    def touch(self):
        path = self.file()
        if path:
            self.step(self.random.choice(["touch", "chmod"]), path=path)

    def pair(self):
        """A picture renamed before or after its prompt, or both into a folder."""
        paths = self.unit(".png")
        target = paths and self.free(self.world_model(paths[0]))
        if target:
            self.move(paths, target)

    def batch(self):
        path = self.file(".jsonl")
        if not path or self.random.random() < 0.2:
            path = self.free(TEXT)
            if path and TEXT in self.models:
                self.step("write", path=path + ".jsonl", text="".join(
                    json.dumps({"prompt": self.text()}) + "\n" for _ in range(3)))
            return
        lines = self.content(path).decode().splitlines(True)
        fresh = json.dumps({"prompt": self.text()}) + "\n"
        what = self.random.choice(["add", "top", "drop", "shuffle", "twice"])
        if what == "drop":
            self.step("write", path=path, text="".join(lines[1:]) or fresh)
            self.step("write", path=path, text="".join(lines))
        elif what == "shuffle":
            self.step("write", path=path, text="".join(self.shuffled(lines)))
        elif what == "twice":
            self.step("append", path=path, text=self.random.choice(lines))
        elif what == "top":
            self.step("write", path=path, text=fresh + "".join(lines))
        else:
            self.step("append", path=path, text=fresh)

    def defaults(self):
        model = self.model()
        path = self.folder(model) + "/defaults.json"
        if path in self.world.files and self.random.random() < 0.4:
            self.step("unlink", path=path)
        else:
            self.step("write", path=path, text=json.dumps(
                {DEFAULTS[model]: self.random.random() < 0.5}))

    def takes(self):
        """Several takes are asked for at once, or of what is there already."""
        path = self.file(".json")
        if path and "input" not in self.content(path).decode():
            spec = json.loads(self.content(path))
        else:
            path, spec = self.free(TEXT), {"prompt": self.text()}
            path = path and path + ".json"
        if path and TEXT in self.models:
            self.step("write", path=path, text=json.dumps(
                {**spec, "takes": self.random.choice([1, 2, 3])}))

    def job(self):
        """(model, name) of some job in the tree, or None."""
        jobs = [key for key in self.world.jobs() if key[0] in self.models]
        return self.random.choice(jobs) if jobs else None

    def forget(self):
        job = self.job()
        if not job:
            return
        self.step("forget", job=list(job))
        if self.random.random() < 0.5:
            files = self.world.jobs()[job].files
            path = self.random.choice(files)
            if not path.endswith(".png"):
                self.step("write", path=path, **self.same(path))

    def order(self):
        job = self.job()
        if job:
            self.step("order", verb=self.random.choice(["cancel", "cancel", "retry", "release"]),
                      job=list(job))

    def remount(self):
        self.step("remount")

    def kill(self):
        self.step("kill")

    def crash(self):
        """kill -9 right after something was done."""
        name = self.random.choice([name for name in ("rename", "folders", "over", "exchange",
                                                     "remove", "vim", "gio", "new", "forget",
                                                     "copy", "order", "batch", "rewrite")
                                   if name in self.weights] or ["new"])
        HABITS[name][1](self)
        if self.steps and self.steps[-1]["do"] not in ("quiet", "kill", "remount"):
            self.steps[-1]["pause"] = 0
        self.step("kill")

    def offline(self):
        """Unmounted, something done to the store's tree, mounted again."""
        self.step(self.random.choice(["remount", "kill"]), pause=0, until="mount")
        for _ in range(self.random.randrange(1, 4)):
            before = len(self.steps)
            HABITS[self.random.choice(["rename", "over", "remove", "rewrite", "new", "folders",
                                       "copy"])][1](self)
            for step in self.steps[before:]:
                step["pause"] = 0
        self.step("mount", pause=0.1)

    def slow(self):
        """The provider takes its time over the next creates, or refuses them for now."""
        self.step("fault", pause=0, rule=self.random.choice([
            {"on": "create", "do": "delay", "value": 0.7, "times": 3},
            {"on": "create", "do": "http", "value": 429, "times": 1}]))


# How often each is drawn, and what it does.
HABITS = {name: (weight, getattr(Author, name)) for name, weight in {
    "new": 8, "append": 2, "rewrite": 3, "truncate": 1, "rename": 6, "over": 3, "exchange": 5,
    "link": 2, "mkdir": 2, "folders": 4, "copy": 4, "copytree": 1, "remove": 2, "bring": 2,
    "away": 2, "vim": 3, "gio": 2, "rsync": 2, "again": 2, "form": 3, "undo": 2, "touch": 1,
    "pair": 3, "batch": 3, "defaults": 2, "takes": 1, "forget": 2, "order": 2, "remount": 1,
    "kill": 1, "crash": 2, "offline": 1, "slow": 1}.items()}


def write(seed, only=(), segments=3):
    """The history of a seed."""
    return Author(seed, only).history(segments)
