# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
flames_browser.py PORT SVG DIFF LARGE SHOTS

Opens flame graphs in a headless Chromium as a user would: zooms, searches, moves by keys, hovers, in
the light and in the dark. Prints a line for each case; screenshots go to the folder SHOTS.
"""
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import webdriver  # noqa: E402

FIND = """
const name = arguments[0];
const g = [...document.querySelectorAll('#frames > g')].find(
    g => g.querySelector('title').textContent.split('\\n')[0] === name);
if (!g) return null;
const box = g.querySelector('rect').getBoundingClientRect();
return {x: box.x, y: box.y, width: box.width, height: box.height,
        shown: g.style.display !== 'none',
        text: g.querySelector('text') ? g.querySelector('text').textContent : ''};
"""
TEXT = "return document.getElementById(arguments[0]).textContent"
FOCUSED = """
const title = document.activeElement && document.activeElement.querySelector('title');
return title ? title.textContent.split('\\n')[0] : '';
"""
TEXTS_FIT = """
return [...document.querySelectorAll('#frames > g')].filter(g => {
  const text = g.querySelector('text');
  return g.style.display !== 'none' && text && text.textContent &&
    text.getComputedTextLength() > +g.querySelector('rect').getAttribute('width');
}).length;
"""
FULL = "return window.innerWidth - 20"
failures = 0


def case(name, good, why=""):
    global failures
    if good:
        print(f"ok {name}", flush=True)
    else:
        failures += 1
        print(f"FAIL {name}: {why}", flush=True)


def frame(browser, name):
    return browser.run(FIND, name) or {"x": 0, "y": 0, "width": 0, "height": 0,
                                       "shown": False, "text": ""}


def near(a, b, within=1.5):
    return abs(a - b) <= within


def click(browser, name):
    at = frame(browser, name)
    browser.click(at["x"] + min(at["width"] / 2, 20), at["y"] + at["height"] / 2)


def zooming(browser, full):
    before = frame(browser, "ngx_http_gzip_body_filter")["width"]
    click(browser, "ngx_http_gzip_body_filter")
    at = frame(browser, "ngx_http_gzip_body_filter")
    case("zoom/full-width", near(at["width"], full), f"{at['width']} of {full} px")
    case("zoom/callers-full-width", near(frame(browser, "main")["width"], full))
    below = frame(browser, "longest_match")
    case("zoom/callees-grow", near(below["width"], full), f"{below['width']} px")
    case("zoom/others-vanish", not frame(browser, "copy_to_iter")["shown"])
    case("zoom/text-is-whole", at["text"] == "ngx_http_gzip_body_filter", at["text"])
    for key in ("Escape", "Backspace", "Home"):
        click(browser, "ngx_http_gzip_body_filter")
        browser.keys(key)
        at = frame(browser, "ngx_http_gzip_body_filter")
        case(f"reset/{key}", near(at["width"], before) and frame(browser, "copy_to_iter")["shown"],
             f"{at['width']} instead of {before} px")


def searching(browser, shots):
    browser.keys("/")
    case("search/opens", browser.run("return document.activeElement.id") == "term")
    browser.keys("^ngx_http_gz")
    case("search/share", browser.run(TEXT, "matched") == "matched: 17.0 %, 1 frame",
         browser.run(TEXT, "matched"))
    browser.screenshot(os.path.join(shots, "search.png"))
    browser.keys("Escape")
    case("search/escape-clears", browser.run(TEXT, "matched") == ""
         and not browser.run("return document.getElementById('term')"))
    browser.keys("Control", "f")
    browser.keys("ngx_http_(")
    case("search/broken-expression-is-text",
         browser.run(TEXT, "matched") == "matched: 0.0 %, 0 frames",
         browser.run(TEXT, "matched"))
    browser.keys("Enter")
    case("search/enter-leaves-it", not browser.run("return document.getElementById('term')")
         and browser.run(TEXT, "matched") != "")
    browser.keys("Escape")
    # What lies in another frame that matches counts once.
    browser.keys("/")
    browser.keys("^main$|^ngx_")
    case("search/nested-once", browser.run(TEXT, "matched").startswith("matched: 94.1 %"),
         browser.run(TEXT, "matched"))
    browser.keys("Escape")


def keyboard(browser, full):
    click(browser, "all")
    browser.keys("Down")
    browser.keys("Down")
    case("keys/down-is-the-widest-callee", browser.run(FOCUSED) == "_start", browser.run(FOCUSED))
    browser.keys("Left")
    case("keys/left", browser.run(FOCUSED) == "[truncated]", browser.run(FOCUSED))
    browser.keys("Right")
    browser.keys("Right")
    case("keys/right", browser.run(FOCUSED) == "_start", browser.run(FOCUSED))
    browser.keys("Up")
    case("keys/up-is-the-caller", browser.run(FOCUSED) == "node", browser.run(FOCUSED))
    case("keys/tells-details", browser.run(TEXT, "name") == "node")
    browser.keys("Enter")
    case("keys/enter-zooms", near(frame(browser, "node")["width"], full))
    ring = browser.run("return getComputedStyle(document.activeElement.querySelector('rect'))"
                       ".strokeWidth")
    case("keys/focus-is-seen", ring == "2.5px", ring)
    browser.keys("Escape")


def hovering(browser):
    at = frame(browser, "longest_match")
    browser.hover(at["x"] + 5, at["y"] + 5)
    what = browser.run(TEXT, "what")
    case("hover/name", browser.run(TEXT, "name") == "longest_match", browser.run(TEXT, "name"))
    case("hover/details", "native, /lib/x86_64-linux-gnu/libz.so.1.2.13" in what
         and "1.74 s (17.0 %), 507 samples" in what and "between rounds" in what, what)


def one_side(browser, svg, shots):
    browser.open(svg)
    full = browser.run(FULL)
    case("open/fits-the-window", near(frame(browser, "all")["width"], full),
         f"{frame(browser, 'all')['width']} of {full} px")
    overflowing = browser.run(TEXTS_FIT)
    case("open/texts-are-clipped", overflowing == 0, f"{overflowing} texts leave their frames")
    hovering(browser)
    browser.screenshot(os.path.join(shots, "light.png"))
    zooming(browser, full)
    searching(browser, shots)
    keyboard(browser, full)
    browser.pdf(os.path.join(shots, "print.pdf"))
    case("open/asks-for-nothing", browser.run(
        "return performance.getEntriesByType('resource').length") == 0)
    complaints(browser, "one-side")


def complaints(browser, name):
    said = browser.log()
    case(f"console/{name}", not said, str(said)[:300])


def difference(browser, svg, shots):
    browser.open(svg)
    at = frame(browser, "longest_match")
    browser.hover(at["x"] + 5, at["y"] + 5)
    what = browser.run(TEXT, "what")
    case("diff/vanished-is-there", "only in A, beyond the noise" in what, what)
    at = frame(browser, "copy_to_iter")
    browser.hover(at["x"] + 5, at["y"] + 5)
    what = browser.run(TEXT, "what")
    case("diff/noise", "within the noise" in what, what)
    browser.keys("/")
    browser.keys("^deflate_(slow|fast)$")
    matched = browser.run(TEXT, "matched")
    case("diff/share-of-both", matched == "matched: 17.0 % of A, 8.8 % of B, 2 frames", matched)
    browser.keys("Escape")
    browser.screenshot(os.path.join(shots, "diff.png"))
    complaints(browser, "diff")


def large(browser, svg, shots):
    begin = time.time()
    browser.open(svg)
    opened = time.time() - begin
    case("large/opens", opened < 20, f"took {opened:.1f} s")
    begin = time.time()
    browser.run("document.querySelectorAll('#frames > g')[900].dispatchEvent("
                "new MouseEvent('click', {bubbles: true}))")
    zoomed = time.time() - begin
    case("large/zooms", zoomed < 10, f"took {zoomed:.1f} s")
    print(f"large: opened in {opened:.2f} s, zoomed in {zoomed:.2f} s", file=sys.stderr)
    browser.screenshot(os.path.join(shots, "large.png"))
    complaints(browser, "large")


def dark(browser, svg, diff, shots):
    browser.open(svg)
    colour = browser.run("return getComputedStyle(document.getElementById('back')).fill")
    case("dark/background", colour == "rgb(23, 24, 28)", colour)
    browser.screenshot(os.path.join(shots, "dark.png"))
    browser.open(diff)
    browser.screenshot(os.path.join(shots, "diff-dark.png"))
    complaints(browser, "dark")


def with_browser(port, is_dark, *steps):
    browser = webdriver.Browser(port, dark=is_dark)
    try:
        for step, *args in steps:
            step(browser, *args)
    finally:
        browser.close()


def main():
    port, svg, diff, big, shots = int(sys.argv[1]), *sys.argv[2:6]
    try:
        with_browser(port, False, (one_side, svg, shots), (difference, diff, shots),
                     (large, big, shots))
        with_browser(port, True, (dark, svg, diff, shots))
    except Exception:  # the case that it happened in is the last one that was printed
        traceback.print_exc()
        case("browser", False, traceback.format_exc().strip().splitlines()[-1])
    sys.exit(failures > 0)


main()
