"""gallery.html in real browsers: what it shows, keys alone, hostile texts, ten thousand jobs."""
import os

import pytest

import harness
from browser import Chromium, Firefox
from harness import FLAT, HAILUO_02, TEXT, png
from test_gallery import crowd

pytestmark = [
    pytest.mark.no_asan("about browsers; what they read is made under it in test_gallery.py"),
    pytest.mark.xdist_group("gallery"),  # one start of each browser
]

HOSTILE = "</script><img src=x onerror=\"owned=1\"><b>bold</b>\u2028'\"`${owned=1}&lt;"
NAME = "<img src=x onerror=owned=1>'\"#?%20&amp;"
OTHERS = 10000
TILE = "[...document.querySelectorAll('.cell')].find((cell) => cell.name.textContent === arguments[0])"
PROBE = """
const video = arguments[0];
video.events = [];
for (const event of ["pause", "emptied", "abort", "error"])
    video.addEventListener(event, () => video.events.push(event));
"""


@pytest.fixture(scope="module")
def kino(tmp_path_factory, clip):
    """A mount with a bit of everything."""
    directory = tmp_path_factory.mktemp("gallery")
    sim = harness.Simulator(str(directory / "sim"), clip=clip)
    mount = harness.Mount(directory / "kino", sim)
    try:
        mount.start()
        mount.drop(HAILUO_02, "summer/cat.png", png())
        mount.drop(HAILUO_02, "summer/cat.json", {"prompt": "a cat on a shelf", "duration": 6})
        mount.drop(TEXT, "dog.txt", "a dog\nin the rain")
        mount.drop(TEXT, NAME + ".txt", HOSTILE)
        mount.drop(TEXT, "café\udcff.txt", "a name of any bytes")
        mount.drop(HAILUO_02, "swan.txt", "waits for its picture")
        sim.faults({"on": "poll", "do": "fail", "model": FLAT, "times": 0,
                    "value": "<script>owned=1</script> was flagged"})
        mount.drop(FLAT, "storm.txt", "a storm")
        for model, name in ((TEXT, "dog"), (TEXT, NAME), (HAILUO_02, "summer/cat")):
            mount.done(model, name)
        mount.run("retry", mount.path(TEXT, "dog.txt"))
        mount.done(TEXT, "dog", take=2)
        mount.wait_state(FLAT, "storm", "failed")
        yield mount
    finally:
        mount.close()
        sim.stop()


@pytest.fixture(scope="module")
def full(tmp_path_factory, kino):
    """A mount with ten thousand jobs of this month, and a few older ones."""
    directory = tmp_path_factory.mktemp("full")
    mount = harness.Mount(directory / "kino", kino.sim)
    try:
        mount.start()
        mount.drop(TEXT, "first.txt", "a prompt")
        mount.done(TEXT, "first")
        mount.unmount()
        crowd(mount, OTHERS, old=2)
        yield mount.start()
    finally:
        mount.close()


@pytest.fixture(scope="module", params=[
    pytest.param(Chromium, id="chromium"),
    pytest.param(Firefox, id="firefox", marks=pytest.mark.by_name("a second large browser"))])
def browser(request, tmp_path_factory, kino, full):  # it ends before they do
    browser = request.param(str(tmp_path_factory.mktemp("browser")))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, kino):
    browser.open(kino.path("gallery.html"))
    browser.wait(TILE, "storm")
    yield browser
    assert browser.js("return window.owned") is None
    assert browser.errors() == []


def text_of(page, name):
    return page.js("return (%s).innerText" % TILE, name)


def test_every_job_is_shown_with_its_poster_and_what_it_cost(page, kino):
    for name in ("dog", NAME, "cat"):
        shown = "summer/cat" if name == "cat" else name
        page.wait("(%s).media && (%s).media.readyState >= 1" % (TILE, TILE), shown)
    assert "a cat on a shelf" in text_of(page, "summer/cat")
    assert "6 s" in text_of(page, "summer/cat") and "$" in text_of(page, "summer/cat")
    assert "2 takes" in text_of(page, "dog")
    assert HOSTILE.replace("\u2028", "") in text_of(page, NAME).replace("\u2028", "")
    assert "flagged" in text_of(page, "storm") and "failed" in text_of(page, "storm")
    assert "waiting" in text_of(page, "swan")
    assert page.js("return document.querySelectorAll('[src=x]').length") == 0
    assert "jobs" in page.js("return document.getElementById('summary').innerText")
    assert "$" in page.js("return document.getElementById('spent').innerText")
    loaded = page.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith("file://") for name in loaded)


