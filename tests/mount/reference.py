"""The reference model: what a tree of inputs is, and which orders stand in it.

A small model of the design's words, not of the code: a dictionary of files, the jobs that their
names make, and for each job the order it stands for, as canonical JSON of a model and its fields
with every picture replaced by its digest. A step is a dictionary, so that a history can be printed
and replayed: {"do": "rename", "a": …, "b": …, "pause": 0.2}.
"""
import json
import re
import zlib

from harness import FLAT, HAILUO_23, TEXT, png, sha256

PICTURE_FIELD = {HAILUO_23: "image_url", FLAT: "image"}
NEEDS_PICTURE = (HAILUO_23,)
MODELS = (TEXT, HAILUO_23, FLAT)
SCRATCH = re.compile(r"\.|.*(~|\.tmp|\.part|\.bak)$")
# What is done to kinofs and not to the tree.
ORDERS = ("forget", "order", "remount", "kill", "mount", "quiet", "fault")


def canonical(model, fields):
    """The key of an order."""
    return json.dumps([model, fields], sort_keys=True, ensure_ascii=False)


def with_digests(fields):
    """The fields as sent or shown, a picture's link or bytes replaced by its digest."""
    def plain(value):
        if isinstance(value, str) and value.startswith(("http:", "https:", "data:")):
            found = re.search(r"[0-9a-f]{64}", value)
            return "picture " + found[0] if found else value
        return value
    return {name: plain(value) for name, value in fields.items()}


def content_of(step):
    """The bytes a write step writes."""
    return png(colour=step["png"]) if "png" in step else step["text"].encode()


def folder_of(path):
    return path.rpartition("/")[0]


class File:
    """An inode: hard links share it."""

    def __init__(self, content, written):
        self.content = content
        self.written = written  # the number of the step


class Job:
    """What the files of one name say. own: None while something is missing."""

    def __init__(self):
        self.files = []
        self.own = None       # the key of its own words and pictures
        self.order = None     # with the defaults.json that counts for it
        self.written = 0
        self.takes = 1        # how many are asked for in all
        self.empty = False    # only an empty file so far


