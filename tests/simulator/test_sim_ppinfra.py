"""PPInfra as kinofs-sim plays it, and what both providers have in common."""
import base64
import hashlib
import re

import pytest

from harness import png
from simulation import HAILUO_PP, frame, link_of, task_of


def test_ppinfra_task_follows_the_recorded_traffic(start, clip):
    simulator = start("--seconds", "0.4", "--clip", clip)
    answer = simulator.create({"prompt": "x", "duration": 10}, HAILUO_PP,
                              headers={"Authorization": "bare-key"})
    assert answer.status == 200
    task = answer.json["task_id"]
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                        task)
    assert simulator.poll(task).json == {
        "audios": [], "extra": {}, "images": [], "videos": [],
        "task": {"eta": 0, "progress_percent": 0, "reason": "", "status": "TASK_STATUS_QUEUED",
                 "task_id": task, "task_type": "MINIMAX_HAILUO_02_10S_768P"}}
    record = simulator.finish(task)
    assert record["task"]["progress_percent"] == 0
    video = record["videos"][0]
    assert video["video_type"] == "mp4" and video["video_url_ttl"] == "0"
    link = video["video_url"]
    assert "?q-sign-algorithm=sha1&" in link
    assert simulator.get(link, headers={}).status == 200
    start_time, end_time = re.search(r"q-sign-time=(\d+);(\d+)", link).groups()
    assert int(end_time) - int(start_time) == 3600
    for spoilt in (link.split("?")[0], link.replace(end_time, str(int(end_time) + 9))):
        refused = simulator.get(spoilt, headers={})
        assert refused.status == 403 and refused.body.startswith(b"<?xml")
    assert simulator.get("/v3/user").json == {"credit_balance": 100000}


def data_uri(content, mime="image/png"):
    return "data:%s;base64,%s" % (mime, base64.b64encode(content).decode())


def test_ppinfra_takes_pictures_inside_the_body(start, tmp_path):
    simulator = start("--seconds", "0")
    content = png(90, 160, (10, 180, 20))
    task = task_of(simulator.create(
        {"prompt": "x", "image": data_uri(content), "end_image": data_uri(content)}, HAILUO_PP))
    path = tmp_path / "video.mp4"
    path.write_bytes(simulator.get(link_of(simulator.finish(task)), headers={}).body)
    green = frame(str(path), 2)
    assert green[1] > 140 and green[0] < 70, green
    entry = next(e for e in simulator.log() if e["task"] == task)
    assert entry["body"]["image"] == "data:image/png;base64,<%d bytes, sha256 %s>" % (
        len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("fields, status, reason", [
    ({"prompt": None}, 400, "INVALID_REQUEST_BODY"),
    ({"prompt": "x" * 2001}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": "6"}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": 7}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": 10, "resolution": "1080P"}, 400, "INVALID_REQUEST_BODY"),
    ({"model": "minimax-hailuo-02"}, 400, "INVALID_REQUEST_BODY"),
    ({"image": "cat.png"}, 400, "INVALID_REQUEST_BODY"),
    ({"image": data_uri(b"no picture")}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": data_uri(png(30, 20, (1, 2, 3)), "image/jpeg")}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": "data:image/png;base64,!!!!"}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": data_uri(png(30, 20, (1, 2, 3)) + bytes(20 << 20))}, 400,
     "IMAGE_FILE_EXCEEDS_MAX_SIZE"),
])
def test_ppinfra_refuses_with_real_statuses(quick, fields, status, reason):
    answer = quick.create({"prompt": "x", **fields}, HAILUO_PP)
    assert answer.status == status
    assert list(answer.json) == ["code", "reason", "message", "metadata"]
    assert (answer.json["code"], answer.json["reason"]) == (status, reason)


def test_ppinfra_keys_paths_and_unknown_tasks(quick):
    for headers in ({}, {"Authorization": "Bearer invalid"}):
        answer = quick.create({"prompt": "x"}, HAILUO_PP, headers=headers)
        assert (answer.status, answer.json) == (403, {
            "code": 403, "reason": "INVALID_API_KEY", "message": "invalid api-key",
            "metadata": {}})
    for path, reason in (("/v3/async/task-result?task_id=none", "TASK_NOT_FOUND"),
                         ("/v3/async/none", "API_NOT_FOUND")):
        answer = quick.get(path)
        assert (answer.status, answer.json["reason"]) == (404, reason)


def test_an_empty_purse_is_refused_by_both(start):
    simulator = start("--credits", "0")
    assert simulator.create().json["code"] == 402
    answer = simulator.create({"prompt": "x"}, HAILUO_PP)
    assert (answer.status, answer.json["reason"]) == (400, "BILLING_BALANCE_NOT_ENOUGH")


def test_more_creates_than_the_rate_are_refused_by_each_provider(start, clip):
    simulator = start("--rate", "3", "--clip", clip)
    codes = [simulator.create() for _ in range(5)]
    assert [a.json["code"] for a in codes] == [200, 200, 200, 429, 429]
    assert [a.status for a in codes] == [200, 200, 200, 429, 429]
    answers = [simulator.create({"prompt": "x"}, HAILUO_PP) for _ in range(4)]
    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert answers[-1].json["reason"] == "RATE_LIMIT_EXCEEDED"
    assert simulator.stats()["creates"] == {
        "accepted": 6, "refused": 3, "rate_limited": 3, "max_in_10s": 5}
