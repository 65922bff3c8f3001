import { CORE_FAILURES, type EndReason, type Failure, type PipeView } from '../../core/index.js'

/** What the gateway itself refuses, before a request has anything to do with a pipe. */
export const GATEWAY_FAILURES = {
  badFraming: {
    code: 'BAD_FRAMING',
    status: 400,
    message: 'This request has {found}.',
    hint: 'Send one Content-Length of plain digits, or "Transfer-Encoding: chunked", and not both.',
  },
  badHost: {
    code: 'BAD_HOST',
    status: 400,
    message: 'The Host header is "{found}".',
    hint: 'Send a host name or an address, and perhaps a port.',
  },
  nameTooLong: {
    code: 'NAME_TOO_LONG',
    status: 414,
    message: 'The name has {found} characters.',
    hint: 'Use 1 to 1024.',
  },
  badName: {
    code: 'BAD_NAME',
    status: 400,
    message: 'The name contains {found}.',
    hint: 'Leave it out: letters, digits and "/", "-", "_", "." between them are always fine.',
  },
  reservedName: {
    code: 'RESERVED_NAME',
    status: 400,
    message: 'The name "{found}" is reserved.',
    hint: 'Choose another name.',
  },
  methodNotAllowed: {
    code: 'METHOD_NOT_ALLOWED',
    status: 405,
    message: 'The method {found} means nothing here.',
    hint: 'Use one of: {allow}.',
  },
  notHere: {
    code: 'NOT_HERE',
    status: 404,
    message: 'Nothing answers at {found}.',
    hint: 'Try {instead}.',
  },
  badParameter: {
    code: 'BAD_PARAMETER',
    status: 400,
    message: 'The value of {name} is "{found}".',
    hint: 'It takes {expected}.',
  },
  transferIdTaken: {
    code: 'TRANSFER_ID_TAKEN',
    status: 409,
    message: 'The transfer id {found} is in use.',
    hint: 'Choose another one, or none: then one is drawn.',
  },
  contentRange: {
    code: 'CONTENT_RANGE',
    status: 400,
    message: 'This request has a Content-Range, and a stream has no parts.',
    hint: 'Send the whole body without it.',
  },
  badBoundary: {
    code: 'BAD_BOUNDARY',
    status: 400,
    message: 'The Content-Type of this form has {found}.',
    hint: 'Name the boundary between its parts: 1 to 70 characters, as browsers and curl -F do.',
  },
  bodyNotWanted: {
    code: 'BODY_NOT_WANTED',
    status: 400,
    message: 'This GET has a body, and who receives or watches has nothing to send.',
    hint: 'Leave the body out, or send it with PUT or POST.',
  },
  serviceWorker: {
    code: 'SERVICE_WORKER',
    status: 400,
    message: 'A service worker cannot be loaded from a pipe.',
    hint: 'Serve it from a web server of your own.',
  },
  headerTooLong: {
    code: 'HEADER_TOO_LONG',
    status: 431,
    message: 'The header {name} has {found} bytes.',
    hint: 'Keep each value within {expected}.',
  },
  notAvailable: {
    code: 'NOT_AVAILABLE',
    status: 501,
    message: 'This gateway does not offer {found}.',
    hint: '{instead}',
  },
  pluginFault: {
    code: 'PLUGIN_FAULT',
    status: 500,
    message: 'The plugin {plugin} failed on this request.',
    hint: "The gateway's log has the details under request {id}.",
  },
  admitTimeout: {
    code: 'ADMIT_TIMEOUT',
    status: 503,
    message: 'Nobody decided in time whether this request may go on.',
    hint: 'Try again in a few seconds.',
  },
  tooLarge: {
    code: 'TOO_LARGE',
    status: 413,
    message: 'This body has {found} bytes, and may have {expected}.',
    hint: 'Send less at once.',
  },
  internal: {
    code: 'INTERNAL',
    status: 500,
    message: 'The gateway failed on this request.',
    hint: "The gateway's log has the details under request {id}.",
  },
} as const satisfies Record<string, Failure>

/** Every refusal there is, by a short key. */
export const FAILURES = { ...CORE_FAILURES, ...GATEWAY_FAILURES } as const

/** How an end is told: to a receiver that has no headers yet, or to a sender with `?reply=end`, by a status as well. */
export interface Ending {
  readonly status: number
  /** What stands behind `[ERROR] `, or `[INFO] ` for a complete transfer. */
  readonly line: string
}

export const ENDINGS: Readonly<Record<EndReason, Ending>> = {
  complete: { status: 200, line: 'Transfer complete.' },
  sender_left: { status: 502, line: 'Transfer failed: the sender disconnected before its last byte.' },
  wrong_length: { status: 502, line: 'Transfer failed: the body has another length than its Content-Length says.' },
  broken_body: { status: 502, line: 'Transfer failed: the body is not framed as chunked transfer coding asks for.' },
  broken_form: { status: 502, line: 'Transfer failed: the form is broken, or ends before its last boundary.' },
  empty_form: { status: 502, line: 'Transfer failed: no file and no input_text came in the form.' },
  receivers_left: { status: 502, line: 'All receivers disconnected before transfer completed.' },
  receivers_stalled: { status: 502, line: 'Transfer failed: no receiver took any data for the stall limit.' },
  no_sender: { status: 408, line: 'Timed out waiting for sender.' },
  no_receivers: { status: 408, line: 'Timed out waiting for receivers.' },
  abandoned: { status: 502, line: 'Transfer failed: everybody who waited has disconnected.' },
  idle: { status: 504, line: 'Transfer idle for too long.' },
  too_slow: { status: 504, line: 'Transfer failed: it was slower than the server allows.' },
  too_large: { status: 413, line: 'Transfer failed: it has more bytes than it may have.' },
  too_long: { status: 504, line: 'Transfer failed: it took longer than it may.' },
  stopped: { status: 502, line: 'Transfer failed: stopped by the operator.' },
  too_many_active: { status: 429, line: 'Server at maximum active transfer capacity.' },
  overflow: { status: 503, line: 'Transfer failed: the server has no memory left for bytes in flight.' },
  shutting_down: { status: 503, line: 'Server shutting down.' },
  fault: { status: 500, line: 'Transfer failed: internal error.' },
}

/** How this end is told. Who has stopped a pipe has said why. */
export function endingOf(reason: EndReason, pipe: Pick<PipeView, 'endFailure'>): Ending {
  const { endFailure } = pipe
  if (reason !== 'stopped' || endFailure === undefined) return ENDINGS[reason]
  return { status: endFailure.status, line: `Transfer failed: ${endFailure.message}` }
}
