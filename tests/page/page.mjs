// The page in a real browser: add, watch, hear, cancel.
//
//     node page.mjs --aloud PROGRAM --voice VOICE.onnx --data FOLDER [--pictures FOLDER]
//
// needs playwright-core beside it (NODE_PATH or a folder above) and Chromium at /usr/bin/chromium or
// CHROMIUM. DATA is where `aloud setup` has put the runtime; VOICE speaks.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: given } = parseArgs({
  options: { aloud: { type: "string" }, voice: { type: "string" }, data: { type: "string" }, pictures: { type: "string" } },
});
const { chromium } = createRequire(join(process.cwd(), "x.js"))("playwright-core");

async function until(what, condition, seconds = 60) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const found = await condition();
    if (found) return found;
    assert(Date.now() < end, `${what} never came`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

const home = mkdtempSync(join(tmpdir(), "aloud-page-"));
mkdirSync(join(home, "config"));
writeFileSync(join(home, "config/config.toml"), `voice = ${JSON.stringify(resolve(given.voice))}\n`);
symlinkSync(resolve(given.data), join(home, "data"));
const env = { ...process.env, ALOUD_HOME: home };
delete env.XDG_RUNTIME_DIR;
const aloud = spawn(resolve(given.aloud), ["serve", "--stay", "--listen", "127.0.0.1:0"], { env, stdio: "inherit" });
const gone = new Promise((end) => aloud.once("exit", end));
let browser = null;
try {
  const origin = await until("the server", () => {
    try {
      const { http } = JSON.parse(readFileSync(join(home, "state/lock"), "utf8"));
      return http && (http.startsWith("http") ? http : `http://${http}`);
    } catch {
      return null;
    }
  });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
  });
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 } });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  const picture = async (name) => given.pictures && page.screenshot({ path: join(given.pictures, `${name}.png`) });

  await page.goto(`${origin}/`);
  await page.getByText("Nothing to narrate yet").waitFor();
  await picture("empty");

  // Typed, with what would be markup if anyone took it for that.
  const hostile = "<img src=x onerror=\"document.title='owned'\"> The sea was calm. & so on.";
  await page.getByLabel("Type or paste it").fill(`${hostile}\n\nThe second paragraph is here.`);
  await page.getByRole("button", { name: "Add to the queue" }).click();
  const done = page.locator("#queue > li.COMPLETED");
  await done.waitFor();
  await done.locator(".title").click();
  await page.getByText("The second paragraph is here.").waitFor();
  assert.equal(await page.title(), "aloud");
  assert.equal(await page.locator("#segments img").count(), 0);

  // Heard from the first clip on, and then the next.
  await page.locator("#segments button").first().click();
  await until("sound", () => page.evaluate(() => document.getElementById("audio").currentTime > 0.05));
  await until("the next segment", () =>
    page.evaluate(() => document.getElementById("at").textContent.startsWith("segment 2 ")));
  await picture("heard");
  const whole = page.getByRole("link", { name: "The whole narration" });
  const answer = await page.request.get(new URL(await whole.getAttribute("href"), page.url()).href);
  assert.equal(answer.status(), 200);

  // A file that is dropped, followed while it is made, paused, and cancelled.
  const long = Array.from({ length: 4000 }, (_, n) => `This is sentence ${n} of the long road.`).join("\n\n");
  const files = await page.evaluateHandle((text) => {
    const all = new DataTransfer();
    all.items.add(new File([text], "the-long-road.txt", { type: "text/plain" }));
    return all;
  }, long);
  await page.dispatchEvent("body", "drop", { dataTransfer: files });
  const row = page.locator("#queue > li", { hasText: "the-long-road" });
  await row.locator(".how", { hasText: "in work" }).waitFor();
  await until("progress", async () => Number(await row.locator("progress").getAttribute("value")) > 0);
  await row.locator(".title").click();
  await page.locator("#segments li.completed").first().waitFor();
  await until("the page follows the work", () =>
    page.evaluate(() => Number(document.querySelector("#segments .number")?.textContent) > 100));
  await picture("followed");
  await page.getByRole("button", { name: "Pause all" }).click();
  await page.getByRole("button", { name: "Go on", exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Go on", exact: true }).first().click();
  await row.getByRole("button", { name: "Cancel: the-long-road" }).click();
  await page.locator("#queue > li.CANCELLED", { hasText: "the-long-road" }).waitFor();

  // With keys alone.
  await page.getByLabel("Type or paste it").focus();
  await page.keyboard.type("By keys alone.");
  for (let n = 0; n < 4; n += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("#queue > li", { hasText: "By keys alone" }).first().waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 800 });
  await picture("narrow-dark");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert(!wide, "nothing is wider than a phone");
  assert.deepEqual(faults, []);
  console.log("the page: added, followed, heard, paused, cancelled");
} finally {
  await browser?.close();
  aloud.kill("SIGTERM");
  await gone;
  rmSync(home, { recursive: true, force: true });
}
