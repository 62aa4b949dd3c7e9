"""A drop becomes exactly one request, with exactly what the user said."""
import itertools
import json
import os
import shutil

import pytest

from harness import (FLAT, HAILUO_02, HAILUO_23, MODELS, PICTURE_MODELS, SEEDANCE, SETTLE, TEXT,
                     copy_tool, ffmpeg, good_spec, png, probe, sha256)

pytestmark = pytest.mark.tsan

FIRST, LAST = png(colour=(200, 30, 30)), png(colour=(30, 30, 200))
FIRST_FIELD = {HAILUO_23: "image_url", HAILUO_02: "image_url", SEEDANCE: "image_url",
               FLAT: "image"}
LAST_FIELD = {HAILUO_02: "end_image_url", FLAT: "end_image"}
LENGTH = {HAILUO_23: 6, HAILUO_02: 10, TEXT: 6, SEEDANCE: 5, FLAT: 6}
LINK = "https://example.com/cat.png"


def input_of(model, body):
    if model == FLAT:
        return body
    assert set(body) == {"model", "input"} and body["model"] == model, body
    return body["input"]


def data_uri(content, mime="image/png"):
    """As the simulator's log shortens it."""
    return "data:%s;base64,<%d bytes, sha256 %s>" % (mime, len(content), sha256(content))


def assert_holds_picture(sim, model, value, content, mime="image/png"):
    """A picture in a request: within it for PPInfra, a link to its very bytes for kie.ai."""
    if model == FLAT:
        assert value == data_uri(content, mime)
    else:
        assert value.startswith(sim.url + "/"), value
        assert sha256(content) in json.dumps([entry["body"] for entry in sim.uploads()])


# ------------------------------------------------------------------ specs

def test_the_example_body_of_each_page_is_sent_as_it_stands_once_and_becomes_a_video(
        kinofs, start_sim):
    sim = start_sim(clip=None)
    mount = kinofs(sim=sim)
    for model in MODELS:
        shutil.copyfile(good_spec(model), mount.path(model, "cat.json"))
    for model in MODELS:
        record = mount.done(model, "cat")
        with open(good_spec(model), encoding="utf-8") as file:
            body = json.load(file)
        sent = [entry for entry in sim.creates() if entry["task"] == record["task"]]
        assert [entry["body"] for entry in sent] == [body]
        assert list(sent[0]["body"]) == list(body), "the fields are in another order"
        assert record["request"] == body
        assert sent[0]["path"].endswith("/" + FLAT if model == FLAT else "/createTask")
        assert record["outputs"] == [model + "/out/cat.mp4"] and mount.out(model) == ["cat.mp4"]
        length = probe(mount.path(model, "out", "cat.mp4"))
        assert length == pytest.approx(LENGTH[model], abs=0.1)
    assert len(sim.creates()) == len(MODELS) and sim.uploads() == []


@pytest.mark.parametrize("form", ["bare", "wrapped"])
def test_a_spec_is_coerced_to_the_types_of_the_api_and_loses_its_schema(mount, form):
    cases = [
        (HAILUO_23, {"prompt": "a", "image_url": LINK, "duration": 10, "resolution": "768P"},
         {"prompt": "a", "image_url": LINK, "duration": "10", "resolution": "768P"}),
        (HAILUO_02, {"prompt": "b", "image_url": LINK, "prompt_optimizer": "false",
                     "duration": "6", "nsfw_checker": True},
         {"prompt": "b", "image_url": LINK, "prompt_optimizer": False, "duration": "6",
          "nsfw_checker": True}),
        (SEEDANCE, {"prompt": "c", "image_url": LINK, "seed": "42", "duration": 5,
                    "camera_fixed": "true"},
         {"prompt": "c", "image_url": LINK, "seed": 42, "duration": "5", "camera_fixed": True}),
        (TEXT, {"prompt": "d"}, {"prompt": "d"}),
        (FLAT, {"prompt": "e", "duration": "10", "image": LINK, "fast_pretreatment": True},
         {"prompt": "e", "duration": 10, "image": LINK, "fast_pretreatment": True}),
    ]
    for model, given, _ in cases:
        spec = dict(given)
        if form == "wrapped" and model != FLAT:
            spec = {"model": model, "callBackUrl": "https://example.com/cb", "input": spec}
        mount.drop(model, "cat.json", {"$schema": "./schema.json", **spec})
    for model, _, wanted in cases:
        mount.accepted(model, "cat")
        body, = mount.sim.bodies(contains=wanted["prompt"])
        if form == "wrapped" and model != FLAT:
            assert body.pop("callBackUrl") == "https://example.com/cb"
        assert input_of(model, body) == wanted
    assert len(mount.sim.creates()) == len(cases)


