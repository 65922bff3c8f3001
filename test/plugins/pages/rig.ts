/** What tests of the pages have in common: a Chromium, a gateway, and a person in front of the one. */

import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { FlagValues } from '../../../gateway/config/config.js'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { Chromium, type TabOptions } from '../../support/browser.js'
import { type CurlRun, curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'

/** As a browser on a phone has it. */
export const PHONE: TabOptions = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

export async function start(t: Test, more: readonly LoadedPlugin[] = [], flags: FlagValues = {}): Promise<Running> {
  return startGateway(t, flags, { plugins: [...more, ...(await defaultPlugins())] })
}

/** A browser, and a folder for what is sent and taken. */
export class PagesRig {
  private constructor(
    readonly chromium: Chromium,
    readonly folder: string,
  ) {}

  static async start(t: Test): Promise<PagesRig> {
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-pages-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    return new PagesRig(await Chromium.start(t), folder)
  }

  readonly open = async (t: Test, url: string, options: TabOptions = {}): Promise<Page> => {
    const { page } = await this.chromium.open(t, options)
    const answer = await page.goto(url)
    t.equal(answer?.status(), 200)
    return page
  }

  /** Runs the command that the page shows. A file goes into a folder of its own. */
  async shownCommand(
    page: Page,
    more: readonly string[] = [],
    into = mkdtempSync(join(this.folder, 'taken-')),
  ): Promise<CurlRun> {
    const [, options = '', url = ''] = /^curl (-OJ )?'([^']*)'$/.exec((await page.textContent('#command'))!)!
    return curl([...more, ...(options === '' ? [] : ['-OJ', '--output-dir', into]), url])
  }
}

/** Waits until the element has this text. */
export function reads(page: Page, selector: string, text: string | RegExp): Promise<void> {
  return eventually(
    async () => {
      const found = ((await page.textContent(selector)) ?? '').replace(/\s+/g, ' ').trim()
      return (
        (typeof text === 'string' ? found === text : text.test(found)) || `${selector} reads "${found}", not ${text}`
      )
    },
    // Each look is a round trip through two programs.
    { timeoutMs: 30_000, everyMs: 40 },
  )
}

export const headline = (page: Page, text: string) => reads(page, '#headline', text)

/** A file in the page that is as large as its text. */
export const small = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })

export async function chooseText(page: Page, text: string, name?: string): Promise<void> {
  await page.click('.kinds >> text=Text')
  await page.fill('#text', text)
  if (name !== undefined) await nameIt(page, name)
}

/** Opens the fold in which the name is, and changes it. */
export async function nameIt(page: Page, name: string, receivers?: number): Promise<void> {
  if (!(await page.isVisible('#name'))) await page.click('#options > summary')
  await page.fill('#name', name)
  if (receivers !== undefined) await page.fill('#receivers', String(receivers))
}

export const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Writes a file in which every block says which one it is. Returns its digest. */
export async function makeFile(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  const block = randomBytes(1_000_000)
  const file = await openFile(path, 'w')
  for (let at = 0; at < bytes; at += block.length) {
    block.writeDoubleLE(at)
    const part = block.subarray(0, Math.min(block.length, bytes - at))
    hash.update(part)
    await file.write(part)
  }
  await file.close()
  return hash.digest('hex')
}

/** Everything that a finger is to hit. */
const TARGETS = `[...document.querySelectorAll('button, a, label.button, summary, input:not(.hidden, [type=radio]), .kinds span, .places span')]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 0)
  .map((each) => [each.id || each.textContent, Math.min(each.getBoundingClientRect().height, each.getBoundingClientRect().width)])
  .filter(([, size]) => size < 44)`

/** Text that does not fit into its box, and whose rest nobody sees. */
const CLIPPED = `[...document.querySelectorAll('main *, .brand *')]
  .filter((each) => each.checkVisibility() && !each.closest('.hidden'))
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== 'visible' && each.clientWidth > 0)
  .map((each) => each.id || each.tagName)`

/** On a phone of 360 pixels. */
export async function fits(t: Test, page: Page, what: string): Promise<void> {
  t.same(await page.evaluate(TARGETS), [], `${what}: all can be hit`)
  t.same(await page.evaluate(CLIPPED), [], `${what}: nothing is clipped`)
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, `${what}: nothing to scroll to the side`)
}
