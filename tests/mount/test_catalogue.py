"""Every model that is built in: an order by the fewest files that it needs, and one by a full spec, through
a mount and the simulator, delivers what the model promises; what was sent is valid by the schema of its page
(tests/catalogue: the shapes of kie.ai's pages, without their words); and what breaks a limit is refused."""
import contextlib
import copy
import json
import os
import subprocess

import jsonschema
import pytest

import catalogue
import harness

SCHEMAS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "catalogue",
                       "kie-schemas.json")
ENDS = {"video": (".mp4", ".webm", ".gif"), "image": (".png", ".jpg", ".webp"),
        "audio": (".mp3", ".wav", ".m4a", ".flac", ".ogg")}
# what the pages get wrong: their own examples would not be valid
PAGE_FAULTS = {"minimax-h3/image-to-video": ["anyOf"], "minimax-h3/reference-to-video": ["anyOf", "allOf"]}

# the page's words and its schema do not agree: what its words forbid there
APART = {"pixverse-v6/image-to-video-template": "duration"}

PLAIN_ONLY = pytest.mark.no_asan("some 150 processes; test_spec and the fuzzers read specs under it")


def built_in():
    text = subprocess.run([harness.KINOFS, "models", "--json"], check=True, capture_output=True,
                          env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent")).stdout
    return {model["$id"]: model for model in json.loads(text)}


@pytest.fixture(scope="module")
def models():
    return built_in()


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """A small file of each suffix."""
    directory = tmp_path_factory.mktemp("media")
    made = {}
    for suffix in (".jpg", ".webp", ".mp4", ".mov", ".mp3", ".wav", ".png"):
        path = str(directory / ("file" + suffix))
        if suffix == ".png":
            with open(path, "wb") as file:
                file.write(harness.png(640, 480))
        elif suffix in (".mp3", ".wav"):
            harness.ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=3", path)
        elif suffix in (".jpg", ".webp"):
            harness.ffmpeg("-f", "lavfi", "-i", "color=red:size=640x480", "-frames:v", "1", path)
        else:
            harness.ffmpeg("-f", "lavfi", "-i", "testsrc=duration=3:size=320x240:rate=8", "-pix_fmt",
                           "yuv420p", path)
        with open(path, "rb") as file:
            made[suffix] = (path, file.read())
    return made


def trimmed(schema):
    """Without the blanks behind some of the pages' names, and without the allOf that says an object is a text."""
    if isinstance(schema, dict):
        if all(part == {"type": "string"} for part in schema.get("allOf", [0])):
            schema = {key: value for key, value in schema.items() if key != "allOf"}
        return {key.strip() if isinstance(key, str) else key: trimmed(value)
                for key, value in schema.items()}
    if isinstance(schema, list):
        return [trimmed(value) for value in schema]
    return schema.strip() if isinstance(schema, str) else schema


def check_body(model, body):
    """What was sent, by the schema of the provider's own page."""
    name = model.get("x-kinofs-model", model["$id"])
    with open(SCHEMAS, encoding="utf-8") as file:
        schema = trimmed(json.load(file)[name])
    for fault in PAGE_FAULTS.get(name, ()):
        schema.pop(fault, None)
    if model["$id"] in APART:
        schema["required"].remove(APART[model["$id"]])
    assert body["model"] == name
    jsonschema.Draft202012Validator(schema).validate(body["input"])


def results(mount, model, stem):
    folder = os.path.join(mount.tree, model["$id"], "out")
    return [name for name in os.listdir(folder) if name.split(".")[0].split("-2")[0] == stem]


def test_every_model_is_a_folder(models, media, kinofs, start_sim):
    clips = [media[suffix][0] for suffix in (".mp4", ".png", ".mp3")]
    sim = start_sim(seconds=0, rate=0, clip=clips, credits=10**9)
    mount = kinofs(sim=sim, config={**harness.OPEN_GATES, "settle_alone_seconds": 0.3,
                                    "caps": {"jobs_per_day": None}})
    for model in models.values():
        files, rest = catalogue.fewest(model, "few")
        if rest:
            mount.drop(model["$id"], "few.json", json.dumps(rest))
        for name, content in files.items():
            mount.drop(model["$id"], name, content if content is not None
                       else media[os.path.splitext(name)[1]][1])
        mount.drop(model["$id"], "full.json", json.dumps(catalogue.full(model)))
    problems = []
    for model in models.values():
        for stem in ("few", "full"):
            # one that waits for another's result goes on when that comes
            record = mount.wait_state(model["$id"], stem, "done", "failed", "rejected", "unknown", "held")
            kinds = model.get("x-kinofs-result", "video")
            ends = sum((ENDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)), ())
            found = results(mount, model, stem)
            if record["state"] != "done" or not any(name.endswith(ends) for name in found):
                problems.append("%s %s: %s %s %s" % (model["$id"], stem, record["state"],
                                                     record.get("problem"), found))
                continue
            body = next(entry["body"] for entry in sim.creates() if entry["task"] == record["task"])
            if model["x-kinofs-provider"] == "kie":
                try:
                    check_body(model, body)
                except jsonschema.ValidationError as error:
                    problems.append("%s %s: %s: %s" % (model["$id"], stem, error.json_path, error.message))
    assert not problems, "\n".join(problems)
    # a path stands for the task that made what is there, and for nothing else
    made = mount.record(harness.TEXT, "few")["task"]
    upscale = next(entry for entry in sim.creates() if entry["body"].get("model") == "grok-imagine/upscale")
    assert upscale["body"]["input"]["task_id"] == made
    mount.drop(harness.TEXT, "out/mine.mp4", media[".mp4"][1] + b"of mine")
    mount.drop("grok-imagine/upscale", "mine.json", json.dumps(
        {"task_id": catalogue.RESULT.replace("few", "mine")}))
    record = mount.wait_state("grok-imagine/upscale", "mine", "rejected")
    assert "no job here is known to have made" in json.dumps(record), record


