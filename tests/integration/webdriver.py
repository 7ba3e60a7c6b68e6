# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A headless Chromium by chromedriver on loopback, with nothing but Python's standard library."""
import base64
import json
import os
import signal
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# Of the WebDriver protocol, in place of a name.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Escape": "\ue00c", "Enter": "\ue007", "Backspace": "\ue003", "Home": "\ue011",
        "Up": "\ue013", "Down": "\ue015", "Left": "\ue012", "Right": "\ue014",
        "Control": "\ue009"}


class Browser:
    def __init__(self, port, dark=False, width=1280, height=800):
        self.profile = tempfile.mkdtemp(prefix="perfbpf-browser.")
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.base = f"http://127.0.0.1:{port}"
        self.session = None
        self._wait()
        arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", f"--window-size={width},{height}",
            f"--user-data-dir={self.profile}"]
        if dark:
            arguments.append("--force-dark-mode")
            arguments.append("--blink-settings=preferredColorScheme=0")
        options = {"args": arguments}
        value = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = "/session/" + value["sessionId"]

    def _wait(self):
        for _ in range(200):
            try:
                urllib.request.urlopen(self.base + "/status", timeout=2).read()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError("chromedriver does not answer")

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + (self.session or "") + path, method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:400]) from error

    def open(self, path):
        self.call("POST", "/url", {"url": "file://" + os.path.abspath(path)})

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def keys(self, *names):
        """Each a name of KEYS or text; with Control first, all at once."""
        actions = []
        for name in names:
            for char in KEYS.get(name, name):
                actions.append({"type": "keyDown", "value": char})
                if name != "Control":
                    actions.append({"type": "keyUp", "value": char})
        if "Control" in names:
            actions.append({"type": "keyUp", "value": KEYS["Control"]})
        self.call("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})

    def click(self, x, y):
        self.pointer(x, y, [{"type": "pointerDown", "button": 0},
                            {"type": "pointerUp", "button": 0}])

    def hover(self, x, y):
        self.pointer(x, y, [])

    def pointer(self, x, y, then):
        self.call("POST", "/actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
            "actions": [{"type": "pointerMove", "duration": 0, "x": int(x), "y": int(y)}]
            + then}]})

    def log(self):
        """What the page and its script have complained of."""
        return self.call("POST", "/se/log", {"type": "browser"})

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call("GET", "/screenshot")))

    def pdf(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call(
                "POST", "/print", {"orientation": "landscape", "background": False})))

    def close(self):
        try:
            if self.session:
                self.call("DELETE", "")
        except (RuntimeError, OSError):
            pass
        finally:
            try:
                os.killpg(self.driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.driver.wait()
            shutil.rmtree(self.profile, ignore_errors=True)
