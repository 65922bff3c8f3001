import { z } from '../../gateway/host/plugin-api.js'

const DAY_S = 86_400

const count = (most: number) => z.int().min(1).max(most)

export const schema = z.strictObject({
  /** Spectators of one name. */
  spectators: count(10_000).default(50),
  /** Names that are watched at once. */
  names: count(100_000).default(500),
  /** Seconds for which a name keeps its final state. */
  linger: z.int().min(0).max(3600).default(30),
  /** Seconds after which a spectator has to come again. */
  life: z.int().min(10).max(DAY_S).default(1800),
  /** Receipts of transfers that are over, at most. */
  receipts: z.int().min(0).max(1_000_000).default(10_000),
  /** Seconds for which they are kept. */
  keep: count(30 * DAY_S).default(DAY_S),
  /** Who may show the page in a frame: sources as in a Content-Security-Policy, separated by spaces. */
  frameAncestors: z
    .string()
    .regex(
      /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+( [\x21-\x2b\x2d-\x3a\x3c-\x7e]+)*$/,
      'expected sources as in a Content-Security-Policy, separated by single spaces',
    )
    .default("'self'"),
})

export type Config = z.infer<typeof schema>
