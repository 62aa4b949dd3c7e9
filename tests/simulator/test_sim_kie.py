"""kie.ai as kinofs-sim plays it, and its store of uploads."""
import base64
import hashlib
import json
import re
import time

import pytest

from harness import png
from simulation import CREATE, KEY, TEXT_MODEL, link_of, task_of, text_job, wait_for


def test_kie_record_follows_the_recorded_traffic(start, clip):
    simulator = start("--seconds", "3", "--clip", clip)
    begun = time.monotonic()
    body = text_job("Ü 猫")
    body["callBackUrl"] = "https://example.org/hook"
    answer = simulator.create(body)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json["data"]["taskId"] == answer.json["data"]["recordId"]
    task = task_of(answer)
    assert re.fullmatch("[0-9a-f]{32}", task)
    record = simulator.poll(task).json["data"]
    assert list(record) == ["taskId", "model", "state", "param", "resultJson", "failCode",
                            "failMsg", "costTime", "completeTime", "createTime"]
    assert record["state"] == "waiting" or time.monotonic() - begun > 0.9
    assert record["resultJson"] == ""
    assert record["failCode"] is record["failMsg"] is record["costTime"] is None
    param = json.loads(record["param"])
    assert list(param) == ["input", "callBackUrl", "model"]
    assert json.loads(param["input"]) == body["input"]
    wait_for(lambda: simulator.poll(task).json["data"]["state"] != "waiting", "its turn")
    assert simulator.poll(task).json["data"]["state"] == "generating" or \
        time.monotonic() - begun > 3
    record = simulator.finish(task)
    assert record["state"] == "success" and record["failCode"] is None
    assert record["costTime"] == 3 and record["creditsConsumed"] == 57
    assert record["completeTime"] - record["createTime"] == pytest.approx(3000, abs=2)
    assert simulator.get("/api/v1/chat/credit").json == {
        "code": 200, "msg": "success", "data": 99943}


@pytest.mark.parametrize("body, code, text", [
    ({"model": "sora-3", "input": {}}, 422,
     "The model name you specified is not supported. Please verify your input and use one of the "
     "supported models provided by KIE."),
    ({"model": "minimax-hailuo-02", "input": {"prompt": "x"}}, 422, None),
    ({"model": TEXT_MODEL}, 500, "input is required"),
    (text_job(None), 500, "prompt is required"),
    (text_job("  "), 500, "prompt is required"),
    (text_job("é" * 1501), 500, "prompt exceeds the maximum length of 1500"),
    (text_job(duration="6"), 500, "duration is not a parameter of this model"),
    (text_job(prompt_optimizer="true"), 500, "prompt_optimizer must be a boolean"),
    ({**text_job(), "callBackUrl": "here"}, 500, "callBackUrl must be a URL"),
    ({**text_job(), "$schema": "x"}, 500, "$schema is not a parameter of createTask"),
    ({"model": "hailuo/2-3-image-to-video-pro", "input": {"prompt": "x"}}, 500,
     "image_url is required"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "data:image/png;base64,AAAA"}}, 500,
     "image_url must be a URL"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "https://a/b", "duration": 6}}, 500,
     "duration is not within the range of allowed options"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "https://a/b", "resolution": "768p"}}, 500,
     "resolution is not within the range of allowed options"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "https://a/b", "duration": "10",
                "resolution": "1080P"}}, 500, None),
    ({"model": "bytedance/v1-pro-image-to-video",
      "input": {"prompt": "x", "image_url": "https://a/b", "seed": 1.5}}, 500,
     "seed is not within the range of allowed options"),
])
def test_kie_refuses_under_http_200_with_a_code(quick, body, code, text):
    answer = quick.create(body)
    assert answer.status == 200
    assert answer.json["code"] == code and answer.json["data"] is None
    assert text is None or answer.json["msg"] == text
    assert quick.stats()["creates"] == {
        "accepted": 0, "refused": 1, "rate_limited": 0, "max_in_10s": 1}


def test_kie_keys_paths_and_unknown_tasks(quick):
    for headers in ({}, {"Authorization": "Bearer invalid-key"}, {"Authorization": "bare"}):
        answer = quick.create(headers=headers)
        assert answer.status == 200
        assert answer.json == {"code": 401, "msg": "Unauthorized \u2013 Authentication failed. "
                               "Please check that your Authorization and Content-Type headers "
                               "are correctly set."}
    wrong_type = quick.call("POST", CREATE, b"{}", dict(KEY, **{"Content-Type": "text/plain"}))
    assert wrong_type.json["code"] == 401
    assert quick.poll("0" * 32).json == {
        "code": 422, "msg": "recordInfo is null", "data": None}
    assert quick.get("/api/v1/jobs/recordInfo").json["code"] == 400
    nowhere = quick.get("/api/v1/nowhere")
    assert (nowhere.status, nowhere.json["path"]) == (404, "/api/v1/nowhere")
    assert quick.get(CREATE).status == 405


