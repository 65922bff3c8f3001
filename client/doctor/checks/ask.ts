import { type Call, leave, sha256, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
/** Those for which proxies have pages of their own, or ask once more. */
const STATUSES = [404, 500, 502, 503, 504]
const PIECES = 3
const BODY = '{"who":"a worker"}'
const TYPE = 'application/json'

/**
 * Questions whose answers a proxy may take for failures of its own: status, type and body have to come back as the worker said them,
 * and nobody may be asked twice. And one whose answer comes in pieces, where uploads flow.
 */
export const ask: Check = {
  name: 'ask',
  async run(chain) {
    const [pieces, ...trials] = await Promise.all([
      chain.uploadsFlow ? inPieces(chain) : undefined,
      ...STATUSES.map((status) => answered(chain, status)),
    ])
    const { address } = trials[0]!
    const those = (which: (trial: Trial) => boolean) => trials.filter(which).map(({ status }) => status)
    const [twice, changed] = [those(({ isRepeated }) => isRepeated), those(({ isChanged }) => isChanged)]
    const measured = { worstMs: pieces === undefined ? null : Math.round(pieces.worstMs) }
    if (twice.length > 0) {
      const seen = `a question is asked twice when its answer has the status ${twice.join(', ')}`
      return bad(
        'fail',
        seen,
        'A proxy takes the answer for a failure: work is done twice.',
        REMEDIES.retries,
        measured,
      )
    }
    if (changed.length > 0) {
      const seen = `an answer with the status ${changed.join(', ')} does not come back as it was given`
      const means = 'A proxy takes it for a failure of its own. Who asks gets its page, and not what the worker says.'
      return bad('fail', seen, means, REMEDIES.answers, measured)
    }
    if (pieces?.problem !== undefined) {
      return bad('fail', pieces.problem, 'Answers come late, or all at the end.', REMEDIES.responseBuffering, measured)
    }
    const path = `${chain.paths[0]}${trials[0]!.name}`
    if (address.pathname !== path) {
      const seen = `a question that came to ${path} has ${address.pathname} as the address for its answer`
      return bad('warn', seen, 'A worker that sends its answer there reaches nobody.', REMEDIES.path, measured)
    }
    const flow = pieces === undefined ? '' : `, and in pieces, each there after ${time(pieces.worstMs)} at most`
    return ok(`answers come back with their own status and body${flow}`, measured)
  },
}

interface Trial {
  readonly name: string
  readonly status: number
  /** Where the worker was told to send its answer. */
  readonly address: URL
  readonly isRepeated: boolean
  readonly isChanged: boolean
}

/** By GET, which proxies dare to repeat. One worker more than needed sees whether they do. */
async function answered(chain: Chain, status: number): Promise<Trial> {
  const name = chain.name(`ask-${status}`)
  const workers = [serve(chain, name), serve(chain, name)]
  const asker = chain.receive(name, { query: '?ask&wait=10&within=10' })
  const { worker, address } = await question(workers, asker)
  const answer = reply(chain, name, address, BODY.length, status)
  void answer.write(BODY)
  answer.finish()
  const isRepeated = () => workers.some((each) => each !== worker && each.status === 200)
  await until(() => asker.end !== undefined || isRepeated(), FLOW_MS)
  leave(asker, answer, ...workers)
  const isSame = asker.end === 'complete' && asker.status === status && asker.sha256 === sha256(BODY) && isJson(asker)
  return { name, status, address, isRepeated: isRepeated(), isChanged: !isSame }
}

/** By POST, with an answer that goes on. */
async function inPieces(chain: Chain): Promise<{ readonly problem?: string; readonly worstMs: number }> {
  const name = chain.name('ask-pieces')
  const headers = { 'content-length': BODY.length, 'content-type': TYPE }
  const worker = serve(chain, name)
  const asker = chain.open('POST', name, { query: '?ask&wait=10&within=10', headers })
  void asker.write(BODY)
  asker.finish()
  const { address } = await question([worker], asker)
  const answer = reply(chain, name, address, undefined, 200)
  let worstMs = 0
  let problem: string | undefined
  for (let sent = 1; sent <= PIECES && problem === undefined; sent++) {
    const from = performance.now()
    await answer.write('x')
    const isThere = await until(() => asker.bytes >= sent || asker.end !== undefined, FLOW_MS)
    worstMs = Math.max(worstMs, performance.now() - from)
    if (!isThere || asker.bytes < sent) problem = `piece ${sent} of an answer was not there ${time(FLOW_MS)} later`
  }
  answer.finish()
  await until(() => asker.end !== undefined, problem === undefined ? FLOW_MS : 0)
  if (problem === undefined && asker.end !== 'complete') problem = 'an answer in pieces has no end'
  if (worker.text !== BODY) problem = 'a question does not come to its worker as it was asked'
  leave(asker, answer, worker)
  return { ...(problem === undefined ? {} : { problem }), worstMs }
}

function serve(chain: Chain, name: string): Call {
  return chain.receive(name, { query: '?serve&wait=20' })
}

/** Waits until one of these workers has got it. @throws Error when nobody does */
async function question(workers: readonly Call[], asker: Call): Promise<{ worker: Call; address: URL }> {
  await until(() => workers.some(({ end }) => end !== undefined) || asker.end !== undefined, FLOW_MS)
  const worker = workers.find(({ headers, end }) => end === 'complete' && headers['x-pipe-answer'] !== undefined)
  const told = String(worker?.headers['x-pipe-answer'])
  if (worker !== undefined && URL.canParse(told)) return { worker, address: new URL(told) }
  const refused = [asker, ...workers].find(({ status = 200 }) => status !== 200)
  leave(asker, ...workers)
  throw new Error(
    `no question comes to a worker: ${refused?.status ?? 'no answer'} ${refused?.lastLine ?? ''}`.trimEnd(),
  )
}

/** To the name itself, whatever the address says: that is looked at besides. @param length undefined: it is chunked */
function reply(chain: Chain, name: string, address: URL, length: number | undefined, status: number): Call {
  // Where early replies break, they would do so here.
  const when = chain.sendQuery === '' ? '' : '&reply=end'
  const query = `?answer=${address.searchParams.get('answer')}${when}`
  return chain.send(name, length, { query, headers: { 'content-type': TYPE, 'x-pipe-answer-status': status } })
}

const isJson = ({ headers }: Call) => headers['content-type']?.startsWith(TYPE) === true
