"""Films in place of pictures: the frame that is meant is what the provider gets, it is uploaded once,
and where it cannot be taken nothing is paid."""
import os
import stat
import subprocess
import urllib.request

import pytest

import campaign
import harness

KIE, FLAT = harness.HAILUO_23, harness.FLAT
SPEED = 30  # ffmpeg may take a minute


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two seconds of red, but for the first picture, which is green, and the last, which is blue."""
    path = str(tmp_path_factory.mktemp("film") / "film.mp4")
    parts = [word for colour, seconds in (("green", .04), ("red", 2), ("blue", .04))
             for word in ("-f", "lavfi", "-i",
                          "color=%s:size=64x48:rate=25:duration=%g" % (colour, seconds))]
    harness.ffmpeg(*parts, "-filter_complex", "concat=n=3", "-c:v", "libx264", "-pix_fmt",
                   "yuv420p", path)
    with open(path, "rb") as file:
        return file.read()


def spoilt(film):
    """Whole by its boxes, and no picture in it."""
    start = film.index(b"mdat") + 4
    return film[:start] + bytes(len(film[start:film.index(b"moov")])) + film[film.index(b"moov"):] \
        if film.index(b"moov") > start else film[:start] + bytes(len(film) - start)


def colour(content):
    """The one colour of a picture, by name."""
    pixel = subprocess.run(["ffmpeg", "-v", "error", "-i", "-", "-vf", "scale=1:1", "-f", "rawvideo",
                            "-pix_fmt", "rgb24", "-"], input=content, check=True,
                           capture_output=True).stdout
    return ("red", "green", "blue")[max(range(3), key=lambda i: pixel[i])]


def sent(sim, prompt):
    """The one request with this prompt."""
    body, = sim.bodies(prompt)
    return body.get("input", body)


def received(link):
    with urllib.request.urlopen(link) as reply:
        return reply.read()


def test_the_frame_that_is_meant_is_sent_and_uploaded_once(mount, sim, film):
    mount.drop(KIE, "film.mp4", film)
    mount.drop(KIE, "a.json", {"prompt": "on from the end", "image_url": "film.mp4#last"})
    mount.drop(KIE, "b.json", {"prompt": "from its beginning", "image_url": "film.mp4#first"})
    # within the request, where the provider takes it so
    mount.drop(FLAT, "film.mp4", film)
    mount.drop(FLAT, "c.json", {"prompt": "both ends", "image": "film.mp4#last",
                                "end_image": "film.mp4#first"})
    # no film, by its content or by its insides
    mount.drop_bad(KIE, "d.json", {"prompt": "a", "image_url": "a.png#last"})
    mount.drop_bad(KIE, "cut.mp4", film[:-100])
    mount.drop(KIE, "e.json", {"prompt": "cut", "image_url": "cut.mp4#last"})
    mount.drop(KIE, "spoilt.mp4", spoilt(film))
    mount.drop(KIE, "f.json", {"prompt": "spoilt", "image_url": "spoilt.mp4#last"})

    record = mount.done(KIE, "a")
    frame = received(sent(sim, "on from the end")["image_url"])
    assert colour(frame) == "blue"
    assert record["pictures"][0]["frame"] == "last"
    assert record["pictures"][0]["path"] == KIE + "/film.mp4"
    mount.done(KIE, "b")
    assert colour(received(sent(sim, "from its beginning")["image_url"])) == "green"
    mount.done(FLAT, "c")
    body = sent(sim, "both ends")
    assert body["image"].startswith("data:image/png;base64,")
    assert harness.sha256(frame) in body["image"]
    assert harness.sha256(frame) not in body["end_image"]
    assert "whole" in mount.wait_state(KIE, "e", "rejected")["error"][0]
    record = mount.wait_state(KIE, "f", "rejected")
    assert "ffmpeg cannot read the last frame of " in record["error"][0], record
    assert "No money was spent" in mount.note(KIE, "f")
    assert len(sim.uploads()) == 2 and len(sim.bodies()) == 3

    # the same frame of another film of the same bytes, or of one beside a prompt: it is known there;
    # a film that was mended goes
    mount.drop(KIE, "other/copy.mp4", film)
    mount.drop(KIE, "g.json", {"prompt": "once more", "image_url": "other/copy.mp4#last"})
    mount.drop(KIE, "h.mp4", film)
    mount.drop(KIE, "h.txt", "beside it")
    mount.drop(KIE, "spoilt.mp4", film)
    for name in "gfh":
        mount.done(KIE, name)
    for prompt in ("once more", "beside it"):
        assert sent(sim, prompt)["image_url"] == sent(sim, "on from the end")["image_url"]
    # by whatever film it is named, it is the same order
    mount.drop(KIE, "i.json", {"prompt": "once more", "image_url": "film.mp4#last"})
    mount.drop(KIE, "h.png", harness.png())
    assert "ordered already" in mount.wait_state(KIE, "i", "held")["held_because"][0]
    assert "two files for one purpose" in mount.wait_state(KIE, "h", "rejected")["error"][0]
    assert len(sim.uploads()) == 2 and len(sim.bodies()) == 6


def put_program(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, stat.S_IRWXU)


def test_without_ffmpeg_or_with_one_that_hangs_it_says_so(kinofs, sim, film, tmp_path):
    programs = tmp_path / "bin"
    os.makedirs(programs)
    library = campaign.compile_preloads(str(tmp_path))["speed"]
    mount = kinofs(environment={**campaign.preload(library, KINOFS_TEST_SPEED=SPEED),
                                "PATH": str(programs)})
    mount.drop(FLAT, "film.mp4", film)
    path = mount.drop(FLAT, "a.json", {"prompt": "held", "image": "film.mp4#last"})
    mount.wait_state(FLAT, "a", "held")
    note = mount.note(FLAT, "a", "held")
    assert "apt install ffmpeg" in note and "No money was spent" in note, note

    # what it starts is ended with it
    pids = tmp_path / "pids"
    put_program(programs / "ffmpeg",
                "#!/bin/sh\n/bin/sleep 3600 & echo $$ $! > '%s'\nwait\n" % pids)
    assert mount.run("retry", path).returncode == 0
    mount.wait(lambda: "stopped" in mount.record(FLAT, "a").get("held_because", [""])[0],
               "ffmpeg to be stopped")
    assert not [pid for pid in pids.read_text().split() if is_running(pid)]
    assert not sim.bodies()

    # so is what is under way when kinofs ends, at once
    pids.unlink()
    assert mount.run("retry", path).returncode == 0
    mount.wait(pids.exists, "ffmpeg to begin")
    mount.unmount()
    assert not [pid for pid in pids.read_text().split() if is_running(pid)]

    put_program(programs / "ffmpeg", "#!/bin/sh\nexec /usr/bin/ffmpeg \"$@\"\n")
    mount.start()
    mount.done(FLAT, "a")
    assert len(sim.bodies()) == 1


def is_running(pid):
    try:
        with open("/proc/%s/stat" % pid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
