import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { isHostEntry } from '../http/hosts.js'

/** Who may use a gateway that everybody can reach. */
export type PublicAnswer =
  | { readonly kind: 'token' }
  | { readonly kind: 'hosts'; readonly hosts: readonly string[] }
  | { readonly kind: 'open' }

const QUESTION = `Everybody who reaches this machine will reach the gateway. Who may send and receive?

  1  who has a token: one is made for this run
  2  everybody who asks for it by a name of its own; pages of other sites are kept out
  3  everybody (the same as --open)

1, 2 or 3 [1]: `

const NAMES = 'Its names, with commas between them, such as pipe.example.org: '

/** Asks a person. Undefined when there is no answer: the input has ended, or Ctrl-C was pressed. */
export async function askWhoMay(input: Readable, output: Writable): Promise<PublicAnswer | undefined> {
  const lines = createInterface({ input, output, terminal: true })
  // Not readline/promises: there a question whose input ends is never answered, and the process ends without a word.
  const ask = (question: string) =>
    new Promise<string | undefined>((resolve) => {
      lines.once('close', () => resolve(undefined))
      lines.question(question, (answer) => resolve(answer.trim()))
    })
  try {
    for (let question = QUESTION; ; question = '1, 2 or 3: ') {
      const chosen = await ask(question)
      if (chosen === undefined) return undefined
      if (chosen === '1' || chosen === '') return { kind: 'token' }
      if (chosen === '3') return { kind: 'open' }
      if (chosen === '2') return await askNames(ask)
    }
  } finally {
    lines.close()
  }
}

async function askNames(ask: (question: string) => Promise<string | undefined>): Promise<PublicAnswer | undefined> {
  for (;;) {
    const answer = await ask(NAMES)
    if (answer === undefined) return undefined
    const hosts = answer.split(',').map((each) => each.trim().toLowerCase())
    if (hosts.every((host) => host !== '*' && isHostEntry(host))) return { kind: 'hosts', hosts }
  }
}
