"""Model files as kinofs-sim serves them: any that it is given, checked as a provider would."""
import copy
import json
import subprocess

import pytest

from harness import png
from simulation import CREATE, PATIENCE, PROGRAM, TEXT_MODEL, link_of, task_of
from test_sim_ppinfra import data_uri

LINK = "https://example.org/a.png"
PICTURE = {"types": ["image/png", "image/jpeg"], "max_bytes": 2000}
EVERYTHING = {
    "$id": "acme/everything", "title": "Everything", "type": "object",
    "x-kinofs-provider": "kie", "x-kinofs-model": "acme-everything-1",
    "x-kinofs-prompt": "text/prompt", "required": ["text", "images", "mode", "sound"],
    "x-kinofs-prices": [
        {"when": {"mode": "pro", "film": True}, "credits": 2,
         "per": {"seconds_of": "film"}},
        {"when": {"mode": ["pro", "max"]}, "credits": 3, "per": "duration"},
        {"when": {"steps": {"minimum": 4}}, "usd": 0.5},
        {"when": {}, "credits": 7},
        {"when": {"images": {"minItems": 2}}, "plus": True, "credits": 10, "per": "images",
         "beyond": 1}],
    "x-kinofs-rules": [
        {"refuse": {"film": True, "voice": False}, "message": "film needs voice"},
        {"refuse": {"duration": {"minimum": 9}, "mode": "max"}, "message": "10 s not with max"},
        {"refuse": {"steps": {"given": True, "maximum": 2}, "voice": {"given": True}},
         "message": "no voice with few steps"},
        {"sum": {"of": ["images", "film", "steps"], "over": 11}, "message": "too much"}],
    "properties": {
        "text": {"type": "object", "required": ["prompt"], "properties": {
            "prompt": {"type": "string", "minLength": 2, "maxLength": 5}}},
        "images": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3,
                   "x-kinofs-file": {**PICTURE, "marks": ["", "end"]}},
        "film": {"type": "string", "x-kinofs-file": {"types": ["video/mp4"],
                                                     "schemes": ["asset"]}},
        "voice": {"type": "string", "x-kinofs-file": {"types": ["audio/mpeg", "audio/wav"]}},
        "shots": {"type": "array", "maxItems": 2, "items": {
            "type": "object", "required": ["prompt"], "additionalProperties": False,
            "properties": {"prompt": {"type": "string", "maxLength": 4},
                           "image": {"type": "string", "x-kinofs-file": PICTURE},
                           "tags": {"type": "array", "items": {"type": "integer"}}}}},
        "mode": {"type": "string", "enum": ["std", "pro", "max"], "default": "std"},
        "duration": {"type": "string", "enum": ["5", "10"], "default": "5"},
        "steps": {"type": "integer", "minimum": 2, "maximum": 10, "multipleOf": 2},
        "strength": {"type": "number", "minimum": 0, "maximum": 1},
        "sound": {"type": "boolean", "const": True},
        "task_id": {"type": "string", "x-kinofs-job": True}}}
GOOD = {"text": {"prompt": "abc"}, "images": [LINK], "mode": "std", "sound": True}
FLAT = {"$id": "acme-flat", "title": "Flat", "type": "object", "x-kinofs-provider": "ppinfra",
        "x-kinofs-endpoint": "acme-flat-i2v", "required": ["input"],
        "properties": {"input": {"type": "object", "required": ["prompt"], "properties": {
            "prompt": {"type": "string"},
            "image": {"type": "string", "x-kinofs-file": {**PICTURE, "data_uri": True}},
            "resolution": {"type": "string", "default": "720P"}}},
            "parameters": {"type": "object", "properties": {
                "duration": {"type": "integer", "default": 8}}}}}
SHAPES = [{"$id": "acme/%s" % name, "title": name, "type": "object", "x-kinofs-provider": "kie",
           "x-kinofs-model": "acme/shapes", "required": [name],
           "properties": {name: {"type": "string"}}} for name in ("one", "other")]