class World:
    def __init__(self):
        self.files = {}
        self.folders = set(MODELS)
        self.number = 0  # of the last step

    # -------- steps

    def has(self, path):
        return path in self.files or path in self.folders

    def may(self, step):
        """Whether a step makes sense now: what shrinking took away may be missing."""
        do = step["do"]
        if do in ORDERS:
            return True
        path, a, b = step.get("path"), step.get("a"), step.get("b")
        if do == "write":
            return folder_of(path) in self.folders and path not in self.folders
        if do in ("append", "truncate", "unlink", "touch", "chmod"):
            return path in self.files
        if do == "mkdir":
            return folder_of(path) in self.folders and not self.has(path)
        if do == "rmdir":
            return path in self.folders and not self.below(path)
        if do in ("link", "copy"):
            return (a in self.files and folder_of(b) in self.folders and
                    (not self.has(b) if do == "link" else b not in self.folders and
                     self.files.get(b) is not self.files[a]))
        if do == "exchange":
            return a != b and (a in self.files and b in self.files or
                               a in self.folders and b in self.folders and
                               not (a + "/").startswith(b + "/") and
                               not (b + "/").startswith(a + "/"))
        assert do == "rename", step
        if a in self.folders:
            return (folder_of(b) in self.folders and not self.has(b) and
                    not (b + "/").startswith(a + "/"))
        return a in self.files and a != b and folder_of(b) in self.folders and \
            b not in self.folders

    def below(self, folder):
        return [path for path in [*self.files, *self.folders] if path.startswith(folder + "/")]

    def apply(self, step):
        self.number += 1
        action = getattr(self, "_" + step["do"], None)
        if action:
            action(step)

    def _write(self, step):
        file = self.files.setdefault(step["path"], File(b"", 0))
        file.content, file.written = content_of(step), self.number

    def _append(self, step):
        file = self.files[step["path"]]
        file.content, file.written = file.content + content_of(step), self.number

    def _truncate(self, step):
        file = self.files[step["path"]]
        file.content, file.written = file.content[:step["bytes"]], self.number

    def _touch(self, step):
        pass

    def _unlink(self, step):
        del self.files[step["path"]]

    def _mkdir(self, step):
        self.folders.add(step["path"])

    def _rmdir(self, step):
        self.folders.remove(step["path"])

    def _link(self, step):
        self.files[step["b"]] = self.files[step["a"]]

    def _copy(self, step):
        file = self.files.setdefault(step["b"], File(b"", 0))
        file.content, file.written = self.files[step["a"]].content, self.number

    def _rename(self, step):
        a, b = step["a"], step["b"]
        if a in self.folders:
            self._move({a: b})
        elif self.files.get(b) is not self.files[a]:  # else rename(2) does nothing
            self.files[b] = self.files.pop(a)

    def _exchange(self, step):
        a, b = step["a"], step["b"]
        if a in self.folders:
            self._move({a: b, b: a})
        else:
            self.files[a], self.files[b] = self.files[b], self.files[a]

    def _move(self, names):
        def moved(path):
            for old, new in names.items():
                if path == old or path.startswith(old + "/"):
                    return new + path[len(old):]
            return path
        self.files = {moved(path): file for path, file in self.files.items()}
        self.folders = {moved(path) for path in self.folders}

    # -------- jobs

    def split(self, path):
        """(model, folder inside it, name); None for what starts nothing."""
        model = next((model for model in MODELS if path.startswith(model + "/")), None)
        if not model:
            return None
        inside = path[len(model) + 1:]
        if any(part.startswith(".") for part in inside.split("/")) or \
                SCRATCH.match(inside.rpartition("/")[2]):
            return None
        return model, folder_of(inside), inside.rpartition("/")[2]

    def units(self, model):
        """(folder, stem) to the paths of all files that share it."""
        units = {}
        for path in sorted(self.files):
            parts = self.split(path)
            if parts and parts[0] == model and parts[2] != "defaults.json":
                units.setdefault((parts[1], parts[2].rpartition(".")[0]), []).append(path)
        return units

    def defaults(self, model, folder):
        """Those of the nearest folder upwards."""
        while True:
            path = "/".join(filter(None, (model, folder, "defaults.json")))
            if path in self.files:
                content = self.files[path].content
                return json.loads(content) if content.strip() else {}
            if not folder:
                return {}
            folder = folder_of(folder)

    def jobs(self):
        """(model, name) to Job, for everything in the tree now."""
        jobs = {}
        for model in MODELS:
            for (folder, stem), paths in self.units(model).items():
                name = "/".join(filter(None, (folder, stem)))
                single = {}
                for path in paths:
                    if path.endswith(".jsonl"):
                        self._add_batch(jobs, model, folder, name, path)
                    else:
                        single[path.rpartition(".")[2]] = path
                if single:
                    fields = self._fields(model, single)
                    jobs[model, name] = self._job(model, folder, fields, single.values())
        return jobs

    def _fields(self, model, paths):
        content = {suffix: self.files[path].content for suffix, path in paths.items()}
        fields = {}
        spec = content.get("json", b"").decode().strip()
        if spec:
            spec = json.loads(spec)
            fields.update(spec.get("input", spec))
        prompt = content.get("txt", b"").decode().removeprefix("\ufeff")
        prompt = prompt.replace("\r\n", "\n").rstrip(" \t\r\n\v\f")
        if prompt:
            fields.setdefault("prompt", prompt)
        if content.get("png"):
            fields[PICTURE_FIELD[model]] = "picture " + sha256(content["png"])
        return fields

    def _job(self, model, folder, fields, paths):
        job = Job()
        job.files = list(paths)
        job.takes = fields.pop("takes", 1)
        job.written = max(self.files[path].written for path in paths)
        job.empty = not any(self.files[path].content.strip() for path in paths)
        if "prompt" in fields and (model not in NEEDS_PICTURE or PICTURE_FIELD[model] in fields):
            job.own = canonical(model, fields)
            job.order = canonical(model, {**self.defaults(model, folder), **fields})
        return job

    def _add_batch(self, jobs, model, folder, name, path):
        for number, line in enumerate(self.files[path].content.decode().splitlines(), 1):
            if line.strip():
                jobs[model, "%s-%04d" % (name, number)] = self._job(
                    model, folder, json.loads(line), [path])


def useful(steps):
    """Without the steps that make no sense after those before them."""
    world, kept = World(), []
    for step in steps:
        if world.may(step):
            world.apply(step)
            kept.append(step)
    return kept


def colour(number):
    """A picture's colour, another for each number."""
    return list(zlib.crc32(b"%d" % number).to_bytes(4, "big")[:3])
