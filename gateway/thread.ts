/** What runs in each thread of `pipegate serve --threads N`. gateway/serve/threads starts it. */
import './serve/v8-flags.js'
import { runThread } from './serve/threads/thread.js'

await runThread(async (entries) => {
  const { loadPlugins } = await import('./host/loading/loader.js')
  const { BUNDLED } = await import('../plugins/bundled.js')
  return loadPlugins(entries, BUNDLED)
})
