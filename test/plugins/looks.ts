/** How the pages are looked at: on a phone and on a desk, on light and on dark. */

import { isThorough } from '../support/thorough.js'

type Scheme = 'light' | 'dark'

/** At night both; otherwise the phone has light and the desk has dark. @param width of the window, in CSS pixels */
export function schemesAt(width: number): readonly Scheme[] {
  if (isThorough) return ['light', 'dark']
  return width < 600 ? ['light'] : ['dark']
}
