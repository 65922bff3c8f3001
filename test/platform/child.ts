/**
 * Programs for tests that must see a whole process: how it ends, or what the native code prints. `node child.js <name>`
 * prints `port=<n>` and serves until its own scenario ends it, or until the test does.
 */

import type { HttpResponse, us_listen_socket } from 'uWebSockets.js'
import { listen, silence, uws } from './app.js'

const app = uws.App()
let listening: us_listen_socket | undefined

/** Standard output of a child is a pipe; written synchronously, a line is out before the process can be terminated. */
function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** The native code writes its warning to file descriptor 2; marks in the same stream say between what it came. */
function mark(line: string): void {
  process.stderr.write(`# ${line}\n`)
}

function stopListening(res: HttpResponse): void {
  if (listening !== undefined) uws.us_listen_socket_close(listening)
  res.end('stopped', true)
}

/** Every way to write on a response that is not the running one: to a living peer and to a dead one. */
function otherResponses(): void {
  let living: HttpResponse | undefined
  let dead: HttpResponse | undefined
  const writeBoth = (place: string): void => {
    mark(`${place}: begin`)
    const alive = living?.write('x')
    const gone = dead?.write('x')
    mark(`${place}: end`)
    say(`${place}: living ${alive}, dead ${gone}`)
  }
  app.any('/*', (res, req) => {
    const path = req.getUrl()
    let aborted = false
    res.onAborted(() => {
      aborted = true
      if (path === '/onAborted') writeBoth(path)
    })
    const places: Record<string, () => void> = {
      '/living': () => {
        living = res
        setImmediate(() => res.cork(() => res.write('started')))
      },
      '/dead': () => {
        res.onData(() => {
          res.pause()
          if (dead === res) return
          dead = res
          setImmediate(() => res.cork(() => res.write('started')))
        })
      },
      '/handler': () => {
        writeBoth(path)
        res.end()
      },
      '/onData': () => {
        let done = false
        res.onData((chunk) => {
          if (done || chunk.byteLength === 0) return
          done = true
          writeBoth(path)
          res.end()
        })
      },
      '/onWritable': () => {
        let done = false
        res.onWritable(() => {
          if (!done) writeBoth(path)
          done = true
          return true
        })
        setImmediate(() => res.cork(() => res.tryEnd(Buffer.alloc(16 * 1024 * 1024), 16 * 1024 * 1024)))
      },
      '/otherCork': () => {
        setImmediate(() =>
          res.cork(() => {
            writeBoth(path)
            res.end()
          }),
        )
      },
      '/onAborted': () => {},
      '/setImmediate': () => {
        setImmediate(() => {
          writeBoth(path)
          if (!aborted) res.cork(() => res.end())
        })
      },
      '/ownCork': () => {
        setImmediate(() => {
          mark(`${path}: begin`)
          let gone: boolean | undefined
          dead?.cork(() => {
            gone = dead?.write('x')
          })
          mark(`${path}: end`)
          say(`${path}: dead ${gone}`)
          res.cork(() => res.end())
        })
      },
    }
    places[path]?.()
  })
}

const SCENARIOS: Record<string, () => void> = {
  /** A handler that neither answers nor registers onAborted. */
  careless() {
    app.get('/*', () => {})
  },

  /** Responses that wait, and one that stops listening. */
  stop() {
    const waiting: HttpResponse[] = []
    app.get('/stop', stopListening)
    app.get('/say', (res) => {
      for (const each of waiting) each.write('still here')
      res.end('said', true)
    })
    app.get('/wait', (res) => {
      res.onAborted(() => say('aborted'))
      waiting.push(res)
      say('waiting')
    })
  },

  /** A sender that is paused from the first call of onData on. */
  pausedSender() {
    app.get('/stop', stopListening)
    app.put('/paused', (res) => {
      res.onAborted(() => say('aborted'))
      res.onData(() => {
        res.pause()
        say('paused')
      })
    })
  },

  throws() {
    process.on('uncaughtException', (error) => say(`uncaught ${error.message}`))
    app.get('/handler', (res) => {
      res.onAborted(() => {})
      throw new Error('in the handler')
    })
    app.put('/onData', (res) => {
      res.onAborted(() => {})
      res.onData(() => {
        throw new Error('in onData')
      })
    })
    app.get('/ok', (res) => {
      res.end('ok')
    })
  },

  silent() {
    silence()
    app.get('/*', (res) => {
      res.end('quiet')
    })
  },

  loud() {
    app.get('/*', (res) => {
      res.end('loud')
    })
  },

  otherResponses,
}

const scenario = SCENARIOS[process.argv[2] ?? '']
if (scenario === undefined) throw new Error(`no such scenario: ${process.argv[2]}`)
scenario()
const socket = await listen(app, '127.0.0.1', 0)
if (socket === false) throw new Error('could not listen')
listening = socket
say(`port=${uws.us_socket_local_port(socket)}`)
