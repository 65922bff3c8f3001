import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'

/** A resolver that has no answer is not waited for: the start is. */
const WAIT_MS = 500

/**
 * Names of this machine that lead to it: its own, as DNS has it, and with `.local`, as the machines of a network find each other.
 * Others may resolve names in another way; one that does not even lead here is left out.
 * @param addresses of this machine, IPv6 in brackets
 */
export async function machineNames(addresses: readonly string[]): Promise<readonly string[]> {
  const name = hostname().toLowerCase()
  const candidates = name.includes('.') ? [name] : [name, `${name}.local`]
  const timer = new AbortController()
  const leadsHere = async (candidate: string) => {
    const found = await lookup(candidate, { all: true }).catch(() => [])
    return found.some(({ address, family }) => addresses.includes(family === 6 ? `[${address}]` : address))
  }
  const late = new Promise<false>((resolve) => {
    const timeout = setTimeout(() => resolve(false), WAIT_MS)
    timer.signal.addEventListener('abort', () => clearTimeout(timeout))
  })
  const good = await Promise.all(candidates.map((candidate) => Promise.race([leadsHere(candidate), late])))
  timer.abort()
  return candidates.filter((_, i) => good[i])
}
