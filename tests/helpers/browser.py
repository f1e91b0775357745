"""A real browser, in which tests look at pages."""

import contextlib
import os
from pathlib import Path

import servers
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

FOREIGN_HOST = "evil.example"

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Whatever a page asks for, no other machine is asked.
    # One name leads here, as that of an attacker may.
    f"--host-resolver-rules=MAP {FOREIGN_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Browser:
    """Chromium, and where its pictures go."""

    def __init__(self, driver, pictures):
        self.driver = driver
        self.pictures = pictures

    def open(self, url):
        self.driver.get("about:blank")  # else another fragment of a page is not loaded anew
        self.driver.get(url)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """What elements say at one moment, however often they are drawn anew."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        return self.driver.execute_script(script, selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, seconds=20):
        return WebDriverWait(self.driver, seconds, 0.1).until(lambda _: condition())

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def picture(self, name):
        """Save what is seen."""
        self.driver.save_screenshot(str(self.pictures / name))


@contextlib.contextmanager
def chromium(new_folder):
    """Chromium with a profile of its own, until the end of the block.

    Args:
        new_folder: makes a folder of a name.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = servers.installed("chromium")
    profile = f"--user-data-dir={new_folder('chromium')}"
    for flag in (*FLAGS, profile, "--window-size=1400,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    pictures = Path(os.environ.get("TAXI_PIPELINE_SCREENSHOTS") or new_folder("pictures"))
    pictures.mkdir(parents=True, exist_ok=True)
    driver = webdriver.Chrome(options, Service(servers.installed("chromedriver")))
    try:
        driver.set_page_load_timeout(30)
        yield Browser(driver, pictures)
    finally:
        driver.quit()
