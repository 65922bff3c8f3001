import { leave, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok } from '../check.js'
import { REMEDIES } from '../remedies.js'

const ARRIVE_MS = 8000
const AT_ONCE = ['job 1', 'job 2', 'job 3']
const LATER = ['job 4']

/**
 * Workers that ask at one address, as those of a queue do: each has to get a job of its own. What caches answers the later ones with
 * what the first one got, and what collapses requests all of them. No other check asks twice at an address that is the same.
 */
export const queue: Check = {
  name: 'queue',
  async run(chain) {
    const name = chain.name('queue')
    const got = [...(await round(chain, name, AT_ONCE)), ...(await round(chain, name, LATER))]
    const jobs = got.filter((each) => each !== undefined)
    const measured = { workers: got.length, jobs: new Set(jobs).size }
    if (measured.jobs === got.length) return ok(`${got.length} workers at one address get a job each`, measured)
    const seen =
      jobs.length > measured.jobs
        ? `${jobs.length} workers at one address get ${measured.jobs} of ${got.length} jobs, some the same`
        : `${measured.jobs} of ${got.length} workers at one address get a job`
    const means =
      'Something on the way answers several requests with one response: jobs are done twice, and others by nobody.'
    return bad('fail', seen, means, REMEDIES.oneEach, measured)
  },
}

/** As many workers as jobs. @returns what each worker got whole; undefined: nothing */
async function round(chain: Chain, name: string, jobs: readonly string[]): Promise<(string | undefined)[]> {
  const workers = jobs.map(() => chain.receive(name, { query: '?queue&wait=20' }))
  const senders = jobs.map((job) => {
    const sender = chain.send(name, job.length, { query: '?queue&reply=end&wait=20' })
    void sender.write(job)
    sender.finish()
    return sender
  })
  const all = [...workers, ...senders]
  const refused = () => all.find(({ status = 200 }) => status !== 200)
  await until(() => workers.every(({ end }) => end !== undefined) || refused() !== undefined, ARRIVE_MS)
  const refusal = refused()
  leave(...all)
  if (refusal !== undefined) throw new Error(`no job gets through: ${refusal.status} ${refusal.lastLine}`)
  return workers.map(({ end, text }) => (end === 'complete' ? text : undefined))
}
