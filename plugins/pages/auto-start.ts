import { isPreview, type RequestView } from '../../gateway/host/plugin-api.js'

/**
 * Whether `autostart` in the address of a page counts: when somebody has typed the address or opened it outside a page, or a page of
 * this gateway leads there. Another site's link would otherwise send and receive with all that its visitor can reach; and a robot
 * that draws a preview takes nothing. A browser says nothing of that on plain HTTP, where it then needs a click.
 */
export function mayAutostart(request: Pick<RequestView, 'header'>): boolean {
  return /^(none|same-origin)$/.test(request.header('sec-fetch-site')) && !isPreview(request)
}