@pytest.fixture(name="folder")
def models_folder(tmp_path):
    folder = tmp_path / "models"
    (folder / "deeper").mkdir(parents=True)
    for number, model in enumerate([EVERYTHING, FLAT, *SHAPES]):
        (folder / "deeper" / ("%d.json" % number)).write_text(json.dumps(model))
    return folder


@pytest.fixture(name="served")
def served_models(start, folder, clip):
    return start("--models", str(folder), "--seconds", "0", "--rate", "0", "--clip", clip)


def order(**fields):
    fields = {**copy.deepcopy(GOOD), **fields}
    return {"model": "acme-everything-1",
            "input": {key: value for key, value in fields.items() if value is not None}}


def test_a_model_file_is_checked_as_deep_as_it_goes(served):
    out_of_range = "is not within the range of allowed options"
    for fields, text in (
            ({"text": None}, "text is required"),
            ({"text": "abc"}, "text must be an object"),
            ({"text": {}}, "text/prompt is required"),
            ({"text": {"prompt": " "}}, "text/prompt is required"),
            ({"text": {"prompt": 7}}, "text/prompt must be a string"),
            ({"text": {"prompt": "a"}}, "text/prompt is below the minimum length of 2"),
            ({"text": {"prompt": "ééééé"}}, None),
            ({"text": {"prompt": "éééééé"}}, "text/prompt exceeds the maximum length of 5"),
            ({"text": {"prompt": "abc", "more": 1}}, "more is not a parameter of this model"),
            ({"images": LINK}, "images must be an array"),
            ({"images": []}, "images needs at least 1 items"),
            ({"images": [LINK] * 4}, "images exceeds the maximum of 3 items"),
            ({"images": [LINK, "b.png"]}, "images/1 must be a URL"),
            ({"images": [LINK, None]}, "images/1 must be a URL"),
            ({"film": "asset://7", "voice": LINK}, None),
            ({"film": "file:///etc/passwd", "voice": LINK}, "film must be a URL"),
            ({"voice": data_uri(png(), "audio/mpeg")}, "voice must be a URL"),
            ({"shots": [{"prompt": "abcd", "image": LINK, "tags": [1, 2]}]}, None),
            ({"shots": [{}] * 3}, "shots exceeds the maximum of 2 items"),
            ({"shots": [{"prompt": "a"}, {}]}, "shots/1/prompt is required"),
            ({"shots": [{"prompt": "abcde"}]}, "shots/0/prompt exceeds the maximum length of 4"),
            ({"shots": [{"prompt": "a", "image": "x"}]}, "shots/0/image must be a URL"),
            ({"shots": [{"prompt": "a", "tags": [1.5]}]}, "shots/0/tags/0 " + out_of_range),
            ({"shots": [{"prompt": "a", "tags": ["1"]}]}, "shots/0/tags/0 must be an integer"),
            ({"mode": None}, "mode is required"),
            ({"mode": "fast"}, "mode " + out_of_range),
            ({"duration": 5}, "duration " + out_of_range),
            ({"steps": 12}, "steps " + out_of_range), ({"steps": 0}, "steps " + out_of_range),
            ({"steps": 3}, "steps " + out_of_range), ({"steps": 4}, None),
            ({"strength": "1"}, "strength must be a number"), ({"strength": 0.5}, None),
            ({"sound": False}, "sound " + out_of_range),
            ({"colour": "red"}, "colour is not a parameter of this model"),
            ({"task_id": "none"}, "task_id does not exist")):
        answer = served.create(order(**fields)).json
        assert (answer["code"], answer["msg"]) == \
            ((500, text) if text else (200, "success")), fields


