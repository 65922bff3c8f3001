/** Requests to a server of uWebSockets.js, and what came of them. */

import type * as uws from 'uWebSockets.js'
import { connect, parseResponse, type RawClient, type RawResponse } from '../../support/raw.js'
import { head, Seen, type Served, serve, type Tidy } from '../app.js'

interface Told {
  readonly methodFirst: string
  readonly method: string
  readonly methodAfterwards: string
  readonly url: string
  readonly query: string | undefined
  readonly queryX: string | undefined
  readonly headerX: string
  readonly headers: (readonly [string, string])[]
  readonly body: string
}

/** Answers with what the handler was told, as JSON, after the whole body came. */
export function tellServer(t: Tidy): Promise<Served> {
  return serve(t, (app) => {
    app.any('/*', (res, req) => {
      const headers: (readonly [string, string])[] = []
      req.forEach((name, value) => {
        headers.push([name, value])
      })
      const told = {
        methodFirst: req.getCaseSensitiveMethod(),
        method: req.getMethod(),
        methodAfterwards: req.getCaseSensitiveMethod(),
        url: req.getUrl(),
        query: req.getQuery(),
        queryX: req.getQuery('x'),
        headerX: req.getHeader('x'),
        headers,
      }
      let body = ''
      new Seen(res).read((chunk, last) => {
        body += Buffer.from(chunk).toString('latin1')
        if (last) res.end(JSON.stringify({ ...told, body }))
      })
    })
  })
}

export async function exchange(
  served: Served,
  request: string,
  options: { head?: boolean } = {},
): Promise<RawResponse> {
  const client = await connect(served)
  await client.send(request)
  const response = await client.waitForResponse(options)
  client.destroy()
  return response
}

export async function told(served: Served, request: string): Promise<Told> {
  return JSON.parse((await exchange(served, request)).body.toString('utf8'))
}

/** Sends a request that uWebSockets refuses by itself, and waits for the close that must follow. */
export async function refusal(served: Served, request: string): Promise<number> {
  const client = await connect(served)
  await client.send(request)
  await client.waitForClose()
  return parseResponse(client.received).status
}

/** What a handler that answers at once puts on the wire. */
export async function wire(t: Tidy, answer: (res: uws.HttpResponse) => void, method = 'GET'): Promise<RawClient> {
  const served = await serve(t, (app) => {
    app.any('/*', (res) => {
      res.onAborted(() => {})
      answer(res)
    })
  })
  const client = await connect(served)
  t.teardown(() => client.destroy())
  await client.send(head(method, '/'))
  await client.waitFor('HTTP/1.1')
  return client
}
