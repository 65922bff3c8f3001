import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** A resolver that has no answer is not waited for: the start is. */
const WAIT_MS = 500

/** How it is found out, for tests. */
interface Resolver {
  readonly hostname: string
  lookup(name: string): Promise<readonly { readonly address: string; readonly family: number }[]>
}

const SYSTEM: Resolver = { hostname: hostname(), lookup: (name) => lookup(name, { all: true }) }

/**
 * Names of this machine that lead to it: its own, as DNS has it, and with `.local`, as the machines of a network find each other.
 * Others may resolve names in another way; one that does not even lead here is left out.
 * @param addresses of this machine, IPv6 in brackets
 */
export async function machineNames(addresses: readonly string[], resolver = SYSTEM): Promise<readonly string[]> {
  const name = resolver.hostname.toLowerCase()
  const candidates = name.includes('.') ? [name] : [name, `${name}.local`]
  const leadsHere = async (candidate: string) => {
    const found = await resolver.lookup(candidate).catch(() => [])
    return found.some(({ address, family }) => addresses.includes(family === 6 ? `[${address}]` : address))
  }
  const late = new AbortController()
  const tooLate = sleep(WAIT_MS, false, { signal: late.signal }).catch(() => false)
  const good = await Promise.all(candidates.map((candidate) => Promise.race([leadsHere(candidate), tooLate])))
  late.abort()
  return candidates.filter((_, i) => good[i])
}
