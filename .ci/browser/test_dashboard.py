"""The dashboard in a real browser, over a real fleet: every page, a live round, keyboard, screen reader, sizes, colours.

usage: TRIBUTARY_PROGRAMS=.build/release python -m unittest discover .ci/browser        (make test-browser)
Pictures of every page are left in TRIBUTARY_SCREENSHOTS.
"""
import os
import pathlib
import re
import shutil
import tempfile
import unittest
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from fleet import Fleet, new_token

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = os.environ.get("TRIBUTARY_PROGRAMS", HERE.parent.parent / ".build" / "release")
PICTURES = pathlib.Path(os.environ.get("TRIBUTARY_SCREENSHOTS", HERE.parent.parent / ".build" / "screenshots"))
CHECKS = (HERE / "page_checks.js").read_text()

# Each kind of page, by an address of it.
PAGES = [
    "/", "/agents", "/rounds", "/rounds/2", "/models", "/models/beads", "/models/beads/2", "/models/beads/2/verify",
    "/privacy", "/privacy/beads", "/runs", "/runs/beads-1", "/runs/compare?run=beads-1&run=beads-2", "/log", "/log/3",
]  # fmt: skip


def open_browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,900")
    # Nothing of a page may come from elsewhere, so nothing else can be resolved.
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost")
    options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.set_capability("acceptInsecureCerts", True)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tributary-browser-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.fleet = Fleet(PROGRAMS, cls.folder)
        cls.addClassCleanup(cls.fleet.stop)
        cls.set_up_fleet()
        cls.browser = open_browser()
        cls.addClassCleanup(cls.browser.quit)
        PICTURES.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        self.size(1280)
        self.prefer("light")
        self.browser.get_log("browser")

    def tearDown(self):
        errors = [entry for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual([], [entry["message"] for entry in errors if not self.is_expected(entry["message"])])

    def is_expected(self, message):
        return False

    # --- doing things -------------------------------------------------------------------------------------------------

    def open(self, path):
        self.browser.get(self.fleet.dashboard + path)

    def size(self, width, height=900):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )

    def prefer(self, scheme, motion="no-preference"):
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [
                {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion},
            ]},
        )  # fmt: skip

    def wait(self, look, seconds=60):
        # A part of a page may be replaced while it is looked at.
        patience = WebDriverWait(self.browser, seconds, 0.1, ignored_exceptions=[WebDriverException])
        return patience.until(lambda _: look())

    def text(self):
        return self.browser.find_element(By.TAG_NAME, "main").text

    def picture(self, name, width):
        height = self.browser.execute_script("return document.documentElement.scrollHeight")
        self.size(width, min(height, 4000))
        self.browser.save_screenshot(str(PICTURES / f"{name}.png"))
        self.size(width)


