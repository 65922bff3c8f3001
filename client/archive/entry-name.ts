import { ArchiveError, quoted } from './archive-error.js'

/** Most bytes of a path: as many as Linux takes in one call. */
const LONGEST_PATH = 4095

const CONTROL = /[\x00-\x1f\x7f-\x9f]/

/** What Windows would take for the name of a device, and what it does not take for a name. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i
const WINDOWS_FORBIDDEN = /[<>:"|?*\\]|[. ]$/

/**
 * The path of an entry below the folder that it is unpacked into, without `.` and doubled slashes; empty for that folder itself.
 * Refuses what leads out of it on any system: an archive that is harmless here and not there is meant for somebody.
 * @param name as it stands in the archive
 * @param windows also refuses what Windows would read as something else
 * @throws ArchiveError
 */
export function pathOf(name: string, windows: boolean): string {
  const problem = textProblem(name) ?? directionProblem(name)
  if (problem !== undefined) throw new ArchiveError(problem, name)
  const steps = name.split('/').filter((step) => step !== '' && step !== '.')
  if (windows) for (const step of steps) refuseOnWindows(step, name)
  return steps.join('/')
}

function textProblem(name: string): string | undefined {
  if (name === '') return 'is an entry without a name.'
  if (CONTROL.test(name)) return 'has a control character in its name, which no name may have here.'
  if (Buffer.byteLength(name) > LONGEST_PATH) return `has a name of more than ${LONGEST_PATH} bytes.`
  return undefined
}

function directionProblem(name: string): string | undefined {
  if (/^[/\\]/.test(name)) return 'is an absolute path, which leads out of the folder.'
  if (/^[a-z]:([/\\]|$)/i.test(name)) return 'begins with a drive, which leads out of the folder.'
  if (name.split(/[/\\]/).includes('..')) return 'leads out of the folder, with "..".'
  return undefined
}

function refuseOnWindows(step: string, name: string): void {
  if (WINDOWS_DEVICE.test(step))
    throw new ArchiveError(`cannot be a name on Windows: ${quoted(step)} is a device.`, name)
  if (WINDOWS_FORBIDDEN.test(step)) throw new ArchiveError('cannot be a name on Windows.', name)
}

/**
 * Why a symbolic link may not be made; undefined when it may. `..` counts only at the beginning, where it climbs from a real
 * folder. Behind a name it would climb from wherever that name leads, which may be another link: two harmless links could
 * make a way out.
 * @param target what the link says
 * @param depth how many folders the link is deep, below the one that it must not leave
 */
export function linkProblem(target: string, depth: number): string | undefined {
  if (target === '') return 'is a link that points to nothing.'
  const problem = textProblem(target)
  if (problem !== undefined) return `is a link to a path that ${problem}`
  if (/^[/\\]/.test(target) || /^[a-z]:([/\\]|$)/i.test(target)) {
    return `is a link to the absolute path ${quoted(target)}, which leads out of the folder.`
  }
  const steps = target.split(/[/\\]/).filter((step) => step !== '' && step !== '.')
  const climbs = steps.findIndex((step) => step !== '..')
  const up = climbs === -1 ? steps.length : climbs
  if (up > depth) return `is a link to ${quoted(target)}, which leads out of the folder.`
  if (steps.slice(up).includes('..'))
    return `is a link to ${quoted(target)}, where ".." stands behind a name and may lead out.`
  return undefined
}

/** How many folders a path lies deep: 0 for `a`, 2 for `a/b/c`. */
export function depthOf(path: string): number {
  return path.split('/').length - 1
}
