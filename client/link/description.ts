import { describe } from '../cli/description.js'
import { argument, single } from '../cli/flags.js'
import { choice, file, text } from '../cli/values.js'
import { SERVER, VARIABLES } from '../flags.js'
import { TTL } from './ttl.js'

export const description = describe({
  name: 'link',
  summary: 'signs a link, for somebody without a token',
  section: 'Access',
  arguments: { url: argument(text('URL'), 'The name that the link is for: https://HOST/NAME, without a query.') },
  flags: {
    secretFile: single(file(), 'The secret of the plugin links.', { required: true }),
    right: single(choice('watch', 'receive'), 'What the link lets its holder do.', { required: true }),
    ttl: single(TTL, 'How long it holds: 90s, 30m, 1h, 7d; at most a year.', { fallback: '1h' }),
    project: single(text('PROJECT'), 'The project that the name belongs to, when the gateway has projects.', {
      fallback: '',
    }),
    prefix: single(text('PATH|off'), "The gateway's prefix, as in its configuration.", { fallback: '/api/v1/pipe' }),
    server: SERVER,
  },
  about: [
    'Signs a link with the secret of the gateway, without asking it. Whoever has the link may watch or receive on that one name until it ' +
      'expires, without a token.',
  ],
  examples: [
    {
      run: 'pipegate link https://pipe.example.org/artifacts/7 --secret-file link-secret --right watch --project builds',
      does: 'for an hour',
    },
    {
      run: 'pipegate link https://pipe.example.org/film --secret-file link-secret --right receive --ttl 7d',
      does: 'for a week',
    },
  ],
  variables: { PIPEGATE_URL: VARIABLES.PIPEGATE_URL },
  exits: { 0: 'done', 1: 'the secret cannot be read', 2: 'wrong usage' },
  page: 'plugins/links.md',
})