class FleetPages(DashboardTest):
    @classmethod
    def set_up_fleet(cls):
        cls.fleet.initialise()
        cls.fleet.serve()
        # Long enough to be seen while it runs.
        cls.fleet.apply_plan(epochs=300)
        cls.fleet.start_agents()
        cls.fleet.finish(cls.fleet.run_rounds(3))
        for seed in (1, 2):
            cls.fleet.simulate(seed)

    def test_pages_are_sound_in_light_dark_and_on_a_phone(self):
        for path in PAGES:
            name = path.split("?")[0].strip("/").replace("/", "-") or "overview"
            for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)):
                with self.subTest(path=path, scheme=scheme, width=width):
                    self.prefer(scheme)
                    self.size(width)
                    self.open(path)
                    self.assertEqual([], self.browser.execute_script(CHECKS))
                    self.picture(f"{name}-{scheme}-{'phone' if width < 500 else 'desktop'}", width)

    def test_every_page_is_reached_by_links_from_the_first(self):
        seen, kinds, waiting = set(), {}, ["/"]
        while waiting:
            path = waiting.pop(0)
            kind = re.sub(r"agent-[0-9a-f]+", "A", re.sub(r"\d+", "N", path.split("?")[0]))
            # A few of each kind are enough: a log has as many pages as leaves.
            if path in seen or kinds.get(kind, 0) >= 3:
                continue
            seen.add(path)
            kinds[kind] = kinds.get(kind, 0) + 1
            if path == "/metrics" or path.endswith("/proof"):
                continue
            self.open(path)
            self.assertNotIn("There is no such page", self.text(), path)
            self.assertEqual([], self.browser.find_elements(By.CSS_SELECTOR, ".notice.bad"), path)
            for link in self.browser.execute_script("return [...document.links].map(link => link.href)"):
                parts = urllib.parse.urlsplit(link)
                self.assertTrue(link.startswith(self.fleet.dashboard), f"{path} leads to {link}")
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
        for path in PAGES:
            kind = re.sub(r"\d+", "N", path.split("?")[0])
            if kind == "/runs/compare":
                continue  # by the form, which another test sends
            self.assertIn(kind, kinds, f"no link leads to {path}")

    def test_a_round_is_seen_live(self):
        self.open("/")
        versions = "return [...document.querySelectorAll('.tile')].map(tile => tile.textContent).join(' ')"
        before = self.browser.execute_script(versions)
        self.browser.execute_script("window.isTheSamePage = true")
        job = self.fleet.run_rounds(4)
        self.wait(lambda: re.search(r"Round \d+ of beads", self.text()))
        self.wait(lambda: re.search(r"\d of 3 agents that were selected have reported", self.text()))
        said = self.browser.find_element(By.CSS_SELECTOR, "[data-say]")
        self.wait(lambda: re.search(r"Round \d+ of beads: \w+\.", said.get_attribute("textContent")))
        self.picture("live-round", 1280)
        self.fleet.finish(job)
        self.wait(lambda: "No round is in flight" in self.text())
        self.wait(lambda: self.browser.execute_script(versions) != before)
        self.assertTrue(self.browser.execute_script("return window.isTheSamePage"))
        self.wait(lambda: said.get_attribute("textContent") == "No round is in flight.")

    def test_a_trust_chain_is_verified_at_the_press_of_a_button(self):
        self.open("/models/beads/2")
        self.browser.find_element(By.LINK_TEXT, "Verify its trust chain").click()
        self.wait(lambda: "Verified." in self.text())
        results = [chip.text for chip in self.browser.find_elements(By.CSS_SELECTOR, ".chain .chip")]
        self.assertGreaterEqual(len(results), 15)
        self.assertEqual({"passed"}, set(results))

    def test_a_leaf_comes_with_its_proof(self):
        self.open("/log")
        self.browser.find_element(By.CSS_SELECTOR, "tbody a").click()
        self.assertIn("Proven.", self.text())
        hashes = self.browser.find_elements(By.CSS_SELECTOR, ".path li")
        self.assertTrue(hashes and all(re.fullmatch(r"[0-9a-f]{64}", item.text) for item in hashes))

    def test_pages_work_without_script(self):
        self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.setScriptExecutionDisabled", {"value": False})
        for path in ("/", "/rounds", "/agents?state=active", "/models/beads/1", "/privacy", "/log?kind=modelSigned"):
            self.open(path)
            self.assertGreater(len(self.text()), 100, path)
        self.assertIn("modelSigned", self.text())
        self.open("/")
        self.assertIn('http-equiv="refresh"', self.browser.page_source)

    def test_forms_find(self):
        self.open("/log")
        self.browser.find_element(By.ID, "kind").send_keys("budgetCharged")
        self.browser.find_element(By.CSS_SELECTOR, "form.bar button").click()
        self.wait(lambda: "kind=budgetCharged" in self.browser.current_url)
        events = {cell.text for cell in self.browser.find_elements(By.CSS_SELECTOR, "tbody td:nth-child(2)")}
        self.assertEqual({"budgetCharged"}, events)

    def test_runs_are_compared(self):
        self.open("/runs")
        for box in self.browser.find_elements(By.CSS_SELECTOR, "input[type=checkbox]"):
            box.click()
        self.browser.find_element(By.CSS_SELECTOR, "form button").click()
        self.wait(lambda: "What differs" in self.text())
        self.assertIn("seed", self.text())
        self.assertEqual(2, len(self.browser.find_elements(By.CSS_SELECTOR, ".chart polyline")))

    def test_the_keyboard_reaches_everything_and_is_seen(self):
        self.open("/")
        body = self.browser.find_element(By.TAG_NAME, "body")
        body.send_keys(Keys.TAB)
        active = self.browser.switch_to.active_element
        self.assertEqual("Skip to the content", active.text)
        active.send_keys(Keys.ENTER)
        self.assertEqual("main", self.browser.switch_to.active_element.get_attribute("id"))
        self.open("/agents")
        wanted = self.browser.execute_script(
            "return [...document.querySelectorAll('a[href], button, input, select, summary')].length"
        )
        reached = set()
        for _ in range(wanted + 10):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            outline = self.browser.execute_script(
                "const style = getComputedStyle(document.activeElement);"
                "return [style.outlineStyle, parseFloat(style.outlineWidth)]"
            )
            active = self.browser.switch_to.active_element
            if active.tag_name == "body":
                break
            self.assertTrue(outline[0] != "none" and outline[1] >= 2, active.get_attribute("outerHTML")[:120])
            reached.add(active.id)
        self.assertGreaterEqual(len(reached), wanted)

    def test_little_moves_for_those_who_want_that(self):
        self.prefer("light", "reduce")
        self.open("/")
        moving = self.browser.execute_script(
            "return [...document.querySelectorAll('*')].filter(element => {"
            "const style = getComputedStyle(element);"
            "return style.transitionDuration !== '0s' || style.animationName !== 'none' }).length"
        )
        self.assertEqual(0, moving)

    def test_the_checks_find_what_is_wrong(self):
        self.open("/")
        self.browser.execute_script("""
            document.querySelector("main").insertAdjacentHTML("beforeend",
                '<h4>skips</h4><img src="/favicon.svg"><input><a href="/"></a><svg></svg><p id="now">twice</p>'
                + '<p class="pale">pale</p><div class="wide">wide</div>'
                + '<table><thead><tr><th>no scope</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>');
            document.querySelector(".pale").style.color = "#999";
            document.querySelector(".wide").style.width = "3000px";
        """)
        found = "\n".join(self.browser.execute_script(CHECKS))
        for problem in (
            "skips a level", "has no name: <input", "has no name: <a", "has no name: <img", "neither named nor hidden",
            "now is there twice", "contrast 2.", "3000", "no caption", "no scope", "no header",
        ):  # fmt: skip
            self.assertIn(problem, found)

    def test_a_wrong_address_leads_back(self):
        self.open("/rounds/999999")
        self.assertIn("What to do", self.text())
        self.assertEqual([], self.browser.execute_script(CHECKS))
        self.browser.find_element(By.LINK_TEXT, "Back to the overview").click()
        self.assertEqual("Overview", self.browser.find_element(By.TAG_NAME, "h1").text)

    def is_expected(self, message):
        # The page that is not there.
        return "/rounds/999999" in message and "404" in message


