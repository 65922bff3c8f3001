/** Somebody was told a name, or a link, and wants what is sent there. */

import { element, write } from '../../../page-kit/page/browser/elements.js'
import { inAddress, nameProblem } from '../../name.js'

/** @param base what stands before the name in an address */
export function acceptNames(base: string): void {
  const field = element<HTMLInputElement>('#have-name')
  element('#have').addEventListener('input', () => write('#have-problem', ''))
  element('#have').addEventListener('submit', (event) => {
    event.preventDefault()
    const given = field.value.trim()
    const link = URL.canParse(given) && /^https?:/.test(given) ? new URL(given) : undefined
    const problem = link === undefined ? nameProblem(given) : undefined
    if (problem !== undefined) {
      write('#have-problem', problem)
      field.focus()
    } else location.assign(link === undefined ? `${base}/${inAddress(given)}?receive` : link)
  })
}
