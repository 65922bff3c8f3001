/** Peers of a duplex pipe over real connections. */
import assert from 'node:assert/strict'
import t, { type Test } from 'tap'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import { parseResponse, type RawClient } from '../../../support/raw.js'

/** One chunk of a chunked body. */
export const chunk = (body: string | Buffer) =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), Buffer.from(body), Buffer.from('\r\n')])

export const LAST = '0\r\n\r\n'

/** A peer whose both directions are one request. */
export class Peer {
  constructor(readonly raw: RawClient) {}

  say(body: string | Buffer): Promise<void> {
    return this.raw.send(chunk(body))
  }

  /** Has said everything. */
  end(): Promise<void> {
    return this.raw.send(LAST)
  }

  /** What it has heard so far. */
  get heard(): string {
    return this.raw.text.includes('\r\n\r\n') ? parseResponse(this.raw.received).body.toString('latin1') : ''
  }

  /** Whether what it heard has come to its end in order. */
  get heardAll(): boolean {
    return this.raw.text.includes('\r\n\r\n') && parseResponse(this.raw.received).complete
  }

  hears(text: string): Promise<void> {
    return eventually(() => this.heard === text || `heard ${JSON.stringify(this.heard.slice(-200))}`)
  }

  hearsTheEnd(): Promise<void> {
    return eventually(() => this.heardAll || `no end after ${JSON.stringify(this.heard.slice(-200))}`)
  }

  /** It is cut, and nobody could take what it heard for everything. */
  async isCut(): Promise<void> {
    await this.raw.waitForClose()
    assert.equal(this.heardAll, false, 'a cut that looks like an end')
  }
}

export async function joins(gateway: Running, target = 'd?duplex', ...headers: string[]): Promise<Peer> {
  const raw = await gateway.connect()
  const head = [`PUT /${target} HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', ...headers].join('\r\n')
  await raw.send(`${head}\r\n\r\n`)
  return new Peer(raw)
}

/** Waits until so many peers are there. */
export function peers(gateway: Running, wanted: number, name = 'd'): Promise<void> {
  return eventually(() => {
    const found = gateway.gateway.table.get(name)?.duplex?.peers ?? 0
    return found === wanted || `${found} peers`
  })
}

export async function pair(gateway: Running): Promise<[Peer, Peer]> {
  const one = await joins(gateway)
  await peers(gateway, 1)
  const another = await joins(gateway)
  await eventually(() => /^HTTP\/1\.1 200 /.test(another.raw.text) || another.raw.text)
  return [one, another]
}

/** Nothing is left of all that was said. */
export async function nothingLeft(gateway: Running): Promise<void> {
  const { table, slabs } = gateway.gateway
  await eventually(() => {
    const { waiting, streaming, resting } = table
    const left = { waiting, streaming, resting, held: slabs.heldBytes }
    return Object.values(left).every((each) => each === 0) || JSON.stringify(left)
  })
  assert.equal(table.get('d'), undefined)
}

t.jobs = 3
export const parts: Promise<unknown>[] = []
export const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
