"""Takes the README's picture of the dashboard: a round in flight over the real data that `make demo` left in .demo.

usage: .venv/bin/python -B .ci/browser/picture.py FILE.png        after make demo
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from selenium.webdriver.common.by import By

from fleet import Fleet
from test_dashboard import PROGRAMS, open_browser

DEMO = pathlib.Path(__file__).resolve().parent.parent.parent / ".demo"
WIDTH, MOST_BYTES = 1180, 200 << 10


class DemoFleet(Fleet):
    """What the demo left, in a copy."""

    def resume(self):
        file = self.state / "coordinator.toml"
        text = file.read_text().split("[dashboard]")[0]
        file.write_text(text + '\n[dashboard]\nport = 0\n')
        if "[data.fashion]" not in text:
            with open(file, "a") as out:
                out.write('\n[data.fashion]\npublic = "../coordinator-data/public"\ntest = "../coordinator-data/test"\n')
        self.serve()
        for home in sorted((self.base / "agents").iterdir()):
            self.start("tributary-agentd", "--config", home / "agent.toml", log=f"{home.name}.log")
            self.agents += 1
        self.wait(lambda: self.coordinator("status")["agents_here"] == self.agents, "every agent to wait for work")


def take(fleet, browser, file):
    browser.get(fleet.dashboard)
    start = ["round", "start", "fashion", "--rounds", "12", "--dir", fleet.state]
    subprocess.run([str(part) for part in (fleet.programs / "tributary-coordinator", *start)], check=True)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        text = browser.find_element(By.TAG_NAME, "main").text
        found = re.search(r"(\d+) of (\d+) agents that were selected have reported", text)
        versions = re.search(r"fashion, version (\d+)", text)
        if found and versions and int(versions[1]) >= 10 and 4 <= int(found[1]) < int(found[2]):
            break
        time.sleep(0.05)
    height = browser.execute_script("return document.documentElement.scrollHeight")
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": WIDTH, "height": min(height, 900), "deviceScaleFactor": 1, "mobile": False},
    )
    browser.save_screenshot(str(file))


def main():
    file = pathlib.Path(sys.argv[1])
    if not (DEMO / "coordinator").exists():
        sys.exit(f"error: there is nothing in {DEMO}: run make demo first")
    with tempfile.TemporaryDirectory(prefix="tributary-picture-") as folder:
        base = pathlib.Path(folder) / "demo"
        shutil.copytree(DEMO, base)
        fleet = DemoFleet(PROGRAMS, base, agents=0)
        browser = open_browser()
        try:
            fleet.resume()
            browser.set_window_size(WIDTH, 900)
            file.parent.mkdir(parents=True, exist_ok=True)
            take(fleet, browser, file)
        finally:
            browser.quit()
            fleet.stop()
    if file.stat().st_size > MOST_BYTES:
        sys.exit(f"error: {file} has {file.stat().st_size} bytes, more than {MOST_BYTES}")
    print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
