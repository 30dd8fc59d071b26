#!/usr/bin/env python3
"""report_page_test.py MAKE_REPORT [SCREENSHOTS]: the report's page in headless Chromium, opened from disk: mouse, finger and keys, search, sorting, names
that would be markup, what lies on which pixels, and how long a thousand pictures take. Skipped (77) where chromium or chromium-driver is not installed."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from browser import Browser, missing

MAKE_REPORT = None
SCREENSHOTS = None
MANY = 1000
MOST_MS = 2000  # until a thousand pictures are there

HOSTILE = '"><img src=x onerror=alert(1)>.jpg'


@functools.cache
def report(count):
    folder = pathlib.Path(FOLDER.name) / str(count)
    subprocess.run([MAKE_REPORT, folder, "made-up", str(count)], check=True)
    return folder


class Page(unittest.TestCase):
    count = 30
    window = {}

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser(**cls.window)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.open()

    def open(self, rest=""):
        self.browser.open((report(self.count) / "index.html").as_uri() + rest)

    def tearDown(self):
        self.assertFalse(self.browser.dialog_is_open(), "script from outside has run")
        ours = "willReadFrequently"  # what Chromium says to tests that look at pixels
        self.assertEqual([message for message in self.browser.complaints() if ours not in message], [])

    def value(self, expression, *arguments):
        return self.browser.run("return " + expression, *arguments)

    def text(self, selector):
        return self.value("document.querySelector(arguments[0]).textContent", selector)

    def captions(self):
        return self.value("[...document.querySelectorAll('.card .caption')].map(e => e.textContent)")

    def names(self):
        return self.value("[...document.querySelectorAll('.card .name')].map(e => e.textContent)")

    def focused(self):
        return self.value("document.activeElement.dataset.n ?? document.activeElement.id")

    def choose(self, order):
        self.browser.run("const s = document.getElementById('sort'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))", order)

    def open_picture(self, number):
        self.browser.run("document.querySelector(arguments[0]).click()", f".card a[data-n='{number}']")
        self.browser.wait("document.querySelector('dialog[open] .word') && document.getElementById('photo').complete")

    def shown_word(self):
        """The word whose attention is on the picture."""
        return self.value("[...document.querySelectorAll('.word.shown')].map(e => e.textContent)")

    def screenshot(self, name):
        if SCREENSHOTS:
            self.browser.screenshot(os.path.join(SCREENSHOTS, name + ".png"))


class Gallery(Page):
    def test_shows_every_picture_in_order_and_names_as_they_are(self):
        names = self.names()
        self.assertEqual(len(names), self.count)
        self.assertEqual(names[0], HOSTILE.split("/")[-1])
        self.assertEqual(names[1:4], ["1.jpg", "2.jpg", "3.jpg"])
        self.assertEqual(self.captions()[0], "<script>alert('word')</script> dog sleeps")
        self.assertEqual(self.text("#title"), "</title><script>alert('title')</script>")
        self.assertEqual(self.value("document.title"), "</title><script>alert('title')</script>")
        self.assertIn("<b onclick=alert(1)>model</b>", self.text("#summary"))
        self.assertEqual(self.value("document.querySelectorAll('main img').length"), self.count)
        self.browser.wait("[...document.querySelectorAll('main img')].slice(0, 6).every(i => i.complete && i.naturalWidth > 0)")
        self.screenshot("gallery")

    def test_lists_failures_with_their_reasons(self):
        self.browser.click("#tab-failures")
        paths = self.value("[...document.querySelectorAll('.failures .path')].map(e => e.textContent)")
        self.assertEqual(paths, [f"made/up/<img src=x onerror=alert({i})>" for i in (9, 19, 29)])
        self.assertEqual(self.text(".failures .message"), "cannot decode '<img src=x onerror=alert(2)>': not a picture")
        self.assertEqual(self.text(".failures .code"), "decode")
        self.assertFalse(self.value("Boolean(document.querySelector('.card'))"))
        self.screenshot("failures")
        self.browser.press("ArrowLeft")  # tabs go by arrow keys
        self.assertEqual(self.focused(), "tab-pictures")
        self.assertEqual(len(self.captions()), self.count)

    def test_searches_captions_and_names(self):
        self.browser.press("/", "RUNS one")
        captions = self.captions()
        self.assertEqual(captions, ["one dog runs"] * 12)
        self.assertEqual(self.value("[...document.querySelectorAll('.card mark')].slice(0, 2).map(e => e.textContent)"), ["one", "runs"])
        self.assertEqual(self.text("#status"), "12 pictures shown")
        self.browser.press(*["Backspace"] * 8, "onerror")
        self.assertEqual(self.names(), [HOSTILE])
        self.browser.press("<b>nothing")
        self.assertEqual(self.captions(), [])
        self.assertIn("<b>nothing", self.text("#nothing"))

    def test_sorts(self):
        sure = "[...document.querySelectorAll('.card')].map(e => glimpse.entry(Number(e.querySelector('a').dataset.n)).confidence)"
        given = self.value(sure)
        self.choose("sure")
        self.assertEqual(self.value(sure), sorted(given, reverse=True))
        self.choose("unsure")
        self.assertEqual(self.value(sure), sorted(given))
        self.choose("name")
        names = self.names()
        self.assertLess(names.index("2.jpg"), names.index("11.jpg"))
        self.choose("input")
        self.assertEqual(self.value(sure), given)
        self.assertNotEqual(given, sorted(given))

    def test_arrow_keys_go_through_the_pictures(self):
        self.browser.run("document.querySelector('.card a').focus()")
        self.browser.press("ArrowRight", "ArrowRight", "ArrowLeft")
        self.assertEqual(self.focused(), "1")
        place = "document.activeElement.getBoundingClientRect()"
        left = self.value(place + ".left")
        self.browser.press("ArrowDown")
        width = self.value(place + ".width")
        self.assertNotEqual(self.focused(), "1")
        self.assertLess(abs(self.value(place + ".left") - left), width)
        self.browser.press("ArrowUp")
        self.assertEqual(self.focused(), "1")

    def test_is_light_or_dark_as_the_system_is_unless_told(self):
        ground = "getComputedStyle(document.body).backgroundColor"
        seen = {}
        for theme in ("light", "dark"):
            self.browser.chrome("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            seen[theme] = self.value(ground)
        self.assertNotEqual(seen["light"], seen["dark"])
        self.browser.wait("document.getElementById('theme').getAttribute('aria-pressed') === 'true'")
        self.browser.click("#theme")
        self.assertEqual(self.value(ground), seen["light"])
        self.open()
        self.assertEqual(self.value(ground), seen["light"])
        self.browser.click("#theme")
        self.assertEqual(self.value(ground), seen["dark"])
        self.assertFalse(self.value("'theme' in document.documentElement.dataset"))

    def test_everything_has_a_name_that_can_be_read_out(self):
        self.open_picture(3)
        nodes = self.browser.chrome("Accessibility.getFullAXTree")["nodes"]
        roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
        for role in ("button", "option", "radio", "checkbox", "dialog", "listbox", "image"):
            of_role = [name for r, name in roles if r == role]
            self.assertTrue(of_role, role)
            self.assertTrue(all(of_role), (role, of_role))
        self.assertIn("one: probability", next(name for role, name in roles if role == "option"))


class Sealed(Page):
    def tearDown(self):
        self.assertFalse(self.browser.dialog_is_open())
        self.browser.complaints()

    def test_markup_that_got_in_after_all_could_not_run(self):
        self.browser.run("document.body.insertAdjacentHTML('beforeend', '<img id=planted src=x onerror=\"window.hit = 1\">')")
        self.browser.wait("document.getElementById('planted').complete")
        self.assertIsNone(self.value("window.hit ?? null"))
        self.assertIn("Content Security Policy", " ".join(self.browser.complaints()))


class Damaged(Page):
    """A report that was cut short says so, and shows what there is."""

    def tearDown(self):
        self.browser.complaints()

    def open(self, rest=""):
        pass

    def copy(self):
        folder = pathlib.Path(FOLDER.name) / self.id()
        shutil.copytree(report(self.count), folder)
        return folder, (folder / "index.html").as_uri()

    def test_says_that_a_file_was_cut_short(self):
        folder, address = self.copy()
        entries = folder / "glimpse/entries.js"
        os.truncate(entries, entries.stat().st_size - 9)
        self.browser.open(address)
        self.assertIn("cut short", self.text("#notice:not([hidden])"))

    def test_says_that_the_run_has_not_ended(self):
        folder, address = self.copy()
        run = folder / "glimpse/run.js"
        run.write_text(run.read_text().replace('"complete":true', '"complete":false'))
        self.browser.open(address)
        self.assertIn("has not ended", self.text("#notice:not([hidden])"))
        self.assertEqual(len(self.captions()), self.count)

    def test_a_picture_without_its_words_still_opens(self):
        folder, address = self.copy()
        (folder / "glimpse/pictures/000/001.js").unlink()
        (folder / "glimpse/pictures/000/002.js").write_text("glimpse.picture(2,{")
        self.browser.open(address)
        for number in (1, 2):
            self.browser.run("location.hash = arguments[0]", f"#/{number}")
            self.browser.wait("/missing or damaged/.test(document.getElementById('hint').textContent)")
            self.assertEqual(self.text("#words"), "one dog runs" if number == 1 else "a dog runs")
            self.browser.press("ArrowRight", "Space", "Escape")
            self.browser.wait("!document.querySelector('dialog[open]')")
        self.browser.run("location.hash = '#/3'")
        self.browser.wait("document.querySelectorAll('.word').length === 3")
        self.assertIn("Point at a word", self.text("#hint"))


class Viewer(Page):
    def test_hovering_a_word_shows_its_attention(self):
        self.open_picture(1)
        self.assertEqual(self.shown_word(), [])
        self.assertTrue(self.is_clear())
        self.browser.hover(".word:nth-child(2)")
        self.assertEqual(self.shown_word(), ["dog"])
        self.assertFalse(self.is_clear())
        self.assertRegex(self.text("#probability"), r"^\d+(\.\d)? %$")
        self.assertEqual(self.text("#beta"), "0.75")
        self.screenshot("word")
        self.browser.hover("#viewer-name")
        self.assertTrue(self.is_clear())

    def is_clear(self):
        return self.value("!document.getElementById('heat').getContext('2d').getImageData(0, 0, heat.width, heat.height).data.some(v => v)")

    def test_keys_go_through_words_and_pictures(self):
        self.browser.run("document.querySelectorAll('.card a')[4].focus()")
        self.browser.press("Enter")
        self.browser.wait("document.querySelector('dialog[open] .word')")
        self.browser.press("ArrowRight", "ArrowRight")
        self.assertEqual(self.shown_word(), ["dog"])
        self.assertEqual(self.value("document.activeElement.getAttribute('aria-selected')"), "true")
        self.browser.press("End")
        self.assertEqual(self.shown_word(), ["runs"])
        self.browser.press("ArrowRight", "Home")
        self.assertEqual(self.shown_word(), ["a"])
        self.browser.press("PageDown")
        self.browser.wait("document.getElementById('viewer-place').textContent === '6 of 30'")
        self.browser.wait("document.querySelector('.word:last-child')?.textContent === 'sleeps'")
        self.assertEqual(self.shown_word(), [])
        self.browser.press("PageUp", "PageUp", "Escape")
        self.browser.wait("!document.querySelector('dialog[open]')")
        self.assertEqual(self.focused(), "3")
        self.assertEqual(self.value("location.hash"), "")

    def test_play_steps_through_the_words(self):
        self.open_picture(2)
        self.browser.press("Space")
        self.assertEqual(self.text("#play span"), "Pause")
        for word in ("a", "dog", "runs"):
            self.browser.wait(f"document.querySelector('.word.shown')?.textContent === '{word}'")
            self.assertIn(word + ": probability", self.text("#spoken"))
        self.browser.wait("document.querySelector('#play span').textContent === 'Play'")
        self.browser.click("#play")
        self.assertEqual(self.shown_word(), ["a"])
        self.browser.click("#play")
        self.assertEqual(self.text("#play span"), "Play")

    def test_another_caption_has_words_of_its_own(self):
        self.open_picture(1)
        self.browser.click(".candidates label:nth-of-type(2)")
        self.assertEqual(self.value("[...document.querySelectorAll('.word')].map(e => e.textContent)"), ["two", "cats"])
        self.assertEqual(self.value("document.getElementById('photo').alt"), "two cats")
        self.browser.press("ArrowUp")  # among the captions, as radio buttons do
        self.assertEqual(len(self.value("[...document.querySelectorAll('.word')]")), 3)

    def test_hostile_words_are_words(self):
        self.open_picture(0)
        self.assertEqual(self.text(".word"), "<script>alert('word')</script>")
        self.assertEqual(self.text("#viewer-name"), HOSTILE)
        self.assertEqual(self.text("#fact-file"), "made/up/" + HOSTILE)

    def test_has_an_address_and_back_closes_it(self):
        self.open("#/7")
        self.browser.wait("document.querySelector('dialog[open] .word')")
        self.assertEqual(self.text("#viewer-name"), "6.jpg" if self.value("glimpse.entry(7).path").endswith("/6.jpg") else "7.jpg")
        self.browser.click("#close")
        self.browser.wait("!document.querySelector('dialog[open]')")
        self.open_picture(2)
        self.browser.run("history.back()")
        self.browser.wait("!document.querySelector('dialog[open]')")

    def test_cells_lie_on_their_pixels(self):
        """A 320×240 picture of which the middle 240×240 were seen, in 7×7 cells; and 320×400, of which 320×320."""
        for number, box in ((3, (40 / 320, 0, 280 / 320, 1)), (1, (0, 40 / 400, 1, 360 / 400))):
            self.open_picture(number)
            left, top, right, bottom = box
            across, down = (right - left) / 7, (bottom - top) / 7
            for word, (col, row) in ((1, (0, 0)), (2, (6, 6)), (3, (3, 3))):
                self.browser.hover(f".word:nth-child({word})")
                cell = (left + col * across, top + row * down, left + (col + 1) * across, top + (row + 1) * down)
                seen = self.value(HOTTEST)
                width, height = self.value("[heat.width, heat.height]")
                for found, expected, size in zip(seen, cell, (width, height, width, height)):
                    self.assertLessEqual(abs(found - expected * size), 0.5001, (number, word, seen, cell))
            self.browser.press("Escape")
            self.browser.wait("!document.querySelector('dialog[open]')")


# The box of the pixels that are painted bright: the peak's.
HOTTEST = """(() => {
  const {width, height} = heat, data = heat.getContext('2d').getImageData(0, 0, width, height).data;
  let box = [width, height, 0, 0];
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) {
    if (data[4 * (y * width + x)] < 200) continue;
    box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x + 1), Math.max(box[3], y + 1)];
  }
  return box;
})()"""


class Phone(Page):
    window = {"width": 390, "height": 844, "scale": 2, "mobile": True}

    def test_fits_and_goes_by_fingers(self):
        self.screenshot("phone")
        too_wide = "document.documentElement.scrollWidth > innerWidth"
        self.assertFalse(self.value(too_wide))
        self.browser.click("#tab-failures")
        self.assertFalse(self.value(too_wide))
        self.browser.click("#tab-pictures")
        self.open_picture(1)
        self.browser.tap(".word:nth-child(3)")
        self.assertEqual(self.shown_word(), ["runs"])
        self.assertFalse(self.value("viewer.scrollWidth > viewer.clientWidth"))
        self.screenshot("phone-word")
        self.browser.tap(".word:nth-child(3)")
        self.assertEqual(self.shown_word(), [])


class Many(Page):
    count = MANY

    def test_opens_soon(self):
        self.browser.chrome("Network.clearBrowserCache")
        first_pictures = "[...document.querySelectorAll('.card img')].slice(0, 8)"
        taken = []
        self.browser.chrome("Performance.enable", timeDomain="threadTicks")
        for attempt in range(3):  # others may be at work here: the best counts
            begin = time.monotonic()
            self.open(f"?{attempt}")
            self.browser.wait(f"document.querySelector('.card') && {first_pictures}.every(i => i.complete && i.naturalWidth > 0)")
            taken.append(1000 * (time.monotonic() - begin))
        metrics = {metric["name"]: metric["value"] for metric in self.browser.chrome("Performance.getMetrics")["metrics"]}
        work = 1000 * metrics["TaskDuration"]
        print(f"\n{MANY} pictures: the first of them are shown after {min(taken):.0f} ms, the driver's share included; {work:.0f} ms of work")
        self.assertLess(work, MOST_MS / 2)
        if os.getloadavg()[0] < os.cpu_count():  # else it is the others' time that is measured
            self.assertLess(min(taken), MOST_MS)

    def test_reaches_the_last_picture(self):
        self.assertLess(self.value("document.querySelectorAll('.card').length"), MANY / 2)
        for _ in range(40):
            self.browser.run("scrollTo(0, document.body.scrollHeight); dispatchEvent(new Event('scroll'))")
        self.assertEqual(self.value("document.querySelectorAll('.card').length"), MANY)
        self.assertEqual(self.names()[-1], f"{MANY - 1}.jpg")


if __name__ == "__main__":
    if missing():
        print(f"skipped: there is no {missing()} here; on Debian: apt-get install chromium chromium-driver")
        sys.exit(77)
    MAKE_REPORT = os.path.abspath(sys.argv[1])
    SCREENSHOTS = sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory(prefix="glimpse-report-") as name:
        FOLDER = type("Folder", (), {"name": name})
        unittest.main(argv=sys.argv[:1], verbosity=2)
