import type { Import } from './imports.js'
import { ROOMS, roomOf } from './rooms.js'

/** Imports that the table of rooms does not allow, a line each. */
export function forbidden(imports: readonly Import[]): string[] {
  return imports.flatMap((each) => {
    const why = problem(each)
    return why === undefined ? [] : [`${each.from} imports ${each.to}: ${why}`]
  })
}

function problem({ from, to, isLocal }: Import): string | undefined {
  const room = roomOf(from)
  if (room === undefined) return 'the file stands in no room'
  if (!isLocal) {
    const owner = ROOMS.find(({ owns }) => owns?.includes(to))
    if (owner !== undefined && owner !== room) return `only ${owner.path} may`
    return room.libraries ? undefined : `${room.path} imports no library`
  }
  if (roomOf(to) === room) return isOtherPlugin(from, to) ? 'a plugin does not import another one' : undefined
  const isAllowed = room.imports.some((allowed) => to === allowed || to.startsWith(`${allowed}/`))
  return isAllowed ? undefined : `${room.path} may import ${room.imports.join(', ') || 'nothing'}`
}

/** Plugins are one room, and strangers to each other; `bundled.ts` knows all of them. */
function isOtherPlugin(from: string, to: string): boolean {
  const [folder, plugin, file] = from.split('/')
  return folder === 'plugins' && file !== undefined && plugin !== to.split('/')[1]
}

/**
 * Circles, each as the modules that lie on it (a strongly connected component, by Tarjan's algorithm).
 * @param arrows who imports whom
 */
export function circles(arrows: readonly Pick<Import, 'from' | 'to'>[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of arrows) next.set(from, [...(next.get(from) ?? []), to])
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (at: string) => {
    const index = order.size
    order.set(at, index)
    low.set(at, index)
    stack.push(at)
    for (const to of next.get(at) ?? []) {
      if (!order.has(to)) visit(to)
      if (stack.includes(to)) low.set(at, Math.min(low.get(at)!, low.get(to)!))
    }
    if (low.get(at) !== index) return
    const circle = stack.splice(stack.indexOf(at))
    if (circle.length > 1 || next.get(at)?.includes(at)) found.push(circle.sort())
  }
  for (const at of next.keys()) if (!order.has(at)) visit(at)
  return found
}
