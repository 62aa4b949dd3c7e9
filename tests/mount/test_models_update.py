"""kinofs models update: what a provider says of its models becomes model files."""
import copy
import http.server
import json
import os
import threading

import pytest

from harness import TEXT

NEW = {"model": "acme/new", "kind": "video", "title": "Acme New", "description": "Moves a picture.",
       "price": "A 5-second video costs 160 credits ($0.80), and a 10-second video costs 320 "
                "credits ($1.60).",
       "input": {"type": "object", "required": ["prompt", "image_url"], "properties": {
           "prompt": {"type": "string", "maxLength": 500},
           "image_url": {"type": "string", "description":
                         "The picture (File URL after upload; Accepted types: image/png; Max "
                         "size: 2.0MB)"},
           "duration ": {"type": "string", "enum": ["5", "10"], "default": "5"}}}}
CHAT = {"model": "acme/chat", "taskType": ["Chat"], "openapi": {"paths": {"/v1/chat": {}}}}
BEYOND = {"model": "acme/beyond", "kind": "image", "title": "Beyond", "input": {
    "type": "object", "properties": {"hex": {"type": "string", "pattern": "^#[0-9a-f]+$"}}}}


def models(mount):
    return {file["$id"]: file for file in json.loads(mount.run("models", "--json").stdout)}


def of_kie(mount):
    return sorted(name for name, file in models(mount).items()
                  if file["x-kinofs-provider"] == "kie")


def builtin(mount):
    """A built-in model as the catalogue has it."""
    model = models(mount)[TEXT]
    return {"model": TEXT, "kind": "video", "title": model["title"], "input": {
        key: model[key] for key in ("type", "required", "properties")}}


def update(mount, *names):
    result = mount.run("models", "update", *names)
    assert "\033" not in result.stdout + result.stderr  # a bar is for terminals
    return result


def files(mount):
    folder = os.path.join(mount.home, "config", "kinofs", "models")
    return {os.path.relpath(os.path.join(path, name), folder): os.path.join(path, name)
            for path, _, names in os.walk(folder) for name in names}


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(name="catalogue")
def catalogue_of(tmp_path, start_sim, kinofs):
    """catalogue(*entries): the provider has these models from now on; returns what asks it."""
    mounts = []

    def serve(*entries):
        path = tmp_path / "catalogue.json"
        path.write_text(json.dumps({"models": list(entries)}))
        sim = start_sim(catalogue=str(path))
        if not mounts:
            mounts.append(kinofs(start=False))
        mounts[0].sim = sim
        return mounts[0]
    return serve


def test_new_changed_and_gone_models_are_written_and_told(catalogue, kinofs):
    known = builtin(kinofs(start=False))
    known["input"]["properties"]["prompt"]["maxLength"] = 7
    mount = catalogue(NEW, known, CHAT, BEYOND)
    before = of_kie(mount)
    result = update(mount)
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert "new            acme/new" in lines
    assert "changed        %s: prompt" % TEXT in lines
    assert any(line.startswith("not understood acme/beyond: hex: must be like") for line in lines)
    assert [line for line in lines if line.startswith("gone ")] == [
        "gone           " + name for name in before if name != TEXT]
    assert "1 make no videos" in lines[-2]
    asked = [line["path"] for line in mount.sim.log()]
    assert [path for path in asked if path.endswith("/price")] == [
        "/api/v1/models/%s/price" % name for name in (TEXT, BEYOND["model"])]  # NEW's is in the list
    # what was written is what kinofs has from now on
    now = models(mount)
    assert now[TEXT]["properties"]["prompt"]["maxLength"] == 7
    assert now[TEXT]["x-kinofs-prices"]  # those that kinofs had, as the provider says none
    assert [row["credits"] for row in now["acme/new"]["x-kinofs-prices"]] == [160, 320]
    assert now["acme/new"]["properties"]["image_url"]["x-kinofs-file"] == {
        "types": ["image/png"], "max_bytes": 2 << 20, "marks": [""]}
    assert sorted(name for name, file in now.items() if "x-kinofs-retired" in file) == [
        name for name in before if name != TEXT]
    shown = mount.run("models").stdout
    assert "160 to 320 credits, " in shown
    assert shown.count("not offered any more") == len(before) - 1
    # nothing more to say, and nothing is asked about what is not wanted
    result = update(mount, "acme/new", "no/such")
    assert "0 new, 0 changed, 1 as they were" in result.stdout and result.returncode == 1
    assert "no/such: the provider has no model of this name" in result.stderr


