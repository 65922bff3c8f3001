/**
 * Threads that die at random moments under load: whatever was whole for one side was whole, what was cut is seen by both, and the others
 * do not notice.
 */
import { dirname } from 'node:path'
import t from 'tap'
import { threadHelper } from '../../gateway/native/threads.js'
import { BREAKS, descriptors, PREFIX, startThreads, withPlugin } from '../gateway/serve/threads/rig.js'
import { Random } from '../model/random.js'
import { makeCertificate } from '../support/certificate.js'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { connect } from '../support/raw.js'
import { bodyOf } from '../support/tape.js'
import { amount } from '../support/thorough.js'

const THREADS = 3
const SECONDS = amount(4, 60)

for (const tls of [false, true]) {
  t.test(tls ? 'over TLS' : 'plain', async (t) => {
    const own = withPlugin(t, BREAKS)
    const files = makeCertificate(dirname(own[1]!))
    const program = await startThreads(t, THREADS, [
      ...own,
      ...(tls ? ['--tls-cert', files.cert, '--tls-key', files.key] : []),
    ])
    threadHelper().spreadNames(PREFIX, THREADS)
    const breaking: string[] = []
    for (let i = 0; breaking.length < THREADS; i++) {
      if (threadHelper().ownerOf(`${PREFIX}/b${i}/break`) === breaking.length) breaking.push(`b${i}/break`)
    }
    const random = new Random(18)
    let isOver = false
    const count = { whole: 0, cut: 0, broken: 0 }

    const once = async (who: number, round: number): Promise<void> => {
      const name = `/w${who}-${round}`
      const body = bodyOf(who * 100_000 + round, random.below(4) === 0 ? 2_000_000 : 1 + random.below(50_000))
      const [sender, receiver] = await Promise.all([0, 1].map(() => connect({ port: program.port, tls })))
      try {
        void receiver!.send(`GET ${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
        void sender!.send(`PUT ${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
        void sender!.send(body)
        const got = await receiver!.waitForResponse({ timeoutMs: 5_000 }).catch(() => undefined)
        const told = await sender!.waitForResponse({ timeoutMs: 5_000 }).catch(() => undefined)
        const isWhole = got?.status === 200 && got.complete && got.body.length === body.length
        if (isWhole && !got.body.equals(body)) t.fail(`${name}: wrong bytes`)
        const saysWhole = told?.complete === true && told.body.toString().includes('Transfer complete.')
        if (saysWhole && !isWhole)
          t.fail(
            `${name}: the sender was told that it is complete, the receiver got ${got?.body.length} of ${body.length}`,
          )
        if (isWhole) count.whole++
        else count.cut++
      } finally {
        sender!.destroy()
        receiver!.destroy()
      }
    }
    const work = async (who: number) => {
      for (let round = 0; !isOver; round++) {
        await once(who, round).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET') throw error
          count.cut++
        })
      }
    }
    // What lasts is in a thread that is never broken.
    const steady = Array.from({ length: 100 }, (_, i) => `steady${i}`).find(
      (each) => threadHelper().ownerOf(`${PREFIX}/${each}`) === 0,
    )!
    const receiver = curl(['-kN', program.url(steady)])
    const sender = curl(['-kN', '-T', '.', program.url(steady)])
    sender.stdin.write('first ')
    await receiver.waitFor('first ')
    const baseline = descriptors(program)
    const workers = Array.from({ length: 4 }, (_, who) => work(who))
    for (const until = performance.now() + SECONDS * 1000; performance.now() < until; count.broken++) {
      const before = program.logged('a thread has been started again').length
      await curlDone(['-k', '-m', '10', program.url(breaking[1 + random.below(THREADS - 1)]!)])
      await program.waitForLog('a thread has been started again', before + 1)
    }
    isOver = true
    await Promise.all(workers)
    sender.stdin.end('last')
    t.equal((await receiver.result).stdout.toString(), 'first last', 'what another thread has does not notice')
    t.equal((await sender.result).code, 0)
    t.ok(count.whole > 5, JSON.stringify(count))
    await eventually(
      () => descriptors(program) <= baseline + 4 || `${descriptors(program)} descriptors, ${baseline} before`,
    )
    t.comment(JSON.stringify(count))
    t.equal((await program.endsAfter('SIGTERM')).code, 0)
  })
}
