import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { Refusal } from '../../../core/index.js'
import { type Framing, readFraming } from '../../http/framing.js'
import { HEAD_FAILURES, type HeadProblem, PROBLEM_FIELDS } from '../../http/head-failures.js'
import { show } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import { RefusalWithHeaders } from '../../http/response/failure-answer.js'
import type { Sockets } from '../../native/sockets.js'
import { ParsedRequest } from './parsed-request.js'
import { UwsRequest } from './request.js'

/** What an exchange has to know of its request. */
export interface RequestHead {
  readonly request: RequestView
  /** How the body is delimited, or why the request is refused: then nothing behind its head can be told. */
  readonly framing: Framing | Refusal
  /** The client takes another response on this connection. */
  readonly keepsAlive: boolean
  /** It speaks HTTP/1.0, and knows no chunks. */
  readonly isHttp10: boolean
  /** It waits for `100 Continue` before it sends the body, and uWebSockets has not sent one. */
  readonly wantsContinue: boolean
  /** The helper has read it, and reads what follows. */
  readonly isReadByHelper: boolean
}

type HeadSockets = Pick<Sockets, 'currentHead' | 'currentSocket' | 'remoteIpv4'>

/** In the handler: the head of the request that uWebSockets has called it for. */
export function readHead(req: HttpRequest, res: HttpResponse, sockets: HeadSockets): RequestHead {
  const text = sockets.currentHead()
  return text === undefined ? headByEngine(new UwsRequest(req, res, sockets)) : headByHelper(text, res, sockets)
}

function headByEngine(request: UwsRequest): RequestHead {
  const keepsAlive = !/(?:^|,)\s*close\s*(?:,|$)/i.test(request.header('connection'))
  const framing = readFraming(request)
  return { request, framing, keepsAlive, isHttp10: false, wantsContinue: false, isReadByHelper: false }
}

const ONE = 0x31

/** `native/face.c` says what the first line is. */
function headByHelper(text: string, res: HttpResponse, sockets: HeadSockets): RequestHead {
  const end = text.indexOf('\n')
  const space = text.indexOf(' ', 5)
  const request = new ParsedRequest(text, end + 1, res, sockets)
  const problem = text.slice(space + 1, end)
  const framing = text.charCodeAt(3) - 0x30
  return {
    request,
    framing:
      problem === ''
        ? { length: framing === 2 ? undefined : Number(text.slice(5, space)) }
        : refusal(problem as HeadProblem, request),
    keepsAlive: text.charCodeAt(0) === ONE,
    isHttp10: text.charCodeAt(4) === ONE,
    wantsContinue: text.charCodeAt(1) === ONE,
    isReadByHelper: true,
  }
}

function refusal(problem: HeadProblem, request: RequestView): Refusal {
  // RFC 9110, section 15.5.6.
  if (problem === 'CONNECT_METHOD')
    return new RefusalWithHeaders(HEAD_FAILURES[problem], {}, [['Allow', 'GET, HEAD, POST, PUT, OPTIONS']])
  const field = PROBLEM_FIELDS[problem]
  return new Refusal(HEAD_FAILURES[problem], field === undefined ? {} : { found: show(request.header(field)) })
}
