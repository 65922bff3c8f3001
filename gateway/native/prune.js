/**
 * Runs when npm has installed the package: of the engine's binaries for each platform, 5 MB each, those of this one stay. They
 * stay for each Node, so that another Node can be installed later. Where scripts are not run all of them stay, and do no harm.
 */
import { readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

try {
  const folder = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'))
  const others = readdirSync(folder).filter(
    (name) => /^uws_\w+\.node$/.test(name) && !name.startsWith(`uws_${process.platform}_${process.arch}_`),
  )
  for (const name of others) rmSync(join(folder, name))
} catch {
  // An installation that cannot be written to, or is laid out in another way, is as good.
}
