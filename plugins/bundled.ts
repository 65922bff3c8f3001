import type { Plugin } from '../gateway/host/plugin-api.js'

/** The plugins that come with the gateway, by name. None is loaded into memory before it is asked for. */
export const BUNDLED: Readonly<Record<string, () => Promise<{ readonly default: Plugin }>>> = {
  cors: () => import('./cors/index.js'),
  links: () => import('./links/index.js'),
  'auth-cert': () => import('./auth-cert/index.js'),
  'auth-bearer': () => import('./auth-bearer/index.js'),
  'auth-jwt': () => import('./auth-jwt/index.js'),
  limits: () => import('./limits/index.js'),
  metrics: () => import('./metrics/index.js'),
  progress: () => import('./progress/index.js'),
  pages: () => import('./pages/index.js'),
  media: () => import('./media/index.js'),
  openapi: () => import('./openapi/index.js'),
  'access-log': () => import('./access-log/index.js'),
  'reverse-proxy': () => import('./reverse-proxy/index.js'),
}

/** Those that are loaded without being asked for, until the configuration says `enabled: false`. */
export const DEFAULTS = ['cors', 'metrics', 'progress', 'pages', 'media', 'openapi'] as const

/** A token that is known to nobody, and the configuration of auth-bearer that lets in who has it, to everything. */
export async function freshToken(): Promise<{ readonly token: string; readonly config: object }> {
  const { token, hash } = (await import('./auth-bearer/new-token.js')).newToken()
  return { token, config: { tokens: [{ name: 'this-run', hash }] } }
}