def test_a_local_picture_of_a_spec_is_found_relative_to_it_and_uploaded_once(mount):
    mount.drop(HAILUO_02, "refs/a.png", FIRST)
    mount.drop(HAILUO_02, "summer/b.png", LAST)
    mount.drop(HAILUO_02, "summer/beach.json",
               {"prompt": "waves", "image_url": "../refs/a.png", "end_image_url": "b.png"})
    mount.drop(SEEDANCE, "walk.json",
               {"prompt": "walk", "image_url": "../../" + HAILUO_02 + "/refs/a.png"})
    mount.drop(FLAT, "flat.json", {"prompt": "flat", "image": "./pictures/c.png",
                                   "end_image": "../" + HAILUO_02 + "/summer/b.png"})
    mount.drop(FLAT, "pictures/c.png", FIRST)
    mount.accepted(HAILUO_02, "summer/beach")
    waves, = mount.sim.bodies("waves")
    mount.accepted(SEEDANCE, "walk")
    mount.accepted(FLAT, "flat")
    walk, = mount.sim.bodies("walk")
    flat, = mount.sim.bodies("flat")
    assert_holds_picture(mount.sim, HAILUO_02, waves["input"]["image_url"], FIRST)
    assert_holds_picture(mount.sim, HAILUO_02, waves["input"]["end_image_url"], LAST)
    assert waves["input"]["image_url"] != waves["input"]["end_image_url"]
    assert_holds_picture(mount.sim, SEEDANCE, walk["input"]["image_url"], FIRST)
    assert (flat["image"], flat["end_image"]) == (data_uri(FIRST), data_uri(LAST))
    mount.quiet()  # pictures alone, in a folder for them, are no jobs that go anywhere
    assert len(mount.sim.creates()) == 3
    # the same bytes, some time later, from another job: the link is used again
    uploads = len(mount.sim.uploads())
    mount.drop(SEEDANCE, "again.json",
               {"prompt": "again", "image_url": "../../" + HAILUO_02 + "/refs/a.png"})
    mount.accepted(SEEDANCE, "again")
    assert len(mount.sim.uploads()) == uploads
    again, = mount.sim.bodies("again")
    assert again["input"]["image_url"] == walk["input"]["image_url"]


# ------------------------------------------------------------------ a prompt and pictures

@pytest.mark.parametrize("tool", ["cp", "mv", "rename"])
def test_a_prompt_and_its_pictures_are_one_job_in_whatever_order_they_come(kinofs, tool):
    # three programs, one after the other, take longer on a busy machine than a short settle time
    mount = kinofs(settle=SETTLE if tool == "rename" else 3)
    jobs = []
    for model in PICTURE_MODELS:
        files = ["txt", "png"] + (["end.png"] if model in LAST_FIELD else [])
        for order in itertools.permutations(files):
            stem = "cat-" + "-".join(order).replace(".", "")
            prompt = "%s of %s" % (stem, model)
            contents = {"txt": prompt, "png": FIRST, "end.png": LAST}
            sources = [(mount.outside("%s/%s.%s" % (model, stem, kind), contents[kind]),
                        mount.path(model, "%s.%s" % (stem, kind))) for kind in order]
            if tool == "rename":
                drop_by_rename(sources)
            else:
                for source, target in sources:
                    assert copy_tool(source, target, tool) == 0
            jobs.append((model, stem, prompt))
    for model, stem, prompt in jobs:
        mount.accepted(model, stem)
        body, = mount.sim.bodies(prompt)
        fields = dict(input_of(model, body))
        assert fields.pop("prompt") == prompt
        assert_holds_picture(mount.sim, model, fields.pop(FIRST_FIELD[model]), FIRST)
        if model in LAST_FIELD:
            assert_holds_picture(mount.sim, model, fields.pop(LAST_FIELD[model]), LAST)
        assert fields == {}, "fields nobody gave"
    assert len(mount.sim.creates()) == len(jobs)


def drop_by_rename(sources):
    """All files come under scratch names, then get their real ones in a burst."""
    for source, target in sources:
        shutil.copyfile(source, target + ".part")
    for _, target in sources:
        os.rename(target + ".part", target)


