/** Clients in a crowd: more of them than there are descriptors, more bytes than there is memory, all of them gone at once. */

import { eventually } from '../../support/eventually.js'
import { bodyOf } from '../../support/tape.js'
import type { GatewayProcess } from '../gateway-process.js'
import { Connection, type Door } from '../load/connection.js'
import { type Fault, orMend } from './fault.js'

const KIB = 1024

/** Opens so many, some at a time; those that are turned away are not in the list. */
async function open(door: Door, count: number): Promise<Connection[]> {
  const all: Connection[] = []
  for (let i = 0; i < count; i += 20) {
    const some = Array.from({ length: Math.min(20, count - i) }, () => Connection.open(door).catch(() => undefined))
    for (const each of await Promise.all(some)) if (each !== undefined) all.push(each)
  }
  return all
}

export function fewDescriptors(gateway: GatewayProcess, door: Door): Fault {
  return {
    name: 'descriptors at their limit',
    what: 'RLIMIT_NOFILE 30 above what is open, and 60 idle connections',
    lasts: [500, 2500],
    async plant() {
      const before = gateway.mostDescriptors
      gateway.limit(`--nofile=${gateway.descriptors + 30}:`)
      const crowd = await open(door, 60)
      return () => {
        for (const each of crowd) each.leave('destroy')
        gateway.limit(`--nofile=${before}:`)
      }
    },
  }
}

let crowds = 0

export function fullMemory(door: Door): Fault {
  return {
    name: 'memory at its limit',
    what: 'senders that wait and may bring 64 KiB each, of which some do, until one is refused with NO_MEMORY',
    // Who is turned away holds no memory.
    not: ['descriptors at their limit'],
    lasts: [500, 2500],
    async plant() {
      const crowd = `crowd-${crowds++}`
      const body = bodyOf(1, 128 * KIB)
      const all: Connection[] = []
      const isRefused = () => all.some((each) => each.field('x-pipe-code') === 'NO_MEMORY')
      for (let i = 0; i < 20 && !isRefused(); i++) {
        for (const each of await open(door, 20)) {
          all.push(each)
          await each.request(`PUT /${crowd}-${all.length}?wait=40`, `Content-Length: ${body.length}\r\n`)
          // What comes with the head is what is held, and no more is set aside: with several threads that is less than a read.
          if (all.length % 4 === 0) void each.send(body)
        }
      }
      const refused = eventually(() => isRefused() || `nobody of ${all.length} is refused`, { timeoutMs: 30_000 })
      return orMend(refused, () => {
        for (const each of all) each.leave('reset')
      })
    },
  }
}

/** Every way to be half done, and a reset for all of them at the same moment (SO_LINGER 0). */
export function resets(door: Door): Fault {
  return {
    name: 'connections reset',
    what: '40 connections in the middle of a head, a body, a wait or a download, reset at once',
    lasts: [50, 500],
    async plant() {
      const crowd = `reset-${crowds++}`
      const all = await open(door, 40)
      for (const [i, each] of all.entries()) {
        const name = `${crowd}-${i >> 2}`
        if (i % 4 === 0) await each.request(`PUT /${name}?wait=40`, 'Content-Length: 100000\r\n')
        else if (i % 4 === 1) await each.request(`GET /${name}?wait=40`)
        else if (i % 4 === 2) await each.send('GET /half HTTP/1.1\r\nHos')
        else await each.request(`GET /${name}?progress`)
        if (i % 4 === 0) await each.send(bodyOf(i, 50_000))
      }
      return () => {
        for (const each of all) each.leave('reset')
      }
    },
  }
}
