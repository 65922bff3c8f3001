/**
 * Loaded before a test that `npx tap` runs (`.taprc`): what a test starts runs as it ships. tap would load its own module into
 * each Node that a test starts, to know what it covers: that doubles what the start of a gateway costs, and it ends the
 * process at signals which Node itself ignores (SIGXFSZ).
 */
import { createRequire } from 'node:module'

const { removeAllListeners } = createRequire(import.meta.url)('process-on-spawn') as { removeAllListeners(): void }

removeAllListeners()
delete process.env.NODE_OPTIONS
