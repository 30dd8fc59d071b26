"""Headless Chromium through Debian's chromium-driver: the W3C WebDriver protocol, as much as the tests of the report's page need, with nothing but
Python's own library."""

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {
    "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Escape": "\ue00c", "Enter": "\ue007",
    "PageUp": "\ue00e", "PageDown": "\ue00f", "Home": "\ue011", "End": "\ue010", "Tab": "\ue004", "Space": " ", "Backspace": "\ue003",
}


def missing():
    """What the tests cannot do without and is not there, or None."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return program
    return None


class Browser:
    def __init__(self, width=1280, height=860, scale=1, mobile=False):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        port = next(match[1] for line in self.driver.stdout if (match := re.search(r"successfully on port (\d+)", line)))
        self.address = f"http://127.0.0.1:{port}"
        options = {
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}",
                     "--hide-scrollbars", "--no-first-run", "--disable-background-networking"],
        }
        try:
            session = self.request("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}, "unhandledPromptBehavior": "ignore"}}})
            self.address += "/session/" + session["sessionId"]
            self.chrome("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
            if mobile:
                self.chrome("Emulation.setTouchEmulationEnabled", enabled=True)
        except BaseException:
            self.driver.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        try:
            self.request("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.driver.stdout.close()

    def request(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise RuntimeError(f"{method} {path}: {value['error']}: {value['message']}") from None

    def chrome(self, command, **parameters):
        """A command of the DevTools protocol."""
        return self.request("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, address):
        self.request("POST", "/url", {"url": address})

    def run(self, script, *arguments):
        return self.request("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, *arguments, seconds=20):
        """The first truthy result of the expression."""
        end = time.monotonic() + seconds
        while not (value := self.run("return " + script, *arguments)):
            if time.monotonic() > end:
                raise AssertionError("never true: " + script)
            time.sleep(0.03)
        return value

    def find(self, selector):
        return self.request("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.request("POST", f"/element/{self.find(selector)}/click")

    def hover(self, selector):
        origin = {ELEMENT: self.find(selector)}
        self.request("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            {"type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0}]}]})

    def tap(self, selector):
        origin = {ELEMENT: self.find(selector)}
        self.request("POST", "/actions", {"actions": [{"type": "pointer", "id": "finger", "parameters": {"pointerType": "touch"}, "actions": [
            {"type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0}, {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0}]}]})

    def press(self, *keys):
        """Keys by their names, or texts to type."""
        characters = [c for key in keys for c in (KEYS[key] if key in KEYS else key)]
        actions = [{"type": kind, "value": c} for c in characters for kind in ("keyDown", "keyUp")]
        self.request("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def complaints(self):
        """What the browser's console has said since the last call."""
        return [entry["message"] for entry in self.request("POST", "/se/log", {"type": "browser"}) if entry["level"] in ("SEVERE", "WARNING")]

    def dialog_is_open(self):
        """Whether an alert is up: script that came from outside has run."""
        try:
            self.request("GET", "/alert/text")
        except RuntimeError:
            return False
        return True

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.request("GET", "/screenshot")))
