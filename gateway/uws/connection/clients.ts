import { Refusal } from '../../../core/index.js'
import { type ClientCertificate, readClientCertificate } from '../../http/client-certificate.js'
import { FAILURES } from '../../http/failures.js'
import type { Sockets } from '../../native/sockets.js'

/** Certificates that are kept after they have been read, for the next request on the same connection. */
const KEPT = 256

/** The certificates that clients of a gateway show, where it asks for them. */
export class Clients {
  /** By their numbers, the one that was read last at the end. */
  readonly #read = new Map<number, ClientCertificate>()

  constructor(readonly sockets: Pick<Sockets, 'clientOf' | 'clientCertificate' | 'clientCertificateFault'>) {}

  /** {@link Sockets.clientOf}, of a request that has just been read: for the calls below. */
  judge(socket: number): number {
    return this.sockets.clientOf(socket)
  }

  /** Why a client is not served that was judged so. */
  refusal(socket: number, verdict: number): Refusal | undefined {
    if (verdict >= 0) return undefined
    if (verdict === -2) return new Refusal(FAILURES.noClientCertificate)
    const found = this.sockets.clientCertificateFault(socket) ?? 'it cannot be told why'
    return new Refusal(FAILURES.badClientCertificate, { found })
  }

  /** Undefined also when the connection is over, whose socket may be another client's by now. */
  certificate(socket: number, verdict: number): ClientCertificate | undefined {
    if (verdict <= 0) return undefined
    const known = this.#read.get(verdict)
    if (known !== undefined) return known
    if (this.sockets.clientOf(socket) !== verdict) return undefined
    const der = this.sockets.clientCertificate(socket)
    return der === undefined ? undefined : this.#keep(verdict, readClientCertificate(der))
  }

  #keep(verdict: number, certificate: ClientCertificate): ClientCertificate {
    if (this.#read.size >= KEPT) this.#read.delete(this.#read.keys().next().value!)
    this.#read.set(verdict, certificate)
    return certificate
  }
}
