# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
html_browser.py PORT REPORT BIG BAND PLANTED SHOTS

Opens reports in a headless Chromium as a user would: toggles, zooms, hovers, moves by keys, opens a
flame graph, changes the colours, prints. Prints a line for each case; screenshots go to SHOTS.
"""
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import webdriver  # noqa: E402

# The first chart over time: dots of its canvas in the colour of A and of B, more or less.
INK = """
const canvas = [...document.querySelectorAll('.charted .plot')][arguments[0]].querySelector('canvas');
const copy = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
copy.canvas.width = canvas.width;
copy.canvas.height = canvas.height;
copy.drawImage(canvas, 0, 0);
const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
let a = 0, b = 0;
for (let i = 0; i < data.length; i += 4) {
  if (data[i + 3] < 100) continue;
  if (data[i + 2] > data[i] + 60) a++;
  if (data[i] > data[i + 2] + 60) b++;
}
return [a, b];
"""
BOX = """
const box = document.querySelectorAll('.charted .plot')[arguments[0]].getBoundingClientRect();
return [box.x, box.y, box.width, box.height];
"""
READOUT = "return document.querySelectorAll('.charted .readout')[arguments[0]].textContent"
TICKS = """
return [...document.querySelectorAll('.charted .plot')].slice(0, 2).map(
  p => [...p.querySelectorAll('.dygraph-axis-label-x')].map(l => l.textContent).join(' '));
