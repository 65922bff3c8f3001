/** Which flag a side has: `listen` accepts connections, `connect` makes them. */
export type Role = 'listen' | 'connect'

export function otherOf(role: Role): Role {
  return role === 'listen' ? 'connect' : 'listen'
}
