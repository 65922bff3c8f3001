/** How the pages are looked at: on a phone and on a desk, on light and on dark. */

import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { PROJECT } from '../support/project.js'
import { isThorough } from '../support/thorough.js'

type Scheme = 'light' | 'dark'

/** At night both; otherwise the phone has light and the desk has dark. @param width of the window, in CSS pixels */
export function schemesAt(width: number): readonly Scheme[] {
  if (isThorough) return ['light', 'dark']
  return width < 600 ? ['light'] : ['dark']
}

/** A picture of the page in `test/screenshots`, for somebody to look at: at night, since no test reads it. */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  if (isThorough) await page.screenshot({ path: join(PROJECT, 'test/screenshots', `${name}.png`), fullPage })
}