"""
TOGGLE = "document.querySelector(`.controls [name=${arguments[0]}]`).click()"
# What is wider than the window, and not meant to be scrolled in itself.
OVERFLOW = "return document.documentElement.scrollWidth - window.innerWidth"
# Contrast of texts with what is behind them, by the formula of WCAG 2.1; the worst one.
CONTRAST = """
const parse = c => c.match(/[0-9.]+/g).map(Number);
const light = c => { const [r, g, b] = parse(c).map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] === 1) return getComputedStyle(e).backgroundColor; } return 'rgb(255,255,255)'; };
let worst = [99, ''];
for (const e of document.querySelectorAll('body *')) {
  if (!e.offsetParent || e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    continue;
  const x = light(getComputedStyle(e).color), y = light(behind(e));
  const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  if (ratio < worst[0]) worst = [ratio, e.className + ' ' + e.textContent.slice(0, 40)];
}
return worst;
"""
failures = 0


def case(name, good, why=""):
    global failures
    if good:
        print(f"ok {name}", flush=True)
    else:
        failures += 1
        print(f"FAIL {name}: {why}", flush=True)


def complaints(browser, name):
    said = browser.log()
    case(f"{name}/console", not said, str(said)[:300])
    asked = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    asked = [name for name in asked if not name.startswith(("blob:", "data:"))]
    case(f"{name}/asks-for-nothing", not asked, str(asked)[:300])


def shot(browser, shots, name):
    browser.screenshot(os.path.join(shots, name + ".png"))


def to_chart(browser, i=0):
    browser.run("document.querySelectorAll('.charted .plot')[arguments[0]]"
                ".scrollIntoView({block: 'center'})", i)
    return browser.run(BOX, i)


def toggling(browser):
    before = browser.run(INK, 0)
    case("toggle/both", min(before) > 50, before)
    browser.run(TOGGLE, "A")
    a, b = browser.run(INK, 0)
    case("toggle/without-A", a < before[0] / 10 and b > 50, [before, a, b])
    case("toggle/boxes-too", browser.run("return getComputedStyle(document.querySelector('.box .side.a'))"
                                         ".display") == "none")
    browser.run(TOGGLE, "A")
    browser.run(TOGGLE, "median")
    fewer = browser.run(INK, 0)
    case("toggle/without-median", fewer[0] < before[0], [before, fewer])
    browser.run(TOGGLE, "median")
    case("toggle/all-again", browser.run(INK, 0) == before, [before, browser.run(INK, 0)])
    rows = "return [...document.querySelectorAll('#cost .more')].filter(r => r.offsetParent).length"
    hidden = browser.run(rows)
    browser.run("document.getElementById('all').click()")
    case("toggle/all-metrics", hidden == 0 and browser.run(rows) > 10, [hidden, browser.run(rows)])
    browser.run("document.getElementById('all').click()")


def drag(browser, start, end, y):
    browser.pointer(start, y, [
        {"type": "pointerDown", "button": 0},
        {"type": "pointerMove", "duration": 50, "x": int(end), "y": int(y)},
        {"type": "pointerUp", "button": 0}])


def pointing(browser):
    x, y, width, height = to_chart(browser)
    browser.hover(x + width * 0.6, y + height / 2)
    said = [browser.run(READOUT, i) for i in (0, 1)]
    case("hover/tells", "A " in said[0] and "B " in said[0] and "at " in said[0], said)
    case("hover/others-too", said[1].split(" A ")[0] == said[0].split(" A ")[0], said)
    whole = browser.run(TICKS)
    drag(browser, x + width * 0.3, x + width * 0.6, y + height / 2)
    part = browser.run(TICKS)
    case("zoom/drag", part[0] != whole[0] and part[0], [whole, part])
    case("zoom/others-too", part[1] == part[0], part)
    browser.run("document.querySelector('.controls [name=reset]').click()")
    case("zoom/whole-again", browser.run(TICKS) == whole, [whole, browser.run(TICKS)])
    browser.run("document.querySelector('.charted .plot').focus()")
    browser.keys("Right")
    case("keys/move", "at " in browser.run(READOUT, 0), browser.run(READOUT, 0))
    browser.keys("+")
    case("keys/zoom", browser.run(TICKS)[0] != whole[0], browser.run(TICKS))
    browser.keys("Home")
    case("keys/whole-again", browser.run(TICKS) == whole, browser.run(TICKS))


def flames(browser, shots):
    count = browser.run("return document.querySelectorAll('.flame').length")
    case("flames/all", count == 6, count)
    browser.run("document.querySelector('.flame summary').click()")
    for _ in range(100):
        if browser.run("return !!document.querySelector('.flame iframe[src]')"):
            break
        time.sleep(0.05)
    browser.run("document.querySelector('.flame').scrollIntoView()")
    browser.call("POST", "/frame", {"id": 0})
    frames = 0
    for _ in range(100):
        frames = browser.run("return document.querySelectorAll('#frames > g').length")
        if frames:
            break
        time.sleep(0.05)
    case("flames/opens", frames > 10, frames)
    time.sleep(0.2)
    full = browser.run("return [document.querySelector('#frames rect').getBoundingClientRect().width,"
                       "window.innerWidth - 20]")
    case("flames/fits", abs(full[0] - full[1]) < 2, full)
    width = "return document.querySelectorAll('#frames rect')[3].getBoundingClientRect().width"
    before = browser.run(width)
    browser.run("document.querySelectorAll('#frames > g')[3].dispatchEvent("
                "new MouseEvent('click', {bubbles: true}))")
    case("flames/zooms", browser.run(width) > before, [before, browser.run(width)])
    browser.call("POST", "/frame", {"id": None})
    shot(browser, shots, "flame")


def colours(browser, shots):
    shade = "return getComputedStyle(document.body).backgroundColor"
    for name in ("light", "dark"):
        browser.run("window.scrollTo(0, 0)")
        ratio, where = browser.run(CONTRAST)
        case(f"{name}/contrast", ratio >= 4.5, f"{ratio:.2f} of {where}")
        case(f"{name}/it-is", (browser.run(shade) < "rgb(2") == (name == "dark"), browser.run(shade))
        shot(browser, shots, name)
        to_chart(browser)
        shot(browser, shots, name + "-charts")
        browser.run("document.getElementById('theme').click()")
    case("theme/keeps-nothing", browser.run("return document.cookie") == "")


def narrow(browser, shots):
    for width in (360, 400):
        browser.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}})
        time.sleep(0.2)
        over = browser.run(OVERFLOW)
        case(f"narrow/{width}-px", over <= 0, f"{over} px too wide")
        x, _, across, _ = to_chart(browser)
        case(f"narrow/{width}-px-charts", x >= 0 and x + across <= width and across > 200, [x, across])
    shot(browser, shots, "narrow-charts")
    browser.run("window.scrollTo(0, 0)")
    shot(browser, shots, "narrow")
    browser.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})


def report(browser, path, shots):
    browser.open(path)
    drawn = browser.run("return [...document.querySelectorAll('.charted .plot')].every("
                        "p => p.querySelector('canvas'))")
    kinds = browser.run("return [...document.querySelectorAll('.charted h3')].map(h => h.textContent)")
    case("charts/drawn", drawn and {"CPU use", "Resident set"} <= set(kinds), kinds)
    ids = browser.run("const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
                      "return ids.filter((id, i) => ids.indexOf(id) !== i)")
    case("ids/once", not ids, ids)
    named = browser.run("return [...document.querySelectorAll('[role=img],iframe')].filter("
                        "e => !e.getAttribute('aria-label') && !e.title).length")
    case("aria/named", named == 0, f"{named} pictures have no name")
    toggling(browser)
    pointing(browser)
    colours(browser, shots)
    narrow(browser, shots)
    browser.pdf(os.path.join(shots, "print.pdf"))
    case("print/as-before", browser.run("return document.querySelectorAll('.picture').length") == 0)
    flames(browser, shots)
    complaints(browser, "report")


def opening(browser, path, name):
    """Until all of it is drawn; the median of three."""
    times = []
    for _ in range(3):
        browser.open(path)
        times.append(browser.run("return Math.max(+document.documentElement.dataset.drawn,"
                                 "performance.getEntriesByType('navigation')[0].loadEventEnd)"))
    times.sort()
    print(f"time {name} {times[1]:.0f}", flush=True)
    complaints(browser, name)


def planted(browser, path):
    browser.open(path)
    case("planted/no-script-of-others", browser.run(
        "return [...document.scripts].every(s => s.type || !s.textContent.includes('alert('))")
        and browser.run("return document.body.textContent.includes('<script>alert(1)')"))
    complaints(browser, "planted")


def main():
    port, path, big, band, harmful, shots = int(sys.argv[1]), *sys.argv[2:7]
    browser = None
    try:
        browser = webdriver.Browser(port)
        report(browser, path, shots)
        opening(browser, big, "big")
        to_chart(browser)
        shot(browser, shots, "big")
        opening(browser, band, "band")
        to_chart(browser)
        shot(browser, shots, "band")
        planted(browser, harmful)
    except Exception:  # the case that it happened in is the last one that was printed
        traceback.print_exc()
        case("browser", False, traceback.format_exc().strip().splitlines()[-1])
    finally:
        if browser:
            browser.close()
    sys.exit(failures > 0)


main()
