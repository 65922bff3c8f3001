/** The programs with which people send files, and how each of them is called. */

import { join } from 'node:path'
import { PEERS, PROJECT } from '../paths.js'

/** What is sent, and where it goes. */
export interface Job {
  /** The folder that `what` lies in. */
  readonly from: string
  readonly what: string
  readonly isFolder: boolean
  /** An empty folder. */
  readonly to: string
  /** Of the gateway, or of croc's relay. */
  readonly port: number
  readonly name: string
}

/** Two commands for a shell, started at the same time. */
export interface Commands {
  readonly send: string
  readonly receive: string
}

export interface Side {
  readonly name: string
  readonly relay: 'pipegate' | 'croc'
  commands(job: Job): Commands
}

const MAIN = `'${process.execPath}' '${PROJECT}dist/gateway/main.js'`
export const CROC = `${PEERS}bin/croc`

/** @param flags of both sides */
function pipegate(name: string, flags: string): Side {
  return {
    name,
    relay: 'pipegate',
    commands: ({ from, what, to, port, name }) => {
      const server = `--server http://127.0.0.1:${port}`
      return {
        send: `cd '${from}' && exec ${MAIN} send ${flags} ${server} --json --name ${name} ${what}`,
        receive: `cd '${to}' && exec ${MAIN} receive ${flags} ${server} --json ${name}`,
      }
    },
  }
}

export const SIDES: readonly Side[] = [
  pipegate('pipegate send/receive', ''),
  pipegate('the same, --no-verify', '--no-verify'),
  {
    name: 'curl through pipegate',
    relay: 'pipegate',
    commands: ({ from, what, isFolder, to, port, name }) => {
      const url = `http://127.0.0.1:${port}/${name}`
      return isFolder
        ? {
            send: `cd '${from}' && tar cf - ${what} | curl -sSf -o /dev/null -T - ${url}`,
            receive: `cd '${to}' && curl -sSf ${url} | tar xf -`,
          }
        : {
            send: `cd '${from}' && exec curl -sSf -o /dev/null -T ${what} ${url}`,
            receive: `exec curl -sSf -o '${join(to, what)}' ${url}`,
          }
    },
  },
  {
    name: 'croc',
    relay: 'croc',
    commands: ({ from, what, to, port, name }) => {
      // The secret is in the environment: croc takes it from nowhere else on Linux. It needs time to take its place.
      const flags = `--yes --no-compress --relay 127.0.0.1:${port}`
      return {
        send: `cd '${from}' && CROC_SECRET=${name}-aa-bb exec '${CROC}' ${flags} --quiet send --no-local ${what}`,
        receive: `sleep 1; cd '${to}' && CROC_SECRET=${name}-aa-bb exec '${CROC}' ${flags} --quiet`,
      }
    },
  },
]