# ------------------------------------------------------------------ limits

def over(field):
    """Values just beyond each limit of a field."""
    kind = field["type"]
    if "enum" in field or "const" in field:
        yield "no such value" if kind == "string" else -987654321
    elif kind in ("integer", "number"):
        if "minimum" in field:
            yield field["minimum"] - 1
        if "maximum" in field:
            yield field["maximum"] + 1
    elif kind == "string" and not catalogue.is_media(field):
        if "maxLength" in field:
            yield "x" * (field["maxLength"] + 1)
    elif kind == "array":
        value = catalogue.plain(field, "x")
        if field.get("minItems", 0) > 0:
            yield []
        if "maxItems" in field and value:
            yield [value[0]] * (field["maxItems"] + 1)


def breaking(model):
    """(address, spec) for each limit at the top or in an object; (message, spec) for each rule."""
    good = catalogue.full(model)

    def look(fields, above):
        for name, field in fields["properties"].items():
            address = above + name
            if field["type"] == "object":
                yield from look(field, address + "/")
                continue
            for value in over(field):
                spec = copy.deepcopy(good)
                catalogue.put(spec, address, value)
                yield address, spec
    yield from look(model, "")


@PLAIN_ONLY
def test_what_breaks_a_limit_is_refused_by_its_name(models, tmp_path):
    problems = []
    for model in models.values():
        files = {}
        for number, (address, spec) in enumerate(breaking(model)):
            path = str(tmp_path / ("%d.json" % number))
            with open(path, "w", encoding="utf-8") as file:
                json.dump(spec, file)
            files[path] = address
        if not files:
            continue
        told = subprocess.run([harness.KINOFS, "check", "--model", model["$id"], *files],
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent"))
        for path, address in files.items():
            if not any(line.startswith("%s: %s" % (path, address)) for line in told.stderr.split("\n")):
                problems.append("%s: %s beyond its limit is not refused:\n%s" %
                                (model["$id"], address, open(path, encoding="utf-8").read()[:300]))
    assert not problems, "\n".join(problems[:40])


@PLAIN_ONLY
def test_what_breaks_a_rule_is_refused_with_its_words(models, tmp_path):
    problems = []
    for model in models.values():
        for rule in model.get("x-kinofs-rules", ()):
            spec = catalogue.violate(model, rule)
            path = str(tmp_path / "rule.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(spec, file)
            told = subprocess.run([harness.KINOFS, "check", "--model", model["$id"], path],
                                  capture_output=True, text=True, check=False,
                                  env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent"))
            if rule["message"][:40] not in told.stderr:
                problems.append("%s: %s\n%s\n%s" % (model["$id"], rule, spec, told.stderr[:300]))
    assert not problems, "\n".join(problems[:20])


# ------------------------------------------------------------------ what lasts so long

def by_the_second(kind, types):
    return {"$id": "test/" + kind, "title": kind, "x-kinofs-provider": "kie", "required": ["url"],
            "properties": {"url": {"type": "string", "x-kinofs-file": {"types": types, "marks": [""]}}},
            "x-kinofs-prices": [{"credits": 10, "per": {"seconds_of": "url"}, "date": "2026-11-26",
                                 "source": "test"}]}


def test_a_film_or_sound_is_priced_by_its_seconds(kinofs, tmp_path):
    """What ffmpeg makes of 2.4 seconds is 3 that were begun; what is cut off is no order."""
    mount = kinofs(start=False)
    folder = os.path.join(mount.home, "config", "kinofs", "models")
    os.makedirs(folder)
    for model in (by_the_second("film", ["video/mp4", "video/quicktime"]),
                  by_the_second("sound", ["audio/mpeg", "audio/wav", "audio/flac", "audio/mp4", "audio/aac"])):
        with open(os.path.join(folder, model["$id"].split("/")[1] + ".json"), "w", encoding="utf-8") as file:
            json.dump(model, file)
    mount.start()
    suffixes = {"test/film": (".mp4", ".mov"), "test/sound": (".mp3", ".wav", ".flac", ".m4a", ".aac")}
    for model, ends in suffixes.items():
        for suffix in ends:
            path = str(tmp_path / ("made" + suffix))
            source = "sine=duration=2.4" if model == "test/sound" else "testsrc=duration=2.4:size=64x64:rate=10"
            harness.ffmpeg("-f", "lavfi", "-i", source, path)
            with open(path, "rb") as file:
                content = file.read()
            mount.drop(model, "a" + suffix[1:] + suffix, content)
            with contextlib.suppress(OSError):  # close(2) says it where a look at the end tells
                mount.drop(model, "cut" + suffix[1:] + suffix, content[:-20])
    for model, ends in suffixes.items():
        for suffix in ends:
            record = mount.wait_state(model, "a" + suffix[1:], "failed", "done", "held", "running")
            assert record["estimate"]["credits"] == 30, (suffix, record)
            record = mount.wait_state(model, "cut" + suffix[1:], "rejected")
            assert "is not whole" in json.dumps(record), record