@pytest.mark.no_tsan("forty jobs, one like the other")
def test_every_mark_of_a_last_frame_and_every_picture_type_is_known(mount, tmp_path):
    pictures = {"png": FIRST, "PNG": FIRST}
    for kind in ("jpg", "webp"):
        path = str(tmp_path / ("first." + kind))
        ffmpeg("-f", "lavfi", "-i", "color=c=green:size=64x48", "-frames:v", "1", path)
        with open(path, "rb") as file:
            pictures[kind] = file.read()
    pictures["jpeg"] = pictures["JPG"] = pictures["jpg"]
    marks = (".end", "_end", "-end", ".last", "_last", ".tail", ".END", "_Last")
    for number, mark in enumerate(marks):
        name = "cat%d" % number
        mount.drop(FLAT, name + ".txt", name)
        mount.drop(FLAT, name + mark + ".png", LAST)
        mount.drop(FLAT, name + ".png", FIRST)
    for kind, content in pictures.items():
        mount.drop(FLAT, "dog-%s.txt" % kind, "dog " + kind)
        mount.drop(FLAT, "dog-%s.%s" % (kind, kind), content)
    for number in range(len(marks)):
        name = "cat%d" % number
        mount.accepted(FLAT, name)
        assert mount.sim.bodies(name) == [
            {"prompt": name, "image": data_uri(FIRST), "end_image": data_uri(LAST)}], name
    mimes = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
    for kind, content in pictures.items():
        mount.accepted(FLAT, "dog-" + kind)
        assert data_uri(content, mimes[kind.lower()]) in [
            body["image"] for body in mount.sim.bodies("dog " + kind)]


def test_a_picture_is_known_by_its_content_not_by_its_name(mount):
    mount.drop(FLAT, "cat.jpg", FIRST)
    mount.drop(FLAT, "cat.txt", "a PNG called JPG")
    mount.accepted(FLAT, "cat")
    assert mount.sim.bodies()[-1]["image"] == data_uri(FIRST, "image/png")


def test_a_prompt_alone_is_a_job_where_no_picture_is_needed(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(FLAT, "cat.txt", "a cat without a picture")
    mount.accepted(TEXT, "cat")
    mount.accepted(FLAT, "cat")
    assert {"model": TEXT, "input": {"prompt": "a cat"}} in mount.sim.bodies()
    assert {"prompt": "a cat without a picture"} in mount.sim.bodies()
    assert len(mount.sim.creates()) == 2


def test_a_prompt_loses_its_byte_order_mark_its_carriage_returns_and_its_trailing_space(mount):
    mount.drop(TEXT, "cat.txt", b"\xef\xbb\xbfa cat\r\nand a dog \xe7\x8c\xab\r\n \t\n")
    mount.accepted(TEXT, "cat")
    assert mount.sim.bodies() == [
        {"model": TEXT, "input": {"prompt": "a cat\nand a dog 猫"}}]


def test_lengths_are_counted_in_characters(mount):
    mount.drop(TEXT, "long.txt", "漢" * 1500)
    mount.drop(TEXT, "cats.txt", "🐈" * 1500)
    mount.accepted(TEXT, "long")
    mount.accepted(TEXT, "cats")
    assert len(mount.sim.creates()) == 2


def test_a_spec_wins_over_the_prompt_file_the_pictures_and_the_defaults(mount):
    mount.drop(HAILUO_02, "defaults.json",
               {"prompt": "default", "duration": 6, "resolution": "512P",
                "end_image_url": "https://example.com/end.png"})
    mount.drop(HAILUO_02, "cat.json", {"prompt": "spec", "duration": "10", "image_url": LINK})
    mount.drop(HAILUO_02, "cat.txt", "prompt file")
    mount.drop(HAILUO_02, "cat.png", FIRST)
    mount.accepted(HAILUO_02, "cat")
    body, = mount.sim.bodies()
    assert body["input"] == {"prompt": "spec", "duration": "10", "image_url": LINK,
                             "resolution": "512P",
                             "end_image_url": "https://example.com/end.png"}


# ------------------------------------------------------------------ waiting

def test_what_waits_for_a_file_says_so_and_goes_on_when_it_comes(mount):
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "picture.png", FIRST)
    mount.drop(HAILUO_23, "named.json", {"prompt": "named", "image_url": "later.png"})
    record = mount.wait_state(HAILUO_23, "cat", "waiting")
    text = mount.note(HAILUO_23, "cat", "waiting")
    assert "image_url" in text and "cat.png" in text and "No money was spent" in text
    assert any("cat.png" in line for line in record["waiting_for"])
    assert "prompt" in mount.note(HAILUO_23, "picture", "waiting")
    assert "later.png" in mount.note(HAILUO_23, "named", "waiting")
    assert mount.sim.creates() == []
    mount.drop(HAILUO_23, "cat.png", FIRST)
    mount.drop(HAILUO_23, "picture.txt", "a picture")
    mount.drop(HAILUO_23, "later.png", LAST)
    for name in ("cat", "picture", "named"):
        mount.accepted(HAILUO_23, name)
        mount.wait(lambda name=name: name + ".waiting.txt" not in mount.out(HAILUO_23),
                   "the note of %s to go" % name)
        assert "waiting_for" not in mount.record(HAILUO_23, name)
    assert len(mount.sim.creates()) == 3


