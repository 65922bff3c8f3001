import { get } from 'node:http'
import { BulkClients, type BulkLoad } from '../bulk.js'
import { interleave } from '../interleave.js'
import type { Lane } from '../lane.js'
import { Relay } from '../relay.js'

const SPECTATORS = 50

/** Both sides are the head: what differs is who watches. */
export const spectators: Lane = {
  name: 'spectators',
  title: `A body with Content-Length, with and without ${SPECTATORS} spectators`,
  deadline: 300,
  async run({ head, report, rounds, quick, say }) {
    const load: BulkLoad = { name: 'spectators', framing: 'length', bytes: quick ? 2e9 : 8e9, receivers: 1 }
    const relay = await Relay.start(head)
    const clients = new BulkClients()
    await clients.transfer(relay, { ...load, bytes: 256e6 })
    await interleave([0, SPECTATORS], rounds, async (count, round) => {
      const audience = await Audience.gather(`http://127.0.0.1:${relay.target.port}${clients.nextName}?progress`, count)
      const { throughput, cpuPerGb, timeline } = await clients.transfer(relay, load)
      await audience.over(load.bytes)
      const side = count === 0 ? 'none' : `${count} spectators`
      report.add(side, 'throughput', 'MB/s', throughput)
      report.add(side, 'CPU', 's/GB', cpuPerGb)
      if (round === 0) report.throughput(side, 'spectators', timeline)
      say(`spectators, round ${round + 1}, ${side}: ${throughput.toFixed(0)} MB/s, ${cpuPerGb.toFixed(3)} s/GB`)
    })
    report.ratioGoal('throughput', `${SPECTATORS} spectators`, 'none', {
      what: `throughput with ${SPECTATORS} spectators against none`,
      target: 0.97,
      bound: 'least',
    })
    await Promise.all([relay.stop(), clients.end()])
  },
}

/** Spectators, each with a connection of its own, that keep what they are told. */
class Audience {
  readonly #all: Spectator[] = []

  static async gather(url: string, count: number): Promise<Audience> {
    const audience = new Audience()
    for (let i = 0; i < count; i++) audience.#all.push(new Spectator(url))
    await Promise.all(audience.#all.map((each) => each.ready))
    return audience
  }

  /** Resolves when all have seen the end; rejects when one has seen less than the others, or another end. */
  async over(bytes: number): Promise<void> {
    const texts = await Promise.all(this.#all.map((each) => each.over))
    for (const text of texts) {
      if (text !== texts[0]) throw new Error('one spectator was told something else than the first')
      if (!text.includes(`event: done`) || !text.includes(`"state":"complete"`) || !text.includes(`"bytes":${bytes},`))
        throw new Error(`a spectator did not see the end: ${text.slice(-300)}`)
      if (!text.includes('event: progress')) throw new Error('a spectator saw no progress')
    }
  }
}

class Spectator {
  readonly ready: Promise<void>
  readonly over: Promise<string>
  #text = ''

  constructor(url: string) {
    let begun = () => {}
    this.over = new Promise((resolve, reject) => {
      get(url, { agent: false }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`?progress answers ${response.statusCode}`))
        response.setEncoding('utf8').on('data', (text: string) => {
          this.#text += text
          begun()
        })
        response.once('end', () => resolve(this.#text)).once('error', reject)
      }).once('error', reject)
    })
    this.ready = Promise.race([new Promise<void>((resolve) => (begun = resolve)), this.over.then(() => {})])
  }
}
