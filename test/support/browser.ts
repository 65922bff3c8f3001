/** A real Chromium, one for all tests of a file, and pages in which a broken policy or an error on the console is a failure. */

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Teardown } from './teardown.js'
import { isThorough } from './thorough.js'

export interface Tab {
  readonly page: Page
  /** What went wrong in the page so far: errors on its console, exceptions, violations of its policy. */
  readonly problems: readonly string[]
}

export interface TabOptions extends BrowserContextOptions {
  /** Problems that belong to the test: `Failed to load resource` where a server is down on purpose. */
  readonly expected?: RegExp
}

/** Waits of a page end after so long. CI machines are slow: a deadline, never a delay. */
const TIMEOUT_MS = 20_000

/**
 * Both are the same engine; the one without windows, tabs and extensions needs a third of the CPU for a page. The tests are
 * about pages, and at night they run in what people have.
 */
const PROGRAM = isThorough ? '/usr/bin/chromium' : '/usr/bin/chromium-headless-shell'

export class Chromium {
  readonly #browser: Browser

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  /** It is closed when the test ends. @param args of the program, besides ours */
  static async start(t: Teardown, args: readonly string[] = []): Promise<Chromium> {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? PROGRAM,
      // As root it starts in no other way; it shows pages of this test only.
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...args],
    })
    t.teardown(() => browser.close())
    return new Chromium(browser)
  }

  /** A tab with a profile of its own. When the test ends it is closed, and must have had no problem. */
  async open(t: Teardown, { expected, ...options }: TabOptions = {}): Promise<Tab> {
    const context = await this.#browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(TIMEOUT_MS)
    const problems: string[] = []
    const note = (text: string) => expected?.test(text) || problems.push(text)
    page.on('console', (message) => message.type() === 'error' && note(message.text()))
    page.on('pageerror', (error) => note(error.stack || `${error.name}: ${error.message}`))
    if (options.javaScriptEnabled !== false) {
      await page.exposeFunction('violated', (text: string) => note(text))
      await page.addInitScript(
        "addEventListener('securitypolicyviolation', e => violated(e.violatedDirective + ' forbids ' + e.blockedURI))",
      )
    }
    t.teardown(async () => {
      await context.close()
      if (problems.length > 0) throw new Error(`the page had problems: ${problems.join('; ')}`)
    })
    return { page, problems }
  }
}
