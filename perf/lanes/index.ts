/** The lanes there are, in the order in which they run. */

import type { Lane } from '../lane.js'
import { fanOut } from './fan-out.js'
import { migrate } from './migrate.js'
import { migrateChunked } from './migrate-chunked.js'

export const LANES: readonly Lane[] = [migrate, migrateChunked, fanOut]
