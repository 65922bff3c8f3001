import type { Context, PipeView, RequestRecord } from '../../gateway/host/plugin-api.js'
import { plainAddress, truncatedAddress } from './address.js'
import type { AccessLogConfig } from './config.js'
import { escapedName, nameOf, printable } from './name.js'
import type { Pseudonyms } from './pseudonym.js'

/** Makes the fields of a line. No query and no header gets here, so that no secret can. */
export class LineFormatter {
  readonly #name: (name: string) => string | undefined
  readonly #address: (address: string) => string

  constructor(
    { names, addresses }: Pick<AccessLogConfig, 'names' | 'addresses'>,
    pseudonyms: Pseudonyms,
    readonly prefix: string,
  ) {
    const hashed = (text: string) => pseudonyms.of(text)
    this.#name = { plain: escapedName, hashed, omitted: () => undefined }[names]
    const plain = (address: string) => printable(plainAddress(address))
    this.#address = {
      plain,
      hashed: (address: string) => hashed(plainAddress(address)),
      truncated: truncatedAddress,
    }[addresses]
  }

  /** @param name as the gateway understood it; undefined when the request never came to a pipe */
  request(record: RequestRecord, context: Context, name: string | undefined): object {
    const { identity } = context
    return {
      id: record.id,
      address: this.#address(context.clientAddress),
      method: printable(record.method),
      name: this.#name(name ?? nameOf(record.path, this.prefix)),
      status: record.status,
      outcome: record.outcome,
      reason: record.reason,
      code: record.code,
      bytesIn: record.bytesIn,
      bytesOut: record.bytesOut,
      ms: record.ms,
      project: identity?.project ? printable(identity.project) : undefined,
      subject: identity === undefined ? undefined : printable(identity.subject),
    }
  }

  transfer(pipe: PipeView): object {
    // A key is the name, behind the project and a space when it has a project.
    const space = pipe.key.indexOf(' ')
    // A pipe that never streamed was waiting all the time.
    const endedAt = pipe.endedAt ?? pipe.openedAt
    const pairedAt = pipe.pairedAt ?? endedAt
    const streamedMs = endedAt - pairedAt
    return {
      name: this.#name(pipe.key.slice(space + 1)),
      project: space < 0 ? undefined : printable(pipe.key.slice(0, space)),
      transferId: pipe.transferId === '' ? undefined : pipe.transferId,
      reason: pipe.endReason,
      code: pipe.endFailure?.code,
      bytesIn: pipe.bytesIn,
      bytesOut: pipe.bytesSent,
      /** Absent for a pipe. */
      kind: pipe.kind === 'pipe' ? undefined : pipe.kind,
      answer: pipe.isAnswer === true ? true : undefined,
      receivers: (pipe.live ?? pipe.topic)?.peak ?? pipe.receiversWanted,
      messages: pipe.topic?.messages,
      skips: pipe.live?.skips,
      cuts: (pipe.live ?? pipe.topic)?.cuts,
      waitedMs: Math.round(pairedAt - pipe.openedAt),
      streamedMs: Math.round(streamedMs),
      /** Of what was read, in bytes a second; absent when there was no time to speak of. */
      bytesPerSecond: streamedMs >= 1 ? Math.round((pipe.bytesIn * 1000) / streamedMs) : undefined,
    }
  }
}
