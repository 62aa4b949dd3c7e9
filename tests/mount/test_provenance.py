"""Films say what they are: in words that other programs show, and not a frame is another."""
import json
import os
import subprocess

import harness
from harness import OPEN_GATES, TEXT, sha256

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PROMPT = "a \"cat\" & <dog> \N{CAT FACE}"


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def frames(path):
    """A checksum of each decoded frame."""
    return output_of("ffmpeg", "-v", "error", "-i", path, "-f", "framemd5", "-")


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_film_says_to_every_reader_what_it_is(kinofs, clip):
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": 0.2, "provenance": "full"})
    mount.drop(TEXT, "cat.txt", PROMPT)
    record = mount.done(TEXT, "cat")
    path = mount.path(TEXT, "out", "cat.mp4")
    assert os.path.getsize(path) == len(content_of(path)) > os.path.getsize(clip)
    assert record["provenance"] == [{
        "file": TEXT + "/out/cat.mp4", "marked": True,
        "sha256_as_it_came": sha256(content_of(clip)), "sha256": sha256(content_of(path))}]
    assert frames(path) == frames(clip)
    tags = json.loads(output_of("ffprobe", "-v", "error", "-show_entries", "format_tags",
                                "-of", "json", path))["format"]["tags"]
    said = {"DigitalSourceType": SOURCE, "kinofs.provider": "kie.ai", "kinofs.model": TEXT,
            "kinofs.task": record["task"], "kinofs.prompt": PROMPT}
    assert {key: tags[key] for key in said} == said and "encoder" in tags
    label = json.loads(tags["AIGC"])
    assert (label["Label"], label["ContentProducer"], label["ProduceID"]) == (
        "1", "kie.ai", record["task"])
    assert json.loads(tags["kinofs.parameters"])["prompt"] == PROMPT
    shown = json.loads(output_of("exiftool", "-json", "-a", "-G1", path))[0]
    assert shown["XMP-iptcExt:DigitalSourceType"] == SOURCE == shown["Keys:DigitalSourceType"]
    assert shown["Keys:AIGC"] == tags["AIGC"] == shown["XMP-TC260:Aigc"]
    assert shown["XMP-kinofs:Task"] == record["task"]
    assert "Warning" not in str(sorted(shown))
    assert all(word in output_of("mediainfo", path) for word in (SOURCE, record["task"], "AIGC"))


def test_marks_are_made_unless_the_configuration_says_off(kinofs, clip):
    mount = kinofs(start=False)
    with open(os.path.join(mount.home, "config", "kinofs", "config.json"), "w",
              encoding="utf-8") as file:
        json.dump({**OPEN_GATES, "settle_alone_seconds": 0.2}, file)  # nothing of provenance
    mount.start()
    mount.drop(TEXT, "cat.txt", PROMPT)
    mount.done(TEXT, "cat")
    tags = output_of("ffprobe", "-v", "error", "-show_entries", "format_tags",
                     mount.path(TEXT, "out", "cat.mp4"))
    assert SOURCE in tags and PROMPT not in tags
    mount.configure({**OPEN_GATES, "settle_alone_seconds": 0.2, "provenance": "off"})
    mount.restart()
    mount.drop(TEXT, "dog.txt", "a dog")
    assert "provenance" not in mount.done(TEXT, "dog")
    assert content_of(mount.path(TEXT, "out", "dog.mp4")) == content_of(clip)


def test_a_film_with_a_c2pa_manifest_is_left_byte_for_byte(kinofs, start_sim, clip, tmp_path):
    manifest = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0manifest"
    signed = str(tmp_path / "signed.mp4")
    with open(signed, "wb") as file:
        file.write(content_of(clip) + (len(manifest) + 8).to_bytes(4, "big") + b"uuid" + manifest)
    mount = kinofs(sim=start_sim(clip=signed),
                   config={**OPEN_GATES, "settle_alone_seconds": 0.2, "provenance": "mark"})
    mount.drop(TEXT, "cat.txt", PROMPT)
    said = mount.done(TEXT, "cat")["provenance"][0]
    assert not said["marked"] and "C2PA" in said["reason"]
    assert content_of(mount.path(TEXT, "out", "cat.mp4")) == content_of(signed)
    assert said["sha256"] == said["sha256_as_it_came"] == sha256(content_of(signed))
    assert harness.probe(mount.path(TEXT, "out", "cat.mp4"))
