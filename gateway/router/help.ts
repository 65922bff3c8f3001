import { show } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import type { RouterOptions } from './options.js'

/** The text of `/help`, with addresses that work for this client. */
export function helpText(
  request: RequestView,
  { schemeOf, prefix }: Pick<RouterOptions, 'schemeOf' | 'prefix'>,
): string {
  const host = show(request.header('host')) || 'localhost'
  const base = `${schemeOf(request)}://${host}${prefix}`
  return [
    'pipegate: the body of one request becomes the response of another. Either side may come first.',
    '',
    `  send a file      curl -T file ${base}/some-name`,
    `  send a stream    tar cz folder | curl -T - ${base}/some-name`,
    `  receive          curl ${base}/some-name > file`,
    `  to three         add ?n=3 on every side`,
    '',
    'A name is free again when its transfer has ended. Nothing is stored.',
    '',
  ].join('\n')
}
