import type { Plugin } from '../gateway/plugin-api.js'
import type { Command } from './command.js'

/** The plugins that come with the gateway, by name. None is loaded into memory before it is asked for. */
export const BUNDLED: Readonly<Record<string, () => Promise<{ readonly default: Plugin }>>> = {
  cors: () => import('./cors/index.js'),
  links: () => import('./links/index.js'),
  'auth-bearer': () => import('./auth-bearer/index.js'),
  'auth-jwt': () => import('./auth-jwt/index.js'),
  limits: () => import('./limits/index.js'),
  metrics: () => import('./metrics/index.js'),
  progress: () => import('./progress/index.js'),
  pages: () => import('./pages/index.js'),
  openapi: () => import('./openapi/index.js'),
  'access-log': () => import('./access-log/index.js'),
  'reverse-proxy': () => import('./reverse-proxy/index.js'),
}

/** Those that are loaded without being asked for, until the configuration says `enabled: false`. */
export const DEFAULTS = ['cors', 'metrics', 'progress', 'pages', 'openapi'] as const

/** Commands of the program besides those that serve. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  token: async () => (await import('./auth-bearer/token.js')).tokenCommand,
  link: async () => (await import('./links/link.js')).linkCommand,
  watch: async () => (await import('./progress/watch/command.js')).watchCommand,
  doctor: async () => (await import('../doctor/command.js')).doctorCommand,
}