def test_what_plays_goes_on_when_something_new_comes(page, kino, browser):
    page.js("(%s).button.scrollIntoView(); (%s).button.id = 'hovered'" % (TILE, TILE), "dog")
    page.wait("(%s).media" % TILE, "dog")
    page.point("#hovered")
    page.wait("!(%s).media.paused" % TILE, "dog")
    page.js("window.probed = (%s).media; (function () { %s })(window.probed)" %
            (TILE, PROBE.replace("arguments[0]", "window.probed")), "dog")
    new = "new-" + type(browser).__name__
    jobs = "document.getElementById('summary').innerText"
    before = page.js("return " + jobs)
    kino.drop(TEXT, new + ".txt", "something new: " + new)
    kino.done(TEXT, new)
    page.wait(jobs + " !== arguments[0]", before)
    assert page.js("return probed.events") == []
    assert page.js("return !probed.paused && probed.isConnected && probed === (%s).media" % TILE, "dog")
    page.point("h1")  # nothing is watched any more, so that all may move
    page.wait(TILE, new)
    assert page.js("return probed.paused")

    page.js("(%s).button.click()" % TILE, "dog")
    page.wait("!document.querySelector('#stage video').paused")
    page.js("window.probed = document.querySelector('#stage video'); (function () { %s })()" %
            PROBE.replace("arguments[0]", "probed"))
    before = page.js("return " + jobs)
    kino.drop(TEXT, new + "-too.txt", "something else: " + new)
    kino.done(TEXT, new + "-too")
    page.js("document.dispatchEvent(new Event('visibilitychange'))")  # it looks again at once
    page.wait(jobs + " !== arguments[0]", before)
    assert page.js("return probed.events") == []
    assert page.js("return !probed.paused && document.querySelector('#stage video') === probed")
    page.keys("Escape")
    page.wait("document.activeElement.matches('.tile')")


def test_keys_alone_lead_everywhere(page):
    page.keys("/", "dog", "Enter")
    page.wait("document.querySelectorAll('.cell').length === 1 && "
              "document.activeElement.matches('.tile')")
    page.keys("Enter")
    page.wait("document.getElementById('viewer').open")
    page.wait("document.querySelector('#stage video').currentTime > 0")
    assert page.js("return document.getElementById('info').innerText").count("in the rain") == 1
    page.keys("Space")
    page.wait("document.querySelector('#stage video').paused")
    page.keys("i")
    page.wait("document.getElementById('info').hidden")
    page.keys("i", "Up")
    page.wait("document.querySelector('#takes button').getAttribute('aria-pressed') === 'true'")
    page.keys("c")
    page.wait("document.getElementById('toast').innerText.includes('copied')")
    page.keys("/")  # the viewer is closed, and what is pasted is what was copied
    assert page.js("return document.activeElement.id") == "search"
    page.js("document.getElementById('search').value = ''")
    page.chord("Control", "v")
    page.wait("document.getElementById('search').value.startsWith('a dog')")
    page.keys("Escape")
    page.wait("document.querySelectorAll('.cell').length > 4")
    first = page.js("return document.activeElement.parentNode.index")
    page.keys("Right")
    page.wait("document.activeElement.parentNode.index === arguments[0] + 1", first)
    page.keys("Enter")
    page.wait("document.getElementById('viewer').open")
    page.keys("Left", "Escape")
    page.wait("document.activeElement.parentNode.index === arguments[0]", first)


def test_takes_are_compared_in_step(page):
    page.js("(%s).button.click()" % TILE, "dog")
    page.keys("v")
    page.wait("document.querySelectorAll('#stage video').length === 2")
    page.wait("[...document.querySelectorAll('#stage video')].every((one) => one.currentTime > 0)")
    page.keys("Space")
    page.wait("(([a, b]) => a.paused && b.paused && Math.abs(a.currentTime - b.currentTime) < 0.1)"
              "(document.querySelectorAll('#stage video'))")
    page.keys("Escape")


def test_a_problem_says_why_and_what_to_type(page):
    page.js("(%s).button.click()" % TILE, "storm")
    told = page.js("return document.querySelector('.trouble').innerText")
    assert "<script>owned=1</script> was flagged" in told and "kinofs retry" in told
    page.keys("Escape")


def test_filters_leave_what_was_asked_for(page):
    def shown():
        return page.js("return grid_names()")
    page.js("window.grid_names = () => [...document.querySelectorAll('.cell')]"
            ".map((cell) => cell.name.textContent)")
    for name, value, left in (("folder", "summer", ["summer/cat"]), ("state", "problem", None),
                              ("model", HAILUO_02, None)):
        page.js("const select = document.getElementById(arguments[0]); select.value = arguments[1];"
                "select.dispatchEvent(new Event('change'))", name, value)
        page.wait("document.getElementById('empty').hidden")
        if left:
            page.wait("grid_names().join() === arguments[0]", ",".join(left))
            page.js("document.getElementById('folder').value = ''")
    assert sorted(shown()) == ["swan"]


def test_of_ten_thousand_jobs_only_those_in_sight_cost_anything(browser, full):
    browser.open(full.path("gallery.html"))
    browser.wait("(document.getElementById('summary').innerText.match(/[\\d,.\u202f\u00a0]+(?= jobs)/)"
                 " || [''])[0].replace(/\\D/g, '') > %d" % OTHERS)
    boxes = "document.querySelectorAll('#grid *').length"
    players = "document.querySelectorAll('video').length"
    browser.wait("document.querySelector('video')")
    assert browser.js("return " + boxes) < 1000 and browser.js("return " + players) < 60
    browser.js("scrollTo(0, document.body.scrollHeight / 2)")
    browser.wait("+document.querySelector('.cell:nth-child(9)').getAttribute('aria-posinset') > 1000")
    assert browser.js("return " + boxes) < 1000 and browser.js("return " + players) < 60
    browser.js("document.activeElement.blur(); document.querySelector('.tile').focus()")
    browser.keys("End")
    browser.wait("document.activeElement.parentNode.index >= %d" % OTHERS)
    older = browser.js("return document.getElementById('older').innerText")
    assert older.startswith("Show ")
    browser.js("document.getElementById('older').click()")
    browser.wait("document.getElementById('older').innerText !== arguments[0]", older)
    browser.keys("/", "crowd-04242")
    browser.wait("document.querySelectorAll('.cell').length === 1")
