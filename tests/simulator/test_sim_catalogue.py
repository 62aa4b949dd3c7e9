"""The catalogue of kie.ai as kinofs-sim plays it."""
import json
import time
import urllib.parse

import pytest

from simulation import TEXT_MODEL

MODELS = "/api/v1/models"
UNKNOWN = ("The model name you specified is not supported. Please verify your input and use one "
           "of the supported models provided by KIE.")
ENTRIES = {"models": [
    {"model": "acme/picture to", "kind": "image", "title": "Picture", "price": "It costs 4 credits.",
     "input": {"type": "object", "required": ["prompt"],
               "properties": {"prompt": {"type": "string", "maxLength": 7},
                              "image_url": {"type": "string"}}}},
    {"model": "plain", "kind": "audio", "input": {"type": "object", "properties": {}}},
    {"model": "acme/none", "kind": "video", "title": "Not yet", "input": None},
    {"model": "acme/chat", "taskType": ["Chat"], "openapi": {"paths": {"/v1/chat": {}}}}]}


@pytest.fixture(name="open_catalogue")
def catalogue_of_a_file(start, tmp_path):
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(ENTRIES))
    return lambda *options: start("--catalogue", str(path), *options)


def resolve(document, schema):
    """The schema behind a local $ref, read as RFC 6901 says."""
    if "$ref" not in schema:
        return schema
    assert schema["$ref"].startswith("#/")
    for step in schema["$ref"][2:].split("/"):
        document = document[urllib.parse.unquote(step).replace("~1", "/").replace("~0", "~")]
    return document


def request_of(document):
    return document["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]["content"][
        "application/json"]["schema"]


def test_the_list_and_its_filters(open_catalogue):
    simulator = open_catalogue("--rate", "0")
    answer = simulator.get(MODELS)
    assert answer.status == 200 and (answer.json["code"], answer.json["msg"]) == (200, "success")
    data = answer.json["data"]
    assert data["total"] == 4
    assert data["models"][0] == {
        "model": "acme/picture to", "slug": "acme-picture to", "title": "Picture",
        "provider": "acme", "taskType": ["Image to Image"], "description": None,
        "pricingDesc": "It costs 4 credits."}
    assert [model["taskType"] for model in data["models"]] == [
        ["Image to Image"], ["Text to Speech"], ["Text to Video"], ["Chat"]]
    for query, names in (("provider=plain", ["plain"]), ("q=NONE", ["acme/none"]),
                         ("taskType=chat,Text%20to%20Video", ["acme/none", "acme/chat"]),
                         ("q=nothing", [])):
        data = simulator.get(MODELS + "?" + query).json["data"]
        assert ([m["model"] for m in data["models"]], data["total"]) == (names, len(names))


def test_a_schema_is_behind_a_local_reference(open_catalogue):
    simulator = open_catalogue("--rate", "0")
    data = simulator.get(MODELS + "/acme/picture%20to/schema").json["data"]
    assert data["model"] == "acme/picture to" and data["openapi"]["openapi"] == "3.1.0"
    request = request_of(data["openapi"])
    assert request["properties"]["model"]["enum"] == ["acme/picture to"]
    assert list(request["properties"]["input"]) == ["$ref"]
    assert "%20" in request["properties"]["input"]["$ref"]
    assert resolve(data["openapi"], request["properties"]["input"]) == ENTRIES["models"][0]["input"]
    for name, document in (("acme/none", None), ("acme/chat", ENTRIES["models"][3]["openapi"])):
        data = simulator.get("%s/%s/schema" % (MODELS, name)).json["data"]
        assert data == {"model": name, "openapi": document}


def test_prices_and_success_rates(open_catalogue):
    simulator = open_catalogue("--rate", "0")
    for name, price in (("acme/picture%20to", "It costs 4 credits."), ("plain", None)):
        assert simulator.get("%s/%s/price" % (MODELS, name)).json["data"]["pricingDesc"] == price
    points = simulator.get(MODELS + "/plain/success-rate").json["data"]["points"]
    assert points[0]["successRate"] == 100 and points[-1]["successRate"] is None
    assert all(point["end"] - point["start"] == 600000 for point in points)
    assert points[-1]["end"] <= time.time() * 1000
    answer = simulator.get(MODELS + "/acme/nothing/price")
    assert (answer.status, answer.json) == (200, {"code": 404, "msg": UNKNOWN, "data": None})
    assert simulator.get(MODELS + "/plain/colour").status == 404
    assert simulator.call("POST", MODELS, {}).status == 405


def test_it_needs_a_key_and_has_one_budget(open_catalogue):
    simulator = open_catalogue()
    assert simulator.get(MODELS, headers={}).json["code"] == 401
    begun = time.monotonic()
    codes = [simulator.get(path).json["code"]
             for path in (MODELS, MODELS + "/plain/price", MODELS + "/plain/schema")]
    if time.monotonic() - begun < 1:
        assert codes == [200, 429, 429]
    time.sleep(1.01)
    assert simulator.get(MODELS + "/plain/success-rate").json["code"] == 200
    assert simulator.create().json["code"] == 200, "creates have a budget of their own"


def test_faults_of_the_catalogue(open_catalogue):
    simulator = open_catalogue("--rate", "0")
    simulator.faults({"on": "catalogue", "do": "http", "value": 503, "model": "plain"},
                     {"on": "catalogue", "do": "code", "value": 429, "skip": 1},
                     {"on": "catalogue", "do": "garbage"})
    first = [simulator.get(path) for path in
             (MODELS + "/plain/price", MODELS + "/acme/none/price", MODELS, MODELS)]
    assert first[0].status == 503
    with pytest.raises(ValueError):
        _ = first[1].json
    assert [answer.json["code"] for answer in first[2:]] == [429, 200]
    assert simulator.stats()["requests"]["catalogue"] == 4


def test_without_a_file_it_has_the_models_served_as_their_pages_put_it(start, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    shape = {"type": "object", "title": "Shapes", "x-kinofs-provider": "kie",
             "x-kinofs-model": "acme/shapes", "x-kinofs-result": "image"}
    for name in ("one", "other"):
        (folder / (name + ".json")).write_text(json.dumps({
            **shape, "$id": "acme/" + name, "properties": {name: {
                "type": "array", "items": {"type": "string", "$comment": "x"}, "x-kinofs-file": {
                    "types": ["image/png", "image/webp"], "max_bytes": 10 << 20}}}}))
    simulator = start("--rate", "0", "--models", str(folder))
    listed = {m["model"]: m for m in simulator.get(MODELS).json["data"]["models"]}
    assert TEXT_MODEL in listed and "minimax-hailuo-02" not in listed
    assert listed[TEXT_MODEL]["taskType"] == ["Text to Video"]
    document = simulator.get("%s/%s/schema" % (MODELS, TEXT_MODEL)).json["data"]["openapi"]
    schema = resolve(document, request_of(document)["properties"]["input"])
    assert schema["required"] == ["prompt"] and schema["properties"]["prompt"]["maxLength"] == 1500
    document = simulator.get(MODELS + "/acme/shapes/schema").json["data"]["openapi"]
    assert "x-kinofs" not in json.dumps(document) and "$comment" not in json.dumps(document)
    schema = resolve(document, request_of(document)["properties"]["input"])
    assert [list(shape["properties"]) for shape in schema["oneOf"]] == [["one"], ["other"]]
    assert schema["oneOf"][0]["properties"]["one"]["description"].endswith(
        "(File URL after upload, not file content; Accepted types: image/png, image/webp; "
        "Max size: 10.0MB)")
