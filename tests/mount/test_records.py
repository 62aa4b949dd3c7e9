"""What kinofs writes for people and programs: records, events, README.txt, schema.json."""
import errno
import glob
import json
import os
import re
import select
import stat
import subprocess

import pytest

from harness import (FLAT, HAILUO_02, HAILUO_23, KINOFS, MODELS, PATIENCE, SPECS, TEXT, good_spec,
                     png, sha256, whole_lines)

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_record_tells_all_of_a_job_from_the_drop_to_the_video(start_sim, kinofs):
    mount = kinofs(sim=start_sim(seconds=0))
    mount.sim.faults({"on": "poll", "do": "http", "value": 503, "times": 0})  # it runs until then
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    waiting = mount.wait_state(HAILUO_23, "cat", "waiting")
    assert waiting["waiting_for"] and waiting["created"] and "request" not in waiting
    mount.drop(HAILUO_23, "cat.png", png())
    running = mount.wait_state(HAILUO_23, "cat", "running")
    sent, = mount.sim.creates()
    assert running["request"] == sent["body"] and running["task"] == sent["task"]
    assert (running["job"], running["model"], running["take"], running["provider"]) == (
        "cat", HAILUO_23, 1, "kie")
    assert running["estimate"] == {"credits": 45, "usd": 0.225}
    assert running["input_with_defaults"]["duration"] == "6"
    assert running["input_with_defaults"]["resolution"] == "768P"
    assert "duration" not in running["request"]["input"], "defaults are shown, not sent"
    picture, = running["pictures"]
    assert (picture["field"], picture["sha256"], picture["type"]) == (
        "image_url", sha256(png()), "image/png")
    mount.sim.faults()
    done = mount.done(HAILUO_23, "cat")
    assert (done["provider_state"], done["outputs"], done["spent_credits"]) == (
        "success", [HAILUO_23 + "/out/cat.mp4"], 45)
    times = [done[key] for key in ("created", "submitted", "accepted", "finished")]
    assert all(TIME.fullmatch(text) for text in times) and times == sorted(times)
    assert "error" not in done and "waiting_for" not in done


