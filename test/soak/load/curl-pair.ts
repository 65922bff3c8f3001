/** Two real curls, one that sends and one that receives: processes, which a fault can stop. */

import type { ChildProcess } from 'node:child_process'
import { type CurlRun, curl } from '../../support/curl.js'
import { bodyOf } from '../../support/tape.js'
import type { Outcome } from '../tally.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

const REFUSED = [7, 52, 56]

/** @param running the curls that run now */
export function curlPair(door: Door, running: Set<Pick<ChildProcess, 'kill'>>) {
  return async (job: Job): Promise<Outcome> => {
    const bytes = job.random.below(3_000_000) + 1
    const body = bodyOf(job.id, bytes)
    const url = `${door.tls ? 'https' : 'http'}://127.0.0.1:${door.port}/curl-${job.id}?wait=40`
    const credentials = door.credentials().trim()
    const common = ['-kgN', '--fail', '--limit-rate', '3M', ...(credentials === '' ? [] : ['-H', credentials]), url]
    const pair = [curl(common), curl(['-T', '-', ...common], { input: body })] as [CurlRun, CurlRun]
    const kills = pair as unknown as [Pick<ChildProcess, 'kill'>, Pick<ChildProcess, 'kill'>]
    for (const each of kills) running.add(each)
    let ends = 0
    let failed = 0
    for (const each of pair)
      void each.result.then(({ code }) => {
        ends++
        if (code !== 0) failed++
        // The other one would wait for somebody who does not come.
        if (code !== 0) setTimeout(() => pair.forEach((other) => void other.kill()), 2000)
      })
    try {
      await job.until(() => ends === 2)
    } finally {
      for (const each of pair) each.kill()
      for (const each of kills) running.delete(each)
    }
    const [received, sent] = [await pair[0].result, await pair[1].result]
    const what = `curl: receiver ${received.code} with ${received.stdout.length} of ${bytes} bytes ${received.stderr}, sender ${sent.code} ${sent.stdout.toString().slice(-300)} ${sent.stderr}`
    const isRight = received.stdout.equals(body)
    if (!body.subarray(0, received.stdout.length).equals(received.stdout)) job.tally.problem('wrong bytes', what)
    else if (!isRight && (received.code === 0 || sent.code === 0))
      job.tally.problem('truncations that look clean', what)
    else if (received.code === 0 && sent.code !== 0) job.tally.problem('sides that disagree', what)
    if (sent.code === 0) job.tally.toldComplete++
    else job.tally.unheard++
    if (failed === 0 && isRight) return { result: 'verified', bytes }
    const code = /X-Pipe-Code|requested URL returned error: (\d+)/.exec(received.stderr + sent.stderr)?.[1]
    if (code === '503') return job.refused(door.tls ? 'AUTH_JWT_NO_KEYS' : 'NO_MEMORY', what)
    if (code === '401') return job.refused('AUTH_JWT_UNKNOWN_KEY', what)
    if ([received.code, sent.code].some((each) => REFUSED.includes(each ?? -1))) return job.refused('turned away', what)
    job.explain(`curl ${received.code} ${sent.code}`, what)
    return { result: 'cut', why: `curl ${received.code} ${sent.code}`, bytes: received.stdout.length }
  }
}
