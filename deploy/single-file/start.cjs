// The program in the executable: unpacks the package that the executable carries, and runs it.
//
// Node runs one script in an executable, and loads native code from files only. So what build.sh has put in, the package with
// what it depends on, is written to a private folder when it is not there already, and started from there. Nothing is bundled or
// changed: what runs is what npm installs.
const { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { homedir, tmpdir } = require('node:os')
const { dirname, join } = require('node:path')
const { getAsset, getRawAsset } = require('node:sea')
const { gunzipSync } = require('node:zlib')

/** The folder's name, from what is in it, and each file as [path, size, start in the unpacked bytes]. */
const { key, files } = JSON.parse(getAsset('files.json', 'utf8'))

/** Folders that may have the private one in them: the first that can be written to has. */
function places() {
  const cache = process.env.XDG_CACHE_HOME || (homedir() === '/' ? undefined : join(homedir(), '.cache'))
  return [...(cache === undefined ? [] : [join(cache, 'pipegate')]), join(tmpdir(), `pipegate-${process.getuid()}`)]
}

/** @throws Error where somebody else could write: what is loaded from there runs as this user */
function makePrivate(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== process.getuid() || (found.mode & 0o022) !== 0)
    throw new Error(`found ${folder}, which is no folder that only this user can write to; remove it, or set XDG_CACHE_HOME`)
  if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700)
}

/** Writes what is missing. Several that start at once write the same files, each of them whole. */
function unpackInto(folder) {
  makePrivate(dirname(folder))
  makePrivate(folder)
  const missing = files.filter(([path, size]) => statSync(join(folder, path), { throwIfNoEntry: false })?.size !== size)
  if (missing.length === 0) return
  const bytes = gunzipSync(Buffer.from(getRawAsset('files.gz')))
  for (const [path, size, start] of missing) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const own = `${file}.${process.pid}`
    try {
      writeFileSync(own, bytes.subarray(start, start + size), { mode: 0o600 })
      renameSync(own, file)
    } catch (error) {
      rmSync(own, { force: true })
      throw error
    }
  }
}

function unpacked() {
  const problems = []
  for (const place of places()) {
    const folder = join(place, key)
    try {
      unpackInto(folder)
      return folder
    } catch (error) {
      problems.push(error.message)
    }
  }
  process.stderr.write(`pipegate: nowhere to unpack what this executable has in it: ${problems.join('; ')}\n`)
  process.exit(1)
}

const starter = join(unpacked(), 'start-unpacked.cjs')
createRequire(starter)(starter)