def test_a_record_is_read_only_has_its_size_and_cannot_be_made(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    path = mount.path(TEXT, "jobs", "cat.json")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o444
    with open(path, "rb") as file:
        assert len(file.read()) == os.path.getsize(path)
    for attempt in (lambda: open(path, "w", encoding="utf-8"),
                    lambda: open(mount.path(TEXT, "jobs", "new.json"), "w", encoding="utf-8"),
                    lambda: os.rename(path, mount.path(TEXT, "moved.json")),
                    lambda: os.mkdir(mount.path(TEXT, "jobs", "folder"))):
        with pytest.raises(OSError) as refused:
            attempt().close()
        assert refused.value.errno in (errno.EPERM, errno.EACCES)
    assert os.listdir(mount.path(TEXT, "jobs")) == ["cat.json"]


def test_events_wake_a_reader_in_order_of_the_states(mount):
    fd = os.open(mount.path(".kinofs/events.jsonl"), os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    mount.drop(TEXT, "cat.txt", "a cat")
    text = b""
    while b'"done"' not in text:
        assert poll.poll(60000), "nobody woke the reader"
        text += os.read(fd, 65536)
    os.close(fd)
    events = [json.loads(line) for line in text.splitlines()]
    states = [event["state"] for event in events]
    wanted = ["waiting", "queued", "submitting", "running", "downloading", "done"]
    assert [s for i, s in enumerate(states) if i == 0 or s != states[i - 1]] == wanted
    assert {event["job"] for event in events} == {"cat"}
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_events_are_numbered_on_after_a_restart_a_crash_and_a_lost_journal(mount):
    def seen_after(name):
        mount.drop_bad(TEXT, name + ".txt", " ")
        mount.wait_state(TEXT, name, "rejected")
        return [event["seq"] for event in whole_lines(mount.path(".kinofs/events.jsonl"))]
    first = seen_after("cat")
    mount.restart()
    second = seen_after("dog")
    assert second == list(range(1, len(second) + 1)), "a clean end leaves no number out"
    mount.kill9()
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    for name in glob.glob(os.path.join(mount.store, "journal.db*")):
        os.unlink(name)
    mount.start()
    third = seen_after("bird")
    assert len(first) < len(second) < len(third) and third[:len(second)] == second
    assert third == sorted(set(third))


def test_a_log_begun_anew_wakes_its_readers_and_they_lose_nothing(mount, request):
    """It is begun anew at 8 MiB. One reader has yet to read the last line before that; others are
    `kinofs wait`, and a reader that starts again when the file is smaller, as tail -f does."""
    with open(os.path.join(mount.store, "events.jsonl"), "ab") as log:
        log.write(b'{"fill":"%s"}\n' % (b"x" * 1000) * 8400 + b'{"last":true}\n')
    readers = [os.open(mount.path(".kinofs/events.jsonl"), os.O_RDONLY) for _ in "12"]
    for fd in readers:
        request.addfinalizer(lambda fd=fd: os.close(fd))
    os.lseek(readers[0], -14, os.SEEK_END)
    while os.read(readers[1], 1 << 20):
        pass
    poll = select.poll()
    poll.register(readers[0], select.POLLIN)
    mount.sim.faults({"on": "poll", "do": "http", "value": 503, "times": 0})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    wait = subprocess.Popen([KINOFS, "wait", mount.path(TEXT, "cat.txt")],
                            stdout=subprocess.PIPE, env=mount.environment(), text=True)
    text = b""
    while b'"done"' not in text:
        assert poll.poll(PATIENCE * 1000), "nobody woke the reader"
        got = os.read(readers[0], 65536)
        if not text:
            mount.sim.faults()
        assert got or not text, "woken for nothing"
        text += got
    last, _, after = text.partition(b"\n")
    assert last == b'{"last":true}'
    with open(os.path.join(mount.store, "events.jsonl"), "rb") as log:
        assert log.read() == after, "the new log is what came after the old one"
    assert mount.read(".kinofs/events.jsonl").encode() == after
    os.lseek(readers[1], 0, os.SEEK_SET)
    assert os.read(readers[1], 1 << 20) == after
    assert wait.communicate(timeout=PATIENCE)[0] == mount.path(TEXT, "out/cat.mp4") + "\n"
    assert wait.returncode == 0


def test_jobs_json_lists_every_job_that_runs_or_ended(mount):
    mount.sim.faults({"on": "poll", "do": "http", "value": 503, "times": 0})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "waits.txt", "waits")
    mount.drop_bad(TEXT, "bad.txt", " ")
    mount.accepted(TEXT, "cat")
    mount.wait_state(HAILUO_23, "waits", "waiting")
    mount.wait_state(TEXT, "bad", "rejected")
    assert {(job["model"], job["job"]): job["state"] for job in mount.jobs()} == {
        (TEXT, "cat"): "running", (HAILUO_23, "waits"): "waiting", (TEXT, "bad"): "rejected"}


def test_the_generated_files_are_there_and_cannot_be_changed(mount):
    models = [model["$id"] for model in json.loads(mount.run("models", "--json").stdout)]
    assert set(os.listdir(mount.root)) == {
        ".hidden", ".xdg-volume-info", ".directory", ".kinofs", "README.txt", "gallery.html", "out"} | {
        model.split("/")[0] for model in models}
    assert set(os.listdir(mount.path("hailuo"))) == {
        model.split("/")[1] for model in models if model.startswith("hailuo/")}
    assert "README.txt" in os.listdir(mount.path(TEXT))
    generated = ["README.txt"] + [os.path.join(model, name) for model in MODELS
                                  for name in ("README.txt", "schema.json")]
    for name in generated:
        path = mount.path(name)
        with open(path, "rb") as file:
            assert len(file.read()) == os.path.getsize(path) > 100
        for attempt in (lambda path=path: os.unlink(path),
                        lambda path=path: os.rename(path, path + ".bak"),
                        lambda path=path: open(path, "a", encoding="utf-8").close()):
            with pytest.raises(PermissionError):
                attempt()
    for model in MODELS:
        for folder in ("", "out", "jobs"):
            with pytest.raises(OSError):
                os.rmdir(mount.path(model, folder))
    assert not os.path.exists(os.path.join(mount.tree, "README.txt"))
    months = os.open(mount.path(".kinofs/spending"), os.O_RDONLY)
    for place, listed in ((0, 1), (5, 1), (300000, 0), (2**31 + 1, 0), (2**62, 0)):
        os.lseek(months, place, os.SEEK_SET)  # wherever seekdir(3) is sent
        assert len(os.listdir(months)) == listed
    os.close(months)


def test_a_readme_names_every_field_limit_and_price_of_its_model(mount):
    for model in MODELS:
        text = mount.read(model, "README.txt")
        schema = json.loads(mount.read(model, "schema.json"))
        for name in fields_of(schema):
            assert name in text, (model, name)
        assert max(len(line) for line in text.splitlines()) <= 100
    text = mount.read(HAILUO_02, "README.txt")
    for word in ('"512P"', '"768P"', "1500 characters", "10 MB", "dog.end.png", "credits"):
        assert word in text, word
    assert "2000" in mount.read(FLAT, "README.txt")


def fields_of(schema):
    """The names of the fields of a model, wherever in its schema they stand."""
    names = set()
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            if isinstance(value, dict) and name not in ("$schema", "model", "input",
                                                        "callBackUrl"):
                names.add(name)
        for value in schema.values():
            names |= fields_of(value)
    elif isinstance(schema, list):
        for value in schema:
            names |= fields_of(value)
    return names


# ------------------------------------------------------------------ a small JSON Schema validator

def resolve(root, reference):
    assert reference.startswith("#"), reference
    for part in reference[1:].strip("/").split("/"):
        root = root[part] if part else root
    return root


def is_type(value, name):
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    if name in kinds:
        return isinstance(value, kinds[name])
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and (name == "number" or float(value).is_integer())


ANNOTATIONS = {"$schema", "$id", "$comment", "title", "description", "default", "examples",
               "format", "definitions", "$defs", "errorMessage"}


def is_valid(value, schema, root=None):
    """Draft 7, as far as a schema.json of kinofs uses it; an unknown keyword fails the test."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    for key, wanted in schema.items():
        if not CHECKS[key](value, wanted, schema, root) if key in CHECKS else \
                key not in ANNOTATIONS and not key.startswith("x-"):
            return False
    return True


def check_properties(value, wanted, _, root):
    return not isinstance(value, dict) or all(
        is_valid(value[name], part, root) for name, part in wanted.items() if name in value)


def check_additional(value, wanted, schema, root):
    return not isinstance(value, dict) or all(
        is_valid(value[name], wanted, root)
        for name in value if name not in schema.get("properties", {}))


def if_string(check):
    return lambda value, wanted, *_: not isinstance(value, str) or check(value, wanted)


def if_number(check):
    return lambda value, wanted, *_: isinstance(value, bool) or \
        not isinstance(value, (int, float)) or check(value, wanted)


CHECKS = {
    "type": lambda value, wanted, *_: any(
        is_type(value, name) for name in ([wanted] if isinstance(wanted, str) else wanted)),
    "enum": lambda value, wanted, *_: any(
        value == item and type(value) is type(item) for item in wanted),
    "const": lambda value, wanted, *_: value == wanted,
    "required": lambda value, wanted, *_: not isinstance(value, dict) or
        all(name in value for name in wanted),
    "properties": check_properties,
    "additionalProperties": check_additional,
    "propertyNames": lambda value, wanted, _, root: not isinstance(value, dict) or
        all(is_valid(name, wanted, root) for name in value),
    "minLength": if_string(lambda value, wanted: len(value) >= wanted),
    "maxLength": if_string(lambda value, wanted: len(value) <= wanted),
    "pattern": if_string(lambda value, wanted: re.search(wanted, value)),
    "minimum": if_number(lambda value, wanted: value >= wanted),
    "maximum": if_number(lambda value, wanted: value <= wanted),
    "anyOf": lambda value, wanted, _, root: any(is_valid(value, s, root) for s in wanted),
    "oneOf": lambda value, wanted, _, root: sum(is_valid(value, s, root) for s in wanted) == 1,
    "allOf": lambda value, wanted, _, root: all(is_valid(value, s, root) for s in wanted),
    "not": lambda value, wanted, _, root: not is_valid(value, wanted, root),
    "$ref": lambda value, wanted, _, root: is_valid(value, resolve(root, wanted), root),
    "if": lambda value, wanted, schema, root: is_valid(
        value, schema.get("then" if is_valid(value, wanted, root) else "else", True), root),
    "then": lambda *_: True,
    "else": lambda *_: True,
}


def test_schema_json_accepts_every_good_spec_and_what_kinofs_coerces(mount):
    for model in MODELS:
        schema = json.loads(mount.read(model, "schema.json"))
        with open(good_spec(model), encoding="utf-8") as file:
            body = json.load(file)
        assert is_valid(body, schema), model
        bare = body.get("input", body)
        assert is_valid(bare, schema), model
        assert is_valid({"$schema": "./schema.json", **bare}, schema), model


def test_schema_json_refuses_specs_that_kinofs_refuses(mount):
    schemas = {model: json.loads(mount.read(model, "schema.json")) for model in MODELS}
    names = ("duration-not-in-enum", "duration-words", "resolution-unknown", "prompt-too-long",
             "prompt-number", "unknown-field-near", "boolean-words", "seed-too-big", "model-other",
             "rule-10s-1080p", "rule-flat", "rule-10s-1080p-coerced",
             "field-beside-input", "callback-ftp", "list", "picture-number")
    with open(os.path.join(SPECS, "bad", "manifest.json"), encoding="utf-8") as file:
        models = {entry["file"]: entry["model"] for entry in json.load(file)}
    for name in names:
        with open(os.path.join(SPECS, "bad", name + ".json"), encoding="utf-8") as file:
            assert not is_valid(json.load(file), schemas[models[name + ".json"]]), name