def test_kie_bills_successes_only_and_holds_what_runs(start, clip):
    simulator = start("--credits", "120", "--seconds", "0.5", "--clip", clip)
    tasks = [task_of(simulator.create()) for _ in range(2)]
    refused = simulator.create()
    assert (refused.status, refused.json["code"]) == (200, 402)
    assert refused.json["msg"].startswith("Credits insufficient : ")
    simulator.faults({"on": "poll", "do": "fail", "value": "no"})
    assert simulator.poll(tasks[0]).json["data"]["failMsg"] == "no"
    third = task_of(simulator.create())
    for task in (tasks[1], third):
        assert simulator.finish(task)["state"] == "success"
    assert simulator.stats()["credits"] == 120 - 2 * 57


@pytest.mark.parametrize("model, fields, price", [
    ("hailuo/2-3-image-to-video-pro", {}, 45),
    ("hailuo/2-3-image-to-video-pro", {"resolution": "1080P"}, 80),
    ("hailuo/2-3-image-to-video-pro", {"duration": "10"}, 90),
    ("hailuo/02-image-to-video-standard", {}, 50),
    ("hailuo/02-image-to-video-standard", {"duration": "6", "resolution": "512P"}, 12),
    ("bytedance/v1-pro-image-to-video", {}, 30),
    ("bytedance/v1-pro-image-to-video", {"duration": "10", "resolution": "480p"}, 28),
    ("bytedance/v1-pro-image-to-video", {"duration": "10", "resolution": "1080p"}, 140),
])
def test_kie_prices(quick, model, fields, price):
    record = quick.finish(task_of(quick.create({
        "model": model, "input": {"prompt": "x", "image_url": "https://a/b.png", **fields}})))
    assert record["creditsConsumed"] == pytest.approx(price)


def test_kie_fresh_link(quick):
    link = link_of(quick.finish(task_of(quick.create())))
    fresh = quick.call("POST", "/api/v1/common/download-url", {"url": link}).json["data"]
    assert quick.get(fresh, headers={}).status == 200
    foreign = quick.call("POST", "/api/v1/common/download-url", {"url": "https://a/b.mp4"})
    assert foreign.json == {"code": 422, "msg": "url is wrong", "data": None}


# Uploads

def test_uploads_come_back_under_their_link(quick):
    content = png(30, 20, (1, 2, 3))
    stream = quick.upload(content, "images/tests", "Kätzchen 1.png").json
    assert stream["success"] is True and stream["code"] == 200
    data = stream["data"]
    assert data["fileName"] == "Kätzchen 1.png" and data["mimeType"] == "image/png"
    assert data["fileSize"] == len(content)
    assert data["filePath"].endswith("/images/tests/Kätzchen 1.png")
    assert quick.get(data["downloadUrl"], headers={}).body == content
    encoded = base64.b64encode(content).decode()
    for text in (encoded, "data:image/png;base64," + encoded):
        answer = quick.call("POST", "/api/file-base64-upload",
                            {"base64Data": text, "uploadPath": "b"}).json["data"]
        assert re.fullmatch(r"\d{13}-[0-9a-f]{11}\.png", answer["fileName"])
        assert quick.get(answer["downloadUrl"], headers={}).body == content
    copied = quick.call("POST", "/api/file-url-upload", {
        "fileUrl": data["downloadUrl"], "uploadPath": "c", "fileName": "c.png"}).json["data"]
    assert quick.get(copied["downloadUrl"], headers={}).body == content
    entry = next(e for e in quick.log() if e["path"] == "/api/file-stream-upload")
    assert entry["body"]["file"] == {"filename": "local.png", "bytes": len(content),
                                     "sha256": hashlib.sha256(content).hexdigest()}


def test_uploads_are_checked(quick):
    content = png(30, 20, (1, 2, 3))
    for folder, name, text in ((None, "a.png", "uploadPath is required"),
                               ("/images", "a.png", "uploadPath is invalid"),
                               ("images/../..", "a.png", "uploadPath is invalid"),
                               ("images", "../a.png", "fileName is invalid")):
        answer = quick.upload(content, folder, name)
        assert (answer.status, answer.json) == (
            200, {"success": False, "code": 400, "msg": text})
    text = quick.upload(b"no picture at all", name="a.png").json["data"]
    for link, problem in ((text["downloadUrl"], "File type not supported"),
                          (quick.base + "/kieai/sim/none.png",
                           "The file could not be downloaded")):
        answer = quick.create({"model": "hailuo/2-3-image-to-video-pro",
                               "input": {"prompt": "x", "image_url": link}})
        assert (answer.json["code"], answer.json["msg"]) == (500, problem)


def test_a_body_over_the_limit_is_refused(quick):
    answer = quick.call("POST", CREATE, b" " * ((64 << 20) + 1), timeout=30)
    assert answer.status == 413
