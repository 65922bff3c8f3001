import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Debian's packages are of its own Python, which need not be the first one on the path. */
const PYTHONS = ['python3', '/usr/bin/python3']

/** Puts a `python3` that has the module before the others. Throws when there is none. @param dir of the example */
export function withPython(dir: string, module: string): void {
  const has = (python: string) => spawnSync(python, ['-c', `import ${module}`]).status === 0
  const python = PYTHONS.find(has)
  if (python === undefined) throw new Error(`no Python has the module ${module}: sh test/tools.sh`)
  const path = 'PATH=$(printf %s "$PATH" | cut -d: -f2-)'
  // Without a buffer: what a server has said before it is stopped is seen.
  writeFileSync(join(dir, '.bin/python3'), `#!/bin/sh\n${path}\nexec ${python} -u "$@"\n`, { mode: 0o755 })
}
