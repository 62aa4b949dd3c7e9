"""The videos kinofs-sim makes, and the links it serves them under."""
import os
import subprocess

import pytest

from harness import png
from simulation import EXAMPLES, frame, link_of, probe, task_of, text_job


def test_example_bodies_of_the_pages_make_videos_of_the_right_length(start, tmp_path):
    simulator = start("--seconds", "0.2")
    tasks = [(task_of(simulator.create(body, path)), seconds)
             for path, seconds, body in EXAMPLES]
    for task, seconds in tasks:
        video = simulator.get(link_of(simulator.finish(task)), headers={})
        assert video.status == 200 and video.headers["Content-Type"] == "video/mp4"
        path = tmp_path / "video.mp4"
        path.write_bytes(video.body)
        duration, streams = probe(str(path))
        assert duration == pytest.approx(seconds, abs=0.01)
        assert [(s["codec_name"], s["pix_fmt"]) for s in streams] == [("h264", "yuv420p")]
        assert video.body.index(b"moov") < video.body.index(b"mdat"), "not faststart"


def test_video_shows_the_uploaded_pictures(start, tmp_path):
    simulator = start("--seconds", "0")
    first = simulator.upload(png(64, 48, (200, 20, 20)), name="erste Seite ü.png").json["data"]
    last = simulator.upload(png(40, 40, (20, 20, 200)), name="last.png").json["data"]
    record = simulator.finish(task_of(simulator.create({
        "model": "hailuo/02-image-to-video-standard",
        "input": {"prompt": "red, then blue", "duration": "6", "image_url": first["downloadUrl"],
                  "end_image_url": last["downloadUrl"]}})))
    path = tmp_path / "video.mp4"
    path.write_bytes(simulator.get(link_of(record), headers={}).body)
    red, blue = frame(str(path), 1), frame(str(path), 5.8)
    assert red[0] > 150 and red[2] < 80, red
    assert blue[2] > 150 and blue[0] < 80, blue


def processor_seconds(pid):
    """Of the program and of its children that have ended."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def test_a_ten_second_video_costs_less_than_any_other(start, tmp_path):
    simulator = start("--seconds", "0")
    link = simulator.upload(png(1600, 1200, (90, 120, 30))).json["data"]["downloadUrl"]
    before = processor_seconds(simulator.process.pid)
    simulator.finish(task_of(simulator.create({
        "model": "hailuo/02-image-to-video-standard",
        "input": {"prompt": "green", "image_url": link, "end_image_url": link}})))
    cost = processor_seconds(simulator.process.pid) - before
    before = processor_seconds(os.getpid())
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc=size=1366x768:rate=24:duration=10", "-c:v", "libx264", "-preset",
                    "ultrafast", str(tmp_path / "any.mp4")], check=True)
    any_video = processor_seconds(os.getpid()) - before
    assert cost < any_video, "%.2f s, not %.2f s" % (cost, any_video)


@pytest.mark.parametrize("prompt", [
    "%{pts} ' : ; , [x] \\ \\\\ = drawtext=text='x' | $(id) `id` \" end",
    "-i /etc/passwd -y out.mp4",
    "x" * 1500,
    "漢字" * 400,
    "\u0001\u200b\u202e🎬 مرحبا שלום \t\r\n\r\n tab",
])
def test_any_prompt_can_be_a_caption(start, prompt):
    simulator = start("--seconds", "0")
    assert simulator.finish(task_of(simulator.create(text_job(prompt))))["state"] == "success"


def test_a_picture_that_cannot_be_decoded_fails_the_task_for_free(start):
    simulator = start("--seconds", "0")
    broken = png(64, 48, (1, 2, 3))[:60]
    link = simulator.upload(broken).json["data"]["downloadUrl"]
    record = simulator.finish(task_of(simulator.create({
        "model": "hailuo/2-3-image-to-video-pro", "input": {"prompt": "x", "image_url": link}})))
    assert record["state"] == "fail" and record["creditsConsumed"] == 0
    assert simulator.get("/api/v1/chat/credit").json["data"] == 100000


def test_links_serve_ranges_and_refuse_a_leaked_key(quick, clip):
    link = link_of(quick.finish(task_of(quick.create())))
    with open(clip, "rb") as file:
        content = file.read()
    assert quick.get(link, headers={}).body == content
    assert quick.get(link).status == 400
    for header, span in (("bytes=100-199", content[100:200]), ("bytes=49990-", content[49990:]),
                         ("bytes=-7", content[-7:]), ("bytes=0-999999", content)):
        part = quick.get(link, headers={"Range": header})
        assert (part.status, part.body) == (206, span)
    assert part.headers["Content-Range"] == "bytes 0-49999/50000"
    assert quick.get(link, headers={"Range": "bytes=50000-"}).status == 416
    assert quick.get(link, headers={"Range": "lines=1-2"}).body == content
    assert quick.log()[-1]["range"] == "lines=1-2"
    head = quick.call("HEAD", link, headers={})
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "50000", b"")