def test_rules_and_prices_are_those_of_the_file(served):
    for fields, text in (({"film": LINK}, "film needs voice"),
                         ({"duration": "10", "mode": "max"}, "10 s not with max"),
                         ({"duration": "5", "mode": "max"}, None),
                         ({"steps": 2, "voice": LINK}, "no voice with few steps"),
                         ({"steps": 4, "voice": LINK}, None),
                         ({"images": [LINK] * 2, "steps": 10}, "too much"),
                         ({"images": [LINK], "steps": 10}, None)):
        answer = served.create(order(**fields)).json
        assert (answer["code"], answer["msg"]) == \
            ((500, text) if text else (200, "success")), fields
    for fields, price in (({}, 7), ({"mode": "pro"}, 15), ({"mode": "pro", "duration": "10"}, 30),
                          ({"mode": "pro", "film": LINK, "voice": LINK}, 10),
                          ({"steps": 4}, 100), ({"steps": 2}, 7), ({"images": [LINK] * 3}, 27)):
        record = served.finish(task_of(served.create(order(**fields))))
        assert record["creditsConsumed"] == pytest.approx(price), fields


def test_files_and_tasks_a_request_refers_to_must_be_there(served):
    def link(content, name):
        return served.upload(content, name=name).json["data"]["downloadUrl"]
    picture, big = link(png(), "a.png"), link(png() + bytes(2000), "b.png")
    sound, gif = link(b"ID3" + bytes(50), "a.mp3"), link(b"GIF89a" + bytes(50), "a.gif")
    film = link(b"\0\0\0\x18ftypisom" + bytes(50), "a.mp4")
    missing = served.base + "/kieai/sim/none.png"
    task = task_of(served.create(order()))
    result = link_of(served.finish(task))
    for fields, text in (
            ({"images": [picture, picture]}, None), ({"images": [result]}, None),
            ({"film": film, "voice": sound}, None), ({"task_id": task}, None),
            ({"images": [picture, missing]}, "The file could not be downloaded"),
            ({"shots": [{"prompt": "a", "image": big}]}, "File size exceeds the maximum"),
            ({"images": [gif]}, "File type not supported"),
            ({"film": sound, "voice": sound}, "File type not supported"),
            ({"voice": picture}, "File type not supported")):
        answer = served.create(order(**fields)).json
        assert (answer["code"], answer["msg"]) == \
            ((500, text) if text else (200, "success")), fields


def test_a_nested_body_of_ppinfra(served):
    path = "/v3/async/acme-flat-i2v"
    answer = served.create({"input": {"prompt": "x", "image": data_uri(png())}}, path)
    record = served.finish(task_of(answer))
    assert record["task"]["task_type"] == "ACME_FLAT_I2V_8S_720P"
    refused = served.create({"input": {"prompt": "x", "image": "a.png"}}, path)
    assert (refused.status, refused.json["message"]) == (400, "input/image must be a URL")
    assert served.create({}, path + "x").status == 404


def test_one_model_may_have_several_shapes(served):
    for fields, text in (({"one": "x"}, "success"), ({"other": "x"}, "success"),
                         ({}, "one is required"), ({"one": 7}, "one must be a string")):
        answer = served.create({"model": "acme/shapes", "input": fields})
        assert answer.json["msg"] == text, fields
    assert served.create({"model": "acme/one", "input": {"one": "x"}}).json["code"] == 422


def test_a_file_replaces_a_built_in_model_and_a_bad_one_is_named(folder, tmp_path):
    (folder / "mine.json").write_text(json.dumps(
        {**SHAPES[0], "$id": TEXT_MODEL, "x-kinofs-model": TEXT_MODEL}))
    (folder / "bad.json").write_text('{"$id": ')
    (folder / "notes.txt").write_text("no model")
    with subprocess.Popen([PROGRAM, "--models", str(folder), "--log", str(tmp_path / "log")],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        result = subprocess.run(
            ["curl", "-s", "-H", "Authorization: Bearer k", "--json",
             json.dumps({"model": TEXT_MODEL, "input": {"one": "x"}}),
             "http://127.0.0.1:%d%s" % (port, CREATE)],
            capture_output=True, text=True, timeout=PATIENCE, check=True)
        process.terminate()
        assert json.loads(result.stdout)["code"] == 200
        assert process.stderr.read() == "kinofs-sim: %s: not a model file\n" % (
            folder / "bad.json")
