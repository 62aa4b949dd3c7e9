"""A browser without a screen, driven as a person does: by keys and a pointer.

Chromium by Debian's chromedriver and Selenium; Firefox, for which Debian has no geckodriver, by what
that would speak to it: Marionette, the commands of WebDriver as JSON over TCP.
https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""
import base64
import json
import os
import socket
import subprocess
import time

from selenium import webdriver
from selenium.webdriver.remote.command import Command

from harness import PATIENCE

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "Left": "\ue012", "Up": "\ue013",
        "Right": "\ue014", "Down": "\ue015", "End": "\ue010", "Home": "\ue011", "Space": " ", "Control": "\ue009"}
SIZE = (1440, 900)


class Browser:
    """execute(name, parameters): a command of WebDriver."""

    def open(self, path):
        self.go("file://" + path)

    def keys(self, *keys):
        """Presses each, one after the other: a name of KEYS, or a text letter by letter."""
        presses = [key for word in keys for key in ([KEYS[word]] if word in KEYS else word)]
        self.act({"type": "key", "id": "keyboard", "actions": [
            {"type": kind, "value": key} for key in presses for kind in ("keyDown", "keyUp")]})

    def chord(self, held, key):
        """A key while another is held down."""
        self.act({"type": "key", "id": "keyboard", "actions": [
            {"type": kind, "value": value} for kind, value in (
                ("keyDown", KEYS[held]), ("keyDown", key), ("keyUp", key), ("keyUp", KEYS[held]))]})

    def point(self, selector):
        """Moves the pointer onto an element."""
        x, y = self.js("const box = document.querySelector(arguments[0]).getBoundingClientRect();"
                       "return [box.x + box.width / 2, box.y + box.height / 2]", selector)
        self.act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
                  "actions": [{"type": "pointerMove", "x": int(x), "y": int(y), "duration": 0}]})

    def wait(self, condition, *arguments):
        """Until an expression is true; its value."""
        deadline = time.monotonic() + PATIENCE
        while True:
            value = self.js("return (%s)" % condition, *arguments)
            if value:
                return value
            assert time.monotonic() < deadline, "still waiting for %s in:\n%s" % (
                condition, self.js("return document.body.innerText"))
            time.sleep(0.05)


class Chromium(Browser):
    def __init__(self, directory, dark=False):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                     "disable-background-networking", "disable-component-update", "disable-sync",
                     "disable-dev-shm-usage", "hide-scrollbars", "window-size=%d,%d" % SIZE,
                     "user-data-dir=" + os.path.join(directory, "chromium"),
                     *(["blink-settings=preferredColorScheme=0"] if dark else [])):
            options.add_argument("--" + word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            service=webdriver.ChromeService(executable_path="/usr/bin/chromedriver")
            if hasattr(webdriver, "ChromeService") else
            webdriver.chrome.service.Service("/usr/bin/chromedriver"), options=options)

    def go(self, url):
        self.driver.get(url)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def act(self, source):
        self.driver.execute(Command.W3C_ACTIONS, {"actions": [source]})

    def errors(self):
        """What the page wrote to the console as an error."""
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] == "SEVERE"]

    def screenshot(self, path):
        self.driver.save_screenshot(path)

    def close(self):
        self.driver.quit()


class Firefox(Browser):
    def __init__(self, directory, dark=False):
        profile = os.path.join(directory, "firefox")
        os.makedirs(profile)
        with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as file:
            for name, value in {"marionette.port": 0, "browser.shell.checkDefaultBrowser": False,
                                "datareporting.policy.dataSubmissionEnabled": False,
                                "app.update.enabled": False, "media.autoplay.default": 0,
                                "network.captive-portal-service.enabled": False,
                                "network.connectivity-service.enabled": False,
                                "toolkit.telemetry.enabled": False,
                                "layout.css.prefers-color-scheme.content-override": 1 - dark
                                }.items():
                file.write('user_pref("%s", %s);\n' % (name, json.dumps(value)))
        self.process = subprocess.Popen(
            ["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", profile,
             "--width", str(SIZE[0]), "--height", str(SIZE[1])],
            env={**os.environ, "HOME": directory, "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            self._connect(os.path.join(profile, "MarionetteActivePort"))
        except BaseException:
            self.process.kill()
            self.process.wait(PATIENCE)
            raise

    def _connect(self, path):
        self.stream = socket.create_connection(("127.0.0.1", self._port(path)), PATIENCE).makefile("rwb")
        self.count = 0
        self._read()  # who it is
        self.execute("WebDriver:NewSession", {})

    def _port(self, path):
        deadline = time.monotonic() + PATIENCE
        while True:
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                if text:
                    return int(text)
            assert self.process.poll() is None and time.monotonic() < deadline, "no Firefox"
            time.sleep(0.05)

    def _read(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.stream.read(1)
            assert byte, "Firefox has ended"
            length += byte
        return json.loads(self.stream.read(int(length[:-1])))

    def execute(self, name, parameters):
        self.count += 1
        message = json.dumps([0, self.count, name, parameters]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, number, error, result = self._read()
        assert number == self.count and not error, error
        return result

    def go(self, url):
        self.execute("WebDriver:Navigate", {"url": url})

    def js(self, script, *arguments):
        return self.execute("WebDriver:ExecuteScript",
                            {"script": script, "args": list(arguments)})["value"]

    def act(self, source):
        self.execute("WebDriver:PerformActions", {"actions": [source]})

    def errors(self):
        return []

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.execute(
                "WebDriver:TakeScreenshot", {"full": False})["value"]))

    def close(self):
        try:
            self.execute("Marionette:Quit", {"flags": ["eForceQuit"]})
        except (AssertionError, OSError):
            self.process.kill()
        self.process.wait(PATIENCE)
        self.stream.close()
