"""Films, pictures and sounds: kinofs-sim makes what a model file promises."""
import json
import subprocess

import pytest

from harness import png
from simulation import link_of, task_of

TEXT = {"type": "string"}


def model(name, result, **fields):
    return {"$id": "acme/" + name, "title": name, "type": "object", "x-kinofs-provider": "kie",
            "x-kinofs-prompt": "prompt", "x-kinofs-result": result,
            "properties": {"prompt": TEXT, **fields}}


MODELS = [
    model("picture", "image", output_format={"enum": ["png", "jpeg", "webp"]},
          num_images={"enum": ["1", "2", "3"]},
          image={**TEXT, "x-kinofs-file": {"types": ["image/png"]}}),
    model("sound", "audio", output_format={"enum": ["mp3", "wav"]}),
    model("both", ["video", "image"], duration={"type": "integer"}),
    {**model("pp", ["image", "audio"]), "x-kinofs-provider": "ppinfra",
     "x-kinofs-endpoint": "acme-pp"}]


@pytest.fixture(name="folder")
def models_folder(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    for number, schema in enumerate(MODELS):
        (folder / ("%d.json" % number)).write_text(json.dumps(schema))
    return folder


@pytest.fixture(name="begin")
def begin_with_models(start, folder):
    return lambda *options: start("--models", str(folder), "--seconds", "0", *options)


def order(name, **fields):
    return {"model": "acme/" + name, "input": {"prompt": "a cat", **fields}}


def links(record):
    return json.loads(record["resultJson"])["resultUrls"]


def results(simulator, body):
    """The suffix, the type and the bytes of each."""
    record = simulator.finish(task_of(simulator.create(body)))
    assert record["state"] == "success", record
    answers = [(link, simulator.get(link, headers={})) for link in links(record)]
    assert all(answer.status == 200 for _, answer in answers)
    return [(link.rsplit(".", 1)[1], answer.headers["Content-Type"], answer.body)
            for link, answer in answers]


def look(tmp_path, content):
    path = tmp_path / "result"
    path.write_bytes(content)
    found = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries",
         "format=format_name,duration:stream=codec_name,width,height", "-of", "json", str(path)],
        check=True, capture_output=True).stdout)
    (stream,) = found["streams"]
    return stream, float(found["format"].get("duration", 0))


def test_pictures_of_the_wanted_type_and_number_show_the_jobs_own(begin, tmp_path):
    simulator = begin()
    link = simulator.upload(png(90, 160, (200, 20, 20))).json["data"]["downloadUrl"]
    for wanted, suffix, mime, codec in (
            (None, "png", "image/png", "png"), ("jpeg", "jpeg", "image/jpeg", "mjpeg"),
            ("webp", "webp", "image/webp", "webp")):
        fields = {"output_format": wanted} if wanted else {}
        ((name, kind, content),) = results(simulator, order("picture", image=link, **fields))
        assert (name, kind) == (suffix, mime)
        stream, _ = look(tmp_path, content)
        assert (stream["codec_name"], stream["height"]) == (codec, 480)
        (tmp_path / "shot").write_bytes(content)
        pixel = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(tmp_path / "shot"), "-frames:v", "1", "-vf",
             "crop=iw:ih/3:0:0,scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", "-"],
            check=True, capture_output=True).stdout
        assert pixel[0] > 150 and pixel[2] < 80, tuple(pixel[:3])
    three = results(simulator, order("picture", num_images="3"))
    assert len({content for _, _, content in three}) == 3, "each has its number"


def test_sounds_last_some_seconds(begin, tmp_path):
    simulator = begin()
    for wanted, mime, codec in ((None, "audio/mpeg", "mp3"), ("wav", "audio/wav", "pcm_s16le")):
        fields = {"output_format": wanted} if wanted else {}
        ((_, kind, content),) = results(simulator, order("sound", **fields))
        stream, duration = look(tmp_path, content)
        assert (kind, stream["codec_name"]) == (mime, codec)
        assert duration == pytest.approx(6, abs=0.1)


def test_a_task_may_make_a_film_and_a_picture_and_keeps_both(begin, tmp_path):
    simulator = begin("--state", str(tmp_path / "state"))
    film, picture = results(simulator, order("both", duration=2))
    assert (film[0], picture[0]) == ("mp4", "png")
    assert look(tmp_path, film[2])[1] == pytest.approx(2, abs=0.1)
    task = simulator.get("/sim/tasks").json[0]["id"]
    simulator.crash()
    again = begin("--state", str(tmp_path / "state"))
    assert [again.get(link, headers={}).body for link in links(again.finish(task))] == \
        [film[2], picture[2]]
    fresh = again.call("POST", "/api/v1/common/download-url",
                       {"url": links(again.finish(task))[1]}).json["data"]
    assert again.get(fresh, headers={}).body == picture[2]
    for wrong in (task + ".png", task + ".3.png", task + ".2.mp4", task):
        assert again.get("/files/" + wrong, headers={}).status == 404


def test_ppinfra_lists_pictures_and_sounds_apart(begin, tmp_path):
    simulator = begin()
    record = simulator.finish(task_of(simulator.create({"prompt": "x"}, "/v3/async/acme-pp")))
    (image,), (audio,) = record["images"], record["audios"]
    assert record["videos"] == [] and image["image_type"] == "png"
    assert (image["image_url_ttl"], audio["audio_url_ttl"]) == (0, "0")
    assert audio["audio_type"] == "mp3"
    for link, codec in ((image["image_url"], "png"), (audio["audio_url"], "mp3")):
        content = simulator.get(link, headers={}).body
        assert look(tmp_path, content)[0]["codec_name"] == codec


def test_a_clip_is_served_for_its_kind(begin, clip, tmp_path):
    picture = tmp_path / "clip.jpg"
    picture.write_bytes(b"any bytes")
    simulator = begin("--clip", clip, "--clip", str(picture))
    with open(clip, "rb") as file:
        film = ("mp4", "video/mp4", file.read())
    shot = ("jpg", "image/jpeg", b"any bytes")
    assert results(simulator, order("both")) == [film, shot]
    ((suffix, _, sound),) = results(simulator, order("sound"))
    assert suffix == "mp3" and look(tmp_path, sound)[0]["codec_name"] == "mp3"
    for only in (str(picture), clip):  # a film may have any name
        simulator = begin("--clip", only)
        with open(only, "rb") as file:
            assert results(simulator, order("both"))[0] == ("mp4", "video/mp4", file.read())
    assert link_of(simulator.finish(task_of(simulator.create()))).endswith(".mp4")
