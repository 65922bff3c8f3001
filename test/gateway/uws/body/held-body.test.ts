/** What a sender has sent before it is decided whether it may send. */
import t from 'tap'
import { type SenderEndpoint, SlabPool, type Throttle } from '../../../../core/index.js'
import { UwsSource } from '../../../../gateway/uws/roles/source.js'

const KIB = 1024

interface Wanted {
  readonly isChunked?: boolean
  /** What the helper says of the framing. */
  readonly sound?: boolean
  readonly throttles?: readonly Throttle[]
}

/** A source that listens and has no endpoint, and what happens to it. */
function held({ isChunked = false, sound = true, throttles }: Wanted = {}) {
  const told: string[] = []
  const memory = new SlabPool(KIB, 2 * KIB)
  let onData: (chunk: ArrayBuffer, last: boolean) => void = () => {}
  const exchange = {
    socket: 7,
    bytesIn: 0,
    over: false,
    cut() {
      this.over = true
      told.push('cut')
    },
    head: { isReadByHelper: true },
    inviteBody() {},
    res: {
      onData(run: typeof onData) {
        onData = run
      },
      onWritable() {},
      pause: () => told.push('pause'),
      resume: () => told.push('resume'),
    },
    context: {
      tls: false,
      keepalive: { add: () => ({ release() {} }) },
      memory,
      readSize: { adapt() {} },
      sockets: {
        bodyIsSound: () => sound,
        expectBulk: (_socket: number, bulk: boolean) => told.push(`bulk ${bulk}`),
      },
    },
  }
  const additions = { headers: [], limits: throttles && { throttles } }
  const options = { replyAtEnd: false, isChunked, expectsContinue: false, headers: [], additions }
  const source = new UwsSource(exchange as never, options)
  source.listen()
  const endpoint = {
    feed: (bytes: Uint8Array) => told.push(Buffer.from(bytes).toString()),
    end: () => told.push('end'),
    broken: () => told.push('broken'),
  }
  /** Lends bytes for the call, as uWebSockets does. */
  const reads = (text: string, last = false) => {
    const lent = new Uint8Array(Buffer.from(text)).buffer
    onData(lent, last)
    new Uint8Array(lent).fill(0)
  }
  return {
    told,
    reads,
    exchange,
    memory,
    over: () => source.over(),
    endpoint: () => source.joined(endpoint as unknown as SenderEndpoint),
  }
}

t.test('it is kept in order, with its end, and no more is read', async (t) => {
  const { told, reads, endpoint } = held()
  reads('')
  reads('one ')
  reads('two ')
  t.same(told, ['pause', 'pause', 'pause'])
  told.length = 0
  endpoint()
  t.same(told, ['bulk false', 'one ', 'two '], 'reads stay short while it waits')
  told.length = 0
  reads('three')
  reads('', true)
  t.same(
    told.filter((each) => each !== 'pause'),
    ['three', 'bulk false', 'end', 'resume'],
  )
})

t.test('a body that is complete already ends when it is joined', async (t) => {
  const { told, reads, endpoint } = held({ isChunked: true })
  reads('all')
  reads('', true)
  told.length = 0
  endpoint()
  t.same(told, ['all', 'end'])
})

t.test('no more than a read brings is kept', async (t) => {
  const { told, reads } = held()
  const text = 'x'.repeat(512 * KIB)
  reads(text)
  reads(text)
  t.notOk(told.includes('cut'))
  reads('x')
  t.equal(told.at(-1), 'cut')
})

t.test('a body with broken framing is cut at once', async (t) => {
  const { told, reads } = held({ isChunked: true, sound: false })
  reads('x')
  t.same(told, ['cut'])
})

t.test('a throttled body is read in small steps', async (t) => {
  const { told, endpoint } = held({ throttles: [] })
  endpoint()
  t.same(told, ['bulk false'])
})

t.test('nothing is kept after the answer', async (t) => {
  const { told, reads, exchange, endpoint } = held()
  reads('before')
  exchange.over = true
  told.length = 0
  reads('after')
  t.equal(exchange.bytesIn, 'before'.length)
  endpoint()
  t.notOk(told.includes('after'))
})

t.test('what is held counts until it is consumed, or the response is over', async (t) => {
  const consumed = held()
  consumed.reads('x'.repeat(3000))
  t.equal(consumed.memory.heldBytes, 3000)
  consumed.endpoint()
  t.equal(consumed.memory.heldBytes, 0)
  const left = held()
  left.reads('x'.repeat(3000))
  left.over()
  left.over()
  t.equal(left.memory.heldBytes, 0)
})

t.test('a body for which there is no memory is cut', async (t) => {
  const { told, reads, memory } = held()
  t.ok(memory.take(2 * KIB * KIB - 10))
  reads('x'.repeat(11))
  t.equal(told.at(-1), 'cut')
  t.equal(memory.heldBytes, 2 * KIB * KIB - 10)
})
