/** What Linux tells about another process. */

import { readdirSync, readFileSync } from 'node:fs'

// USER_HZ is 100 on every Linux that Node runs on, whatever the kernel's own tick is.
const TICKS_PER_SECOND = 100

/** Seconds of processor time that all threads of a process, and children that have ended, have used so far, to 10 ms. */
export function cpuSeconds(pid: number): number {
  // The name of the program stands in parentheses and may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
}

/** The same of a process and all that it has started. */
export function cpuOfFamily(pid: number): number {
  // Children first: one that ends meanwhile is with its parent then.
  return family(pid).reduceRight((sum, each) => sum + (each === pid ? cpuSeconds(each) : cpuOfChild(each)), 0)
}

function cpuOfChild(pid: number): number {
  try {
    return cpuSeconds(pid)
  } catch {
    // It has ended.
    return 0
  }
}

/** Bytes of memory of a process that are resident, anonymous and mapped together. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  if (kib === undefined) throw new Error(`process ${pid} has no memory: it has ended`)
  return Number(kib) * 1024
}

/** A process and all that it has started and that still runs, itself first. */
export function family(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  const children = threads.flatMap((thread) => childrenOf(`/proc/${pid}/task/${thread}/children`))
  return [pid, ...children.flatMap(family)]
}

function childrenOf(file: string): number[] {
  try {
    return readFileSync(file, 'latin1').split(' ').filter(Boolean).map(Number)
  } catch {
    // A thread that has ended, or a kernel that keeps no such list.
    return []
  }
}

/** Open files of a process: sockets among them. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Files that a process may open, as it stands now. */
export function openFilesLimit(pid: number | 'self'): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1] ?? 1024)
}