class EmptyFleet(DashboardTest):
    @classmethod
    def set_up_fleet(cls):
        cls.fleet.initialise()
        cls.fleet.serve()

    def test_pages_of_a_new_fleet_say_what_to_do_next(self):
        for path in ("/", "/agents", "/rounds", "/models", "/privacy", "/runs", "/log"):
            with self.subTest(path=path):
                self.open(path)
                self.assertEqual([], self.browser.execute_script(CHECKS))
                if path != "/log":
                    self.assertTrue(self.browser.find_elements(By.CLASS_NAME, "empty"))
        self.open("/")
        self.picture("new-fleet", 1280)


class BehindAToken(DashboardTest):
    @classmethod
    def set_up_fleet(cls):
        cls.token_file = cls.folder / "dashboard.token"
        cls.token = new_token(cls.token_file)
        cls.fleet.initialise(f'listen = "0.0.0.0"\ntoken_file = "{cls.token_file}"')
        cls.fleet.serve()

    def is_expected(self, message):
        return "401" in message

    def test_a_person_signs_in_and_out_over_tls(self):
        self.assertTrue(self.fleet.dashboard.startswith("https://127.0.0.1:"))
        self.open("/agents?state=revoked")
        self.assertEqual("Sign in", self.browser.find_element(By.TAG_NAME, "h1").text)
        self.assertEqual([], self.browser.execute_script(CHECKS))
        self.picture("sign-in", 1280)
        field = self.browser.find_element(By.ID, "token")
        field.send_keys("wrong", Keys.ENTER)
        self.wait(lambda: "That is not the token" in self.text())
        self.browser.find_element(By.ID, "token").send_keys(self.token, Keys.ENTER)
        self.wait(lambda: self.browser.find_element(By.TAG_NAME, "h1").text == "Fleet")
        self.assertTrue(self.browser.current_url.endswith("/agents?state=revoked"))
        cookie = self.browser.get_cookies()[0]
        self.assertTrue(cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict")
        self.assertNotIn(self.token, cookie["value"])
        self.browser.find_element(By.CSS_SELECTOR, "header button").click()
        self.wait(lambda: self.browser.find_element(By.TAG_NAME, "h1").text == "Sign in")
        self.assertEqual([], self.browser.get_cookies())


class Stopping(DashboardTest):
    @classmethod
    def set_up_fleet(cls):
        cls.fleet.initialise()
        cls.fleet.serve()

    def is_expected(self, message):
        # The coordinator is gone.
        return "ERR_" in message

    def test_a_reader_does_not_keep_the_coordinator_from_stopping(self):
        self.open("/")
        self.wait(lambda: self.browser.execute_script("return performance.getEntriesByName(location.origin + '/live').length + 1"))
        self.assertLess(self.fleet.stop(), 10)


if __name__ == "__main__":
    unittest.main()
