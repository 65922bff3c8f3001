import { PATHS } from './paths.js'
import { HEADERS, REFUSALS } from './responses.js'
import { SCHEMAS } from './schemas.js'

const DESCRIPTION = `One HTTP request's body becomes another request's response. A sender (\`PUT\` or \`POST\`) and \`n\` receivers (\`GET\`) \
meet on a name, in any order; the stream starts when all are there. Nothing is stored.

- A name is the whole path, slashes included (\`logs/today\`), although a path parameter of OpenAPI cannot say so. It is compared as it \
is written: percent-escapes are not decoded.
- A transfer that fails is cut: its responses have no last chunk, or fewer bytes than \`Content-Length\`.
- A refusal is one \`[ERROR]\` line, or JSON with \`Accept: application/json\`. \`X-Pipe-Code\` has the code; plugins have codes of their own.
- Of a parameter that is repeated the first value counts, and unknown ones are ignored.
- What is no sound HTTP/1.1 or 1.0 is refused in the same way (400, 414, 417, 431, 501, 505), and the connection closes.`

/** @param prefix of this gateway; empty when there is none */
export function openApi(prefix: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'pipegate',
      version: '1',
      summary: 'Streams from one HTTP request to others',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to where this was read, so that it is right behind any proxy.
    servers: [{ url: prefix === '' ? '/' : prefix, description: 'This host' }],
    tags: [
      { name: 'pipes', description: 'Send, receive and watch' },
      { name: 'pages', description: 'For people' },
      { name: 'operation', description: 'For who runs it' },
    ],
    // Nobody is asked for a token unless the operator says so.
    security: [{}, { bearer: [] }],
    paths: PATHS,
    components: {
      schemas: SCHEMAS,
      headers: HEADERS,
      responses: REFUSALS,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token or a JWT, where the operator has loaded a plugin for it',
        },
      },
    },
  }
}
