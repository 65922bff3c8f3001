import { type Host, type Join, type RequestView, show, type Verdict } from '../../gateway/host/plugin-api.js'
import type { Grant } from './fields.js'

/**
 * Lets in what has a grant, as far as that goes.
 * @param host of a plugin whose failures have `noRight` and `noName`
 * @param subject who it is, fit for a log
 */
export function allow(
  host: Pick<Host<unknown, 'noRight' | 'noName'>, 'refuse'>,
  { name, project, rights, names }: Grant,
  join: Join,
  subject = name,
): Verdict {
  const { right } = join
  if (!rights.has(right)) {
    return host.refuse('noRight', { entry: name, right, found: [...rights].join(', ') || 'none' })
  }
  if (names !== undefined && !names.fit.some((fits) => fits.covers(join.name))) {
    return host.refuse('noName', { entry: name, expected: show(names.written.join(' or ')) })
  }
  return join.identify({ project, subject, rights })
}

/**
 * Whether a page of another site has made a browser send this. A browser adds Basic credentials, and the certificate of its user, to such requests
 * by itself, so they say nothing about what its user wants. Following a link is fine: the other site sees nothing of the answer.
 */
export function isFromElsewhere(request: RequestView): boolean {
  const site = request.header('sec-fetch-site')
  const isLink = request.method === 'GET' && request.header('sec-fetch-dest') === 'document'
  if (site !== '') return (site === 'cross-site' || site === 'same-site') && !isLink
  const origin = request.header('origin')
  // Browsers leave Sec-Fetch-Site out over plain HTTP.
  return origin !== '' && origin.replace(/^https?:\/\//, '').toLowerCase() !== request.header('host').toLowerCase()
}
