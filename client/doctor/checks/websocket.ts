import WebSocket from 'ws'
import type { TlsOptions } from '../../certificates.js'
import { until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, type Finding, ok, skip, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const CODE = 4321
const WORDS = [
  { text: 'a word', isBinary: false },
  { text: 'another one', isBinary: true },
] as const

const MEANS = 'Pages and programs cannot use ?ws through it. ?duplex=a and ?duplex=b need HTTP only.'

/** A WebSocket, and what has come of it. Nothing rejects: how it went is there to be looked at. */
class SocketCall {
  isOpen = false
  readonly words: { readonly text: string; readonly isBinary: boolean }[] = []
  /** The code of its end. */
  code: number | undefined
  /** Why there is none: the status that it was answered with, or what failed. */
  status: number | undefined
  why = ''
  readonly ws: WebSocket

  constructor(url: URL, headers: Readonly<Record<string, string>>, tls: TlsOptions = {}) {
    this.ws = new WebSocket(url, { headers, perMessageDeflate: false, ...tls })
    this.ws.on('open', () => {
      this.isOpen = true
    })
    this.ws.on('message', (data: Buffer, isBinary) => this.words.push({ text: data.toString(), isBinary }))
    this.ws.on('close', (code) => {
      this.code = code
    })
    this.ws.on('error', (error: NodeJS.ErrnoException) => {
      this.why ||= error.code ?? error.message
    })
    this.ws.on('unexpected-response', (request, response) => {
      this.status = response.statusCode ?? 0
      this.why = `it is answered with ${this.status}`
      request.destroy()
    })
  }

  get isOver(): boolean {
    return this.code !== undefined || this.why !== ''
  }
}

/** Two WebSockets on one name: words of both kinds go both ways as they are said, and an end has its code. */
export const websocket: Check = {
  name: 'websocket',
  async run(chain) {
    const name = chain.name('websocket')
    const [one, another] = [open(chain, name), open(chain, name)]
    try {
      return await talk(one, another)
    } finally {
      for (const { ws } of [one, another]) ws.terminate()
    }
  },
}

function open({ paths, target }: Chain, name: string): SocketCall {
  const url = new URL(`${paths[0]}${name}?ws&wait=10`, target.url)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return new SocketCall(url, target.headers, target.tls)
}

async function talk(one: SocketCall, another: SocketCall): Promise<Finding> {
  const both = [one, another]
  const isOver = () => both.some((each) => each.isOver)
  await until(() => both.every((each) => each.isOpen) || isOver(), FLOW_MS)
  if (both.some(({ status }) => status === 501)) return skip('this gateway does not offer WebSockets')
  const refused = both.find(({ isOpen }) => !isOpen)
  if (refused !== undefined) return fail(`a WebSocket is not opened: ${refused.why || 'nothing is answered'}`)
  let worstMs = 0
  for (const word of WORDS) {
    for (const [from, to] of [both, [another, one]] as const) {
      const before = performance.now()
      from!.ws.send(word.isBinary ? Buffer.from(word.text) : word.text)
      const wanted = WORDS.indexOf(word) + 1
      await until(() => to!.words.length >= wanted || isOver(), FLOW_MS)
      worstMs = Math.max(worstMs, performance.now() - before)
      const heard = to!.words[wanted - 1]
      if (heard === undefined) return fail(`a message was not there ${time(worstMs)} later`)
      if (heard.text !== word.text || heard.isBinary !== word.isBinary) return fail('a message comes as another one')
    }
  }
  one.ws.close(CODE)
  await until(() => another.code !== undefined, FLOW_MS)
  if (another.code !== CODE) return fail(`a close with ${CODE} comes as ${another.code ?? 'nothing at all'}`)
  const measured = { worstMs: Math.round(worstMs) }
  return ok(`messages of two WebSockets go both ways, each there after ${time(worstMs)} at most`, measured)
}

const fail = (seen: string) => bad('fail', seen, MEANS, REMEDIES.websocket)