def test_a_file_that_somebody_changed_is_left_alone(catalogue):
    mount = catalogue(NEW)
    assert "1 new" in update(mount, NEW["model"]).stdout
    [path] = files(mount).values()
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("Acme New", "Mine")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    more = copy.deepcopy(NEW)
    more["input"]["properties"]["more"] = {"type": "boolean"}
    mount = catalogue(more)
    result = update(mount, NEW["model"])
    assert "yours          acme/new: left as it is" in result.stdout and result.returncode == 0
    with open(path, encoding="utf-8") as file:
        assert file.read() == text
    # wherever the file is: its name means nothing
    os.rename(path, os.path.join(os.path.dirname(path), "other.json"))
    assert "1 yours" in update(mount, NEW["model"]).stdout and len(files(mount)) == 1
    # two folders for one model each say a part of it
    second = os.path.join(os.path.dirname(path), "second.json")
    with open(second, "w", encoding="utf-8") as file:
        json.dump({**json.loads(text), "$id": "acme/second", "x-kinofs-model": NEW["model"]}, file)
    assert "1 as they were" in update(mount, NEW["model"]).stdout and len(files(mount)) == 2
    # without them the model is made again
    os.unlink(second)
    os.unlink(os.path.join(os.path.dirname(path), "other.json"))
    assert "1 new" in update(mount, NEW["model"]).stdout
    assert read(path)["properties"]["more"] == {"type": "boolean"}


def test_what_kinofs_has_already_needs_no_file(catalogue, kinofs):
    known = builtin(kinofs(start=False))
    known["price"] = ""  # or it would be asked for
    changed = copy.deepcopy(known)
    changed["input"]["properties"]["prompt"]["maxLength"] = 7
    mount = catalogue(changed)
    assert "1 changed" in update(mount, TEXT).stdout and len(files(mount)) == 1
    mount = catalogue(known)
    assert "1 changed" in update(mount, TEXT).stdout and not files(mount)
    assert "1 as they were" in update(mount, TEXT).stdout and not files(mount)


def test_broken_answers_end_in_order_and_change_nothing(catalogue):
    mount = catalogue(NEW)
    for words, rule in (("", {"do": "garbage"}), ("", {"do": "html"}), ("", {"do": "huge"}),
                        ("", {"do": "truncate"}), ("", {"do": "reset_before"}),
                        ("broken on purpose", {"do": "http", "value": 500}),
                        ("", {"do": "http", "value": 401}), ("", {"do": "code", "value": 500})):
        mount.sim.faults({"on": "catalogue", "times": 0, **rule})
        result = update(mount)
        assert result.returncode == 1 and result.stderr.startswith("kinofs: kie.ai: "), rule
        assert not files(mount) and len(result.stderr) < 600, (words, result.stderr)
    mount.sim.faults({"on": "catalogue", "do": "garbage", "skip": 1})
    result = update(mount, NEW["model"])
    assert result.returncode == 1 and "kinofs: acme/new: " in result.stderr and not files(mount)
    mount.sim.faults({"on": "catalogue", "do": "http", "value": 429})
    assert "1 new" in update(mount, NEW["model"]).stdout  # asked again after a pause


class Hostile(http.server.BaseHTTPRequestHandler):
    """Answers every request with the text of its server."""

    def do_GET(self):  # pylint: disable=invalid-name
        body = self.server.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@pytest.fixture(name="hostile")
def hostile_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_list_that_is_not_whole_or_leads_astray_changes_nothing(hostile, kinofs):
    mount = kinofs(start=False)
    mount.extra_environment["KINOFS_KIE_URL"] = "http://127.0.0.1:%d" % hostile.server_address[1]
    line = {"model": "acme/new", "taskType": ["Text to Video"]}
    for data in (None, [], {}, {"total": 0, "models": []}, {"total": 2, "models": [line]},
                 {"total": 1, "models": [{"title": "no name"}]}, {"total": 1, "models": [None]},
                 {"total": 1, "models": {"a": line}}):
        hostile.text = json.dumps({"code": 200, "msg": "success", "data": data})
        result = update(mount)
        assert result.returncode == 1 and not files(mount), data
    evil = [{**line, "model": name} for name in
            ("../../evil", "/evil", "a//b", "a/../b", "a/", "a b", "a\nb", "ä", "", ".a", "a" * 300)]
    known = of_kie(mount)
    hostile.text = json.dumps({"code": 200, "data": {"total": len(evil), "models": evil}})
    result = update(mount)
    assert result.stdout.count("this is no name of a model") == len(evil)
    assert set(files(mount)) == {name + ".json" for name in known}  # as gone
    assert not os.path.exists(os.path.join(mount.home, "config", "evil.json"))


def test_without_a_key_nothing_is_asked(kinofs, sim):
    mount = kinofs(start=False, keys={})
    result = update(mount)
    assert result.returncode == 1 and "no key (KIE_API_KEY)" in result.stderr
    assert not sim.log() and not files(mount)
    assert mount.run("models", "update", "--all").returncode == 2
