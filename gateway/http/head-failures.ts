import type { Failure } from '../../core/index.js'

/**
 * Why a request's head is refused before anybody looks at what it asks for, by the names of gateway/native/head.h. The connection
 * closes, since nobody can know where the next request begins.
 */
export const HEAD_FAILURES = {
  NOT_HTTP: {
    code: 'NOT_HTTP',
    status: 400,
    message: 'This is not an HTTP request.',
    hint: 'Begin with a method, such as "GET".',
  },
  TLS_HANDSHAKE: {
    code: 'TLS_HANDSHAKE',
    status: 400,
    message: 'This is the beginning of TLS, and this port speaks plain HTTP.',
    hint: 'Use http:// here, or the port that speaks HTTPS.',
  },
  PROXY_PROTOCOL: {
    code: 'PROXY_PROTOCOL',
    status: 400,
    message: 'This is the PROXY protocol, which is not spoken here.',
    hint: 'Switch it off in the proxy, and let it send X-Forwarded-For.',
  },
  HTTP2_PREFACE: {
    code: 'HTTP2_PREFACE',
    status: 505,
    message: 'This is HTTP/2, and HTTP/1.1 is spoken here.',
    hint: 'Use HTTP/1.1, or put a proxy in front that speaks HTTP/2: nginx, HAProxy, Caddy or Envoy.',
  },
  TOO_MANY_EMPTY_LINES: {
    code: 'TOO_MANY_EMPTY_LINES',
    status: 400,
    message: 'There are more than 64 empty lines before the request.',
    hint: 'Begin with the request line.',
  },
  BARE_LF: {
    code: 'BARE_LF',
    status: 400,
    message: 'A line of the head ends in a line feed alone.',
    hint: 'End each line in a carriage return and a line feed.',
  },
  BARE_CR: {
    code: 'BARE_CR',
    status: 400,
    message: 'There is a carriage return in the head without a line feed after it.',
    hint: 'End each line in a carriage return and a line feed.',
  },
  CONTROL_CHARACTER: {
    code: 'CONTROL_CHARACTER',
    status: 400,
    message: 'There is a control character in the head.',
    hint: 'Leave it out, or escape it.',
  },
  REQUEST_LINE_TOO_LONG: {
    code: 'REQUEST_LINE_TOO_LONG',
    status: 414,
    message: 'The request line has more than 16384 bytes.',
    hint: 'Use a shorter URL.',
  },
  HEAD_TOO_LARGE: {
    code: 'HEAD_TOO_LARGE',
    status: 431,
    message: 'The head of this request has more than 65 KiB.',
    hint: 'Send fewer or shorter header fields, cookies for example.',
  },
  TOO_MANY_FIELDS: {
    code: 'TOO_MANY_FIELDS',
    status: 431,
    message: 'This request has more than 256 header fields.',
    hint: 'Send fewer.',
  },
  BAD_REQUEST_LINE: {
    code: 'BAD_REQUEST_LINE',
    status: 400,
    message: 'The request line is not a method, a target and a version with one space between them.',
    hint: 'Send for example "GET /name HTTP/1.1".',
  },
  METHOD_TOO_LONG: {
    code: 'METHOD_TOO_LONG',
    status: 501,
    message: 'The method has more than 64 characters.',
    hint: 'Use GET, PUT or POST.',
  },
  UNSUPPORTED_VERSION: {
    code: 'UNSUPPORTED_VERSION',
    status: 505,
    message: 'The version of this request is neither HTTP/1.1 nor HTTP/1.0.',
    hint: 'Use HTTP/1.1.',
  },
  BAD_TARGET: {
    code: 'BAD_TARGET',
    status: 400,
    message: 'The target of this request is not a path, nor a URI of http or https.',
    hint: 'Begin it with "/", without spaces, control characters and "#".',
  },
  OBSOLETE_FOLDING: {
    code: 'OBSOLETE_FOLDING',
    status: 400,
    message: 'A header field goes on in the next line.',
    hint: 'Write it in one line.',
  },
  BAD_FIELD_NAME: {
    code: 'BAD_FIELD_NAME',
    status: 400,
    message: 'The name of a header field is empty, or has a character that none may have.',
    hint: 'Use letters, digits and "-".',
  },
  SPACE_BEFORE_COLON: {
    code: 'SPACE_BEFORE_COLON',
    status: 400,
    message: 'There is white space between the name of a header field and its colon.',
    hint: 'Leave it out.',
  },
  NO_COLON: {
    code: 'NO_COLON',
    status: 400,
    message: 'A header field has no colon.',
    hint: 'Write it as "Name: value".',
  },
  NO_HOST: {
    code: 'NO_HOST',
    status: 400,
    message: 'This request has no Host.',
    hint: 'Send one: HTTP/1.1 requires it.',
  },
  REPEATED_HOST: {
    code: 'REPEATED_HOST',
    status: 400,
    message: 'This request has more than one Host.',
    hint: 'Send one.',
  },
  BAD_HOST: {
    code: 'BAD_HOST',
    status: 400,
    message: 'The Host header is "{found}".',
    hint: 'Send a host name or an address, and perhaps a port.',
  },
  REPEATED_LENGTH: {
    code: 'REPEATED_LENGTH',
    status: 400,
    message: 'This request has more than one Content-Length.',
    hint: 'Send one.',
  },
  BAD_LENGTH: {
    code: 'BAD_LENGTH',
    status: 400,
    message: 'The Content-Length is "{found}".',
    hint: 'Send plain digits, for a number below 2^53.',
  },
  LENGTH_AND_CODING: {
    code: 'LENGTH_AND_CODING',
    status: 400,
    message: 'This request has both a Content-Length and a Transfer-Encoding.',
    hint: 'Send one of them.',
  },
  CODING_IN_HTTP_1_0: {
    code: 'CODING_IN_HTTP_1_0',
    status: 400,
    message: 'This request has a Transfer-Encoding, which HTTP/1.0 does not know.',
    hint: 'Send a Content-Length, or use HTTP/1.1.',
  },
  BAD_CODING: {
    code: 'BAD_CODING',
    status: 400,
    message: 'The Transfer-Encoding is "{found}", in which "chunked" is repeated or not the last.',
    hint: 'Send "Transfer-Encoding: chunked".',
  },
  UNKNOWN_CODING: {
    code: 'UNKNOWN_CODING',
    status: 501,
    message: 'The Transfer-Encoding is "{found}".',
    hint: 'Send "Transfer-Encoding: chunked", and name a compression in Content-Encoding.',
  },
  CONNECT_METHOD: {
    code: 'CONNECT_METHOD',
    status: 405,
    message: 'CONNECT asks for a tunnel, and this is no proxy.',
    hint: 'Use GET, PUT or POST, and do not set this server as a proxy.',
  },
  UNKNOWN_EXPECTATION: {
    code: 'UNKNOWN_EXPECTATION',
    status: 417,
    message: 'This request expects "{found}".',
    hint: 'Send "Expect: 100-continue", or no Expect.',
  },
  TOO_MANY_HALF_HEADS: {
    code: 'TOO_MANY_HALF_HEADS',
    status: 503,
    message: 'Too many requests that have not arrived whole are held.',
    hint: 'Send the head of a request at once, or try again later.',
  },
} as const satisfies Record<string, Failure>

export type HeadProblem = keyof typeof HEAD_FAILURES

/** The header field that a problem is about, for `{found}`. */
export const PROBLEM_FIELDS: Partial<Record<HeadProblem, string>> = {
  BAD_HOST: 'host',
  BAD_LENGTH: 'content-length',
  BAD_CODING: 'transfer-encoding',
  UNKNOWN_CODING: 'transfer-encoding',
  UNKNOWN_EXPECTATION: 'expect',
}