@pytest.mark.parametrize("place", ["stills", HAILUO_23 + "/out", HAILUO_23 + "/.hidden"])
@pytest.mark.parametrize("arrives", ["written", "renamed"])
def test_a_picture_may_come_to_any_place_under_any_name(mount, place, arrives):
    os.makedirs(mount.path(place), exist_ok=True)
    name = os.path.relpath(os.path.join(place, "still.of.mine"), HAILUO_23)
    mount.drop(TEXT, "first.txt", "leaves no job that waits behind")
    mount.accepted(TEXT, "first")
    mount.drop(place, "ordinary", b"starts nothing")
    mount.drop(HAILUO_23, "named.json", {"prompt": "named", "image_url": name})
    mount.wait_state(HAILUO_23, "named", "waiting")
    if arrives == "written":
        mount.drop(place, "still.of.mine", FIRST)
    else:
        mount.drop(place, "other.name", FIRST)
        os.rename(mount.path(place, "other.name"), mount.path(place, "still.of.mine"))
    mount.accepted(HAILUO_23, "named")


def test_a_waiting_note_comes_only_after_the_settle_time(kinofs):
    mount = kinofs(settle=3)
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.wait(lambda: mount.record(HAILUO_23, "cat"), "the record")
    assert mount.out(HAILUO_23) == []
    mount.drop(HAILUO_23, "cat.png", FIRST)
    mount.accepted(HAILUO_23, "cat")
    assert mount.out(HAILUO_23) == []


# ------------------------------------------------------------------ folders

def test_defaults_come_from_the_nearest_folder_upwards(mount):
    mount.drop(HAILUO_02, "defaults.json", {"resolution": "512P", "image_url": LINK})
    mount.drop(HAILUO_02, "summer/defaults.json", {"image_url": "sea.png", "duration": 6})
    mount.drop(HAILUO_02, "summer/sea.png", FIRST)
    for name in ("top", "winter/snow", "summer/beach", "summer/july/night"):
        mount.drop(HAILUO_02, name + ".txt", "prompt " + name)
    mount.quiet()
    bodies = {}
    for name in ("top", "winter/snow", "summer/beach", "summer/july/night"):
        mount.accepted(HAILUO_02, name)
        body, = mount.sim.bodies("prompt " + name)
        bodies[name] = body["input"]
        assert bodies[name].pop("prompt") == "prompt " + name
    for name in ("top", "winter/snow"):
        assert bodies[name] == {"resolution": "512P", "image_url": LINK}
    for name in ("summer/beach", "summer/july/night"):
        assert_holds_picture(mount.sim, HAILUO_02, bodies[name].pop("image_url"), FIRST)
        assert bodies[name] == {"duration": "6"}
    assert len(mount.sim.creates()) == 4, "defaults.json is no job"


def test_defaults_that_come_later_complete_what_waits_and_touch_nothing_else(mount):
    mount.drop(HAILUO_23, "sent.json", {"prompt": "sent", "image_url": LINK})
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.accepted(HAILUO_23, "sent")
    mount.wait_state(HAILUO_23, "cat", "waiting")
    mount.drop(HAILUO_23, "defaults.json", {"image_url": LINK, "duration": 10})
    mount.accepted(HAILUO_23, "cat")
    mount.drop(HAILUO_23, "defaults.json", {"image_url": LINK, "duration": 6})
    mount.quiet()
    assert len(mount.sim.bodies("sent")) == len(mount.sim.bodies("a cat")) == 1
    assert mount.sim.bodies("a cat")[0]["input"]["duration"] == "10"


def test_a_job_in_a_sub_folder_has_its_record_its_notes_and_its_video_there(mount):
    mount.drop(TEXT, "summer/july/beach.txt", "waves")
    mount.drop(TEXT, "copy of summer/july/beach.txt", "other waves")
    mount.drop(HAILUO_23, "summer/waits.txt", "waits")
    record = mount.done(TEXT, "summer/july/beach")
    mount.done(TEXT, "copy of summer/july/beach")
    assert record["job"] == "summer/july/beach"
    assert record["outputs"] == [TEXT + "/out/summer/july/beach.mp4"]
    assert mount.out(TEXT, "summer/july") == ["beach.mp4"]
    assert mount.out(TEXT, "copy of summer/july") == ["beach.mp4"]
    assert os.listdir(mount.path(TEXT, "jobs/summer")) == ["july"]
    assert os.listdir(mount.path(TEXT, "jobs/summer/july")) == ["beach.json"]
    assert "image_url" in mount.note(HAILUO_23, "summer/waits", "waiting")
    assert len(mount.sim.creates()) == 2
