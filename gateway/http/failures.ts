import { CORE_FAILURES, type Failure, TOPIC_FAILURES } from '../../core/index.js'

/** What the gateway refuses by itself, before a request reaches a pipe. */
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
  unknownHost: {
    code: 'UNKNOWN_HOST',
    status: 421,
    message: 'This gateway does not answer to the host "{found}".',
    hint: 'Use localhost or 127.0.0.1, or let the operator add that host to the setting hosts.',
  },
  crossSite: {
    code: 'CROSS_SITE',
    status: 403,
    message: 'A page of another origin makes this request, of {found}, and no credentials come with it.',
    hint: 'Let the operator add that origin to cors.origins, the origins of the plugin cors.',
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
  twoKinds: {
    code: 'TWO_KINDS',
    status: 400,
    message: 'This request asks for {found} and {another}, and a name is one thing at a time.',
    hint: 'Keep one of them.',
  },
  notWithLive: {
    code: 'NOT_WITH_LIVE',
    status: 400,
    message: 'A live stream has no fixed viewers and no known end, so {found} makes no sense with it.',
    hint: 'Leave it out, or leave out ?live.',
  },
  notWithQueue: {
    code: 'NOT_WITH_QUEUE',
    status: 400,
    message: 'A queue gives each stream to one receiver, so {found} makes no sense with it here.',
    hint: 'Leave it out, or leave out ?queue.',
  },
  notWithQueueLines: {
    code: 'NOT_WITH_QUEUE_LINES',
    status: 400,
    message: 'With ?queue&lines each line is a job of its own, so {found} makes no sense with it here.',
    hint: 'Leave it out, or leave out ?lines.',
  },
  lineTooLong: {
    code: 'LINE_TOO_LONG',
    status: 413,
    message: 'A line of this body has {found} bytes or more, and may have {expected}.',
    hint: 'Send shorter lines, or jobs of any length without ?lines.',
  },
  jobsLost: {
    code: 'JOBS_LOST',
    status: 502,
    message:
      '{delivered} job(s) were delivered, and {lost} lost: their workers left, or were cut, with a part of them.',
    hint: 'Nobody else has got those.',
  },
  notWithTopic: {
    code: 'NOT_WITH_TOPIC',
    status: 400,
    message: 'A topic hands whole messages to whoever is there, so {found} makes no sense with it.',
    hint: 'Leave it out, or leave out ?topic.',
  },
  notWithAsk: {
    code: 'NOT_WITH_ASK',
    status: 400,
    message: 'A question goes to one worker, and its answer to who asked, so {found} makes no sense with it here.',
    hint: 'Leave it out.',
  },
  notWithDuplex: {
    code: 'NOT_WITH_DUPLEX',
    status: 400,
    message: 'A duplex pipe joins two peers, each of whom hears the other, so {found} makes no sense with it here.',
    hint: 'Leave it out.',
  },
  needsBothRights: {
    code: 'NEEDS_BOTH_RIGHTS',
    status: 403,
    message: 'A peer of a duplex pipe sends and receives, and these credentials may only send.',
    hint: 'Use credentials with both rights, or ?duplex=a and ?duplex=b.',
  },
  noSuchAnswer: {
    code: 'NO_SUCH_ANSWER',
    status: 404,
    message: 'No question on this name has ever been answered by {found}.',
    hint: 'Send the answer to the address in the X-Pipe-Answer of the question, as it is.',
  },
  upgradeRequired: {
    code: 'UPGRADE_REQUIRED',
    status: 426,
    message: 'Only a WebSocket can take {found}, and this request asks for none.',
    hint: 'Connect with a WebSocket client, or leave it out.',
  },
  websocketVersion: {
    code: 'WEBSOCKET_VERSION',
    status: 426,
    message: 'This request asks for a WebSocket of version {found}, and only 13 is spoken here.',
    hint: 'Connect with a WebSocket client that follows RFC 6455.',
  },
  badHandshake: {
    code: 'BAD_HANDSHAKE',
    status: 400,
    message: 'This request asks for a WebSocket, but {found}.',
    hint: 'Connect with a WebSocket client that follows RFC 6455.',
  },
  unequalProtocols: {
    code: 'UNEQUAL_PROTOCOLS',
    status: 409,
    message: 'The peer that waits here speaks the subprotocol {expected}, and this one offers {found}.',
    hint: 'Offer the same, or use another name.',
  },
  onlyLooks: {
    code: 'ONLY_LOOKS',
    status: 503,
    message: 'This request only looks ahead ({found}), and a stream is there once.',
    hint: 'Open the address itself, or send a request without that.',
  },
  wasCut: {
    code: 'WAS_CUT',
    status: 410,
    message: 'What this download was receiving was cut, and is not there any more.',
    hint: 'Ask for it again when its sender sends it again.',
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

/** The catalogue of all refusals, by a short key. */
export const FAILURES = { ...CORE_FAILURES, ...TOPIC_FAILURES, ...GATEWAY_FAILURES } as const
